"""Draws of mixtures: gradients to weights, locations and scales, against finite differences."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mmvae_core.probability.implicit import _per_latent, _sums_before
from mmvae_core.probability.posteriors import (
    DiagonalLaplace,
    DiagonalMixture,
    GaussianMixture,
    LaplaceMixture,
)
from mmvae_core.seeding import generator_of

torch.set_num_threads(1)

LOGITS = torch.tensor([0.3, -0.4, 0.1], dtype=torch.float64)
LOC = torch.tensor([[-1.0, 0.5], [1.5, -0.3], [0.4, 1.2]], dtype=torch.float64)
SCALE = torch.tensor([[0.5, 1.2], [0.8, 0.6], [1.1, 0.7]], dtype=torch.float64)
PARAMETERS = (LOGITS, LOC, SCALE)
FUNCTIONS = {
    "squares": lambda z: z.square().sum(-1),
    "a sine of both": lambda z: (z[..., 0] + 0.5 * z[..., 1]).sin(),
    "tanh of the product": lambda z: z.prod(-1).tanh(),
}
both = pytest.mark.parametrize("family", [GaussianMixture, LaplaceMixture])


def build(
    family: type[DiagonalMixture], logits: Tensor, loc: Tensor, scale: Tensor
) -> DiagonalMixture:
    return family(logits.log_softmax(-1), loc, scale)


def nodes(family: type[DiagonalMixture]) -> tuple[Tensor, Tensor]:
    """Quadrature of two latents of the family at location 0, scale 1: points and weights."""
    if family is GaussianMixture:
        points, weights = np.polynomial.hermite_e.hermegauss(60)
        weights = weights / math.sqrt(2 * math.pi)
    else:
        half, mass = np.polynomial.laguerre.laggauss(50)
        points, weights = np.concatenate([-half, half]), np.concatenate([mass, mass]) / 2
    grid = np.stack(np.meshgrid(points, points, indexing="ij"), -1).reshape(-1, 1, 2)
    return torch.from_numpy(grid), torch.from_numpy(np.outer(weights, weights).reshape(-1, 1))


def differences(family: type[DiagonalMixture], function: object) -> list[Tensor]:
    """Central differences of E[f(z)] by quadrature, for logits, locations and scales."""
    grid, mass = nodes(family)

    def expectation(logits: Tensor, loc: Tensor, scale: Tensor) -> float:
        values = function(loc + scale * grid)
        return float((mass * values).sum(0) @ logits.softmax(-1))

    found = []
    for number, value in enumerate(PARAMETERS):
        result = torch.zeros_like(value)
        for index in np.ndindex(*value.shape):
            changed = []
            for sign in (1, -1):
                moved = [one.clone() for one in PARAMETERS]
                moved[number][index] += sign * 1e-4
                changed.append(expectation(*moved))
            result[index] = (changed[0] - changed[1]) / 2e-4
        found.append(result)
    return found


@both
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_gradient_of_an_expectation_reaches_weights_locations_and_scales(
    family: type[DiagonalMixture], function: object
) -> None:
    rows, repeats = 400, 100
    torch.manual_seed(0)
    values = [one.expand(rows, *one.shape).clone().requires_grad_() for one in PARAMETERS]
    draws = build(family, *values).rsample((repeats,))
    gradients = torch.autograd.grad(function(draws).mean(0).sum(), values)
    for gradient, expected in zip(gradients, differences(family, function), strict=True):
        error = gradient.std(0) / math.sqrt(rows)
        assert ((gradient.mean(0) - expected).abs() <= 4 * error).all()
        assert (error < 0.1).all(), "the check must be able to fail"


@both
def test_a_draw_moves_so_that_its_conditional_probabilities_stay(
    family: type[DiagonalMixture],
) -> None:
    """Each draw by itself, without chance: solve F(z; theta') = F(z; theta) by bisection."""
    torch.manual_seed(1)
    values = [one.clone().requires_grad_() for one in PARAMETERS]
    draws = build(family, *values).rsample((20,))
    levels = transform(build(family, *PARAMETERS), draws.detach())
    for number, value in enumerate(PARAMETERS):
        for index in np.ndindex(*value.shape):
            ends = []
            for sign in (1, -1):
                moved = [one.clone() for one in PARAMETERS]
                moved[number][index] += sign * 1e-5
                ends.append(invert(build(family, *moved), levels))
            expected = (ends[0] - ends[1]) / 2e-5
            for latent in range(2):
                for row in range(0, 20, 7):
                    (gradient,) = torch.autograd.grad(
                        draws[row, latent], values[number], retain_graph=True
                    )
                    slope = float(expected[row, latent])
                    assert float(gradient[index]) == pytest.approx(slope, rel=1e-5, abs=1e-5)


def transform(mixture: DiagonalMixture, draws: Tensor) -> Tensor:
    """The conditional CDFs of each latent given the earlier ones."""
    density, cdf = _per_latent(draws, mixture.components)
    weights = (mixture.log_weights[:, None] + _sums_before(density)).softmax(-2)
    return (weights * cdf).sum(-2)


def invert(mixture: DiagonalMixture, levels: Tensor) -> Tensor:
    """The draws whose conditional CDFs are `levels`, latent after latent."""
    draws = torch.zeros_like(levels)
    for latent in range(2):
        low, high = torch.full_like(levels[:, 0], -60), torch.full_like(levels[:, 0], 60)
        for _ in range(52):
            draws[:, latent] = (low + high) / 2
            below = transform(mixture, draws)[:, latent] < levels[:, latent]
            low, high = (
                torch.where(below, draws[:, latent], low),
                torch.where(below, high, draws[:, latent]),
            )
    return draws


@both
def test_values_are_those_of_constant_weights(family: type[DiagonalMixture]) -> None:
    """Noise first, then the component: one stream of random numbers with and without gradients."""
    found = []
    for learned in (True, False):
        logits = LOGITS.clone().requires_grad_(learned)
        drawn = build(family, logits, LOC, SCALE).rsample((50,), generator=generator_of(2))
        found.append(drawn.detach())
    torch.manual_seed(2)
    noise = family.family.noise(torch.Size((50, 2)), LOC, None)
    picked = torch.distributions.Categorical(logits=LOGITS).sample((50,))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], LOC[picked] + SCALE[picked] * noise)


@both
def test_of_one_component_the_gradients_are_those_of_location_and_scale(
    family: type[DiagonalMixture],
) -> None:
    logits = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    loc, scale = LOC[:1].clone().requires_grad_(), SCALE[:1].clone().requires_grad_()
    draws = build(family, logits, loc, scale).rsample((200,))
    gradients = torch.autograd.grad(draws.sin().sum(), (logits, loc, scale))
    slopes = draws.detach().cos()
    noise = (draws.detach() - LOC[0]) / SCALE[0]
    torch.testing.assert_close(gradients[0], torch.zeros(1).double(), atol=1e-10, rtol=0)
    torch.testing.assert_close(gradients[1][0], slopes.sum(0), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(gradients[2][0], (slopes * noise).sum(0), rtol=1e-9, atol=1e-9)


@both
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_mixtures_keep_finite_gradients(
    family: type[DiagonalMixture], dtype: torch.dtype
) -> None:
    """Components far apart, of very unlike scales, one of weight zero, in 32 latents."""
    generator = torch.Generator().manual_seed(3)
    loc = (20 * torch.randn(4, 32, generator=generator)).to(dtype).requires_grad_()
    scale = torch.tensor([1e-3, 0.1, 1.0, 30.0], dtype=dtype)[:, None].expand(4, 32)
    scale = scale.clone().requires_grad_()
    logits = torch.zeros(4, dtype=dtype, requires_grad=True)
    dead = torch.tensor([False, False, False, True])
    log_weights = torch.where(dead, -torch.inf, logits.log_softmax(-1))
    draws = family(log_weights, loc, scale).rsample((500,))
    gradients = torch.autograd.grad(draws.tanh().sum(), (logits, loc, scale))
    assert all(torch.isfinite(one).all() for one in (draws, *gradients))
    assert torch.equal(gradients[1][3], torch.zeros_like(gradients[1][3]))


def test_laplace_noise_is_standard_laplace() -> None:
    from scipy.stats import kstest

    noise = DiagonalLaplace.noise(torch.Size((20_000,)), LOC, generator_of(4)).numpy()
    assert kstest(noise, "laplace").pvalue > 0.01
