"""Drawing latents: the temperature, and the noise that a seed fixes."""

import numpy as np
import pytest
import torch

from mmvae_core.build import build_model
from mmvae_core.errors import UsageError
from mmvae_core.explore.generation import latents, posterior_given
from mmvae_core.explore.inference import generate
from mmvae_core.model import MultimodalVAE
from mmvae_core.seeding import generator_of
from tests import small
from tests.ui.studies import float64

FAMILIES = ("poe", "moe", "sum_pooling")


def made(aggregator: str) -> tuple[MultimodalVAE, dict[str, torch.Tensor]]:
    model = build_model(small.config(aggregator)).double()
    small.spread(model)
    one = {name: values[0] for name, values in small.data(1, dtype=torch.float64).items()}
    return model, {name: one[name] for name in ("numbers", "text")}


def as_given(items: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in items.items()}


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
    cold = generate(float64(model), as_given(given), 3, seed=1, temperature=0)
    for name, values in cold.at_draws.items():
        np.testing.assert_allclose(values, np.broadcast_to(cold.at_mean[name], values.shape))


def test_the_prior_has_a_temperature_too() -> None:
    model, _ = made("poe")
    first, second, again = (
        generate(model, {}, 2, 0, temperature).at_draws["numbers"] for temperature in (1, 0.3, 1)
    )
    assert not np.array_equal(first, second)
    assert np.array_equal(first, again)


@pytest.mark.parametrize("temperature", [-0.1, 11.0, float("nan")])
def test_other_temperatures_are_refused(temperature: float) -> None:
    model, given = made("poe")
    with pytest.raises(UsageError, match="temperature"):
        generate(float64(model), as_given(given), 2, 0, temperature)


def test_no_draws_are_refused() -> None:
    model, _ = made("poe")
    with pytest.raises(UsageError, match="0 draws were asked for"):
        generate(model, {}, 0, 0)
