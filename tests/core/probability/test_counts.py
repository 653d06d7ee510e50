"""Likelihoods of counts against scipy, with and without library size; data in their own units."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from mmvae_core.build import build_likelihood
from mmvae_core.config import LikelihoodConfig
from mmvae_core.errors import ConfigError
from mmvae_core.probability.likelihoods import Likelihood
from mmvae_core.seeding import generator_of

NAN = torch.nan


def make(name: str, shape: tuple[int, ...] = (4,), **changes: object) -> Likelihood:
    return build_likelihood(shape, LikelihoodConfig(name=name, **changes)).double()


def outputs_and_counts() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    outputs = 1.5 * torch.randn(3, 5, 4, generator=generator, dtype=torch.float64)
    return outputs, torch.randint(0, 40, (5, 4), generator=generator).double()


def test_poisson_is_scipys() -> None:
    outputs, counts = outputs_and_counts()
    expected = stats.poisson(outputs.exp().numpy()).logpmf(counts.numpy()).sum(-1)
    found = make("poisson").log_prob(outputs, counts)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0])
def test_negative_binomial_is_scipys(scale: float) -> None:
    outputs, counts = outputs_and_counts()
    likelihood = make("negative_binomial", scale=scale)
    with torch.no_grad():  # which was made in float32
        likelihood.log_scale.fill_(np.log(scale))
    mean, shape = outputs.exp().numpy(), 1 / scale
    expected = stats.nbinom(shape, shape / (shape + mean)).logpmf(counts.numpy()).sum(-1)
    found = likelihood.log_prob(outputs, counts).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_its_variance_is_the_mean_and_scale_times_its_square() -> None:
    likelihood = make("negative_binomial", (1,), scale=0.5)
    outputs = torch.full((200_000, 1), np.log(6.0), dtype=torch.float64)
    with torch.no_grad():
        draws = likelihood.sample(outputs, generator=generator_of(0))
    squares = (draws - 6).square()
    error = squares.std() / len(draws) ** 0.5
    assert (squares.mean() - (6 + 0.5 * 36)).abs() <= 4 * error


@pytest.mark.parametrize("name", ["poisson", "negative_binomial"])
def test_with_library_size_rates_are_shares_of_the_items_total(name: str) -> None:
    outputs, counts = outputs_and_counts()
    shared, plain = make(name, library=True), make(name)
    total = counts.sum(-1, keepdim=True)
    rates = total * outputs.softmax(-1)
    expected = plain.log_prob(rates.log(), counts).detach()
    found = shared.log_prob(outputs, counts).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(
        shared.log_prob(outputs + 3, counts).detach(), found, rtol=1e-10, atol=1e-10
    )


def test_the_library_size_of_an_item_with_gaps_is_that_of_what_is_known() -> None:
    outputs, counts = outputs_and_counts()
    known = torch.tensor([True, False, True, True])
    found = make("poisson", library=True).log_prob(outputs, torch.where(known, counts, NAN))
    expected = make("poisson", (3,), library=True).log_prob(outputs[..., known], counts[:, known])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_generations_have_the_training_items_mean_total() -> None:
    likelihood, (outputs, _) = make("poisson", library=True), outputs_and_counts()
    likelihood.start_at(torch.ones(4), torch.ones(4), torch.tensor(250.0))
    means = likelihood.mean(outputs)
    np.testing.assert_allclose(means.sum(-1), 250.0, rtol=1e-12)
    np.testing.assert_allclose(means / 250, outputs.softmax(-1), rtol=1e-12)


@pytest.mark.parametrize(("name", "family"), [("normal", stats.norm), ("laplace", stats.laplace)])
def test_standardised_data_keep_their_own_units(name: str, family: stats.rv_continuous) -> None:
    """x = c + s (o + scale e), so the density of x has the location c + s o and the scale s scale."""
    likelihood, (outputs, _) = make(name, scale=0.5, standardise=True), outputs_and_counts()
    centre = torch.tensor([1000.0, 0.0, -3.0, 5.0], dtype=torch.float64)
    spread = torch.tensor([100.0, 0.001, 2.0, 0.0], dtype=torch.float64)
    likelihood.start_at(centre, spread, torch.tensor(0.0))
    spread[-1] = 1.0  # of what never changes
    data = centre + spread * torch.randn(5, 4, generator=generator_of(0), dtype=torch.float64)
    mean = likelihood.mean(outputs)
    np.testing.assert_allclose(mean, centre + spread * outputs, rtol=1e-6)
    scale = likelihood.log_scale.exp().item() * likelihood.spread.numpy()
    expected = family(mean.numpy(), scale).logpdf(data.numpy()).sum(-1)
    found = likelihood.log_prob(outputs, data).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(likelihood.outputs_at(mean), outputs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "switch"),
    [("bernoulli", "standardise"), ("normal", "library"), ("categories", "learn_scale")],
)
def test_a_switch_that_means_nothing_is_refused(name: str, switch: str) -> None:
    shape = (1, 3) if name == "categories" else (3,)
    with pytest.raises(ConfigError, match=f"{name}.* {switch} = true"):
        make(name, shape, **{switch: True})
