"""Posteriors in the plane: ellipses, densities and their contours. Pure: knows no torch, no page.

A posterior z ~ N(m, diag s^2) seen in the plane y = A (z - c) is N(A (m - c), A diag(s^2) A'); a
mixture likewise, component by component. What has no such formula is seen through seeded draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MASSES = (0.95, 0.5)
"""How much of a posterior the outer and the inner line hold."""
DRAWS = 1_000
"""Draws of each posterior, or component of it, that has no formula in the plane."""
REACH, STEP = 5.0, 0.4
"""A density's grid reaches so many standard deviations, in steps of so many of its narrow side."""
FLATTEST = 20
"""A slanted normal more than so many times as long as broad is drawn a little too broad."""


SMALLEST = 1e-300


@dataclass(frozen=True)
class Plane:
    """The map y = A (z - c): `axes` A [2, latent], `centre` c [latent], and what the axes are."""

    axes: np.ndarray
    centre: np.ndarray
    titles: tuple[str, str]
    says: str

    def points(self, values: np.ndarray) -> np.ndarray:
        """Latents [..., latent] in the plane [..., 2]."""
        return (values - self.centre) @ self.axes.T

    def covariances(self, scales: np.ndarray) -> np.ndarray:
        """Of standard deviations [..., latent] the covariances in the plane [..., 2, 2]."""
        return (self.axes * np.square(scales)[..., None, :]) @ self.axes.T


@dataclass(frozen=True)
class Outline:
    """One posterior in the plane: its mean `at` [2] and the lines that hold MASSES of it.

    A line is closed points [point, 2] for a normal, else segments [segment, 2, 2] of a density.
    """

    at: np.ndarray
    outer: np.ndarray
    inner: np.ndarray


@dataclass(frozen=True)
class Density:
    """Values [y, x] on the grid of `x` and `y`, whose steps need not be equal."""

    x: np.ndarray
    y: np.ndarray
    values: np.ndarray

    def masses(self) -> np.ndarray:
        """The mass at each point of the grid, by the trapezoid rule; sums to about 1."""
        return self.values * _widths(self.y)[:, None] * _widths(self.x)

    def level(self, mass: float) -> float:
        """The height above which the density holds this mass: its highest-density region."""
        order = np.argsort(self.values, axis=None)[::-1]
        summed = np.cumsum(self.masses().flat[order])
        last = min(int(np.searchsorted(summed, mass * summed[-1])), len(order) - 1)
        return float(self.values.flat[order[last]])


def normal_outline(mean: np.ndarray, covariance: np.ndarray) -> Outline:
    """Two ellipses."""
    return Outline(mean, *(ellipse(mean, covariance, mass) for mass in MASSES))


def density_outline(mean: np.ndarray, density: Density) -> Outline:
    """The borders of two highest-density regions."""
    return Outline(mean, *(contour(density, density.level(mass)) for mass in MASSES))


def normal_mixture(weights: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> Density:
    """Density of sum_k w_k N(m_k, C_k): weights [k], means [k, 2], covariances [k, 2, 2]."""
    spreads = np.sqrt(np.diagonal(covariances, axis1=-2, axis2=-1))
    # How far the density stays high along one axis while the other is held.
    across = 1 / np.sqrt(np.diagonal(np.linalg.inv(covariances), axis1=-2, axis2=-1))
    fine = np.maximum(across, spreads / FLATTEST)
    x, y = (steps(means[:, axis], spreads[:, axis], fine[:, axis]) for axis in (0, 1))
    values = np.zeros((len(y), len(x)))
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        (a, b), (_, c) = np.linalg.inv(covariance)
        dx, dy = x - mean[0], (y - mean[1])[:, None]
        exponent = -0.5 * (a * dx**2 + 2 * b * dx * dy + c * dy**2)
        values += weight * np.exp(exponent) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
    return Density(x, y, values)


def of_draws(weights: np.ndarray, draws: np.ndarray) -> Density:
    """Smoothed density of draws [draw, k, 2] of components of weights [k].

    A normal kernel for each axis and component, its width by Scott's rule: the draws' standard
    deviation times n^(-1/6). Source: Scott, "Multivariate Density Estimation", 1992.
    """
    spreads = np.maximum(draws.std(0), 1e-9)
    narrow = spreads * len(draws) ** (-1 / 6)
    x, y = (
        steps(draws[..., axis].mean(0), 1.4 * spreads[:, axis], 2 * narrow[:, axis])
        for axis in (0, 1)
    )
    values = np.zeros((len(y), len(x)))
    for k, weight in enumerate(weights):
        columns, rows = (
            _kernel(grid, draws[:, k, axis], narrow[k, axis]) for axis, grid in enumerate((x, y))
        )
        values += weight * rows @ columns.T / len(draws)
    return Density(x, y, values)


def steps(centres: np.ndarray, spreads: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Points along one axis: within REACH spreads of a centre no further apart than STEP fine."""
    starts, ends = centres - REACH * spreads, centres + REACH * spreads
    at, points = float(starts.min()), []
    while at < ends.max():
        points.append(at)
        inside = (starts <= at) & (at < ends)
        later = starts[starts > at]
        ahead = float(later.min()) if len(later) else np.inf
        at = min(ahead, at + STEP * float(fine[inside].min())) if inside.any() else ahead
    return np.array([*points, float(ends.max())])


def ellipse(mean: np.ndarray, covariance: np.ndarray, mass: float, points: int = 48) -> np.ndarray:
    """The closed line [point, 2] of the ellipse that holds a normal's mass.

    Its radius in standard deviations is sqrt(-2 log(1 - mass)), as |y|^2 is chi-squared with two
    degrees of freedom.
    """
    sizes, turns = np.linalg.eigh(covariance)
    angle = np.linspace(0, 2 * np.pi, points + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)]) * np.sqrt(-2 * np.log1p(-mass))
    return mean + (turns @ (np.sqrt(np.maximum(sizes, 0))[:, None] * circle)).T


def contour(density: Density, level: float) -> np.ndarray:
    """Where the density crosses a level: segments [segment, 2, 2] of (x, y), marching squares.

    Between points of the grid the logarithm is taken as straight, which it nearly is in tails.
    Source: Lorensen and Cline, "Marching Cubes", 1987, in two dimensions.
    """
    x, y, values = density.x, density.y, np.log(np.maximum(density.values, SMALLEST))
    level = float(np.log(max(level, SMALLEST)))
    across = _crossings(values[:, :-1], values[:, 1:], level)
    up = _crossings(values[:-1], values[1:], level)
    level_x = np.stack(
        [x[:-1] + across * np.diff(x), np.broadcast_to(y[:, None], across.shape)], -1
    )
    level_y = np.stack([np.broadcast_to(x, up.shape), y[:-1, None] + up * np.diff(y)[:, None]], -1)
    sides = np.stack([level_x[:-1], level_y[:, 1:], level_x[1:], level_y[:, :-1]])
    above = values > level
    code = above[:-1, :-1] + 2 * above[:-1, 1:] + 4 * above[1:, 1:] + 8 * above[1:, :-1]
    segments = [
        np.stack([sides[one][code == case], sides[other][code == case]], 1)
        for case, pairs in SIDES.items()
        for one, other in pairs
    ]
    return np.concatenate(segments)


# Corners of a cell: 1 low left, 2 low right, 4 high right, 8 high left are above the level. Sides:
# 0 low, 1 right, 2 high, 3 left. Which sides the line joins; 5 and 10 are cut into two lines.
SIDES = {
    1: [(3, 0)],
    2: [(0, 1)],
    3: [(3, 1)],
    4: [(1, 2)],
    5: [(3, 0), (1, 2)],
    6: [(0, 2)],
    7: [(3, 2)],
    8: [(2, 3)],
    9: [(2, 0)],
    10: [(0, 1), (2, 3)],
    11: [(2, 1)],
    12: [(1, 3)],
    13: [(1, 0)],
    14: [(0, 3)],
}


def nice(low: float, high: float, about: int = 5) -> Sequence[float]:
    """Round values between two, about so many, for an axis."""
    rough = (high - low) / about
    power = 10 ** np.floor(np.log10(rough))
    step = float(power) * next(one for one in (1, 2, 5, 10) if one * power >= rough * 0.999)
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [round(index * step, 10) for index in range(first, last + 1)]


def _crossings(first: np.ndarray, second: np.ndarray, level: float) -> np.ndarray:
    """How far from first to second the level lies, 0 to 1; anything where it does not."""
    apart = second - first
    return np.clip((level - first) / np.where(apart == 0, 1, apart), 0, 1)


def _widths(grid: np.ndarray) -> np.ndarray:
    gaps = np.diff(grid)
    return np.concatenate([[gaps[0]], gaps[:-1] + gaps[1:], [gaps[-1]]]) / 2


def _kernel(grid: np.ndarray, draws: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((grid[:, None] - draws) / width) ** 2) / (width * np.sqrt(2 * np.pi))
