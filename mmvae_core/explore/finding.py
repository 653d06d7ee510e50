"""Items worth a look: orders of a study's test items, by what a run makes of them. Needs no torch."""

import numpy as np

NEAR = 10
"""So many neighbours are looked at."""
ROWS = 500
"""Items compared with all others at once, so that memory stays bounded."""
NUMBER, LIKELY, UNLIKELY, MIXED, MOVED = (
    "by number",
    "likeliest first",
    "least likely first",
    "among other classes first",
    "neighbours differ from another run's first",
)


def neighbours(means: np.ndarray, count: int = NEAR) -> np.ndarray:
    """The nearest others of each of means [item, latent], Euclidean: ids [item, count], in no order."""
    points, count = means.astype(float), min(count, len(means) - 1)
    squares, nearest = np.square(points).sum(-1), []
    for start in range(0, len(points), ROWS):
        rows = np.arange(start, min(start + ROWS, len(points)))
        distance = squares[rows, None] + squares - 2 * points[rows] @ points.T
        distance[np.arange(len(rows)), rows] = np.inf
        nearest.append(np.argpartition(distance, max(count - 1, 0), -1)[:, :count])
    return np.concatenate(nearest)


def strangers(labels: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Of each item the share of its neighbours [item, count] that are of another class."""
    return (labels[near] != labels[:, None]).mean(-1)


def drift(near: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of each item the share of its neighbours in one space that are none in another."""
    kept = (near[:, :, None] == other[:, None, :]).any(-1)
    return 1 - kept.mean(-1)


def by(values: np.ndarray, largest: bool) -> np.ndarray:
    """Items in the order of values [item], ties by number."""
    return np.argsort(-values if largest else values, kind="stable")
