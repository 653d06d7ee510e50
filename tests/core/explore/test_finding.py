"""Orders of items against what their definitions say, one item at a time."""

import numpy as np
import pytest

from mmvae_core.explore import finding


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((1_203, 3)).astype(np.float32)


def test_neighbours_are_the_nearest_others(points: np.ndarray) -> None:
    near = finding.neighbours(points, 7)
    for item in (0, 499, 500, 1_202):
        distance = np.linalg.norm(points.astype(float) - points[item], axis=-1)
        distance[item] = np.inf
        assert set(near[item]) == set(np.argsort(distance)[:7])
    assert finding.neighbours(points[:4], 7).shape == (4, 3)


def test_strangers_and_drift_are_shares_of_neighbours() -> None:
    near = np.array([[1, 2], [0, 2], [0, 1]])
    labels = np.array([5, 5, 7])
    assert finding.strangers(labels, near).tolist() == [0.5, 0.5, 1.0]
    other = np.array([[2, 1], [2, 3], [3, 3]])
    assert finding.drift(near, other).tolist() == [0.0, 0.5, 1.0]


def test_ties_come_by_number() -> None:
    values = np.array([1.0, 3.0, 3.0, 0.0])
    assert finding.by(values, largest=True).tolist() == [1, 2, 0, 3]
    assert finding.by(values, largest=False).tolist() == [3, 0, 1, 2]
