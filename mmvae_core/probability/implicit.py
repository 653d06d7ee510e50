"""Implicit reparameterisation of mixtures: draws that carry gradients to the weights too."""

from typing import Protocol

import torch
from torch import Tensor
from torch.distributions import Distribution


class Components(Protocol):
    """What is needed of the components: independent latents, each with density, CDF and score."""

    @property
    def each(self) -> Distribution:
        """The latents one by one, batch shape [..., component, latent]."""
        ...

    def score(self, value: Tensor) -> Tensor:
        """d log density / d z of each latent."""
        ...


def reparameterise(draws: Tensor, log_weights: Tensor, components: Components) -> Tensor:
    """The same draws [sample, ..., latent] with dz/dtheta = -(dF/dz)^-1 dF/dtheta.

    F maps z to its conditional CDFs, latent by latent: F_d(z) = sum_k w_kd CDF_k(z_d), where
    w_kd is proportional to w_k prod_{j<d} f_k(z_j), the weight of component k after the earlier
    latents were seen. F(z) is uniform whatever theta is, so holding it still moves z with theta.
    dF/dz is lower triangular: the conditional densities on its diagonal, and below it
    sum_k w_kd (CDF_k(z_d) - F_d) dlog f_k(z_j)/dz_j. Unbiased for smooth functions of z; where
    components barely overlap the gradient of the weights has a large variance.
    Source: Figurnov, Mohamed, Mnih, "Implicit Reparameterization Gradients", 2018,
    arXiv 1805.08498; the mixture as in TensorFlow Probability's MixtureSameFamily.
    """
    values = draws.detach()
    log_density, cdf = _per_latent(values, components)
    log_before = log_weights[..., None] + _sums_before(log_density)
    weights = log_before.softmax(-2)
    uniform = (weights * cdf).sum(-2)
    with torch.no_grad():
        diagonal = (weights * log_density.exp()).sum(-2)
        moves = weights * (cdf - uniform[..., None, :])
        below = moves.transpose(-1, -2) @ components.score(values[..., None, :])
        floor = torch.finfo(diagonal.dtype).tiny
        jacobian = below.tril(-1) + torch.diag_embed(diagonal.clamp_min(floor))
    still = (uniform - uniform.detach())[..., None]
    return values - torch.linalg.solve_triangular(jacobian, still, upper=False)[..., 0]


def _per_latent(values: Tensor, components: Components) -> tuple[Tensor, Tensor]:
    """Log-density and CDF of each latent under each component, [..., component, latent]."""
    each = components.each
    return each.log_prob(values[..., None, :]), each.cdf(values[..., None, :])


def _sums_before(values: Tensor) -> Tensor:
    """Sums over the earlier latents, 0 for the first: [..., latent]."""
    return torch.cat([torch.zeros_like(values[..., :1]), values[..., :-1].cumsum(-1)], -1)
