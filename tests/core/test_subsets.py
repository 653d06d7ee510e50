"""Subsets: all of them once, names and masks as inverses, and the law of random draws."""

import math

import pytest
import torch

from mmvae_core.errors import UsageError
from mmvae_core.subsets import (
    EMPTY,
    all_subsets,
    random_shown,
    random_subsets,
    subset_mask,
    subset_name,
)

NAMES = ("ink", "photo", "word")


@pytest.mark.parametrize("modalities", [1, 2, 3, 5])
def test_every_subset_occurs_once_and_sizes_rise(modalities: int) -> None:
    masks = all_subsets(modalities)
    assert masks.dtype == torch.bool
    assert len({tuple(row) for row in masks.tolist()}) == len(masks) == 2**modalities
    sizes = masks.sum(-1)
    assert torch.equal(sizes, sizes.sort().values)


def test_order_is_by_size_then_by_first_members() -> None:
    assert [subset_name(mask, NAMES) for mask in all_subsets(3)] == [
        "nothing",
        "ink",
        "photo",
        "word",
        "ink+photo",
        "ink+word",
        "photo+word",
        "ink+photo+word",
    ]


def test_names_and_masks_are_inverses() -> None:
    for mask in all_subsets(3):
        assert torch.equal(subset_mask(subset_name(mask, NAMES), NAMES), mask)
    assert subset_name([False, False, False], NAMES) == EMPTY
    assert torch.equal(subset_mask("word+ink", NAMES), torch.tensor([True, False, True]))


@pytest.mark.parametrize("text", ["sound", "ink+sound", "ink,word", "", "ink+", "nothing+ink"])
def test_unknown_members_are_named_with_what_there_is(text: str) -> None:
    with pytest.raises(UsageError, match=r"no modality '.*' here; .* ink, photo, word\.$"):
        subset_mask(text, NAMES)


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9])
def test_each_observed_modality_is_kept_independently(keep: float) -> None:
    """Every one of the 2^M outcomes has the probability of a product of coins."""
    items = 40_000
    observed = torch.ones(items, 3, dtype=torch.bool)
    drawn = random_subsets(observed, keep, torch.Generator().manual_seed(0))
    for mask in all_subsets(3):
        expected = math.prod(keep if kept else 1 - keep for kept in mask)
        share = float((drawn == mask).all(-1).double().mean())
        assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / items)


def test_what_is_not_observed_is_never_shown() -> None:
    observed = all_subsets(3).repeat(100, 1)
    drawn = random_subsets(observed, 0.9, torch.Generator().manual_seed(0))
    assert not (drawn & ~observed).any()
    assert (drawn[observed].double().mean() - 0.9).abs() < 0.03


def test_the_generator_decides_the_draw() -> None:
    observed = torch.ones(50, 3, dtype=torch.bool)
    torch.manual_seed(0)
    first = random_subsets(observed, 0.5, torch.Generator().manual_seed(1))
    torch.manual_seed(9)
    assert torch.equal(random_subsets(observed, 0.5, torch.Generator().manual_seed(1)), first)
    assert not torch.equal(random_subsets(observed, 0.5, torch.Generator().manual_seed(2)), first)


@pytest.mark.parametrize("keep", [0.2, 0.5])
def test_draws_that_would_show_nothing_show_all_instead(keep: float) -> None:
    """The empty set's probability goes to the full one, what is not observed stays hidden."""
    items = 40_000
    observed = torch.tensor([True, False, True]).expand(items, -1)
    drawn = random_shown(observed, keep, torch.Generator().manual_seed(0))
    one = keep * (1 - keep)
    law = {(True, False, False): one, (False, False, True): one, (True, False, True): 1 - 2 * one}
    for mask, expected in law.items():
        share = float((drawn == torch.tensor(mask)).all(-1).double().mean())
        assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / items)
    nothing = torch.zeros(5, 3, dtype=torch.bool)
    assert not random_shown(nothing, keep, torch.Generator().manual_seed(0)).any()
