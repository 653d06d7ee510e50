"""Latents in the plane: PCA and UMAP of posterior means, both fitted on the full subset.

All other subsets are placed by the map of the full one, so that a point's move between two
subsets shows what the posterior did and not what the map did.
"""

from typing import TYPE_CHECKING

import numpy as np

from mmvae_core.errors import DataError

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 15
FEWEST_ITEMS = 10


def project(means: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means [subset, item, latent], full subset last -> pca [subset, item, 2], explained [2], umap.

    `explained` are shares of the full subset's variance; umap is [subset, item, 2] like pca.
    """
    if means.ndim != 3 or means.shape[1] < FEWEST_ITEMS or not np.isfinite(means).all():
        raise DataError(
            f"Means of shape {means.shape} were given, expected finite numbers [subset, item, "
            f"latent] of at least {FEWEST_ITEMS} items; give more items or look for NaN."
        )
    means = np.asarray(means, dtype=np.float64)
    centre, axes, explained = fit_pca(means[-1])
    return (means - centre) @ axes.T, explained, project_umap(means, seed)


def fit_pca(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centre [latent], two axes [2, latent] and their shares of the variance [2] of [item, latent].

    By singular value decomposition; of each axis the entry largest in size is positive, so the
    sign is fixed. A second axis of zeros stands in if there is only one dimension.
    """
    centre = points.mean(0)
    _, sizes, rows = np.linalg.svd(points - centre, full_matrices=False)
    axes, explained = np.zeros((2, points.shape[1])), np.zeros(2)
    count = min(2, len(rows))
    signs = np.sign(np.take_along_axis(rows, np.abs(rows).argmax(1)[:, None], 1))
    axes[:count] = (rows * signs)[:count]
    total = np.square(sizes).sum()
    if total > 0:
        explained[:count] = np.square(sizes[:count]) / total
    return centre, axes, explained


def project_umap(means: np.ndarray, seed: int) -> np.ndarray:
    """UMAP coordinates [subset, item, 2]: fitted on the last subset, the others placed by it.

    A point of another subset stands at the mean of its nearest fitted neighbours' coordinates,
    weighed by inverse distance in latent space. Unlike UMAP's own `transform` that is fast and has
    no randomness; it cannot place a point outside the fitted cloud. All zeros if the fitted means
    are one and the same. Source: McInnes, Healy, Melville, "UMAP: Uniform Manifold Approximation
    and Projection for Dimension Reduction", 2018, https://arxiv.org/abs/1802.03426
    """
    from sklearn.neighbors import NearestNeighbors  # slow to import, as the next
    from umap import UMAP

    fitted = means[-1]
    if not np.ptp(fitted, axis=0).any():
        return np.zeros((*means.shape[:2], 2))
    neighbours = min(NEIGHBOURS, len(fitted) - 1)
    # Starting from PCA needs no eigenvectors of the neighbour graph, slow to find where means
    # have collapsed.
    umap = UMAP(n_neighbors=neighbours, init="pca", random_state=seed, n_jobs=1)
    padding = ((0, 0), (0, max(0, 2 - fitted.shape[1])))
    plane = np.asarray(umap.fit_transform(np.pad(fitted, padding)), dtype=np.float64)
    search = NearestNeighbors(n_neighbors=neighbours).fit(fitted)
    return np.stack([*(place(search, plane, points) for points in means[:-1]), plane])


def place(search: "NearestNeighbors", plane: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Coordinates [item, 2] of points [item, latent] as inverse-distance means over `search`."""
    distances, indices = search.kneighbors(points)
    scale = np.maximum(distances.mean(-1, keepdims=True), np.finfo(float).tiny)
    weights = 1 / np.maximum(distances / scale, 1e-9)
    weights /= weights.sum(-1, keepdims=True)
    return (weights[..., None] * plane[indices]).sum(-2)


def onto_axes(means: np.ndarray, places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Where points [point, latent] lie on axes that put means [item, latent] at places [item, 2].

    For axes that are affine in the latent space, as PCA's are: found exactly, by least squares,
    from the items alone. Not for UMAP.
    """
    ones = np.ones((len(means), 1))
    known = np.concatenate([means.astype(float), ones], 1)
    axes, *_ = np.linalg.lstsq(known, places.astype(float), rcond=None)
    return np.concatenate([points.astype(float), ones[:1].repeat(len(points), 0)], 1) @ axes
