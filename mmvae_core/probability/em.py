"""A mixture of diagonal normals, fitted to points by expectation maximisation."""

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmvae_core.errors import DataError
from mmvae_core.probability.posteriors import GaussianMixture

MIN_SPREAD = 0.05
"""No component gets narrower, however few points it holds."""
MIN_SHARE = 0.1
"""No component weighs less than this part of an equal share, so that none dies."""
STEPS = 50
TOLERANCE = 1e-5
"""EM has ended when a step raises the mean log-density by less, in nats."""


def fit_mixture(
    points: Tensor,
    components: int,
    seed: int,
    start: GaussianMixture | None = None,
    steps: int = STEPS,
) -> GaussianMixture:
    """The mixture of `components` diagonal normals that EM finds for points [point, latent].

    Begun from `start`, or where that is not given from clusters (k-means, seeded). Each step
    raises the points' likelihood; variances are raised by 0.05 squared, and weights below a tenth
    of an equal share are lifted to it. Float64 inside, batch shape [], event shape [latent].
    Source: Dempster, Laird, Rubin, 1977; made by scikit-learn.
    """
    from sklearn.exceptions import ConvergenceWarning  # late: costs a second to import
    from sklearn.mixture import GaussianMixture as Estimator

    values = points.detach().cpu().double().numpy()
    if len(values) < 2 * components or not np.isfinite(values).all():
        raise DataError(
            f"{len(values)} points were given for {components} components, expected finite ones "
            f"and at least {2 * components}; give more items or fewer components."
        )
    given: dict[str, Any] = {} if start is None else _given(start)
    estimator = Estimator(
        components,
        covariance_type="diag",
        reg_covar=MIN_SPREAD**2,
        max_iter=steps,
        tol=TOLERANCE,
        random_state=seed,
        **given,
    )
    with warnings.catch_warnings():
        # That it could go on is no fault: steps are the budget.
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(values)
    weights = np.maximum(np.asarray(estimator.weights_), MIN_SHARE / components)
    spread = np.sqrt(np.asarray(estimator.covariances_))
    parts = np.log(weights / weights.sum()), np.asarray(estimator.means_), spread
    return GaussianMixture(*(torch.from_numpy(np.ascontiguousarray(part)) for part in parts))


def _given(start: GaussianMixture) -> dict[str, Any]:
    """A mixture as the library takes it."""
    log_weights, loc, scale = (value.detach().cpu().double() for value in start.parameters())
    weights = log_weights.softmax(-1)
    return {
        "weights_init": weights.numpy(),
        "means_init": loc.numpy(),
        "precisions_init": (scale**-2).numpy(),
    }
