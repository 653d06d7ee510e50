"""Gains along the lattice's edges, and Shapley's axioms."""

from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import Tensor

from mmvae_core.errors import UsageError
from mmvae_core.evaluation import rates as rates_module
from mmvae_core.evaluation.all_subsets import posterior_all_subsets
from mmvae_core.evaluation.information import edges, gains, node_rates, shapley_weights, shares
from mmvae_core.evaluation.rates import Estimate, kl
from mmvae_core.probability.posteriors import Gaussian, GaussianMixture
from mmvae_core.subsets import all_subsets


def gaussian(seed: int, *shape: int) -> Gaussian:
    draw = {"generator": torch.Generator().manual_seed(seed), "dtype": torch.float64}
    return Gaussian(torch.randn(*shape, **draw), torch.rand(*shape, **draw) + 0.3)


def values(modalities: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 40 * torch.randn(2**modalities, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_edges_add_one_modality(count: int) -> None:
    masks = all_subsets(count)
    found = edges(masks)
    assert len(found.lower) == count * 2 ** (count - 1)
    for lower, upper, modality in zip(found.lower, found.upper, found.modality, strict=True):
        expected = masks[lower].clone()
        assert not expected[modality]
        expected[modality] = True
        assert torch.equal(expected, masks[upper])
    assert len(set(zip(found.lower.tolist(), found.upper.tolist(), strict=True))) == len(
        found.lower
    )


def test_gains_between_normals_are_exact_and_agree_with_draws(monkeypatch) -> None:
    posterior, between = gaussian(0, 8, 2, 3), edges(all_subsets(3))
    exact = gains(posterior, between, 2, 0)
    assert exact.error is None
    for edge in range(12):
        lower, upper = int(between.lower[edge]), int(between.upper[edge])
        q, p = (Gaussian(posterior.loc[row], posterior.scale[row]) for row in (upper, lower))
        by_hand = (p.scale / q.scale).log() - 0.5
        by_hand = by_hand + (q.scale**2 + (q.loc - p.loc) ** 2) / (2 * p.scale**2)
        assert torch.allclose(exact.value[edge], by_hand.sum(-1), rtol=1e-12)
    monkeypatch.setattr(rates_module, "_closed_form", lambda q, p: None)
    drawn = gains(posterior, between, 20_000, 1)
    assert drawn.error is not None
    errors = (drawn.value - exact.value) / drawn.error
    assert (errors.abs() < 3).double().mean() > 0.95  # 24 comparisons
    assert 0.5 < float(errors.square().mean()) < 1.6
    assert errors.abs().max() < 4.5


def mixture() -> GaussianMixture:
    """Rows of one item: two with one component, two with several."""
    log_weights = torch.tensor(
        [[[1.0, 0, 0]], [[0, 1, 0]], [[0.5, 0.5, 0]], [[0.2, 0.3, 0.5]]], dtype=torch.float64
    ).log()
    loc = torch.tensor([-1.5, 0.2, 1.0], dtype=torch.float64)[:, None]
    scale = torch.tensor([0.5, 0.9, 0.4], dtype=torch.float64)[:, None]
    return GaussianMixture(log_weights, loc.expand(4, 1, 3, 1), scale.expand(4, 1, 3, 1))


def test_mixtures_are_estimated_only_where_they_must_be() -> None:
    posterior, between = mixture(), edges(all_subsets(2))
    prior = Gaussian(torch.zeros(1).double(), torch.ones(1).double())
    rate = node_rates(posterior, prior, 20_000, 0)
    assert rate.error is not None
    assert (rate.error[:2] == 0).all()
    assert (rate.error[2:] > 0).all()
    gain = gains(posterior, between, 20_000, 0)
    weights, loc, scale = (
        posterior.log_weights[:, 0].exp().numpy(),
        [-1.5, 0.2, 1.0],
        [0.5, 0.9, 0.4],
    )
    points, masses = (6 * one for one in np.polynomial.legendre.leggauss(400))  # from -6 to 6

    def log_density(z: np.ndarray, row: int) -> np.ndarray:
        return np.log((weights[row] * norm.pdf(z[:, None], loc, scale)).sum(1))

    def divergence(row: int, log_p) -> float:
        log_q = log_density(points, row)
        return float(masses @ (np.exp(log_q) * (log_q - log_p(points))))

    for row in range(4):
        truth = divergence(row, norm.logpdf)
        assert abs(float(rate.value[row, 0]) - truth) <= max(3 * float(rate.error[row, 0]), 1e-7)
    assert gain.error is not None
    for edge in range(4):
        lower, upper = int(between.lower[edge]), int(between.upper[edge])
        truth = divergence(upper, lambda z, lower=lower: log_density(z, lower))
        error = float(gain.error[edge, 0])
        assert (error == 0) == (upper < 2)
        assert abs(float(gain.value[edge, 0]) - truth) <= max(3 * error, 1e-7)


def test_estimated_nodes_have_draws_of_their_own() -> None:
    row = mixture().rebuilt(*(value[[3, 3]] for value in mixture().parameters()))
    prior = Gaussian(torch.zeros(1).double(), torch.ones(1).double())
    rate, again = node_rates(row, prior, 64, 0), node_rates(row, prior, 64, 0)
    assert rate.value[0] != rate.value[1]
    assert torch.equal(rate.value, again.value)


def test_rates_and_gains_of_every_kind_of_model(tiny, tiny_batch) -> None:
    posterior = posterior_all_subsets(tiny, tiny_batch)
    between = edges(all_subsets(3))
    rate, gain = node_rates(posterior, tiny.prior(), 32, 0), gains(posterior, between, 32, 0)
    assert rate.value.shape == (8, 7)
    assert gain.value.shape == (12, 7)
    alone = kl(
        posterior.rebuilt(*(value[1] for value in posterior.parameters())), tiny.prior(), 2, 0
    )
    assert torch.allclose(rate.value[1], alone.value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("count", range(1, 7))
def test_shares_sum_to_the_whole_less_nothing(count: int) -> None:
    v = values(count)
    share = shapley_weights(all_subsets(count)) @ v
    assert abs(float(share.sum() - (v[-1] - v[0]))) < 1e-10


def test_shares_are_means_over_orders() -> None:
    masks, v = all_subsets(4), values(4, 1)
    row = {tuple(mask.tolist()): index for index, mask in enumerate(masks)}
    expected = torch.zeros(4, dtype=torch.float64)
    for order in permutations(range(4)):
        mask = [False] * 4
        for modality in order:
            before = v[row[tuple(mask)]]
            mask[modality] = True
            expected[modality] += (v[row[tuple(mask)]] - before) / 24
    assert torch.allclose(shapley_weights(masks) @ v, expected, rtol=0, atol=1e-10)


def test_equals_get_equal_shares_and_idle_ones_none() -> None:
    masks = all_subsets(3)
    symmetric = masks.sum(-1).double() ** 2
    share = shapley_weights(masks) @ symmetric
    assert torch.allclose(share, torch.full((3,), 3.0, dtype=torch.float64))
    idle = values(2)[all_subsets(2).shape[0] - 1] * masks[:, 0] + 2.0 * masks[:, 2]
    share = shapley_weights(masks) @ idle.double()
    assert share[1] == pytest.approx(0, abs=1e-12)
    assert share[2] == pytest.approx(2)


def test_errors_of_shares_are_those_of_independent_rates() -> None:
    masks, v = all_subsets(3), values(3)
    error = torch.rand(8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = shares(Estimate(v[:, None], error[:, None]), masks)
    noise = torch.randn(40_000, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    drawn = (v + noise * error) @ shapley_weights(masks).T
    assert found.error is not None
    assert torch.allclose(found.value[:, 0], drawn.mean(0), atol=0.02)
    assert torch.allclose(found.error[:, 0], drawn.std(0), rtol=0.02)
    assert shares(Estimate(v), masks).exact


def test_shares_need_all_subsets() -> None:
    with pytest.raises(UsageError, match="all 8"):
        shapley_weights(all_subsets(3)[:4])
