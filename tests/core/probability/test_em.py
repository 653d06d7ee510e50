"""A mixture fitted by EM: what is planted is found, likelihood rises, nothing dies."""

import math
from itertools import pairwise

import pytest
import torch

from mmvae_core.errors import DataError
from mmvae_core.probability.em import MIN_SHARE, MIN_SPREAD, fit_mixture
from mmvae_core.probability.posteriors import GaussianMixture
from mmvae_core.probability.priors import MixturePrior


def planted() -> GaussianMixture:
    weights = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    loc = torch.tensor([[0.0, 4.0], [-4.0, -1.0], [5.0, -2.0]], dtype=torch.float64)
    scale = torch.tensor([[1.0, 0.3], [0.5, 1.2], [0.8, 0.8]], dtype=torch.float64)
    return GaussianMixture(weights.log(), loc, scale)


def drawn(count: int, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return planted().rsample((count,))


def test_a_planted_mixture_is_found() -> None:
    truth, found = planted(), fit_mixture(drawn(20_000), 3, seed=0, steps=200)
    order = torch.cdist(truth.loc, found.loc).argmin(-1)
    assert sorted(order.tolist()) == [0, 1, 2]
    # Standard errors with 4,000 points or more a component: s / sqrt(n), s / sqrt(2 n).
    torch.testing.assert_close(found.loc[order], truth.loc, rtol=0, atol=5 * 1.2 / 4_000**0.5)
    # The floor adds 0.05^2 to each variance, at most 0.005 to a scale of 0.3.
    torch.testing.assert_close(found.scale[order], truth.scale, rtol=0, atol=0.07)
    torch.testing.assert_close(
        found.log_weights.exp()[order], truth.log_weights.exp(), rtol=0, atol=5 * 0.5 / 20_000**0.5
    )
    fresh = drawn(20_000, seed=1)
    gap = (truth.log_prob(fresh) - found.log_prob(fresh)).mean()
    assert abs(float(gap)) < 0.01, "on other points it is as likely as the truth"


def test_from_a_start_every_step_raises_the_likelihood() -> None:
    torch.manual_seed(3)
    start = GaussianMixture(
        torch.full((5,), -math.log(5)).double(),
        torch.randn(5, 2).double(),
        torch.ones(5, 2).double(),
    )
    points, likelihoods = drawn(3_000), []
    for steps in (1, 2, 4, 8, 16):
        found = fit_mixture(points, 5, seed=0, start=start, steps=steps)
        likelihoods.append(float(found.log_prob(points).mean()))
    assert float(start.log_prob(points).mean()) < likelihoods[0]
    assert all(one < two for one, two in pairwise(likelihoods))


def test_no_component_dies_or_collapses() -> None:
    points = torch.cat([drawn(500), torch.zeros(500, 2, dtype=torch.float64)])
    far = torch.tensor([[0.0, 0.0], [0.0, 4.0], [100.0, 100.0]], dtype=torch.float64)
    start = GaussianMixture(torch.full((3,), -math.log(3)).double(), far, torch.ones(3, 2).double())
    found = fit_mixture(points, 3, seed=0, start=start)
    assert float(found.scale.min()) >= MIN_SPREAD
    assert float(found.log_weights.exp().min()) >= MIN_SHARE / 3 / (1 + MIN_SHARE)
    assert float(found.log_weights.exp().sum()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("spoil", ["few", "nan"])
def test_points_that_cannot_be_fitted_are_refused(spoil: str) -> None:
    points = drawn(5 if spoil == "few" else 50)
    if spoil == "nan":
        points[3, 1] = math.nan
    with pytest.raises(DataError, match="3 components, expected finite ones and at least 6"):
        fit_mixture(points, 3, seed=0)


def test_a_prior_takes_a_mixture_over() -> None:
    prior = MixturePrior(2, 3, GaussianMixture).double()
    prior.become(planted())
    points = drawn(100)
    torch.testing.assert_close(
        prior().log_prob(points), planted().log_prob(points), rtol=1e-12, atol=1e-12
    )
