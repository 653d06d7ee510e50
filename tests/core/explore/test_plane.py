"""Posteriors in the plane against closed forms and draws."""

import numpy as np
import pytest

from mmvae_core.explore import plane
from mmvae_core.explore.plane import Density, Plane


def random_mixture(seed: int, count: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and covariances, of very different sizes and slants."""
    generator = np.random.default_rng(seed)
    angle, size = generator.uniform(0, np.pi, count), 10.0 ** generator.uniform(-2, 0.3, count)
    turn = np.stack([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(
        2, 0, 1
    )
    sides = np.stack([size, size / generator.uniform(1, 15, count)], -1)
    covariances = (turn * sides[:, None] ** 2) @ turn.transpose(0, 2, 1)
    return generator.dirichlet(np.ones(count)), 3 * generator.normal(size=(count, 2)), covariances


def at(density: Density, points: np.ndarray) -> np.ndarray:
    """The density at the grid point below each point."""
    column = np.clip(np.searchsorted(density.x, points[:, 0]), 0, len(density.x) - 1)
    row = np.clip(np.searchsorted(density.y, points[:, 1]), 0, len(density.y) - 1)
    return density.values[row, column]


@pytest.mark.parametrize("seed", range(8))
def test_a_mixture_s_density_integrates_to_one(seed: int) -> None:
    density = plane.normal_mixture(*random_mixture(seed))
    assert density.masses().sum() == pytest.approx(1, abs=0.01)
    assert density.values.size < 2_000_000


@pytest.mark.parametrize("seed", range(3))
def test_a_density_of_draws_integrates_to_one(seed: int) -> None:
    generator = np.random.default_rng(seed)
    centres, spreads = 4 * generator.normal(size=(3, 2)), 10.0 ** generator.uniform(-2, 0, (3, 2))
    draws = centres + spreads * generator.laplace(size=(plane.DRAWS, 3, 2))
    density = plane.of_draws(np.array([0.2, 0.5, 0.3]), draws)
    assert density.masses().sum() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("mass", plane.MASSES)
def test_a_level_holds_its_mass(mass: float) -> None:
    weights = np.array([0.6, 0.4])
    means = np.array([[0.0, 0.0], [3.0, 1.0]])
    covariances = np.array([[[1.0, 0.5], [0.5, 1.0]], [[0.3, 0.0], [0.0, 0.1]]])
    density = plane.normal_mixture(weights, means, covariances)
    generator = np.random.default_rng(0)
    picked = generator.choice(2, 20_000, p=weights)
    roots = np.linalg.cholesky(covariances)[picked]
    draws = means[picked] + (roots @ generator.normal(size=(20_000, 2, 1)))[..., 0]
    exact = sum(
        weight
        * np.exp(
            -0.5 * np.einsum("ni,ij,nj->n", draws - mean, np.linalg.inv(covariance), draws - mean)
        )
        / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
        for weight, mean, covariance in zip(weights, means, covariances, strict=True)
    )
    assert (exact > density.level(mass)).mean() == pytest.approx(mass, abs=0.02)


@pytest.mark.parametrize("mass", plane.MASSES)
def test_contour_and_ellipse_of_a_normal_agree(mass: float) -> None:
    mean, covariance = np.array([1.0, -2.0]), np.array([[2.0, 0.9], [0.9, 1.0]])
    line = plane.ellipse(mean, covariance, mass)
    apart = line - mean
    distance = np.einsum("ni,ij,nj->n", apart, np.linalg.inv(covariance), apart)
    assert np.allclose(distance, -2 * np.log(1 - mass))
    density = plane.normal_mixture(np.ones(1), mean[None], covariance[None])
    height = np.exp(-0.5 * distance[0]) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
    crossed = plane.contour(density, height).reshape(-1, 2) - mean
    found = np.einsum("ni,ij,nj->n", crossed, np.linalg.inv(covariance), crossed)
    assert np.allclose(np.sqrt(found), np.sqrt(distance[0]), rtol=0.02)
    assert density.level(mass) == pytest.approx(height, rel=0.1)


def test_two_modes_have_two_borders_and_every_line_closes() -> None:
    density = plane.normal_mixture(
        np.array([0.5, 0.5]), np.array([[-4.0, 0], [4.0, 0]]), np.stack([np.eye(2)] * 2)
    )
    segments = plane.contour(density, density.level(0.95))
    assert (segments[..., 0] < -1).any()
    assert (segments[..., 0] > 1).any()
    assert (np.abs(segments[..., 0]) > 1).all()
    ends, counts = np.unique(np.round(segments.reshape(-1, 2), 9), axis=0, return_counts=True)
    assert len(ends)
    assert (counts % 2 == 0).all()


def test_saddles_are_cut_and_not_crossed() -> None:
    """Every case of the marching squares, on a checkerboard."""
    values = np.random.default_rng(0).random((30, 40))
    segments = plane.contour(Density(np.arange(40.0), np.arange(30.0), values), 0.5)
    ends, counts = np.unique(np.round(segments.reshape(-1, 2), 9), axis=0, return_counts=True)
    inside = ((ends > 0) & (ends < [39, 29])).all(1)
    assert inside.sum() > 500
    assert (counts[inside] == 2).all()


def test_a_projected_normal_has_the_covariance_of_projected_draws() -> None:
    generator = np.random.default_rng(0)
    view = Plane(generator.normal(size=(2, 5)), generator.normal(size=5), ("", ""), "")
    mean, scale = generator.normal(size=5), generator.random(5) + 0.2
    drawn = view.points(mean + scale * generator.normal(size=(200_000, 5)))
    assert np.allclose(drawn.mean(0), view.points(mean), atol=0.03)
    assert np.allclose(np.cov(drawn.T), view.covariances(scale), rtol=0.03, atol=0.03)


def test_the_grid_lands_on_narrow_components() -> None:
    grid = plane.steps(np.array([0.0, 1.0]), np.array([1.0, 1e-3]), np.array([1.0, 1e-3]))
    near = np.abs(grid - 1) < 5e-3
    assert near.sum() > 20
    assert len(grid) < 80
    assert (np.diff(grid) > 0).all()


def test_axes_have_round_numbers() -> None:
    assert list(plane.nice(-3.1, 3.2)) == [-2, 0, 2]
    assert list(plane.nice(0.012, 0.031)) == [0.015, 0.02, 0.025, 0.03]
