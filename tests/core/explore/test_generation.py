"""Drawing latents: the temperature, and the noise that a seed fixes."""

import pytest
import torch

from mmvae_core.build import build_model
from mmvae_core.errors import UsageError
from mmvae_core.explore.generation import generate, latents, posterior_given
from mmvae_core.model import MultimodalVAE
from mmvae_core.seeding import generator_of
from tests import small

FAMILIES = ("poe", "moe", "sum_pooling")


def made(aggregator: str) -> tuple[MultimodalVAE, dict[str, torch.Tensor]]:
    model = build_model(small.config(aggregator)).double()
    small.spread(model)
    one = {name: values[0] for name, values in small.data(1, dtype=torch.float64).items()}
    return model, {name: one[name] for name in ("numbers", "text")}


@pytest.mark.parametrize("aggregator", FAMILIES)
@pytest.mark.parametrize("temperature", [0.0, 0.5, 2.0])
@torch.no_grad()
def test_the_temperature_scales_the_noise_around_the_mean(
    aggregator: str, temperature: float
) -> None:
    model, given = made(aggregator)
    posterior = posterior_given(model, given)
    plain = latents(posterior, 9, generator=generator_of(3))
    scaled = latents(posterior, 9, temperature, generator=generator_of(3))
    torch.testing.assert_close(scaled - posterior.mean, temperature * (plain - posterior.mean))


def test_without_noise_all_generations_are_that_of_the_mean() -> None:
    model, given = made("poe")
    cold = generate(model, given, samples=3, seed=1, temperature=0)
    expected = model.means(posterior_given(model, given).mean)
    for name, values in cold.items():
        torch.testing.assert_close(values, expected[name].expand_as(values))


def test_the_prior_has_a_temperature_too() -> None:
    model, _ = made("poe")
    first, second = (generate(model, {}, 2, seed=0, temperature=t)["numbers"] for t in (1.0, 0.3))
    assert not torch.equal(first, second)
    assert torch.equal(first, generate(model, {}, 2, seed=0)["numbers"])


@pytest.mark.parametrize("temperature", [-0.1, 11.0, float("nan")])
def test_other_temperatures_are_refused(temperature: float) -> None:
    model, given = made("poe")
    with pytest.raises(UsageError, match="temperature"):
        generate(model, given, temperature=temperature)
