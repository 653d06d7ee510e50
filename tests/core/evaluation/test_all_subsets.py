"""One batched call gives what every mask gives alone, whatever the other modalities hold."""

import pytest
import torch

from mmvae_core.batch import Batch
from mmvae_core.errors import DataError
from mmvae_core.evaluation.all_subsets import (
    alive,
    all_posteriors,
    one_subset,
    parameters,
    posterior_all_subsets,
    subset_names,
)
from mmvae_core.probability.posteriors import GaussianMixture
from mmvae_core.subsets import all_subsets

MASKS = all_subsets(3)


def same(first, second, tolerance: float = 1e-12) -> bool:
    pairs = zip(parameters(first), parameters(second), strict=True)
    return all(torch.allclose(a, b, rtol=0, atol=tolerance) for a, b in pairs)


def test_equal_to_mask_by_mask(tiny, tiny_batch) -> None:
    posterior = posterior_all_subsets(tiny, tiny_batch)
    assert posterior.mean.shape == posterior.stddev.shape == (8, 7, 3)
    for row, mask in enumerate(MASKS):
        alone = tiny.infer(tiny_batch.data, mask.expand(7, 3))
        assert same(one_subset(posterior, row), alone)


def test_equal_in_chunks(tiny, tiny_batch) -> None:
    assert same(all_posteriors(tiny, tiny_batch, 3), posterior_all_subsets(tiny, tiny_batch))


@pytest.mark.parametrize("filling", [torch.nan, 1e6])
@pytest.mark.parametrize(("index", "name"), [(0, "numbers"), (1, "picture")])
def test_what_is_masked_out_has_no_effect(tiny, tiny_batch, index, name, filling) -> None:
    """NaN and noise in one modality change no subset without it, and no missing one."""
    spoilt = {**tiny_batch.data, name: torch.full_like(tiny_batch.data[name], filling)}
    expected = posterior_all_subsets(tiny, tiny_batch)
    found = posterior_all_subsets(tiny, Batch(spoilt, tiny_batch.observed))
    for row in range(8):
        if not MASKS[row, index]:
            assert torch.isfinite(one_subset(found, row).mean).all()
            assert same(one_subset(found, row), one_subset(expected, row), 0)
            alone = tiny.infer(spoilt, MASKS[row].expand(7, 3))
            assert same(alone, tiny.infer(tiny_batch.data, MASKS[row].expand(7, 3)), 0)
    observed = tiny_batch.observed.clone()
    observed[:, index] = False
    missing = posterior_all_subsets(tiny, Batch(spoilt, observed))
    row = next(r for r in range(8) if MASKS[r].sum() == 2 and not MASKS[r, index])
    assert same(one_subset(missing, 7), one_subset(expected, row))


def test_noise_in_a_masked_word_has_no_effect(tiny, tiny_batch) -> None:
    spoilt = {**tiny_batch.data, "word": 26 - tiny_batch.data["word"]}
    expected = posterior_all_subsets(tiny, tiny_batch)
    found = posterior_all_subsets(tiny, Batch(spoilt, tiny_batch.observed))
    for row in range(8):
        assert same(one_subset(found, row), one_subset(expected, row), 0) == (not MASKS[row, 2])


def test_names_and_unknown_families() -> None:
    assert subset_names(["a", "b"]) == ["nothing", "a", "b", "a+b"]
    with pytest.raises(DataError, match="Normal"):
        parameters(torch.distributions.Normal(0.0, 1.0))


@torch.no_grad()
def test_components_of_no_weight_are_left_out_and_nothing_changes() -> None:
    generator = torch.Generator().manual_seed(0)
    weights, loc, scale = (torch.randn(6, 5, *own, generator=generator) for own in ((), (2,), (2,)))
    weights[:, [1, 4]] = -torch.inf
    weights[0, 2] = -torch.inf
    whole = GaussianMixture(weights, loc, scale.exp())
    left = alive(whole)
    assert isinstance(left, GaussianMixture) and left.loc.shape[-2] == 3
    draws = [
        one.rsample((200,), generator=torch.Generator().manual_seed(1)) for one in (whole, left)
    ]
    torch.testing.assert_close(*draws, rtol=0, atol=0)
    torch.testing.assert_close(*(one.log_prob(draws[0]) for one in (whole, left)))
