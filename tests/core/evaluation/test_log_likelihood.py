"""Importance weighting against the closed form of a linear-Gaussian model (scipy, float64)."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from mmvae_core.batch import Batch
from mmvae_core.errors import UsageError
from mmvae_core.evaluation.log_likelihood import log_likelihood, log_likelihoods
from mmvae_core.probability.posteriors import Gaussian
from mmvae_core.subsets import all_subsets

MASKS = all_subsets(3)
FULL, PAIR = MASKS[-1], MASKS[4]


@pytest.mark.parametrize("samples", [1, 3, 50])
def test_exact_posterior_gives_evidence_from_any_number_of_samples(linear, samples) -> None:
    toy = linear(130)
    for mask in MASKS[1:]:
        found = log_likelihood(toy.model, toy.batch, mask, mask, samples, seed=0)
        assert np.allclose(found, toy.evidence(mask), rtol=0, atol=1e-10)


def test_all_subsets_at_once_agree_and_weights_do_not_enter(linear) -> None:
    toy = linear(130)
    found = log_likelihoods(toy.model, toy.batch, samples=2, seed=0)
    assert found.shape == (8, 130)
    assert (found[0] == 0).all()
    for row in range(1, 8):
        assert np.allclose(found[row], toy.evidence(MASKS[row]), rtol=0, atol=1e-10)


def test_wrong_posterior_stays_below_and_closes_in(linear) -> None:
    toy = linear(300)
    toy.aggregator.shift, toy.aggregator.stretch = 0.3, 1.3
    truth, gaps = toy.evidence(FULL), []
    for samples in (1, 10, 300):
        gap = truth - log_likelihood(toy.model, toy.batch, FULL, FULL, samples, seed=1).numpy()
        assert gap.mean() > -4 * gap.std() / len(gap) ** 0.5
        gaps.append(gap.mean())
    assert gaps[0] > 0.3 > gaps[1] > gaps[2]
    assert gaps[2] < 0.01


def test_target_beyond_the_subset_needs_samples_but_is_the_same_evidence(linear) -> None:
    """Cross-scoring: z ~ q(. | x_S) for a target of other modalities."""
    toy = linear(20)
    toy.aggregator.stretch = 2.5
    found = log_likelihood(toy.model, toy.batch, FULL, PAIR, samples=50_000, seed=1)
    assert np.abs(found.numpy() - toy.evidence(FULL)).mean() < 0.02


@pytest.mark.parametrize("rows", [1, 37, 1_000, 10**9])
def test_chunks_change_nothing(linear, rows) -> None:
    toy = linear(110)
    toy.aggregator.shift = 0.4
    expected = log_likelihood(toy.model, toy.batch, FULL, PAIR, samples=9, seed=2)
    found = log_likelihood(toy.model, toy.batch, FULL, PAIR, samples=9, seed=2, rows=rows)
    assert torch.allclose(found, expected, rtol=0, atol=1e-10)


def test_missing_modalities_are_neither_shown_nor_scored(linear) -> None:
    toy = linear(12)
    truth = toy.evidence(PAIR)
    toy.batch.data["m2"].fill_(torch.nan)
    observed = toy.batch.observed.clone()
    observed[:, 2] = False
    part = Batch(toy.batch.data, observed)
    joint = log_likelihoods(toy.model, part, samples=2, seed=0)[-1]
    assert np.allclose(joint, truth, rtol=0, atol=1e-10)
    assert torch.allclose(
        log_likelihood(toy.model, part, FULL, FULL, 2, 0),
        log_likelihood(toy.model, part, PAIR, PAIR, 2, 0),
        rtol=0,
        atol=1e-12,
    )


def test_progress_rises_to_one(tiny, tiny_batch) -> None:
    seen: list[float] = []
    log_likelihoods(tiny, tiny_batch, samples=2, seed=0, each=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_wrong_masks_and_counts_are_refused(linear) -> None:
    toy = linear(2)
    with pytest.raises(UsageError, match="3 booleans"):
        log_likelihood(toy.model, toy.batch, FULL[:2], FULL, 1, 0)
    with pytest.raises(UsageError, match="1 or more"):
        log_likelihood(toy.model, toy.batch, FULL, FULL, 0, 0)


def test_another_prior_has_the_evidence_of_its_own_normal(linear) -> None:
    """x ~ N(W m + b, W S W' + s^2 I) under z ~ N(m, S); draws are those of the model's posterior."""
    world, everything = linear(3), torch.ones(3, dtype=torch.bool)
    loc, scale = torch.tensor([0.2, -0.3]).double(), torch.tensor([0.7, 0.9]).double()
    loading = torch.cat(list(world.aggregator.loadings)).numpy()
    noise = world.aggregator.noise**2 * np.eye(len(loading))
    mean = loading @ loc.numpy() + torch.cat(list(world.aggregator.biases)).numpy()
    spread = loading @ np.diag(scale.numpy() ** 2) @ loading.T + noise
    data = torch.cat([world.batch.data[name] for name in world.model.names], -1).numpy()
    expected = multivariate_normal(mean, spread).logpdf(data)
    found = log_likelihood(
        world.model, world.batch, everything, everything, 20_000, 0, 60_000, Gaussian(loc, scale)
    )
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert (np.abs(expected - world.evidence(everything)) > 0.1).all()
