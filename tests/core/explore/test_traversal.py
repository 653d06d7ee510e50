"""Planes through the latent space, and what each latent changes."""

import numpy as np
import pytest
import torch

from mmvae_core.build import build_model
from mmvae_core.errors import UsageError
from mmvae_core.explore import traversal
from tests import small
from tests.oracles.linear_gaussian import LinearGaussian

RANDOM = np.random.default_rng(0)


def test_a_grid_runs_from_the_top_left_to_the_bottom_right() -> None:
    plane = traversal.of_latents(np.zeros(3), np.array([1.0, 2, 3]), 0, 2, reach=2)
    grid = plane.grid(5)
    assert grid.shape == (5, 5, 3)
    np.testing.assert_allclose(grid[0, 0], [-2, 0, 6])
    np.testing.assert_allclose(grid[-1, -1], [2, 0, -6])
    np.testing.assert_allclose(grid[2, 2], 0)


def test_three_items_lie_at_their_corners() -> None:
    points = RANDOM.normal(size=(3, 4))
    plane = traversal.through(*points)
    corners = np.array([(-1, -1), (1, -1), (-1, 1)])
    np.testing.assert_allclose(plane.at(corners), points)
    np.testing.assert_allclose([plane.place(point) for point in points], corners, atol=1e-12)


def test_a_line_goes_from_one_anchor_to_the_other() -> None:
    first, second = RANDOM.normal(size=(2, 4))
    line = traversal.through(first, second)
    assert line.is_line
    np.testing.assert_allclose(line.grid(3)[0], [first, (first + second) / 2, second])
    np.testing.assert_allclose(line.at(np.array([0.0, 0.9])), (first + second) / 2)


def test_principal_axes_are_those_of_the_covariance() -> None:
    points = RANDOM.normal(size=(400, 3)) @ np.diag([3.0, 0.5, 1.0]) + 7
    plane = traversal.of_principal_axes(points, reach=2)
    values, vectors = np.linalg.eigh(np.cov(points.T, bias=True))
    for axis, index in ((plane.across, -1), (plane.up, -2)):
        assert np.linalg.norm(axis) == pytest.approx(2 * values[index] ** 0.5)
        assert abs(axis @ vectors[:, index]) == pytest.approx(np.linalg.norm(axis))
    np.testing.assert_allclose(plane.origin, points.mean(0))


def test_one_latent_has_a_principal_axis_too() -> None:
    assert traversal.of_principal_axes(RANDOM.normal(size=(9, 1)), 2).is_line


def test_a_latent_cannot_be_both_axes() -> None:
    with pytest.raises(UsageError, match="twice"):
        traversal.of_latents(np.zeros(3), np.ones(3), 1, 1, 3)


def test_the_change_is_that_of_a_linear_decoder(exact: LinearGaussian) -> None:
    """E[x | z + k s_d e_d] - E[x | z] = k s_d W_d: known in closed form."""
    scale = torch.tensor([0.5, 2.0], dtype=torch.float64)
    values, change = traversal.strips(exact.model(), torch.zeros_like(scale), scale, 7, 3.0)
    square = np.square(np.linspace(-3, 3, 7)).mean()
    for name, loading, offset in zip(exact.names, exact.loadings, exact.offsets, strict=True):
        assert values[name].shape == (2, 7, len(loading))
        np.testing.assert_allclose(values[name][:, 3], [offset, offset])
        expected = np.sqrt(square * np.square(loading).mean(0)) * scale.numpy()
        np.testing.assert_allclose(change[name], expected)


def test_a_private_latent_changes_its_own_modality_only() -> None:
    config = small.config("sum_pooling", private=2)
    model = build_model(config).double()
    small.spread(model)
    size = config.latent + 2 * len(config.modalities)
    ones = torch.ones(size, dtype=torch.float64)
    _, change = traversal.strips(model, 0 * ones, ones)
    for index, name in enumerate(config.names):
        start = config.latent + 2 * index
        own = [*range(config.latent), start, start + 1]
        others = [latent for latent in range(size) if latent not in own]
        assert bool((change[name][own] > 1e-3).all())
        assert bool((change[name][others] < 1e-12).all())
