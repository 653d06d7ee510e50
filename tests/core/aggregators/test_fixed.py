"""Products and mixtures of experts against their formulas, by numpy, scipy and quadrature."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from torch import Tensor, nn

from mmvae_core.aggregators.base import MIN_SCALE, GaussianHead
from mmvae_core.aggregators.fixed import MixtureOfExperts, ProductOfExperts
from mmvae_core.probability.posteriors import Gaussian, GaussianMixture
from mmvae_core.subsets import all_subsets

MEANS = np.array([[-1.0, 0.5], [2.0, -0.3], [0.4, 1.7]])
SCALES = np.array([[0.5, 1.2], [0.8, 0.3], [2.0, 0.6]])
SUBSETS = all_subsets(3)
NAMES = ["nothing", "0", "1", "2", "01", "02", "12", "012"]
every_subset = pytest.mark.parametrize("subset", SUBSETS, ids=NAMES)


class GivenExperts(nn.Module):
    """A head that reads means and scales as they are: features are [mean, scale]."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        loc, scale = features.chunk(2, -1)
        return loc, torch.where(scale == 0, 1.0, scale)


def shown(family: type, subset: Tensor) -> Gaussian | GaussianMixture:
    """The posterior of the experts MEANS, SCALES under one subset, batch shape [1]."""
    aggregator = family(4, 2).double()
    aggregator.head = GivenExperts()
    features = torch.from_numpy(np.concatenate([MEANS, SCALES], -1))[None]
    return aggregator(features, subset[None])


def members(subset: Tensor) -> list[int]:
    return torch.nonzero(subset)[:, 0].tolist()


@every_subset
def test_product_adds_natural_parameters(subset: Tensor) -> None:
    posterior, kept = shown(ProductOfExperts, subset), members(subset)
    precision = 1 + (SCALES[kept] ** -2).sum(0)
    mean = (MEANS[kept] / SCALES[kept] ** 2).sum(0) / precision
    np.testing.assert_allclose(posterior.mean[0], mean, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(posterior.stddev[0], precision**-0.5, rtol=1e-14)


@every_subset
@pytest.mark.parametrize("axis", [0, 1])
def test_product_is_the_normalised_product_of_densities(subset: Tensor, axis: int) -> None:
    # The trapezoid rule is exact to rounding for smooth functions that vanish at both ends.
    z = np.linspace(-10, 10, 4001)
    kept = members(subset)
    density = norm.pdf(z) * norm(MEANS[kept, axis], SCALES[kept, axis]).pdf(z[:, None]).prod(-1)
    mass, first, second = (np.trapezoid(z**power * density, z) for power in range(3))
    posterior = shown(ProductOfExperts, subset)
    assert float(posterior.mean[0, axis]) == pytest.approx(first / mass, abs=1e-12)
    variance = second / mass - (first / mass) ** 2
    assert float(posterior.stddev[0, axis]) == pytest.approx(math.sqrt(variance), abs=1e-12)


def written_mixture(z: np.ndarray, kept: list[int]) -> np.ndarray:
    if not kept:
        return norm.logpdf(z).sum(-1)
    parts = norm(MEANS[kept], SCALES[kept]).logpdf(z[..., None, :]).sum(-1)
    return logsumexp(parts, axis=-1) - math.log(len(kept))


@every_subset
def test_mixture_has_the_density_of_equal_weights(subset: Tensor) -> None:
    points = np.random.default_rng(0).normal(scale=3, size=(50, 2))
    log_density = shown(MixtureOfExperts, subset).log_prob(torch.from_numpy(points)[:, None])[:, 0]
    np.testing.assert_allclose(log_density, written_mixture(points, members(subset)), rtol=1e-13)


@every_subset
def test_draws_of_a_mixture_have_its_moments(subset: Tensor) -> None:
    torch.manual_seed(0)
    posterior, kept = shown(MixtureOfExperts, subset), members(subset)
    draws = posterior.rsample((40_000,))[:, 0].numpy()
    means, scales = (MEANS[kept], SCALES[kept]) if kept else (np.zeros((1, 2)), np.ones((1, 2)))
    mean, square = means.mean(0), (means**2 + scales**2).mean(0)
    np.testing.assert_allclose(posterior.mean[0], mean, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(posterior.stddev[0] ** 2, square - mean**2, rtol=1e-13)
    for values, expected in (
        (draws, mean),
        (draws**2, square),
        (draws.prod(-1), means.prod(-1).mean()),
    ):
        error = values.std(0) / math.sqrt(len(values))
        assert (np.abs(values.mean(0) - expected) < 4 * error).all()


@pytest.mark.parametrize(
    "function",
    [lambda z: z.square().sum(-1), lambda z: z.sin().sum(-1), lambda z: z.prod(-1).tanh()],
    ids=["squares", "sines", "tanh of the product"],
)
def test_mixture_draws_carry_the_gradient_of_an_expectation(
    function: Callable[[Tensor], Tensor],
) -> None:
    """d/dtheta E[f(z)] by central differences of Gauss-Hermite sums, against averaged draws."""
    loc, scale = torch.from_numpy(MEANS).requires_grad_(), torch.from_numpy(SCALES).requires_grad_()
    log_weights = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64).log()
    torch.manual_seed(1)
    rows, repeats = 400, 50
    expanded = [value.expand(rows, 3, 2).clone() for value in (loc, scale)]
    for value in expanded:
        value.retain_grad()
    draws = GaussianMixture(log_weights.expand(rows, 3), *expanded).rsample((repeats,))
    function(draws).mean(0).sum().backward()
    for number, value in enumerate(expanded):
        assert value.grad is not None
        mean = value.grad.mean(0).numpy()
        error = value.grad.std(0).numpy() / math.sqrt(rows)
        expected = differences(function, log_weights, number)
        assert (np.abs(mean - expected) <= 4 * error + 1e-12).all()
        assert np.array_equal(mean[2], [0, 0]), "a component of weight zero"


def differences(
    function: Callable[[Tensor], Tensor], log_weights: Tensor, number: int
) -> np.ndarray:
    """Central differences of E[f] along the means (0) or the scales (1): [component, 2]."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    grid = torch.from_numpy(np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 1, 2))
    mass = torch.from_numpy(np.outer(weights, weights).reshape(-1, 1) / (2 * math.pi))

    def expectation(loc: np.ndarray, scale: np.ndarray) -> float:
        values = function(torch.from_numpy(loc) + torch.from_numpy(scale) * grid)
        return float((mass * values).sum(0) @ log_weights.exp())

    found = np.zeros_like(MEANS)
    for index in np.ndindex(MEANS.shape):
        step = np.zeros_like(MEANS)
        step[index] = 1e-5
        steps = (step, np.zeros_like(step)) if number == 0 else (np.zeros_like(step), step)
        up = expectation(MEANS + steps[0], SCALES + steps[1])
        down = expectation(MEANS - steps[0], SCALES - steps[1])
        found[index] = (up - down) / 2e-5
    return found


def test_head_starts_near_the_priors_width_and_never_reaches_zero() -> None:
    head = GaussianHead(4, 3).double()
    scale = head(torch.zeros(1, 4).double())[1].detach().numpy()
    np.testing.assert_allclose(scale, 1.0 + MIN_SCALE, atol=1e-4)  # 0.5413 has four digits
    with torch.no_grad():
        head.linear.bias[3:] = -1e4
    assert (head(torch.zeros(1, 4).double())[1] == MIN_SCALE).all()


@pytest.mark.parametrize("family", [Gaussian, GaussianMixture])
def test_detached_is_the_same_distribution_without_a_graph(family: type) -> None:
    loc = torch.from_numpy(MEANS).requires_grad_()
    scale = torch.from_numpy(SCALES).requires_grad_()
    weights = torch.full((3,), 1 / 3, dtype=torch.float64).log()
    posterior = family(loc, scale) if family is Gaussian else family(weights, loc, scale)
    points = torch.randn(2, dtype=torch.float64, requires_grad=True)
    value = posterior.detached().log_prob(points)
    assert torch.equal(value, posterior.log_prob(points))
    assert torch.autograd.grad(value.sum(), points)[0].abs().sum() > 0
    with pytest.raises(RuntimeError):
        torch.autograd.grad(posterior.detached().log_prob(points).sum(), loc)


def test_equal_seeds_draw_equal_noise() -> None:
    posterior = shown(MixtureOfExperts, SUBSETS[-1])
    torch.manual_seed(3)
    first = posterior.rsample((5,))
    torch.manual_seed(3)
    assert torch.equal(posterior.rsample((5,)), first)
