"""How likely something given is, among test items."""

import numpy as np
import pytest
import torch

from mmvae_core.batch import Batch
from mmvae_core.evaluation.familiarity import ITEMS, Familiarity, familiarity, reference
from mmvae_core.model import MultimodalVAE
from mmvae_core.subsets import all_subsets
from tests.oracles.linear_gaussian import LinearGaussian


@pytest.mark.parametrize("row", [1, 4, 7])
def test_likelihoods_are_exact_where_the_posterior_is(
    exact: LinearGaussian, exact_model: MultimodalVAE, row: int
) -> None:
    batch, subset = exact.draw(30), all_subsets(3)[row]
    names = [name for name, kept in zip(exact_model.names, subset, strict=True) if kept]
    compared = reference(exact_model, batch, subset)
    np.testing.assert_allclose(compared, exact.log_evidence(batch, subset.expand(30, 3)))
    found = familiarity(exact_model, {name: batch.data[name][3] for name in names}, compared)
    assert found.value == pytest.approx(float(compared[3]))
    assert found.below == int((compared <= compared[3] + 1e-9).sum())


def test_what_is_far_away_is_below_all(exact: LinearGaussian, exact_model: MultimodalVAE) -> None:
    batch = exact.draw(40)
    name = exact_model.names[0]
    compared = reference(exact_model, batch, torch.tensor([True, False, False]))
    far = {name: batch.data[name][0] + 1e3}
    assert familiarity(exact_model, far, compared).percentile == 0


def test_only_items_that_have_it_all_are_compared_with(
    exact: LinearGaussian, exact_model: MultimodalVAE
) -> None:
    batch = exact.draw(ITEMS + 20)
    observed = batch.observed.clone()
    observed[:15, 0] = False
    batch = Batch(batch.data, observed)
    assert len(reference(exact_model, batch, torch.tensor([True, True, False]))) == ITEMS
    few = Batch({name: values[:30] for name, values in batch.data.items()}, observed[:30])
    assert len(reference(exact_model, few, torch.tensor([True, False, False]))) == 15
    assert len(reference(exact_model, few, torch.tensor([False, True, False]))) == 30


def test_percentile_and_interval() -> None:
    found = Familiarity(-1.0, 5, 500)
    assert found.percentile == 1
    low, high = found.interval
    assert 0 < low < 1 < high < 3
