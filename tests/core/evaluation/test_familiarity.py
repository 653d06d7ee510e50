"""How likely something given is, among test items."""

import pytest
import torch

from mmvae_core.evaluation.familiarity import Familiarity, familiarity
from mmvae_core.evaluation.log_likelihood import log_likelihood
from mmvae_core.model import MultimodalVAE
from mmvae_core.subsets import all_subsets
from tests.oracles.linear_gaussian import LinearGaussian

SAMPLES = 16


@pytest.mark.parametrize("row", [1, 4, 7])
def test_likelihoods_are_exact_where_the_posterior_is(
    exact: LinearGaussian, exact_model: MultimodalVAE, row: int
) -> None:
    batch, subset = exact.draw(30), all_subsets(3)[row]
    names = [name for name, kept in zip(exact_model.names, subset, strict=True) if kept]
    compared = exact.log_evidence(batch, subset.expand(30, 3)) - 1e-9
    found = familiarity(
        exact_model, {name: batch.data[name][3] for name in names}, compared, SAMPLES
    )
    assert found.value == pytest.approx(compared[3])
    assert found.below == (compared <= compared[3] + 1e-7).sum()


def test_what_is_far_away_is_below_all(exact: LinearGaussian, exact_model: MultimodalVAE) -> None:
    batch, name = exact.draw(40), exact_model.names[0]
    subset = torch.tensor([True, False, False])
    compared = log_likelihood(exact_model, batch, subset, subset, SAMPLES, 0).numpy()
    far = {name: batch.data[name][0] + 1e3}
    assert familiarity(exact_model, far, compared, SAMPLES).percentile == 0


def test_percentile_and_interval() -> None:
    found = Familiarity(-1.0, 5, 500)
    assert found.percentile == 1
    low, high = found.interval
    assert 0 < low < 1 < high < 3
