"""Rates: how far posteriors are from the prior and from each other, in nats per item."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution, kl_divergence

from mmvae_core.errors import UsageError
from mmvae_core.evaluation.all_subsets import one_subset
from mmvae_core.probability.posteriors import DiagonalMixture, Posterior
from mmvae_core.seeding import seeded

DRAWS = 16
"""Draws scored at once."""


@dataclass(frozen=True)
class Estimate:
    """A value in nats [batch] and its standard error [batch], None where the value is exact."""

    value: Tensor
    error: Tensor | None = None

    @property
    def exact(self) -> bool:
        """Whether the value comes from a formula."""
        return self.error is None


@torch.no_grad()
def kl(q: Posterior, p: Posterior, samples: int, seed: int) -> Estimate:
    """KL(q || p) = E_q[log q(z) - log p(z)] per item; `p` may have no batch axis.

    Between diagonal normals by formula: the sum over latent dimensions of
    log(s_p / s_q) + (s_q^2 + (m_q - m_p)^2) / (2 s_p^2) - 1/2. A mixture of which one component
    has all the weight counts as normal. Else the mean over `samples` seeded draws of q, with the
    standard error of that mean; such an estimate may come out below zero.
    """
    exact = _closed_form(q, p)
    if exact is not None:
        return Estimate(exact)
    if samples < 2:
        raise UsageError(f"{samples} draws were asked for, expected 2 or more for an error bar.")
    with seeded(seed):
        ratios = torch.cat([
            _log_ratio(q, p, min(DRAWS, samples - start)) for start in range(0, samples, DRAWS)
        ])
    return Estimate(ratios.mean(0), ratios.std(0) / samples**0.5)


def rates(posterior: Posterior, prior: Posterior, samples: int, seed: int) -> list[Estimate]:
    """R_S = KL(q(z|x_S) || p(z)) of each subset of a posterior of batch shape [subset, batch].

    Source: Alemi et al., "Fixing a Broken ELBO", 2018, https://arxiv.org/abs/1711.00464
    """
    count = posterior.mean.shape[0]
    return [kl(one_subset(posterior, row), prior, samples, seed) for row in range(count)]


def cross_rates(posterior: Posterior, samples: int, seed: int) -> list[Estimate]:
    """R_{O|S} = KL(q(z|x_O) || q(z|x_S)) of each subset; the full set O is the last row.

    Source: Hirt et al. 2024, https://arxiv.org/abs/2309.00380
    """
    count = posterior.mean.shape[0]
    full = one_subset(posterior, count - 1)
    return [kl(full, one_subset(posterior, row), samples, seed) for row in range(count)]


def _log_ratio(q: Posterior, p: Posterior, draws: int) -> Tensor:
    latent = q.rsample((draws,))
    return q.log_prob(latent) - p.log_prob(latent)


def _closed_form(q: Posterior, p: Posterior) -> Tensor | None:
    """The exact value if torch has a formula for the pair."""
    q, p = _only_component(q), _only_component(p)
    if not isinstance(q, Distribution) or not isinstance(p, Distribution):
        return None
    try:
        return kl_divergence(q, p)
    except NotImplementedError:
        return None


def _only_component(posterior: Posterior) -> Posterior:
    """A mixture's component that has all the weight, where every item has one; else unchanged."""
    if not isinstance(posterior, DiagonalMixture):
        return posterior
    alive = posterior.log_weights > -torch.inf
    if not bool((alive.sum(-1) == 1).all()):
        return posterior
    index = alive.int().argmax(-1)[..., None, None]
    index = index.expand(*index.shape[:-1], posterior.loc.shape[-1])
    loc, scale = (one.gather(-2, index)[..., 0, :] for one in (posterior.loc, posterior.scale))
    return posterior.family(loc, scale)
