"""Likelihoods against scipy, torch's own distributions, quadrature and enumeration."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.integrate import quad
from torch import Tensor

from mmvae_core.build import build_likelihood
from mmvae_core.config import LikelihoodConfig
from mmvae_core.errors import ConfigError
from mmvae_core.probability.likelihoods import Likelihood
from mmvae_core.seeding import generator_of

FAMILIES = {"normal": stats.norm, "laplace": stats.laplace}
continuous = pytest.mark.parametrize("name", FAMILIES)


def make(shape: tuple[int, ...], name: str, **changes: object) -> Likelihood:
    return build_likelihood(shape, LikelihoodConfig(name=name, **changes)).double()


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@continuous
@pytest.mark.parametrize("scale", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 2, 3)])
def test_continuous_densities_are_scipys(name: str, scale: float, shape: tuple[int, ...]) -> None:
    outputs, data = randn(4, 5, *shape), randn(5, *shape, seed=1)
    likelihood = make(shape, name, scale=scale)
    with torch.no_grad():  # which the likelihood made in float32
        likelihood.log_scale.fill_(math.log(scale))
    values = likelihood.log_prob(outputs, data)
    expected = FAMILIES[name](outputs.numpy(), scale).logpdf(data.numpy())
    expected = expected.reshape(4, 5, -1).sum(-1)
    np.testing.assert_allclose(values.detach(), expected, rtol=1e-12, atol=1e-12)


@continuous
def test_continuous_densities_have_mass_one(name: str) -> None:
    likelihood, outputs = make((1,), name, scale=0.7), torch.full((1,), 0.3, dtype=torch.float64)

    def density(x: float) -> float:
        return float(likelihood.log_prob(outputs, torch.full((1,), x, dtype=torch.float64)).exp())

    assert quad(density, -20, 20, points=[0.3], epsabs=1e-12)[0] == pytest.approx(1, abs=1e-9)


@continuous
def test_a_learned_scale_follows_its_gradient(name: str) -> None:
    """The slope at log s is E[error term] - entries; at the best scale it is zero."""
    outputs, data = randn(200, 3), randn(200, 3, seed=1)
    error = (data - outputs).abs()
    best = error.square().mean().sqrt() if name == "normal" else error.mean()
    for factor, sign in ((0.5, 1), (1.0, 0), (2.0, -1)):
        likelihood = make((3,), name, learn_scale=True)
        with torch.no_grad():
            likelihood.log_scale.copy_((best * factor).log())
        (slope,) = torch.autograd.grad(
            likelihood.log_prob(outputs, data).mean(), likelihood.log_scale
        )
        if sign:
            assert sign * slope > 0.1
        else:
            assert abs(slope) < 1e-12


@continuous
def test_entries_with_scales_of_their_own_have_scipys_density(name: str) -> None:
    likelihood = make((2, 3), name, scale=0.5, learn_scale=True, per_entry=True)
    scales = torch.linspace(0.3, 2.0, 6, dtype=torch.float64).view(2, 3)
    assert likelihood.log_scale.shape == (2, 3)
    with torch.no_grad():
        likelihood.log_scale.copy_(scales.log())
    outputs, data = randn(4, 5, 2, 3), randn(5, 2, 3, seed=1)
    values = likelihood.log_prob(outputs, data)
    expected = FAMILIES[name](outputs.numpy(), scales.numpy()).logpdf(data.numpy())
    np.testing.assert_allclose(values.detach(), expected.sum((-1, -2)), rtol=1e-12)
    values.sum().backward()
    assert (likelihood.log_scale.grad != 0).all()


@continuous
def test_a_fixed_scale_has_no_gradient(name: str) -> None:
    assert not make((3,), name).log_scale.requires_grad


def test_bernoulli_is_torchs_on_black_and_white() -> None:
    logits, data = 3 * randn(4, 5, 1, 2, 3), (randn(5, 1, 2, 3, seed=1) > 0).double()
    values = make((1, 2, 3), "bernoulli").log_prob(logits, data)
    expected = torch.distributions.Bernoulli(logits=logits).log_prob(data.expand_as(logits))
    torch.testing.assert_close(values, expected.sum((-3, -2, -1)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("pixels", [1, 4, 8])
def test_bernoulli_on_grey_is_the_expectation_over_black_and_white(pixels: int) -> None:
    likelihood, logits = make((pixels,), "bernoulli"), 2 * randn(pixels)
    grey = torch.rand(pixels, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = 0.0
    for bits in itertools.product([0.0, 1.0], repeat=pixels):
        picture = torch.tensor(bits, dtype=torch.float64)
        probability = torch.where(picture == 1, grey, 1 - grey).prod()
        expected += float(probability * likelihood.log_prob(logits, picture))
    assert float(likelihood.log_prob(logits, grey)) == pytest.approx(expected, abs=1e-12)


def test_bernoulli_stays_finite_for_extreme_logits() -> None:
    logits, data = torch.tensor([1e4, -1e4]).double(), torch.tensor([0.0, 1.0]).double()
    assert float(make((2,), "bernoulli").log_prob(logits, data)) == -2e4


def test_categorical_is_torchs_and_sums_to_one_over_all_words() -> None:
    likelihood, logits = make((2, 3), "categorical"), 2 * randn(4, 5, 2, 3)
    codes = torch.tensor([[0, 1], [2, 2], [1, 0], [0, 0], [2, 1]])
    expected = torch.distributions.Categorical(logits=logits).log_prob(codes).sum(-1)
    torch.testing.assert_close(likelihood.log_prob(logits, codes), expected, rtol=1e-12, atol=1e-12)
    words = torch.tensor(list(itertools.product(range(3), repeat=2)))
    total = likelihood.log_prob(logits[:1, :1].expand(1, 9, 2, 3), words).exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", ["normal", "laplace", "bernoulli", "categorical"])
def test_draws_have_the_moments_of_the_density(name: str) -> None:
    shape = (2, 3) if name == "categorical" else (3,)
    torch.manual_seed(0)
    scale = {"scale": 0.4} if name in FAMILIES else {}
    likelihood, outputs = make(shape, name, **scale), randn(*shape)
    draws = likelihood.sample(outputs.expand(20_000, *shape), generator=generator_of(0)).double()
    assert tuple(draws.shape[1:]) == likelihood.shape
    if name == "categorical":
        draws = torch.nn.functional.one_hot(draws.long(), 3).double()
    mean = likelihood.mean(outputs)
    variance = {"normal": 0.4**2, "laplace": 2 * 0.4**2}.get(name, mean * (1 - mean))
    for values, expected in ((draws, mean), ((draws - mean).square(), variance)):
        error = values.std(0) / math.sqrt(len(values))
        assert ((values.mean(0) - expected).abs() < 4 * error).all()


@pytest.mark.parametrize("shape", [(3,), (1, 4, 4)])
def test_categorical_wants_positions_and_symbols(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"\(length, symbols\)"):
        make(shape, "categorical")
