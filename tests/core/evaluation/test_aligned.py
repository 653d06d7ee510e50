"""Learned latents are brought to the true ones by the affine map of the weak MCC."""

import numpy as np
import pytest

from mmvae_core.errors import DataError
from mmvae_core.evaluation.identifiability import aligned, weak_mcc


def latents(items: int = 200, size: int = 2) -> np.ndarray:
    """Not normal, with different spreads and places."""
    draws = np.random.default_rng(0).uniform(-1, 1, (items, size)) ** 3
    return 5 + draws * np.arange(1, size + 1)


def test_an_affine_map_of_the_truth_is_undone() -> None:
    true = latents()
    turned = true @ np.array([[0.0, -3.0], [0.5, 1.0]]) + 7
    np.testing.assert_allclose(aligned(true, turned), true, atol=1e-9)


def test_more_learned_latents_than_true_ones_are_aligned_too() -> None:
    true = latents()
    wide = np.hstack([true[:, ::-1], np.random.default_rng(1).normal(size=(200, 3))])
    found = aligned(true, wide)
    assert found.shape == true.shape
    np.testing.assert_allclose(found, true, atol=1e-9)


def test_noise_leaves_them_near_and_the_weak_mcc_as_it_is() -> None:
    true = latents()
    noisy = true + 0.05 * np.random.default_rng(2).normal(size=true.shape)
    found = aligned(true, noisy)
    assert np.abs(found - true).mean() < 0.06
    assert weak_mcc(true, found).outside == pytest.approx(weak_mcc(true, noisy).outside, abs=1e-9)


def test_collapsed_latents_stay_on_a_line_and_finite() -> None:
    true = latents()
    flat = np.outer(true[:, 0], [1.0, 2.0])
    found = aligned(true, flat)
    assert np.isfinite(found).all()
    assert np.linalg.matrix_rank(found - found.mean(0), tol=1e-6) == 1


def test_latents_of_other_items_are_refused() -> None:
    with pytest.raises(DataError, match="give more items"):
        aligned(latents(), latents()[:-1])
