"""Laws that every objective keeps, whatever it bounds."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.build import OBJECTIVES, build_model
from mmvae_core.model import MultimodalVAE
from mmvae_core.objectives.terms import Terms
from mmvae_core.seeding import generator_of
from mmvae_core.subsets import all_subsets
from tests import family
from tests.oracles.linear_gaussian import LinearGaussian, disturb

M = len(family.SIZES)
ONES = torch.ones(M, dtype=torch.float64)
NO_BOUND = {"total_correlation": "with all shown it has no KL term, see its docstring"}
"""Objectives that may exceed log p(x) though all is shown, with the reason."""

every_objective = pytest.mark.parametrize("name", OBJECTIVES)
every_bound = pytest.mark.parametrize("name", [name for name in OBJECTIVES if name not in NO_BOUND])


def model() -> MultimodalVAE:
    made = build_model(family.run(name="sum_pooling", components=2)).double()
    family.spread(made)
    return made


def batch() -> tuple[Batch, Tensor]:
    """Every subset S inside every non-empty observed set O; what is not observed is NaN."""
    masks = all_subsets(M)
    pairs = [(shown, seen) for seen in masks[1:] for shown in masks if not (shown & ~seen).any()]
    subset, observed = (torch.stack(column) for column in zip(*pairs, strict=True))
    generator = torch.Generator().manual_seed(0)
    data = {
        f"m{index}": torch.randn(len(subset), size, generator=generator, dtype=torch.float64)
        for index, size in enumerate(family.SIZES)
    }
    for index, name in enumerate(data):
        data[name][~observed[:, index]] = torch.nan
    return Batch(data, observed), subset


def terms_of(
    name: str,
    made: MultimodalVAE,
    items: Batch,
    subset: Tensor,
    samples: int = 2,
    stick: bool = True,
) -> Terms:
    return OBJECTIVES[name](made, items, subset, samples, stick, generator=generator_of(0))


@every_objective
def test_it_is_finite_for_every_subset_and_so_are_its_gradients(name: str) -> None:
    made, (items, subset) = model(), batch()
    terms = terms_of(name, made, items, subset)
    assert terms.rates["rate"].shape == (2, len(items)), "training reports the rate"
    bound = terms.bound(ONES, 1.0)
    assert bound.shape == (len(items),)
    assert torch.isfinite(bound).all()
    bound.sum().backward()
    for label, value in made.named_parameters():
        if value.requires_grad:
            assert value.grad is not None, label
            assert torch.isfinite(value.grad).all(), label
            assert value.grad.abs().sum() > 0, label


@every_objective
@torch.no_grad()
def test_what_is_not_observed_has_exactly_no_effect(name: str) -> None:
    made, (items, subset) = model(), batch()
    filled = Batch(
        {one: values.nan_to_num(nan=1e6) for one, values in items.data.items()}, items.observed
    )
    one, other = (terms_of(name, made, each, subset).bound(ONES, 0.7) for each in (items, filled))
    assert torch.equal(one, other)


@every_objective
def test_sticking_the_landing_changes_gradients_alone(name: str) -> None:
    made, (items, subset) = model(), batch()
    bounds = [
        terms_of(name, made, items, subset, stick=stick).bound(ONES, 1.0) for stick in (True, False)
    ]
    torch.testing.assert_close(*bounds, rtol=1e-12, atol=1e-12)
    weight = made.aggregator.head.linear.weight
    one, other = (torch.autograd.grad(bound.sum(), weight)[0] for bound in bounds)
    assert float((one - other).abs().max()) > 1e-3


@every_bound
@torch.no_grad()
def test_with_all_shown_it_is_the_likelihood_where_the_encoder_is_exact(name: str) -> None:
    """For every draw, of a linear-Gaussian model, whose log p(x) is known."""
    oracle = LinearGaussian.random()
    items = oracle.draw(20)
    found = terms_of(name, oracle.model(), items, items.observed, 3).bound(ONES, 1.0)
    np.testing.assert_allclose(found, oracle.log_evidence(items, items.observed), rtol=1e-10)


@every_bound
@pytest.mark.parametrize("samples", [1, 5])
@torch.no_grad()
def test_with_all_shown_it_never_exceeds_the_likelihood(name: str, samples: int) -> None:
    """Any encoder; means over 400 draws with four standard errors."""
    oracle = LinearGaussian.random()
    made, items, repeats = disturb(oracle.model()), oracle.draw(10), 400
    many = items.rows(torch.arange(len(items)).repeat(repeats))
    values = terms_of(name, made, many, many.observed, samples).bound(ONES, 1.0)
    values = values.unflatten(0, (repeats, len(items)))
    gap = torch.from_numpy(oracle.log_evidence(items, items.observed)) - values.mean(0)
    assert (gap > -4 * values.std(0) / math.sqrt(repeats)).all()
    assert float(gap.mean()) > 0.01, "the encoder is not exact, so there is a gap"
