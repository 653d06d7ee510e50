"""Numbers of the toy worlds, where all is exact; see `explore.toy` and `data.worlds.toy`.

`world` is a name of `WORLDS`; `mask` has a sign 1 or 0 for each modality. An item is where it comes
from, a latent `at` [2] without noise, or its own numbers `item` [[...], ...]. A `rule` is `exact`,
a fixed one of `toy.FIXED`, or a learned one of `toy_networks`. All in float64; nats.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmvae_core.data.worlds.toy import LATENT, WORLDS, ToyWorld
from mmvae_core.errors import UsageError
from mmvae_core.explore import toy_blur

if TYPE_CHECKING:
    import torch
    from torch.distributions import MultivariateNormal

    from mmvae_core.explore.toy import Statistics
    from mmvae_core.probability.posteriors import GaussianMixture

EXACT = "exact"
Place = Sequence[float]
Item = Sequence[Sequence[float]]


def width(
    world: str, mask: str, rule: str = EXACT, at: Place | None = None, item: Item | None = None
) -> float:
    """Mean standard deviation of q(z | x_S) over the latent's two axes."""
    stats, shown = _statistics(_world(world), at, item), _mask(world, mask)
    return float(_moments(stats, shown, rule)[1].mean())


def precision(world: str, mask: str, axis: int) -> float:
    """The precision of p(z | x_S) on an axis, 1 of the prior among it: the same for all items."""
    from mmvae_core.explore import toy

    stats = _statistics(_world(world), None, None)
    return float(toy.posterior(stats, _mask(world, mask)).precision_matrix[axis, axis])


def place(
    world: str,
    mask: str,
    axis: int,
    rule: str = EXACT,
    at: Place | None = None,
    item: Item | None = None,
) -> float:
    """The mean of q(z | x_S) on an axis of the latent, 0 or 1."""
    stats, shown = _statistics(_world(world), at, item), _mask(world, mask)
    return float(_moments(stats, shown, rule)[0][axis])


def distance(
    world: str,
    mask: str,
    of: str,
    axis: int = 0,
    at: Place | None = None,
    item: Item | None = None,
) -> float:
    """How far the exact mean given S is from that given `of`, in standard deviations of the latter."""
    stats = _statistics(_world(world), at, item)
    (one, _), (other, scale) = (_moments(stats, _mask(world, signs), EXACT) for signs in (mask, of))
    return float(abs(one[axis] - other[axis]) / scale[axis])


def gap(
    world: str, mask: str, rule: str, at: Place | None = None, item: Item | None = None
) -> float:
    """KL(q(z | x_S) || p(z | x_S)) of a rule."""
    from mmvae_core.explore import toy

    stats, shown = _statistics(_world(world), at, item), _mask(world, mask)
    return toy.gap(belief(stats, shown, rule), toy.posterior(stats, shown))


def log_likelihood(
    world: str, mask: str, at: Place | None = None, item: Item | None = None
) -> float:
    """log p(x_S)."""
    from mmvae_core.explore import toy

    return float(toy.evidence(_statistics(_world(world), at, item), _mask(world, mask)))


def fall(world: str, mask: str, at: Place, item: Item) -> float:
    """How much less log p(x_S) is of the numbers `item` than of those that come from `at`."""
    return log_likelihood(world, mask, at) - log_likelihood(world, mask, None, item)


def bound(
    world: str,
    mask: str,
    kind: str,
    rule: str,
    term: str = "",
    at: Place | None = None,
    item: Item | None = None,
) -> float:
    """The `masked` or the `mixture` bound of an item of which S is shown, or one of its terms."""
    from mmvae_core.explore import toy

    stats, shown = _statistics(_world(world), at, item), _mask(world, mask)
    every = shown | True
    part, whole = (belief(stats, one, rule) for one in (shown, every))
    if _bound(kind) == "mixture":
        bound = toy.mixture_bound(part, stats, shown)
    else:
        bound = toy.masked_bound(part, whole, stats, shown)
    return bound.terms[term] if term else bound.value


def lost(world: str, mask: str, at: Place | None = None, item: Item | None = None) -> float:
    """KL(p(z | x_S) || p(z | x)): what the mixture bound lacks of log p(x) with exact posteriors."""
    from torch.distributions import kl_divergence

    from mmvae_core.explore import toy

    stats, shown = _statistics(_world(world), at, item), _mask(world, mask)
    return float(kl_divergence(toy.posterior(stats, shown), toy.posterior(stats, shown | True)))


def expected_bound(world: str, modality: int, share: float, kind: str) -> float:
    """The masked or mixture bound over items where a decoder takes a share; see `explore.toy_blur`."""
    return toy_blur.expected_bounds(_world(world), modality, share)[_bound(kind)]


def best_share(world: str, modality: int, kind: str) -> float:
    """The share of a modality's loading at which a bound is highest over items."""
    return toy_blur.best_share(_world(world), modality, _bound(kind))


def blur_cost(world: str, modality: int, kind: str) -> float:
    """How much less log p(x) is, over items, where a bound is highest than in the world itself."""
    best = best_share(world, modality, kind)
    return expected_bound(world, modality, 1.0, "masked") - expected_bound(
        world, modality, best, "masked"
    )


def correlation(world: str, first: int, second: int, latent_known: bool = False) -> float:
    """Between the first numbers of two modalities over items, or over items of one latent."""
    toy_world = _world(world)
    loading = np.stack([toy_world.loadings[one][0] for one in (first, second)])
    noise = np.diag([toy_world.noises[one] ** 2 for one in (first, second)])
    whole = np.block([[loading @ loading.T + noise, loading], [loading.T, np.eye(LATENT)]])
    table = whole[:2, :2]
    if latent_known:  # what is left of the covariance once z is given
        table = table - whole[:2, 2:] @ np.linalg.solve(whole[2:, 2:], whole[2:, :2])
    return float(table[0, 1] / np.sqrt(table[0, 0] * table[1, 1]))


def turned(world: str, degrees: float, at: Place | None = None, item: Item | None = None) -> float:
    """How much log p(x) changes where all loadings are turned in the latent plane."""
    from mmvae_core.explore import toy

    toy_world = _world(world)
    data = _item(toy_world, at, item)
    other = toy_world
    for modality in range(len(toy_world.names)):
        other = other.turned(modality, degrees)
    every = _mask(world, "1" * len(toy_world.names))
    one, two = (float(toy.evidence(toy.statistics(w, data), every)) for w in (toy_world, other))
    return abs(one - two)


def _bound(kind: str) -> str:
    if kind not in ("masked", "mixture"):
        raise UsageError(f"There is no bound {kind!r}; choose masked or mixture.")
    return kind


def _world(name: str) -> ToyWorld:
    if name not in WORLDS:
        raise UsageError(f"There is no toy world {name!r}; choose one of {', '.join(WORLDS)}.")
    return WORLDS[name]


def _mask(world: str, signs: str) -> "torch.Tensor":
    import torch

    names = _world(world).names
    if len(signs) != len(names) or set(signs) - {"0", "1"}:
        raise UsageError(
            f"The mask {signs!r} was given, expected {len(names)} signs 1 or 0, for {', '.join(names)}."
        )
    return torch.tensor([sign == "1" for sign in signs])


def _item(world: ToyWorld, at: Place | None, item: Item | None) -> list[np.ndarray]:
    """The item's numbers; by default those of the latent (0, 0)."""
    if item is None:
        return world.clean((0.0, 0.0) if at is None else at)
    numbers = [np.asarray(one, float) for one in item]
    wanted = [len(one) for one in world.offsets]
    if [one.shape for one in numbers] != [(size,) for size in wanted]:
        raise UsageError(f"The item {list(item)} was given, expected lists of {wanted} numbers.")
    return numbers


def _statistics(world: ToyWorld, at: Place | None, item: Item | None) -> "Statistics":
    from mmvae_core.explore import toy

    return toy.statistics(world, _item(world, at, item))


def belief(stats: "Statistics", shown: "torch.Tensor", rule: str) -> "GaussianMixture":
    """q(z | x_S) of a rule; for `exact` the nearest diagonal one, the same where that is exact."""
    from mmvae_core.explore import toy

    if rule == EXACT:
        return toy.nearest_diagonal(toy.posterior(stats, shown))
    if rule in toy.FIXED:
        return toy.approximation(stats, shown, rule)
    from mmvae_core.explore import toy_networks  # late: brings the trainer

    return toy_networks.learned(stats, shown, rule)


def _moments(
    stats: "Statistics", shown: "torch.Tensor", rule: str
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Mean and standard deviations [2] of q(z | x_S)."""
    from mmvae_core.explore import toy

    if rule == EXACT:
        posterior: MultivariateNormal = toy.posterior(stats, shown)
        return posterior.mean, posterior.stddev
    approximation = belief(stats, shown, rule)
    return approximation.mean, approximation.stddev
