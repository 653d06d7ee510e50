"""How wide a run's mixture prior is, read off its weights without torch, for pages that have none."""

from math import sqrt

import numpy as np
from safetensors import SafetensorError, safe_open

from mmvae_core.store.run import Run

MIN_SCALE = 1e-3
"""As `probability.posteriors` adds it, which needs torch."""
UNIT = {"normal": 1.0, "laplace": sqrt(2)}
"""The standard deviation of a component whose scale is 1."""


def mixture_width(run: Run) -> np.ndarray | None:
    """The standard deviations [latent] of p(z) = sum_k w_k prod_d f(z_d; m_kd, s_kd).

    sqrt(sum_k w_k (v s_kd^2 + m_kd^2) - (sum_k w_k m_kd)^2) with v the variance of f at scale 1, and
    1 for private latents. None where the prior is no mixture, or the weights do not hold it as the
    configuration says: `Run.model` tells what is wrong with them.
    """
    config, prior = run.config, run.config.prior
    if prior.name != "mixture" or not run.has_model:
        return None
    room = "prior.shared." if config.private else "prior."
    try:
        with safe_open(run.weights, "np") as file:
            logits, loc, raw = (
                file.get_tensor(room + name).astype(float)
                for name in ("logits", "loc", "raw_scale")
            )
    except (SafetensorError, OSError):
        return None
    shape = (prior.components, config.latent)
    if (logits.shape, loc.shape, raw.shape) != (shape[:1], shape, shape):
        return None
    weights = np.exp(logits - logits.max())[:, None]
    weights /= weights.sum()
    scale = np.logaddexp(raw, 0) + MIN_SCALE
    second = (weights * (np.square(UNIT[prior.family] * scale) + np.square(loc))).sum(0)
    width = np.sqrt(second - np.square((weights * loc).sum(0)))
    if not np.isfinite(width).all():
        return None
    return np.append(width, np.ones(config.latents - config.latent)).astype(np.float32)
