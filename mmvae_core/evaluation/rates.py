"""Rates and distortions: what a posterior carries and what it loses, in nats per item.

Source: Alemi et al., "Fixing a Broken ELBO", 2018, https://arxiv.org/abs/1711.00464
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution, kl_divergence

from mmvae_core.batch import Batch
from mmvae_core.errors import UsageError
from mmvae_core.evaluation.all_subsets import ITEMS, alive, change, one_subset, parts
from mmvae_core.evaluation.log_likelihood import score
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import DiagonalMixture, Posterior
from mmvae_core.seeding import generator_of
from mmvae_core.store.records import Mean
from mmvae_core.subsets import all_subsets

DRAWS = 16
"""Draws made at once: what a seed gives hangs on it."""


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
    return kl_to_each(q, [p], samples, seed)[0]


@torch.no_grad()
def kl_to_each(
    q: Posterior, others: Iterable[Posterior], samples: int, seed: int
) -> list[Estimate]:
    """KL(q || p) of each p as `kl` gives it, all from the same draws of q, made once."""
    q, drawn = alive(q), None
    estimates = []
    for p in others:
        p = alive(p)
        exact = _closed_form(q, p)
        if exact is not None:
            estimates.append(Estimate(exact))
            continue
        if samples < 2:
            raise UsageError(
                f"{samples} draws were asked for, expected 2 or more for an error bar."
            )
        latent, log_density = drawn = drawn or _drawn(q, samples, seed)
        ratios = log_density - p.log_prob(latent)
        estimates.append(Estimate(ratios.mean(0), ratios.std(0) / samples**0.5))
    return estimates


def rates(posterior: Posterior, prior: Posterior, samples: int, seed: int) -> list[Estimate]:
    """R_S = KL(q(z|x_S) || p(z)) of each subset of a posterior of batch shape [subset, batch]."""
    count = posterior.mean.shape[0]
    return [kl(one_subset(posterior, row), prior, samples, seed) for row in range(count)]


def cross_rates(posterior: Posterior, samples: int, seed: int) -> list[Estimate]:
    """R_{O|S} = KL(q(z|x_O) || q(z|x_S)) of each subset; the full set O is the last row.

    Source: Hirt et al. 2024, https://arxiv.org/abs/2309.00380
    """
    count = posterior.mean.shape[0]
    full = one_subset(posterior, count - 1)
    return kl_to_each(full, (one_subset(posterior, row) for row in range(count)), samples, seed)


@torch.no_grad()
def distortions(
    model: MultimodalVAE,
    batch: Batch,
    posterior: Posterior,
    samples: int,
    seed: int,
    each: Callable[[float], None] = lambda fraction: None,
) -> tuple[Tensor, Tensor]:
    """D_S = -E_q(z|x_S) log p(x_S | z) and a bound of log p(x_S), both [subset, batch], unweighted.

    `posterior` has batch shape [subset, batch]. Both are read off the same `samples` draws: the
    mean of -log p(x_S | z), and the importance-weighted bound of `log_mean`. Of nothing both are 0.
    """
    masks, scores, generator = all_subsets(len(model.names)), [], generator_of(seed, model.device)
    for row, mask in enumerate(masks):
        shown, pieces, start = alive(one_subset(posterior, row)), [], 0
        for part in parts(batch, ITEMS):
            rows = slice(start, start + len(part))
            own = change(shown, lambda one, at=rows: one[at])
            pieces.append(_scored(model, part, own, mask, samples, generator))
            start += len(part)
        scores.append(torch.cat(pieces, 1))
        each((row + 1) / len(masks))
    both = torch.stack(scores, 1)
    return both[0], both[1]


def log_mean(log_weights: Tensor) -> Estimate:
    """log (1/L) sum_l w_l of log-weights [sample, batch], with its standard error [batch].

    With w_l = p(x | z_l) p(z_l) / q(z_l) the expectation is a lower bound of log p(x). The error
    is that of the mean weight, carried through the logarithm: std(w) / (mean(w) sqrt(L)). Where few
    draws carry all the weight it is too small, as any error taken from the draws themselves.
    """
    count = len(log_weights)
    if count < 2:
        raise UsageError(f"{count} draws were given, expected 2 or more for an error bar.")
    value = log_weights.logsumexp(0) - math.log(count)
    return Estimate(value, (log_weights - value).exp().std(0) / count**0.5)


def mean_error(values: Tensor) -> Mean:
    """Mean over items and its standard error (None for a single item)."""
    values = values.double()
    error = float(values.std() / len(values) ** 0.5) if len(values) > 1 else None
    return Mean(mean=float(values.mean()), error=error)


def _scored(
    model: MultimodalVAE,
    part: Batch,
    posterior: Posterior,
    mask: Tensor,
    samples: int,
    generator: torch.Generator,
) -> Tensor:
    """Distortion and bound [2, batch] of the items of a part."""
    latent = posterior.rsample((samples,), generator=generator)
    scores = score(model, part, mask, latent)
    if not bool(mask.any()):
        return torch.zeros_like(scores[:2])
    weights = scores + model.prior().log_prob(latent) - posterior.log_prob(latent)
    return torch.stack([-scores.mean(0), log_mean(weights).value])


def _drawn(q: Posterior, samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draws of q [sample, ..., latent] and their log-density; `DRAWS` at a time, as ever."""
    generator = generator_of(seed, q.mean.device)
    sizes = [min(DRAWS, samples - start) for start in range(0, samples, DRAWS)]
    latent = torch.cat([q.rsample((size,), generator=generator) for size in sizes])
    return latent, q.log_prob(latent)


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
