"""Other orders: nothing moves, private latents included; a concatenation does."""

from itertools import permutations

import pytest
import torch
from torch import Tensor

from mmvae_core.build import build_model
from mmvae_core.evaluation.invariance import moments, order_change
from mmvae_core.model import MultimodalVAE
from mmvae_core.subsets import all_subsets
from tests import family

ORDERS = [torch.tensor(order) for order in permutations(range(3))]
PLACED = {label: settings for label, settings in family.EVERY.items() if label not in family.SETS}


def case(settings: dict) -> tuple[MultimodalVAE, Tensor, Tensor]:
    model = build_model(family.run(**settings)).double()
    family.spread(model)
    subset = all_subsets(3)
    generator = torch.Generator().manual_seed(1)
    shape = len(subset), 3, family.FEATURES
    return model, torch.randn(shape, generator=generator, dtype=torch.float64), subset


@pytest.mark.parametrize("settings", family.SETS.values(), ids=family.SETS)
def test_no_order_moves_a_set_aggregator(settings: dict) -> None:
    model, features, subset = case(settings)
    for order in ORDERS:
        assert order_change(model, features, subset, order).relative < 1e-12


@pytest.mark.parametrize("settings", PLACED.values(), ids=PLACED)
def test_every_other_order_moves_a_concatenation(settings: dict) -> None:
    model, features, subset = case(settings)
    assert order_change(model, features, subset, ORDERS[0]).relative == 0
    for order in ORDERS[1:]:
        assert order_change(model, features, subset, order).relative > 1e-2
        nothing = order_change(model, features[:1], subset[:1], order)
        assert nothing.mean == nothing.stddev == 0


def test_the_change_is_that_of_the_moments() -> None:
    model, features, subset = case({"name": "concatenation"})
    one, other = model.posterior(features, subset), moments(model, features, subset, ORDERS[3])
    change = order_change(model, features, subset, ORDERS[3])
    assert change.mean == float((one.mean - other[0]).abs().max())
    assert change.stddev == float((one.stddev - other[1]).abs().max())
    assert change.largest == max(float(one.mean.abs().max()), float(one.stddev.max()))
    assert change.relative == max(change.mean, change.stddev) / change.largest
