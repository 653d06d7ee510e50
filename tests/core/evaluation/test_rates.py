"""Kullback-Leibler divergences: closed form, Monte Carlo and quadrature agree."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from mmvae_core.errors import UsageError
from mmvae_core.evaluation import rates as module
from mmvae_core.evaluation.all_subsets import posterior_all_subsets
from mmvae_core.evaluation.rates import cross_rates, kl, rates
from mmvae_core.probability.posteriors import Gaussian, GaussianMixture


def gaussian(seed: int, *shape: int) -> Gaussian:
    random = torch.Generator().manual_seed(seed)
    draw = {"generator": random, "dtype": torch.float64}
    return Gaussian(torch.randn(*shape, **draw), torch.rand(*shape, **draw) + 0.3)


@pytest.mark.parametrize("prior_shape", [(3,), (6, 3)])
def test_closed_form_between_normals(prior_shape, monkeypatch) -> None:
    q, p = gaussian(0, 6, 3), gaussian(1, *prior_shape)
    exact = kl(q, p, 2, 0)
    by_hand = (p.scale / q.scale).log() - 0.5
    by_hand = by_hand + (q.scale**2 + (q.loc - p.loc) ** 2) / (2 * p.scale**2)
    assert exact.exact
    assert torch.allclose(exact.value, by_hand.sum(-1))
    monkeypatch.setattr(module, "_closed_form", lambda q, p: None)
    drawn = kl(q, p, 20_000, 0)
    assert not drawn.exact
    assert ((drawn.value - exact.value).abs() < 4 * drawn.error).all()


def test_mixture_against_quadrature() -> None:
    weights, loc, scale = np.array([0.2, 0.5, 0.3]), np.array([-2.0, 0.1, 1.5]), [0.4, 0.8, 0.3]
    other = np.array([0.7, 0.3, 0.0])

    def log_density(z: float, mix: np.ndarray) -> float:
        return np.log((mix * norm(loc, scale).pdf(z)).sum())

    def mixture(mix: np.ndarray) -> GaussianMixture:
        log_weights = torch.from_numpy(mix).log()[None]
        return GaussianMixture(log_weights, torch.tensor(loc)[None, :, None],
                               torch.tensor(scale, dtype=torch.float64)[None, :, None])

    prior = Gaussian(torch.zeros(1).double(), torch.ones(1).double())
    for p, log_p in ((prior, norm.logpdf), (mixture(weights), lambda z: log_density(z, weights))):
        truth, _ = quad(lambda z, log_p=log_p: np.exp(log_density(z, other))
                        * (log_density(z, other) - log_p(z)), -8, 8, limit=400)
        found = kl(mixture(other), p, 40_000, 0)
        assert found.error is not None
        assert float(found.error) < 0.01
        assert abs(float(found.value) - truth) < 4 * float(found.error)


def test_mixture_with_one_live_component_is_exact() -> None:
    loc, scale = gaussian(0, 5, 4, 3).loc, gaussian(1, 5, 4, 3).scale
    log_weights = torch.full((5, 4), -torch.inf, dtype=torch.float64)
    picked = torch.tensor([0, 3, 1, 1, 2])
    log_weights[torch.arange(5), picked] = 0
    found = kl(GaussianMixture(log_weights, loc, scale), gaussian(7, 3), 2, 0)
    rows = torch.arange(5), picked
    assert found.exact
    expected = kl(Gaussian(loc[rows], scale[rows]), gaussian(7, 3), 2, 0)
    assert torch.equal(found.value, expected.value)


def test_number_of_draws_at_once_and_seed() -> None:
    q = GaussianMixture(torch.zeros(4, 2), torch.randn(4, 2, 3), torch.ones(4, 2, 3))
    p = Gaussian(torch.zeros(3), torch.ones(3))
    first, again = kl(q, p, 50, 1), kl(q, p, 50, 1)
    assert torch.equal(first.value, again.value)
    assert torch.equal(first.error, again.error)
    assert not torch.equal(first.value, kl(q, p, 50, 2).value)
    with pytest.raises(UsageError, match="2 or more"):
        kl(q, p, 1, 1)


def test_rates_of_all_subsets(tiny, tiny_batch) -> None:
    posterior = posterior_all_subsets(tiny, tiny_batch)
    own = rates(posterior, tiny.prior(), 32, 0)
    cross = cross_rates(posterior, 32, 0)
    assert len(own) == len(cross) == 8
    assert torch.allclose(cross[-1].value, torch.zeros(7), atol=1e-6)
    is_mixture = isinstance(posterior, GaussianMixture)
    assert [one.exact for one in own] == [not is_mixture or row < 4 for row in range(8)]
    if type(tiny.aggregator).__module__.endswith("fixed"):
        assert torch.allclose(own[0].value, torch.zeros(7), atol=1e-6)
