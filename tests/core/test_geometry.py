"""Neighbours and alignments where the answer is known."""

import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes
from scipy.stats import ortho_group

from mmvae_core.errors import DataError
from mmvae_core.geometry import nearest, nearest_to, prior_gaps, procrustes, typical_gap


def cloud(seed: int = 0, items: int = 60, latent: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(items, latent)) * np.arange(1, latent + 1)


def test_a_rotated_shifted_scaled_copy_has_no_residual() -> None:
    target = cloud()
    rotation = ortho_group.rvs(5, random_state=np.random.default_rng(1))
    placed, residual = procrustes(target, 0.3 * target @ rotation + 7)
    assert residual < 1e-12
    np.testing.assert_allclose(placed, target, atol=1e-9)


def test_the_residual_is_scipys_disparity() -> None:
    target, moved = cloud(0), cloud(1)
    assert procrustes(target, moved)[1] == pytest.approx(scipy_procrustes(target, moved)[2])
    assert 0.5 < procrustes(target, moved)[1] <= 1


def test_what_cannot_be_aligned_is_told() -> None:
    with pytest.raises(DataError, match="one place"):
        procrustes(cloud(), np.ones((60, 5)))
    with pytest.raises(DataError, match="equal latent size"):
        procrustes(cloud(), cloud(latent=4))


def test_neighbours_are_nearest_first_without_the_item_itself() -> None:
    means = np.array([[0.0, 0], [3, 0], [0, 1], [0, 0], [0, 2]])
    ids, distance = nearest(means, np.ones(2), 0, 3)
    assert ids.tolist() == [3, 2, 4]
    assert distance.tolist() == [0, 1, 2]
    # one latent of a wide prior: its steps count less
    ids, distance = nearest(means, np.array([6.0, 1.0]), 0, 3)
    assert ids.tolist() == [3, 1, 2]
    assert distance.tolist() == [0, 0.5, 1]
    assert len(nearest(means, np.ones(2), 1, 99)[0]) == 4
    with pytest.raises(DataError, match="no item 5"):
        nearest(means, np.ones(2), 5, 1)


def test_the_typical_gap_is_the_median_distance_from_the_nearest() -> None:
    means = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 40.0]])
    scale = np.array([1.0, 2.0])
    points = np.array([[1.0, 0.0], [10.0, 4.0], [0.0, 34.0]])  # 1, 2 and 3 away from their own
    assert typical_gap(points, means, scale) == 2
    # Their own left out: 9 from the second, sqrt(104) from the first, 17 from the first.
    assert typical_gap(points, means, scale, own=True) == pytest.approx(104**0.5)


def test_what_is_nearest_to_a_point_comes_first_and_ties_go_by_id() -> None:
    means = np.array([[3.0, 4.0], [1.0, 0.0], [0.0, 0.0], [0.0, -1.0]])
    ids, distance = nearest_to(means, np.zeros(2), 3)
    assert ids.tolist() == [2, 1, 3]
    assert distance.tolist() == [0, 1, 1]
    assert nearest_to(means, np.zeros(2), 9)[1].tolist()[-1] == 5


def test_a_prior_that_reaches_where_no_item_is_has_a_gap() -> None:
    generator = np.random.default_rng(1)
    mean, narrow = generator.standard_normal((200, 3)), np.full((200, 3), 1e-9)
    scale = np.array([1.0, 2.0, 4.0])
    far, own = prior_gaps(mean[:50] + np.array([0.0, 0.0, 400.0]), mean, narrow, scale)
    assert 90 < far < 110
    assert own == pytest.approx(typical_gap(mean, mean, scale, own=True), rel=1e-6)
    assert prior_gaps(mean, mean, 5 + narrow, scale)[1] > 2 * own
