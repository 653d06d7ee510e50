"""Ink on paper as a camera sees it: under uneven light, on ruled paper, with a table around it.

Light multiplies, so all is done on logarithms. The ground is the plain region that fills the middle
of the picture, and what lies beyond it (a table, a neighbour's line) is left out. Within it, ink is
what a morphological closing of the ground, wider than any stroke, fills in; the light may change
slowly, or from one side of a shadow's edge to the other. Method: top-hat transform (Meyer 1979).
"""

from typing import Any

import numpy as np
from PIL import Image

WORK = 192
"""Pixels of the longer side, on which strokes are looked for."""
DARKEST = 0.06
"""Added to brightness before its logarithm is taken: below it a sensor shows noise."""
SOFT = 0.7
"""Standard deviation of the blur, in working pixels, against noise and JPEG's blocks."""
BRUSH = 0.28
"""No stroke is wider than this share of the picture."""
WITHIN = 0.005
"""A sheet on a table encloses more ink than this share of the picture; the inside of a 0 none."""
SHEET = 0.15
"""A sheet fills more of the picture than the inside of a thick stroke does."""
EDGE = 0.4
"""A change so strong, as a share of the strongest, ends a plain region; ruled lines are weaker."""
FLOOR = 0.36
"""Ink below this share of the darkest is paper, a ruled line or a shadow."""
FAINT = 0.2
"""Beside a stroke so much ink is still its edge."""
LEAST = 0.04
"""A stroke of less ink than this share of the largest is a spot."""
MIN_CONTRAST = 0.1
"""Difference of logarithms below which a picture is of one brightness."""


def find_ink(grey: np.ndarray) -> np.ndarray | None:
    """Ink in 0..1 on black [h, w] of a picture's brightness in 0..1 [h, w]; None where there is none.

    h and w may be smaller than the picture's.
    """
    ndimage = _ndimage()

    light = np.log(ndimage.gaussian_filter(_reduced(grey), SOFT, mode="nearest") + DARKEST)
    if np.ptp(light) < MIN_CONTRAST:
        return None
    ground, page = _ground(light)
    sign = _sign(light, ground, page)
    return _strokes(np.expm1(sign * _above_ground(light * sign, page)) * sign, page)


def _reduced(grey: np.ndarray) -> np.ndarray:
    side = max(grey.shape)
    if side <= WORK:
        return grey
    size = [max(1, round(one * WORK / side)) for one in grey.shape[::-1]]
    picture = Image.fromarray(grey.astype(np.float32))
    return np.asarray(picture.resize((size[0], size[1]), Image.Resampling.BOX))


def _ground(light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The plain region that fills the middle, and that region with what it encloses."""
    ndimage = _ndimage()

    steep = ndimage.gaussian_gradient_magnitude(light, SOFT, mode="nearest")
    regions, count = ndimage.label(steep < EDGE * np.percentile(steep, 99.5))
    if not count:
        return np.ones(light.shape, bool), np.ones(light.shape, bool)
    down, across = (np.linspace(-1, 1, side) for side in light.shape)
    middle = np.exp(-(down[:, None] ** 2 + across**2) / 0.5)
    weights = ndimage.sum_labels(middle, regions, np.arange(1, count + 1))
    order = 1 + np.argsort(weights)[::-1]
    ground, page = _filled(regions, int(order[0]))
    outside = ~page | ground
    for other in order[1:4]:  # a sheet that lies far away, on a table that fills the picture
        sheet, whole = _filled(regions, int(other))
        enclosed = whole & ~ndimage.binary_dilation(sheet)
        if sheet.mean() < SHEET or (sheet & outside).any():
            continue
        if WITHIN < enclosed.mean() < sheet.mean():
            return sheet, whole
    return ground, page


def _filled(regions: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """A region, and it with its edge and all that it encloses."""
    ndimage = _ndimage()

    region = regions == number
    return region, ndimage.binary_fill_holes(ndimage.binary_dilation(region, iterations=2))


def _sign(light: np.ndarray, ground: np.ndarray, page: np.ndarray) -> int:
    """-1 where what the ground encloses is darker than it, 1 where it is brighter."""
    ndimage = _ndimage()

    inside = page & ~ndimage.binary_dilation(ground, iterations=2)
    inside = inside if inside.any() else page & ~ground
    if not inside.any():
        return -1
    near = ndimage.distance_transform_edt(~ground, return_distances=False, return_indices=True)
    apart = light - light[tuple(near)]
    weights = np.where(inside, apart, 0)
    return 1 if weights.sum() > 0 else -1


def _above_ground(light: np.ndarray, page: np.ndarray) -> np.ndarray:
    """How far a picture, of which ink is bright, is above its ground."""
    ndimage = _ndimage()

    if not page.all():
        near = ndimage.distance_transform_edt(~page, return_distances=False, return_indices=True)
        light = light[tuple(near)]
    brush = max(3, round(BRUSH * max(light.shape)))
    ground = ndimage.grey_opening(light, size=(brush, brush), mode="nearest")
    return light - ndimage.gaussian_filter(ground, brush / 12, mode="nearest")


def _strokes(ink: np.ndarray, page: np.ndarray) -> np.ndarray | None:
    """The ink of the strokes alone; what touches the page's edge is dropped, unless that is all."""
    ndimage = _ndimage()

    peak = float(np.percentile(ink[page], 99.5))
    if peak < MIN_CONTRAST:
        return None
    ink = np.clip(ink / peak, 0, 1)
    parts, count = ndimage.label((ink > FLOOR) & page, np.ones((3, 3)))
    if not count:
        return None
    rim = page & ~ndimage.binary_erosion(page, border_value=0)
    masses = ndimage.sum_labels(ink, parts, np.arange(count + 1))
    masses[0] = 0
    free = masses.copy()
    free[np.unique(parts[rim])] = 0
    masses = free if free.max() > LEAST * masses.max() else masses
    kept = masses >= LEAST * masses.max()
    kept[0] = False
    near = ndimage.binary_dilation(kept[parts], iterations=2) & (ink > FAINT)
    return np.where(near, ink, 0).astype(np.float32)


def _ndimage() -> Any:
    """SciPy's filters, imported only when a picture is read; their types are too narrow for masks."""
    from scipy import ndimage

    return ndimage
