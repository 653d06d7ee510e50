"""What is exact of a toy world, and how far each rule is from it, all in float64 and in nats.

A modality tells of z what its statistics hold: log p(x_m | z) = c + h'z - z'Pz / 2 with
P = W'W / sigma^2, h = W'(x - b) / sigma^2. The exact posterior of a subset S has precision
I + sum_S P and mean (I + sum_S P)^-1 sum_S h (see `evaluation.exact_linear`).

The fixed rules get the best experts that the family has. Expert m is the diagonal normal whose
product with the prior is the diagonal normal nearest to p(z | x_m) in KL(q || p): the mean m_m of
p(z | x_m), precision 1 + diag P_m, or without the prior precision diag P_m and shift
(1 + diag P_m) m_m. PoE and MoPoE multiply them as `aggregators.fixed` does, MoE mixes the former.
So PoE is exact where every W'W is diagonal, and what it loses elsewhere is the rule's own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from mmvae_core.aggregators.fixed import (
    FixedAggregator,
    MixtureOfExperts,
    MixtureOfProducts,
    ProductOfExperts,
)
from mmvae_core.data.worlds.toy import LATENT, ToyWorld
from mmvae_core.errors import UsageError
from mmvae_core.evaluation.exact_linear import LinearGaussian
from mmvae_core.probability.posteriors import Diagonal, DiagonalMixture, GaussianMixture

NODES = 24
"""Points of a Gauss-Hermite rule along each latent, for the entropy of mixtures: where components
lie apart it may be off by up to a hundredth of a nat. One normal needs no rule and is exact."""
FIXED: dict[str, type[FixedAggregator]] = {
    "poe": ProductOfExperts,
    "moe": MixtureOfExperts,
    "mopoe": MixtureOfProducts,
}


@dataclass(frozen=True)
class Statistics:
    """P [modality, 2, 2], h [modality, 2] and c [modality] of one item."""

    precision: Tensor
    shift: Tensor
    constant: Tensor


def statistics(world: ToyWorld, item: Sequence[np.ndarray]) -> Statistics:
    """What each modality's data [size] tell of the latent."""
    parts = [
        _told(w, b, noise, np.asarray(x, float))
        for w, b, noise, x in zip(world.loadings, world.offsets, world.noises, item, strict=True)
    ]
    precision, shift, constant = (
        torch.from_numpy(np.stack([part[index] for part in parts])) for index in range(3)
    )
    return Statistics(precision, shift, constant)


def _told(
    loading: np.ndarray, offset: np.ndarray, noise: float, data: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    error = data - offset
    constant = -0.5 * (error @ error / noise**2 + len(error) * math.log(2 * math.pi * noise**2))
    return loading.T @ loading / noise**2, loading.T @ error / noise**2, np.array(constant)


def exact(world: ToyWorld) -> LinearGaussian:
    """Exact posteriors and evidences of the world, by names of modalities."""
    return LinearGaussian(
        {n: torch.from_numpy(w) for n, w in zip(world.names, world.loadings, strict=True)},
        {n: torch.from_numpy(b) for n, b in zip(world.names, world.offsets, strict=True)},
        dict(zip(world.names, world.noises, strict=True)),
    )


def item_data(world: ToyWorld, item: Sequence[np.ndarray]) -> dict[str, Tensor]:
    """An item's data by name [1, size]."""
    return {
        name: torch.from_numpy(np.asarray(x, float))[None]
        for name, x in zip(world.names, item, strict=True)
    }


def posterior(stats: Statistics, mask: Tensor) -> MultivariateNormal:
    """p(z | x_S) of one item, no batch axis."""
    kept = mask.double()
    precision = torch.eye(LATENT, dtype=torch.float64) + torch.einsum(
        "m,mij->ij", kept, stats.precision
    )
    shift = torch.einsum("m,mi->i", kept, stats.shift)
    mean = torch.linalg.solve(precision, shift)
    return MultivariateNormal(mean, precision_matrix=precision, validate_args=False)


def evidence(stats: Statistics, mask: Tensor) -> Tensor:
    """log p(x_S): sum_S c + h'(I + P)^-1 h / 2 - log det(I + P) / 2, nats."""
    belief, shift = posterior(stats, mask), (mask.double()[:, None] * stats.shift).sum(0)
    half = 0.5 * (shift @ belief.loc - belief.precision_matrix.logdet())
    return (mask.double() * stats.constant).sum() + half


def experts(stats: Statistics) -> tuple[Tensor, Tensor, Tensor]:
    """diag P [modality, 2], the means of p(z | x_m) and the precisions 1 + diag P."""
    own = stats.precision.diagonal(dim1=-2, dim2=-1)
    whole = torch.eye(LATENT, dtype=torch.float64) + stats.precision
    return own, torch.linalg.solve(whole, stats.shift[..., None])[..., 0], 1 + own


def approximation(stats: Statistics, mask: Tensor, aggregator: str) -> GaussianMixture:
    """q(z | x_S) of a fixed rule as a mixture, PoE's of one component; no batch axis."""
    if aggregator not in FIXED:
        raise UsageError(
            f"There is no closed form of {aggregator!r}; choose one of {', '.join(FIXED)}, or ask "
            "`toy_networks` for a learned one."
        )
    own, mean, whole = experts(stats)
    rule = FIXED[aggregator](1, LATENT)
    if aggregator == "moe":
        loc, scale = mean, whole**-0.5
    else:
        told = own > 0
        loc = torch.where(told, whole * mean / torch.where(told, own, 1.0), 0.0)
        scale = torch.where(told, own, 1.0).rsqrt().where(told, torch.inf)
    return as_mixture(rule.combine(loc[None], scale[None], mask[None], None))


def as_mixture(belief: object) -> GaussianMixture:
    """A posterior of one item [1, ...] as a mixture without batch axis, no empty components."""
    if isinstance(belief, Diagonal):
        return GaussianMixture(belief.loc.new_zeros(1), belief.loc, belief.scale)
    assert isinstance(belief, DiagonalMixture)
    log_weights, loc, scale = (value[0] for value in belief.parameters())
    kept = log_weights > -torch.inf
    return GaussianMixture(log_weights[kept], loc[kept], scale[kept])


def nearest_diagonal(p: MultivariateNormal) -> GaussianMixture:
    """The diagonal normal with the least KL(q || p): p's mean, precision diag P."""
    scale = p.precision_matrix.diagonal().rsqrt()
    return GaussianMixture(scale.new_zeros(1), p.loc[None], scale[None])


def gap(q: GaussianMixture, p: MultivariateNormal) -> float:
    """KL(q || p(z | x_S)) in nats; the entropy of a mixture by a Gauss-Hermite rule."""
    variance = torch.diag_embed(q.scale.square())
    error = q.loc - p.loc
    precision = p.precision_matrix
    square = torch.einsum("ki,ij,kj->k", error, precision, error)
    spread = (precision * variance).sum((-2, -1))
    cross = 0.5 * (LATENT * math.log(2 * math.pi) - precision.logdet() + square + spread)
    return float(cross_log(q, q) + (q.log_weights.exp() * cross).sum())


def cross_log(q: GaussianMixture, other: GaussianMixture) -> Tensor:
    """E_q[log r] of two mixtures, exact where r is one normal, else by the rule of `NODES`."""
    weights = q.log_weights.exp()
    if len(other.log_weights) == 1:
        error = (q.loc - other.loc).square() + q.scale.square()
        each = -0.5 * (error / other.scale.square() + math.log(2 * math.pi)) - other.scale.log()
        return (weights * each.sum(-1)).sum()
    places, chances = rule()
    points = q.loc[:, None] + q.scale[:, None] * torch.from_numpy(places)
    return (weights[:, None] * torch.from_numpy(chances) * other.log_prob(points)).sum()


@lru_cache
def rule(nodes: int = NODES) -> tuple[np.ndarray, np.ndarray]:
    """Places [nodes^2, 2] and weights [nodes^2] of E f(z), z standard normal in the plane."""
    place, weight = np.polynomial.hermite_e.hermegauss(nodes)
    weight = weight / weight.sum()
    both = np.stack(np.meshgrid(place, place, indexing="ij"), -1).reshape(-1, LATENT)
    return both, np.outer(weight, weight).reshape(-1)


@dataclass(frozen=True)
class Bound:
    """A bound of log p(x) and its terms, which add up to it; nats."""

    terms: dict[str, float]

    @property
    def value(self) -> float:
        """The bound."""
        return sum(self.terms.values())


def expected_log_likelihood(q: GaussianMixture, stats: Statistics, mask: Tensor) -> float:
    """E_q[sum_S log p(x_m | z)], nats."""
    second = torch.diag_embed(q.scale.square()) + q.loc[:, :, None] * q.loc[:, None, :]
    curved = torch.einsum("mij,kij->mk", stats.precision, second)
    each = stats.constant[:, None] + stats.shift @ q.loc.T - 0.5 * curved
    return float((mask.double()[:, None] * each * q.log_weights.exp()).sum())


def standard(like: GaussianMixture) -> GaussianMixture:
    """The prior, as a mixture of one."""
    zeros = like.loc.new_zeros(1, LATENT)
    return GaussianMixture(zeros[0, :1], zeros, torch.ones_like(zeros))


def mixture_bound(q_shown: GaussianMixture, stats: Statistics, mask: Tensor) -> Bound:
    """E[log p(x_S|z) + log p(x_R|z) + log p(z)/q(z|x_S)], z ~ q(z|x_S), R the rest.

    It is log p(x) - KL(q(z|x_S) || p(z|x)): never above log p(x).
    """
    rate = cross_log(q_shown, q_shown) - cross_log(q_shown, standard(q_shown))
    return Bound(
        {
            "shown": expected_log_likelihood(q_shown, stats, mask),
            "rest": expected_log_likelihood(q_shown, stats, ~mask),
            "rate": -float(rate),
        }
    )


def masked_bound(
    q_shown: GaussianMixture, q_all: GaussianMixture, stats: Statistics, mask: Tensor
) -> Bound:
    """E[log p(x_S|z) + log p(z)/q(z|x_S)] + E[log p(x_R|z) + log q(z|x_S)/q(z|x)].

    The first z ~ q(z|x_S), the second z ~ q(z|x). It is log p(x) - KL(q(z|x_S) || p(z|x_S))
    - KL(q(z|x) || p(z|x)) + E[log q(z|x_S)/p(z|x_S)], z ~ q(z|x): equal to log p(x) where q is
    exact, and above it for an item where the last term is larger than the two gaps.
    """
    rate = cross_log(q_shown, q_shown) - cross_log(q_shown, standard(q_shown))
    cross = cross_log(q_all, q_all) - cross_log(q_all, q_shown)
    return Bound(
        {
            "shown": expected_log_likelihood(q_shown, stats, mask),
            "rate": -float(rate),
            "rest": expected_log_likelihood(q_all, stats, ~mask),
            "cross_rate": -float(cross),
        }
    )
