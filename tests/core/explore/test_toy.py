"""Toy worlds: exact values against scipy and a grid, rules, gaps and bounds against each other."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from mmvae_core.data.worlds.toy import WORLDS, ToyWorld, random_world
from mmvae_core.errors import DataError, UsageError
from mmvae_core.explore import toy
from mmvae_core.probability.posteriors import GaussianMixture

CASES = [(count, seed) for count in (2, 3, 4, 5) for seed in range(3)]
GRID, HALF = 1_201, 12.0
QUADRATURE = 1e-2
"""Nats by which the rule of 24 points may miss the entropy of a mixture, see `toy.NODES`."""


def case(count: int, seed: int) -> tuple[ToyWorld, list[np.ndarray], torch.Tensor]:
    generator = np.random.default_rng((seed, count))
    world = random_world(generator, count)
    _, *data = world.draw(1, generator)
    mask = torch.from_numpy(generator.random(count) < 0.6)
    return world, [one[0] for one in data], mask


def on_grid(q: GaussianMixture, exact: torch.distributions.MultivariateNormal) -> float:
    """KL(q || p) summed over a fine grid."""
    line = torch.linspace(-HALF, HALF, GRID, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    log_q = q.log_prob(points)
    cell = float(line[1] - line[0]) ** 2
    return float((log_q.exp() * (log_q - exact.log_prob(points))).nan_to_num(0.0).sum()) * cell


@pytest.mark.parametrize(("count", "seed"), CASES)
def test_log_p_and_the_posterior_are_scipys(count: int, seed: int) -> None:
    world, item, mask = case(count, seed)
    kept = [index for index in range(count) if mask[index]]
    stats, found = toy.statistics(world, item), toy.posterior(toy.statistics(world, item), mask)
    if not kept:
        assert float(toy.evidence(stats, mask)) == 0
        torch.testing.assert_close(found.covariance_matrix, torch.eye(2, dtype=torch.float64))
        return
    w = np.concatenate([world.loadings[index] for index in kept])
    b = np.concatenate([world.offsets[index] for index in kept])
    x = np.concatenate([item[index] for index in kept])
    noise = np.concatenate(
        [np.full(len(world.offsets[index]), world.noises[index] ** 2) for index in kept]
    )
    covariance = w @ w.T + np.diag(noise)
    wanted = multivariate_normal(b, covariance).logpdf(x)
    assert float(toy.evidence(stats, mask)) == pytest.approx(wanted, abs=1e-9)
    gain = w.T @ np.linalg.inv(covariance)
    np.testing.assert_allclose(found.loc, gain @ (x - b), atol=1e-9)
    np.testing.assert_allclose(found.covariance_matrix, np.eye(2) - gain @ w, atol=1e-9)


@pytest.mark.parametrize("rule", list(toy.FIXED))
@pytest.mark.parametrize(("count", "seed"), CASES[::4])
def test_a_gap_is_the_kl_on_a_grid(rule: str, count: int, seed: int) -> None:
    world, item, mask = case(count, seed)
    stats = toy.statistics(world, item)
    exact, q = toy.posterior(stats, mask), toy.approximation(stats, mask, rule)
    assert toy.gap(q, exact) == pytest.approx(on_grid(q, exact), abs=QUADRATURE)


@pytest.mark.parametrize("rule", list(toy.FIXED))
@pytest.mark.parametrize(("count", "seed"), CASES)
def test_bounds_are_log_p_less_their_gaps(rule: str, count: int, seed: int) -> None:
    world, item, mask = case(count, seed)
    stats, everything = toy.statistics(world, item), torch.ones(count, dtype=torch.bool)
    q, full = (toy.approximation(stats, one, rule) for one in (mask, everything))
    log_p, exact = float(toy.evidence(stats, everything)), toy.posterior(stats, everything)
    mixture = toy.mixture_bound(q, stats, mask).value
    assert mixture == pytest.approx(log_p - toy.gap(q, exact), abs=1e-9)
    shown = toy.posterior(stats, mask)
    precision, error = shown.precision_matrix, full.loc - shown.loc
    square = torch.einsum("ki,ij,kj->k", error, precision, error)
    spread = (precision.diagonal() * full.scale.square()).sum(-1)
    log_exact = 0.5 * (precision.logdet() - 2 * np.log(2 * np.pi) - square - spread)
    excess = toy.cross_log(full, q) - (full.log_weights.exp() * log_exact).sum()
    wanted = log_p - toy.gap(q, shown) - toy.gap(full, exact) + float(excess)
    assert toy.masked_bound(q, full, stats, mask).value == pytest.approx(wanted, abs=1e-9)


def test_where_the_axes_are_apart_a_product_is_exact_and_so_is_the_masked_bound() -> None:
    world = WORLDS["axes"]
    stats = toy.statistics(world, [np.array([1.3]), np.array([-0.4])])
    everything = torch.ones(2, dtype=torch.bool)
    full = toy.approximation(stats, everything, "poe")
    for mask in (torch.tensor([True, False]), torch.tensor([False, True]), everything):
        q = toy.approximation(stats, mask, "poe")
        assert toy.gap(q, toy.posterior(stats, mask)) == pytest.approx(0, abs=1e-12)
        bound = toy.masked_bound(q, full, stats, mask).value
        assert bound == pytest.approx(float(toy.evidence(stats, everything)), abs=1e-12)


def test_one_modality_gets_the_nearest_diagonal_normal_of_every_rule() -> None:
    world, item, _ = case(3, 1)
    stats, mask = toy.statistics(world, item), torch.tensor([False, True, False])
    exact = toy.posterior(stats, mask)
    best = toy.nearest_diagonal(exact)
    for rule in toy.FIXED:
        q = toy.approximation(stats, mask, rule)
        torch.testing.assert_close(q.loc, best.loc)
        torch.testing.assert_close(q.scale, best.scale)
    for factor in (0.9, 1.1):
        worse = GaussianMixture(best.log_weights, best.loc, factor * best.scale)
        assert toy.gap(worse, exact) > toy.gap(best, exact)


def test_nothing_shown_gives_the_prior() -> None:
    world, item, _ = case(4, 0)
    stats, nothing = toy.statistics(world, item), torch.zeros(4, dtype=torch.bool)
    for rule in toy.FIXED:
        q = toy.approximation(stats, nothing, rule)
        torch.testing.assert_close(q.loc, torch.zeros(1, 2, dtype=torch.float64))
        torch.testing.assert_close(q.scale, torch.ones(1, 2, dtype=torch.float64))


def test_a_world_is_kept_as_plain_numbers() -> None:
    world = random_world(np.random.default_rng(0), 4)
    again = ToyWorld.from_dict(world.to_dict())
    assert again.to_dict() == world.to_dict()


def test_a_turn_keeps_lengths_and_a_quarter_swaps_the_latents() -> None:
    world = WORLDS["two"].turned(0, 90)
    np.testing.assert_allclose(world.loadings[0], [[0.0, 1.2], [-0.8, 0.0]], atol=1e-12)
    assert WORLDS["two"].with_noise(1, 0.9).noises == (0.6, 0.9)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"names": ["a"]}, "has 2 to 5 modalities, got 1"),
        ({"noises": [0.5]}, "one loading, offset and noise for each"),
        ({"noises": [0.5, 0.0]}, "a noise above 0"),
        ({"offsets": [[0.0, 0.0], [0.0]]}, r"expected \[n, 2\]"),
        ({"loadings": None}, "A toy world needs names"),
    ],
)
def test_a_wrong_world_is_one_sentence(change: dict, said: str) -> None:
    with pytest.raises(DataError, match=said):
        ToyWorld.from_dict(WORLDS["axes"].to_dict() | change)


def test_a_rule_without_closed_form_is_named() -> None:
    stats = toy.statistics(WORLDS["axes"], [np.zeros(1), np.zeros(1)])
    with pytest.raises(UsageError, match="no closed form of 'sum_pooling'; choose one of poe, moe"):
        toy.approximation(stats, torch.ones(2, dtype=torch.bool), "sum_pooling")
