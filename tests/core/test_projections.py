"""PCA is scikit-learn's up to sign; other subsets are placed by the full one's map."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from mmvae_core.errors import DataError
from mmvae_core.projections import fit_pca, onto_axes, place, project


def points(items: int = 40, latent: int = 5) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(items, latent)) * np.arange(1, latent + 1)


def test_pca_against_scikit_learn() -> None:
    data, reference = points(), PCA(2)
    expected = reference.fit_transform(data)
    centre, axes, explained = fit_pca(data)
    found = (data - centre) @ axes.T
    signs = np.sign((found * expected).sum(0))
    assert np.allclose(found, expected * signs, atol=1e-10)
    assert np.allclose(explained, reference.explained_variance_ratio_)


def test_pca_sign_does_not_depend_on_the_order_of_items() -> None:
    data = points()
    assert np.allclose(fit_pca(data)[1], fit_pca(data[::-1])[1])
    assert (
        np.take_along_axis(*(lambda a: (a, np.abs(a).argmax(1)[:, None]))(fit_pca(data)[1]), 1) > 0
    ).all()


@pytest.mark.parametrize("data", [np.ones((20, 3)), points(20, 1)])
def test_pca_of_collapsed_or_one_dimensional_latents(data) -> None:
    _, axes, explained = fit_pca(data)
    assert axes.shape == (2, data.shape[1])
    assert np.isfinite(axes).all()
    assert explained.sum() <= 1 + 1e-12


def test_placing_a_fitted_point_gives_its_own_place() -> None:
    data, plane = points(), np.random.default_rng(1).normal(size=(40, 2))
    search = NearestNeighbors(n_neighbors=5).fit(data)
    assert np.allclose(place(search, plane, data), plane, atol=1e-6)
    far = place(search, plane, data + 1e3)
    assert (far >= plane.min(0)).all()
    assert (far <= plane.max(0)).all()


@pytest.mark.slow
@pytest.mark.parametrize("data", [points(), points(40, 1), np.ones((40, 5))])
def test_project_with_umap_is_finite_and_reproducible(data) -> None:
    """Also for latents of one dimension and for means that are all the same."""
    means = np.stack([np.zeros_like(data), data])
    first, again = project(means, 0), project(means, 0)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(np.isfinite(part).all() for part in first)
    pca, explained, umap = first
    assert pca.shape == umap.shape == (2, 40, 2)
    assert explained.shape == (2,)
    assert np.ptp(pca[0], 0).max() == np.ptp(umap[0], 0).max() == 0


def test_too_few_items_or_nan_are_refused() -> None:
    with pytest.raises(DataError, match="at least 10 items"):
        project(np.zeros((2, 5, 3)), 0)
    with pytest.raises(DataError, match="NaN"):
        project(np.full((2, 20, 3), np.nan), 0)


def test_any_point_is_laid_onto_the_axes_of_the_pca() -> None:
    data, others = points(), 3 * points(7)[::-1]
    centre, axes, _ = fit_pca(data)
    found = onto_axes(data, (data - centre) @ axes.T, others)
    np.testing.assert_allclose(found, (others - centre) @ axes.T, atol=1e-9)
