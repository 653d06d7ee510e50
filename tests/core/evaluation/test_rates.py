"""Kullback-Leibler divergences: closed form, Monte Carlo and quadrature agree."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from mmvae_core.errors import UsageError
from mmvae_core.evaluation import rates as module
from mmvae_core.evaluation.all_subsets import all_posteriors, posterior_all_subsets
from mmvae_core.evaluation.rates import cross_rates, distortions, kl, log_mean, rates
from mmvae_core.probability.posteriors import Gaussian, GaussianMixture
from mmvae_core.subsets import all_subsets


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


def test_cross_rates_are_of_everything_from_what_is_shown() -> None:
    """KL(q(z | x_O) || q(z | x_S)), written out; the other way round it is another number."""
    posterior = gaussian(0, 4, 5, 3)
    found = cross_rates(posterior, 2, 0)
    q_loc, q_scale = posterior.loc[-1], posterior.scale[-1]
    for row in range(4):
        loc, scale = posterior.loc[row], posterior.scale[row]
        by_hand = (scale / q_scale).log() - 0.5
        by_hand = by_hand + (q_scale**2 + (q_loc - loc) ** 2) / (2 * scale**2)
        torch.testing.assert_close(found[row].value, by_hand.sum(-1))
        assert (found[row].value > 0.01).all() or row == 3


def test_mixture_against_quadrature() -> None:
    weights, loc, scale = np.array([0.2, 0.5, 0.3]), np.array([-2.0, 0.1, 1.5]), [0.4, 0.8, 0.3]
    other = np.array([0.7, 0.3, 0.0])

    def log_density(z: float, mix: np.ndarray) -> float:
        return np.log((mix * norm(loc, scale).pdf(z)).sum())

    def mixture(mix: np.ndarray) -> GaussianMixture:
        log_weights = torch.from_numpy(mix).log()[None]
        return GaussianMixture(
            log_weights,
            torch.tensor(loc)[None, :, None],
            torch.tensor(scale, dtype=torch.float64)[None, :, None],
        )

    prior = Gaussian(torch.zeros(1).double(), torch.ones(1).double())
    for p, log_p in ((prior, norm.logpdf), (mixture(weights), lambda z: log_density(z, weights))):
        truth, _ = quad(
            lambda z, log_p=log_p: (
                np.exp(log_density(z, other)) * (log_density(z, other) - log_p(z))
            ),
            -8,
            8,
            limit=400,
        )
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
    torch.testing.assert_close(found.value, expected.value, rtol=1e-12, atol=1e-12)


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
    assert float(cross[-1].value.abs().max()) < 1e-12
    is_mixture = isinstance(posterior, GaussianMixture)
    assert [one.exact for one in own] == [not is_mixture or row < 4 for row in range(8)]
    if type(tiny.aggregator).__module__.endswith("fixed"):
        assert float(own[0].value.abs().max()) < 1e-12


def expected_distortion(made, mask: torch.Tensor) -> torch.Tensor:
    """-E log N(x_S; W z + b, s^2) for z ~ N(m, diag v): the residual at m plus tr(W diag(v) W')."""
    picked = torch.nonzero(mask)[:, 0].tolist()
    posterior, total = made.model.infer(made.batch.data, mask.expand(len(made.batch), -1)), 0.0
    for index in picked:
        loading, bias = made.aggregator.loadings[index], made.aggregator.biases[index]
        error = made.batch.data[f"m{index}"] - posterior.mean @ loading.T - bias
        spread = (posterior.stddev.square() @ loading.square().T).sum(-1)
        noise = made.aggregator.noise
        size = len(bias)
        total = (
            total
            + 0.5 * (error.square().sum(-1) + spread) / noise**2
            + size * (np.log(noise) + 0.5 * np.log(2 * np.pi))
        )
    return torch.as_tensor(total)


def test_distortions_and_bounds_against_closed_forms(linear) -> None:
    made = linear(120)
    posterior = all_posteriors(made.model, made.batch)
    samples = 400
    distortion, bound = distortions(made.model, made.batch, posterior, samples, 0)
    assert distortion.shape == bound.shape == (8, 120)
    assert not distortion[0].any() and not bound[0].any()
    for row, mask in enumerate(all_subsets(3)):
        if row:
            exact = expected_distortion(made, mask)
            # The draws' spread: half a chi-square of two latents is about 1 to 2 nats.
            assert float((distortion[row] - exact).abs().max()) < 6 * 3 / samples**0.5
            assert abs(float((distortion[row] - exact).mean())) < 4 * 3 / (samples * 120) ** 0.5
            # The posterior is the exact one, so that every draw gives log p(x_S).
            np.testing.assert_allclose(bound[row], made.evidence(mask), rtol=1e-9)
    again, _ = distortions(made.model, made.batch, posterior, samples, 0)
    assert torch.equal(distortion, again)


def test_the_log_of_a_mean_has_an_error_that_covers_it() -> None:
    draw = torch.Generator().manual_seed(0)
    logs = 0.5 * torch.randn(64, 4_000, generator=draw, dtype=torch.float64)
    found = log_mean(logs)
    assert found.error is not None
    inside = ((found.value - 0.125).abs() < 1.96 * found.error).double().mean()
    assert 0.90 < float(inside) < 0.97  # log E exp(z / 2) = 1/8
    assert log_mean(torch.zeros(3, 1)).value == 0
    with pytest.raises(UsageError, match="2 or more"):
        log_mean(torch.zeros(1, 1))
