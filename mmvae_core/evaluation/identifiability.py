"""Whether learned latents are the true ones, up to an order, or up to an affine map.

The mean correlation coefficient (MCC): |Pearson correlation| between true and learned latents,
averaged over the true ones in a one-to-one match; a true latent without a partner counts as 0.
`strong`: the match of highest sum, an order and signs only. `weak`: after an affine map of both
sides fitted by canonical correlation analysis. Whatever is fitted is fitted on one half of the
items; `inside` is the figure on that half, `outside` on the other. Sources: Hyvarinen and Morioka
2016, https://arxiv.org/abs/1605.06336; Kivva et al. 2022, https://arxiv.org/abs/2206.10044
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from mmvae_core.errors import DataError

TINY, ROUNDING = 1e-9, 1e-12
"""Shares of the largest variance, and of a column's length, that count as nothing."""


@dataclass(frozen=True)
class Correlations:
    """A mean correlation coefficient in [0, 1] on the fitted half and on the other."""

    inside: float
    outside: float


def strong_mcc(true: np.ndarray, learned: np.ndarray) -> Correlations:
    """MCC of [item, latent] arrays under the best one-to-one match of latents."""
    first, second = _halves(true, learned)
    table = _correlations(*first)
    match = linear_sum_assignment(table, maximize=True)
    inside, outside = (
        float(one[match].sum()) / len(table) for one in (table, _correlations(*second))
    )
    return Correlations(inside, outside)


def weak_mcc(true: np.ndarray, learned: np.ndarray) -> Correlations:
    """MCC after the affine maps of canonical correlation analysis; invariant to affine maps."""
    first, second = _halves(true, learned)
    maps = canonical_maps(*first)
    both = [
        [values @ weights for values, weights in zip(half, maps, strict=True)]
        for half in (first, second)
    ]
    inside, outside = (float(np.trace(_correlations(*half))) / true.shape[1] for half in both)
    return Correlations(inside, outside)


def aligned(true: np.ndarray, learned: np.ndarray) -> np.ndarray:
    """Learned latents [item, latent] brought to where the true ones are: [item, true latent].

    The affine map of the weak MCC: to canonical variates of the learned side and back by those of
    the true side, both fitted on the first half of the items. Any invertible affine map of the
    true latents gives these again. Where the learned side varies in fewer directions, so does the
    result.
    """
    (first, other), _ = _halves(true, learned)
    weights, learned_weights = canonical_maps(first, other)
    return (learned - other.mean(0)) @ learned_weights @ np.linalg.pinv(weights) + first.mean(0)


def canonical_maps(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights [latent, pair] of both sides whose projections correlate most, pair by pair.

    Whiten both sides and take the singular vectors of their cross-covariance.
    """
    whiten_one, whiten_other = _whitening(one), _whitening(other)
    cross = _centred(one @ whiten_one).T @ _centred(other @ whiten_other) / len(one)
    left, _, right = np.linalg.svd(cross, full_matrices=False)
    return whiten_one @ left, whiten_other @ right.T


def _halves(
    true: np.ndarray, learned: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    true, learned = np.asarray(true, np.float64), np.asarray(learned, np.float64)
    enough = 4 * max(1, *true.shape[1:], *learned.shape[1:])
    if true.ndim != 2 or learned.ndim != 2 or len(true) != len(learned) or len(true) < enough:
        raise DataError(
            f"True latents {list(true.shape)} and learned ones {list(learned.shape)} were given, "
            f"expected [item, latent] of the same {enough} items or more; give more items."
        )
    cut = len(true) // 2
    return (true[:cut], learned[:cut]), (true[cut:], learned[cut:])


def _correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """|Pearson| [latent, latent]; 0 where one of the two does not vary."""
    units = [_centred(values) * _shrink(values) for values in (one, other)]
    return np.abs(units[0].T @ units[1])


def _whitening(values: np.ndarray) -> np.ndarray:
    """A map [latent, kept] to uncorrelated unit variances; directions that do not vary go.

    Columns are made equally long first, so that what counts as nothing depends on no unit.
    """
    shrink = _shrink(values) * len(values) ** 0.5
    spread, axes = np.linalg.eigh(np.atleast_2d(np.cov((values * shrink).T, bias=True)))
    kept = spread > TINY * max(float(spread.max()), TINY)
    return shrink[:, None] * axes[:, kept] / np.sqrt(spread[kept])


def _shrink(values: np.ndarray) -> np.ndarray:
    """What makes centred columns one long; 0 where a column varies by no more than rounding."""
    length = np.linalg.norm(_centred(values), axis=0)
    varies = length > ROUNDING * np.linalg.norm(values, axis=0)
    return varies / np.where(varies, length, 1)


def _centred(values: np.ndarray) -> np.ndarray:
    return values - values.mean(0)
