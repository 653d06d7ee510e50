"""Distances between posterior means, and two latent spaces brought onto each other."""

import numpy as np

from mmvae_core.errors import DataError


def nearest(
    means: np.ndarray, scale: np.ndarray, item: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The `count` items nearest to one, itself left out: ids and distances, nearest first.

    Means [item, latent]; the distance is Euclidean after dividing each latent by `scale` [latent],
    the prior's standard deviation, so that a step of 1 is one prior width. Ties by id.
    """
    if not 0 <= item < len(means):
        raise DataError(f"There is no item {item} among {len(means)}; choose a smaller number.")
    distance = np.sqrt(np.square((means - means[item]).astype(float) / scale).sum(-1))
    order = np.argsort(distance, kind="stable")
    order = order[order != item][:count]
    return order, distance[order]


def nearest_to(means: np.ndarray, point: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` of means [item, latent] nearest to a point [latent]: ids and Euclidean distances.

    Nearest first, ties by id; no latent is scaled.
    """
    distance = np.linalg.norm(means - point, axis=-1)
    order = np.argsort(distance, kind="stable")[:count]
    return order, distance[order]


def prior_gaps(
    draws: np.ndarray, mean: np.ndarray, stddev: np.ndarray, scale: np.ndarray
) -> tuple[float, float]:
    """Where the prior has holes: how far its draws lie from items, and items from one another.

    Typical gaps, in prior widths `scale` [latent]: of draws of p(z) [draw, latent] from the nearest
    item's posterior mean [item, latent], and of one seeded draw of each item's posterior from the
    nearest other item's. The more the first exceeds the second, the more of the prior is empty.
    """
    noise = np.random.default_rng(0).standard_normal(mean.shape)
    return (
        typical_gap(draws, mean, scale),
        typical_gap(mean + stddev * noise, mean, scale, own=True),
    )


def typical_gap(
    points: np.ndarray, means: np.ndarray, scale: np.ndarray, own: bool = False
) -> float:
    """The median distance of points [point, latent] from their nearest of means [item, latent].

    Each latent is divided by `scale` [latent] first. With `own` the points are the items' own, in
    the same order, and each one's own mean does not count.
    """
    from scipy.spatial.distance import cdist  # late: half a second, and most pages ask for none

    distance = cdist(points / scale, means / scale)
    if own:
        np.fill_diagonal(distance, np.inf)
    return float(np.median(distance.min(1)))


def procrustes(target: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, float]:
    """`moved` [item, latent] laid onto `target` [item, latent]: where it comes, and the residual.

    The best shift, rotation or reflection, and one scale for all axes, by least squares over the
    items. The residual is the share of the target's variance that is left, in [0, 1]: 0 for a
    shifted, rotated and scaled copy, 1 where nothing fits. Source: Schoenemann, "A generalized
    solution of the orthogonal Procrustes problem", 1966, https://doi.org/10.1007/BF02289451
    """
    from scipy.linalg import orthogonal_procrustes

    if target.shape != moved.shape or target.ndim != 2:
        raise DataError(
            f"Means of shapes {target.shape} and {moved.shape} were given, expected twice the same "
            "[item, latent]; align runs of equal latent size only."
        )
    target, moved = target.astype(float), moved.astype(float)
    centre, start = target.mean(0), moved.mean(0)
    goal, free = target - centre, moved - start
    spread, own = np.square(goal).sum(), np.square(free).sum()
    if min(spread, own) <= 1e-12 * max(spread, own, 1.0):
        raise DataError(
            "All items lie at one place in one of the runs, so there is nothing to "
            "align; show the models more."
        )
    rotation, strength = orthogonal_procrustes(free, goal)
    placed = free @ rotation * (strength / own)
    return placed + centre, float(np.clip(np.square(goal - placed).sum() / spread, 0, 1))
