"""All subsets of one item out of one call of the model: nodes, edges, shares. Imported late."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from mmvae_core.batch import Batch
from mmvae_core.evaluation.all_subsets import Family, change, posterior_all_subsets
from mmvae_core.evaluation.exact_linear import exact_linear, kl_from_exact
from mmvae_core.evaluation.information import Edges, edges, gains, node_rates, shares
from mmvae_core.evaluation.rates import Estimate
from mmvae_core.explore.inference import RATE_SAMPLES, decoded
from mmvae_core.explore.plane import (
    DRAWS,
    Outline,
    Plane,
    density_outline,
    normal_mixture,
    normal_outline,
    of_draws,
)
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import DiagonalMixture, Gaussian, GaussianMixture
from mmvae_core.projections import fit_pca
from mmvae_core.seeding import generator_of

LIGHTEST = 1e-6
"""Components of less weight are not drawn."""
MOST_MODALITIES = 5
"""Up to so many, all subsets of an item are made at once."""

Mask = tuple[bool, ...]


@dataclass(frozen=True)
class Node:
    """One mask; fields as those of `inference.Generated`."""

    at_mean: Mapping[str, np.ndarray]
    at_draws: Mapping[str, np.ndarray]
    width: float
    rate: float
    rate_error: float | None


@dataclass(frozen=True)
class Lattice:
    """What is known of one item under each of some masks, arrays by [node] or [edge]."""

    masks: np.ndarray
    """[node, modality], ordered as `subsets.all_subsets`."""
    at_mean: Mapping[str, np.ndarray]
    """E[x | z] at the posterior's mean, per modality [node, *shape]."""
    at_draws: Mapping[str, np.ndarray]
    """The same at draws of it, the noise being the same for all: [draw, node, *shape]."""
    width: np.ndarray
    rate: Estimate
    between: Edges
    gain: Estimate
    share: Estimate | None
    """Shapley shares of the rates, [modality]; None unless all subsets are there."""
    gap: Estimate | None
    """KL(q || exact posterior), None unless the model is linear-Gaussian."""
    outlines: tuple[Outline, ...]
    exact_outlines: tuple[Outline, ...]
    """In the plane, by node; empty where there is no plane or no exact posterior."""
    normal: bool
    """Whether every outline is an ellipse."""
    prior_width: float
    latents: np.ndarray
    """The draws themselves, [draw, node, latent]."""
    lacks: tuple[int, ...] = ()
    """Indices of the modalities that the item does not have: a node with one is that without it."""
    samples: int = RATE_SAMPLES
    """Draws of each posterior where a number has an error."""

    def row(self, mask: tuple[bool, ...]) -> int:
        """The node of a mask."""
        return int(np.flatnonzero((self.masks == np.array(mask)).all(1))[0])

    def node(self, row: int) -> Node:
        """One node by itself."""
        return Node(
            at_mean={name: values[row] for name, values in self.at_mean.items()},
            at_draws={name: values[:, row] for name, values in self.at_draws.items()},
            width=float(self.width[row]),
            rate=float(self.rate.value[row]),
            rate_error=error_of(self.rate, row),
        )


def error_of(estimate: Estimate, row: int) -> float | None:
    """The standard error of one value, None where it is exact."""
    error = 0.0 if estimate.error is None else float(estimate.error[row])
    return error or None


def masks_near(mask: Mask) -> tuple[Mask, ...]:
    """All masks, ordered as `subsets.all_subsets`; of many modalities those next to a mask."""
    count = len(mask)
    if count <= MOST_MODALITIES:
        members = (one for size in range(count + 1) for one in combinations(range(count), size))
        return tuple(tuple(index in one for index in range(count)) for one in members)
    masks = [
        mask,
        *(
            tuple(kept != (index == other) for other, kept in enumerate(mask))
            for index in range(count)
        ),
    ]
    return tuple(sorted(masks, key=lambda one: (sum(one), [not kept for kept in one])))


@torch.no_grad()
def make_lattice(
    model: MultimodalVAE,
    values: Mapping[str, np.ndarray],
    masks: np.ndarray,
    draws: int,
    seed: int,
    plane: Plane | None = None,
) -> Lattice:
    """Every mask [node, modality] of one item ([*shape] of each modality), decoded at once.

    Of what the item does not have nothing is shown.
    """
    has = [name in values for name in model.names]
    batch = Batch(
        {name: _tensor(model, name, values)[None] for name in model.names}, torch.tensor([has])
    )
    subsets = torch.from_numpy(masks)
    posterior = change(posterior_all_subsets(model, batch, subsets), lambda value: value[:, 0])
    between, prior, exact = edges(subsets), model.prior(), exact_posteriors(model, batch, subsets)
    latents = _draws(posterior, draws, seed)
    means = decoded(model, torch.cat([posterior.mean[None], latents]))
    rate = node_rates(posterior, prior, RATE_SAMPLES, seed)
    gap = None if exact is None else kl_from_exact(posterior, exact, RATE_SAMPLES, seed)
    outlines = (
        ()
        if plane is None
        else tuple(_outline(_node(posterior, row), plane, seed) for row in range(len(masks)))
    )
    return Lattice(
        masks,
        {name: value[0] for name, value in means.items()},
        {name: value[1:] for name, value in means.items()},
        posterior.stddev.mean(-1).numpy(),
        rate,
        between,
        gains(posterior, between, RATE_SAMPLES, seed),
        shares(rate, subsets) if len(masks) == 2 ** len(model.names) else None,
        gap,
        outlines,
        _exact_outlines(exact, plane),
        normal=all(one.outer.ndim == 2 for one in outlines),
        prior_width=float(prior.stddev.mean()),
        latents=latents.numpy(),
        lacks=tuple(index for index, one in enumerate(has) if not one),
    )


def _tensor(model: MultimodalVAE, name: str, values: Mapping[str, np.ndarray]) -> Tensor:
    """A modality's value as the model takes it; zeros that nobody looks at where there is none."""
    kind = model.modality(name).kind
    return kind.tensor(values.get(name, np.zeros(kind.item, np.float32)))


def exact_posteriors(
    model: MultimodalVAE, batch: Batch, subsets: Tensor
) -> MultivariateNormal | None:
    """p(z | x_S) of one item for each subset, batch shape [node]; None if there is no formula."""
    known = exact_linear(model)
    if known is None:
        return None
    rows = {
        name: value.expand(len(subsets), *value.shape[1:]) for name, value in batch.data.items()
    }
    return known.posterior(rows, subsets & batch.observed)


@torch.no_grad()
def plane_of(model: MultimodalVAE, means: np.ndarray) -> Plane:
    """Where posteriors are drawn: the latent axes if there are two, else two principal axes.

    Those are of `means` [item, latent], posterior means with everything shown, after each latent
    is divided by the prior's standard deviation.
    """
    if means.shape[-1] == 2:
        return Plane(
            np.eye(2),
            np.zeros(2),
            ("latent axis 1", "latent axis 2"),
            "the two latent axes as they are",
        )
    scale = model.prior().stddev.numpy().astype(float)
    centre, axes, explained = fit_pca(means / scale)
    first, second = (f"{100 * share:.0f} %" for share in explained)
    return Plane(
        axes / scale,
        centre * scale,
        (f"principal axis 1 ({first} of the variance)", f"axis 2 ({second})"),
        f"two principal axes of {len(means):,} items' posterior means with everything shown, each "
        "latent in prior standard deviations",
    )


def _draws(posterior: Family, count: int, seed: int) -> Tensor:
    """Draws [draw, node, latent]; each node's noise starts anew from the seed."""
    draws = []
    for row in range(len(posterior.mean)):
        generator = generator_of(seed)
        draws.append(_node(posterior, row).rsample((count,), generator=generator))
    return torch.cat(draws, 1)


def _node(posterior: Family, row: int) -> Family:
    """One node, batch shape [1]."""
    return change(posterior, lambda value: value[row : row + 1])


def _outline(one: Family, plane: Plane, seed: int) -> Outline:
    mean = plane.points(one.mean[0].double().numpy())
    if isinstance(one, Gaussian):
        return normal_outline(mean, plane.covariances(one.scale[0].double().numpy()))
    if isinstance(one, GaussianMixture):
        weights, loc, scale = (value[0].double().numpy() for value in one.parameters())
        kept = np.exp(weights) > LIGHTEST
        weights, centres = np.exp(weights[kept]), plane.points(loc[kept])
        covariances = plane.covariances(scale[kept])
        if len(weights) == 1:
            return normal_outline(centres[0], covariances[0])
        return density_outline(mean, normal_mixture(weights / weights.sum(), centres, covariances))
    generator = generator_of(seed)
    if isinstance(one, DiagonalMixture):
        weights = one.log_weights[0].exp()
        drawn = one.components.rsample((DRAWS,), generator=generator)[:, 0]
    else:
        weights, drawn = torch.ones(1), one.rsample((DRAWS,), generator=generator)
    kept = weights > LIGHTEST
    drawn = plane.points(drawn[:, kept].double().numpy())
    return density_outline(mean, of_draws((weights[kept] / weights[kept].sum()).numpy(), drawn))


def _exact_outlines(exact: MultivariateNormal | None, plane: Plane | None) -> tuple[Outline, ...]:
    if exact is None or plane is None:
        return ()
    covariances = plane.axes @ exact.covariance_matrix.numpy() @ plane.axes.T
    return tuple(
        normal_outline(mean, covariance)
        for mean, covariance in zip(plane.points(exact.loc.numpy()), covariances, strict=True)
    )
