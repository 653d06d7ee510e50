"""Strokes of a pen as a picture that looks like MNIST, and as a short text for a link.

A drawing is a list of strokes, a stroke a list of points (x, y) in 0..1 of a square pad, x to the
right and y down. Where on the pad and how large it is drawn does not matter: as in MNIST the ink's
box is scaled to 20 of 28 pixels and its centre of mass put in the middle, and the pen has the same
width afterwards, that of MNIST.
"""

import math
import string
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from mmvae_core.errors import DataError
from mmvae_core.modalities.own_input import INK_BOX, centred

Point = tuple[float, float]
Strokes = list[list[Point]]

MAX_STROKES = 64
MAX_POINTS = 4_000
PEN = 2.25 / 20
"""Width of the pen as a share of the ink's box.

Chosen with the filter below so that the hand-drawn digits of the tests have MNIST's statistics:
mean ink 0.12 (MNIST 0.121), stroke 2.6 pixels wide (2.6), 66 % of the inked pixels grey (65 %).
"""
SMALLEST = 0.05
"""A drawing smaller than this share of the pad is not enlarged further: a dot stays a dot."""
FINE = 8
"""Drawn so many times finer, then reduced."""

_DIGITS = string.digits + string.ascii_letters + "-_"
STEPS = len(_DIGITS) ** 2 - 1
"""A coordinate in a link is a whole number from 0 to this, in two signs."""
_PAUSE = "."


def check_strokes(given: Any) -> Strokes:
    """A drawing out of decoded JSON; DataError unless it is one and of a bearable size."""
    if not isinstance(given, list) or len(given) > MAX_STROKES:
        count = f"{len(given)} strokes" if isinstance(given, list) else type(given).__name__
        raise DataError(
            f"A drawing of {count} was given, expected a list of at most "
            f"{MAX_STROKES} strokes; clear it and draw anew."
        )
    if not all(isinstance(stroke, list) and stroke for stroke in given):
        raise DataError("A stroke without points was given, expected a list of points (x, y).")
    count = sum(map(len, given))
    if count > MAX_POINTS:
        raise DataError(
            f"The drawing has {count} points, expected at most {MAX_POINTS}; draw "
            "it with fewer or shorter strokes."
        )
    return [[_point(point) for point in stroke] for stroke in given]


def draw(strokes: Strokes, height: int, width: int) -> np.ndarray:
    """The drawing as float32 [1, height, width] in 0..1, bright on black, as MNIST was made.

    All black without strokes.
    """
    if not strokes:
        return np.zeros((1, height, width), np.float32)
    box = round(INK_BOX * min(height, width))
    return centred(_ink(strokes, box), height, width)[None]


def to_text(strokes: Strokes) -> str:
    """The drawing in letters, digits, `-`, `_` and `.` for a link, four signs a point."""
    return _PAUSE.join(
        "".join(_pair(value) for point in stroke for value in point) for stroke in strokes
    )


def from_text(text: str) -> Strokes:
    """The drawing of `to_text`, within 1 / 8,190 of its points; DataError for anything else."""
    parts = text.split(_PAUSE) if text else []
    if set(text) - set(_DIGITS + _PAUSE) or any(not part or len(part) % 4 for part in parts):
        raise DataError(
            f"{text[:40]!r} is no drawing, expected four letters or digits for each "
            "point and a full stop between strokes; copy the link again."
        )
    return check_strokes(
        [
            [
                [_value(part[at : at + 2]), _value(part[at + 2 : at + 4])]
                for at in range(0, len(part), 4)
            ]
            for part in parts
        ]
    )


def _ink(strokes: Strokes, box: int) -> np.ndarray:
    """The strokes on black [h, w], the longer side `box` pixels."""
    points = np.array([point for stroke in strokes for point in stroke])
    low, extent = points.min(0), np.ptp(points, axis=0)
    fine, pen = box * FINE, PEN * box * FINE
    scale = (fine - pen) / max(float(extent.max()), SMALLEST)
    size = [max(1, math.ceil((scale * side + pen) / FINE)) for side in extent]
    canvas = Image.new("L", (size[0] * FINE, size[1] * FINE))
    pencil, radius = ImageDraw.Draw(canvas), pen / 2
    for stroke in strokes:
        line = [(scale * (x - low[0]) + radius, scale * (y - low[1]) + radius) for x, y in stroke]
        pencil.line(line, fill=255, width=round(pen))
        for x, y in line:  # round ends and joints
            pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    small = canvas.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    return np.asarray(small, np.float32) / 255


def _point(given: Any) -> Point:
    values = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    numbers = [
        value
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    ]
    if len(values) != 2 or len(numbers) != 2:
        raise DataError(
            f"The point {str(given)[:40]} was given, expected two numbers from 0 to 1, "
            "the place on the pad."
        )
    return float(numbers[0]), float(numbers[1])


def _pair(value: float) -> str:
    high, low = divmod(round(value * STEPS), len(_DIGITS))
    return _DIGITS[high] + _DIGITS[low]


def _value(pair: str) -> float:
    return (_DIGITS.index(pair[0]) * len(_DIGITS) + _DIGITS.index(pair[1])) / STEPS
