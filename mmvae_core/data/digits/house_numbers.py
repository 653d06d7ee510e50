"""House-number photos, rendered: 32 x 32 RGB crops with one centred digit.

They stand in for SVHN (Street View House Numbers) where that cannot be had: same size, same task
(read the centred digit whatever its colour, font, wall and camera), but drawn here.

First the sign, seen from the front: a wall (paint, brick, boards, wood, plaster), on some a plaque
with a border, the digit in one of a few open fonts, on some parts of neighbour digits at the
sides, and a soft shadow. Colours are those of houses; digit and direct background differ by at
least `MIN_CONTRAST` grey levels. Then the camera: slanted view, blur, uneven light, white
balance, sensor noise and JPEG.

Seeding rule: image i depends on nothing but (seed, i, label, font set). So the same call gives the
same pixels, and any slice can be drawn alone with `start`, in any chunks, by any process.

Glyphs come from `glyphs.png` (drawn by `tools/make_glyphs.py`, credits in `glyphs.md`), not from
the machine's fonts, so that pixels do not depend on what is installed.
"""

import io
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mmvae_core.errors import DataError
from mmvae_core.tied import spawned

FontSet = Literal["seen", "held_out"]
_Job = tuple[np.ndarray, int, FontSet, int]

SIZE = 32
# Grey levels between a digit and its direct background, before the camera.
MIN_CONTRAST = 80
# Which rows of the atlas a font set takes: from, up to.
_FONT_ROWS: dict[FontSet, tuple[int, int]] = {"seen": (0, 18), "held_out": (18, 22)}
# The sign is drawn on a larger plane than the view, so that a slanted view never leaves it.
_PLANE = 112
_VIEW = 2 * SIZE
_CELL = 48
_GLYPH_HEIGHT = 40
_CHUNK = 2000

PALETTE = {
    "white enamel": (236, 234, 226),
    "cream paint": (226, 212, 178),
    "sandstone": (201, 180, 144),
    "concrete": (180, 180, 174),
    "pale blue paint": (170, 194, 206),
    "brass": (196, 158, 78),
    "brick": (146, 70, 54),
    "wood": (100, 68, 44),
    "slate": (70, 78, 88),
    "bottle green": (34, 72, 54),
    "navy enamel": (30, 50, 102),
    "cast iron": (34, 34, 38),
}
_COLOURS = np.array(list(PALETTE.values()), dtype=np.float32)
_LIGHTNESS = _COLOURS @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
# Palette rows (background, digit). Shadow, sheen and texture eat some contrast, so colours start
# further apart than the sign must keep.
_PAIRS = np.argwhere(np.abs(_LIGHTNESS[:, None] - _LIGHTNESS) >= MIN_CONTRAST + 32)
_RAMP = np.linspace(-1, 1, _PLANE, dtype=np.float32)
_Y, _X = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j].astype(np.float32)


def render(
    labels: np.ndarray, seed: int, fonts: FontSet = "seen", start: int = 0, workers: int = 1
) -> np.ndarray:
    """Draw one photo for each label.

    labels: integers 0-9, shape [n]. seed: 0 or more. fonts: `seen` (for training and test) or
    `held_out` (never seen in training). start: the index of the first image, to draw a slice
    of a longer run. workers: processes; changes the time, never the pixels.
    Returns uint8 [n, 32, 32, 3], RGB. Raises DataError for labels, seed or fonts that do not fit.
    """
    labels = _checked(labels, seed, fonts, start)
    cuts = range(0, len(labels), _CHUNK)
    jobs: list[_Job] = [(labels[cut : cut + _CHUNK], seed, fonts, start + cut) for cut in cuts]
    if workers <= 1 or len(jobs) <= 1:
        parts = [_draw_chunk(job) for job in jobs]
    else:
        with spawned(workers) as pool:
            parts = list(pool.map(_draw_chunk, jobs))
    return np.concatenate(parts) if parts else np.zeros((0, SIZE, SIZE, 3), np.uint8)


def house_numbers(
    count: int, seed: int, fonts: FontSet = "seen", workers: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` photos with balanced labels in an order shuffled by the seed.

    count: 0 or more; seed, fonts, workers: as in `render`.
    Returns images uint8 [count, 32, 32, 3] and labels int64 [count]. Raises DataError as `render`.
    """
    _check_counts(count=count, seed=seed)
    labels = np.arange(count, dtype=np.int64) % 10
    np.random.default_rng((seed, count)).shuffle(labels)
    return render(labels, seed, fonts, workers=workers), labels


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or value < 0:
            raise DataError(f"{name} is {value!r}, but must be a whole number from 0; pass one.")


def _checked(labels: np.ndarray, seed: int, fonts: str, start: int) -> np.ndarray:
    labels, problem = np.asarray(labels), None
    if labels.ndim != 1:
        problem = f"have shape {list(labels.shape)}, but one list [n] is expected; flatten them."
    elif not np.issubdtype(labels.dtype, np.integer):
        problem = f"are {labels.dtype}, but whole numbers are expected; convert with astype(int)."
    elif labels.size and (labels.min() < 0 or labels.max() > 9):
        problem = f"run from {labels.min()} to {labels.max()}; keep only digits 0-9."
    if problem:
        raise DataError(f"The labels {problem}")
    if fonts not in _FONT_ROWS:
        raise DataError(f"The font set is {fonts!r}, which does not exist; use seen or held_out.")
    _check_counts(seed=seed, start=start)
    return labels


@cache
def _glyphs() -> np.ndarray:
    """The atlas as float32 [font, digit, 48, 48], 0-1."""
    with Image.open(Path(__file__).with_name("glyphs.png")) as atlas:
        flat = np.asarray(atlas.convert("L"), dtype=np.float32) / 255
    return flat.reshape(-1, _CELL, 10, _CELL).transpose(0, 2, 1, 3).copy()


def _draw_chunk(job: _Job) -> np.ndarray:
    labels, seed, fonts, start = job
    photos = np.empty((len(labels), SIZE, SIZE, 3), np.uint8)
    for i, label in enumerate(labels):
        rng = np.random.default_rng((seed, start + i))
        colour, _ = _draw_sign(rng, int(label), fonts)
        photos[i] = _photograph(rng, colour)
    return photos


def _draw_sign(
    rng: np.random.Generator, label: int, fonts: FontSet
) -> tuple[np.ndarray, np.ndarray]:
    """The sign from the front, where digit and direct background keep MIN_CONTRAST.

    Returns its colour, float32 [3, 112, 112], 0-255, and where ink is, float32 [112, 112], 0-1.
    """
    ground, digit = _COLOURS[_PAIRS[rng.integers(len(_PAIRS))]] + rng.uniform(-6, 6, (2, 3))
    ink, crowded = _ink(rng, label, fonts)
    if rng.random() < 0.45:
        wall = _COLOURS[rng.integers(len(_COLOURS))]
        colour = _paint(_wall_texture(rng), wall)
        _add_plaque(rng, colour, ground, digit, crowded)
    else:
        colour = _paint(_wall_texture(rng), ground)
    _cast_shadow(rng, colour, ink)
    sheen = 1 + np.float32(rng.uniform(-0.06, 0.06)) * _RAMP[:, None]
    colour += ink * (_paint(sheen, digit) - colour)
    return colour, ink


def _paint(shade: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return colour.astype(np.float32)[:, None, None] * shade


def _ink(rng: np.random.Generator, label: int, fonts: FontSet) -> tuple[np.ndarray, bool]:
    """Where digits are on the plane, and whether there are neighbours beside the centred one."""
    font = rng.integers(*_FONT_ROWS[fonts])
    left, right = rng.random(2) < 0.12
    others, gap = rng.integers(10, size=2), rng.uniform(6, 10)
    row = _glyphs()[font]
    widths = (row.max(axis=1) > 0).sum(axis=1)
    ink = np.zeros((_PLANE, _PLANE), np.float32)
    _place(ink, row[label], _PLANE // 2)
    for wanted, other, side in ((left, others[0], -1), (right, others[1], 1)):
        if wanted:
            # Near the edge of the view even beside a narrow digit, so that the centred one rules.
            apart = max((widths[label] + widths[other]) / 2 + gap, 31)
            _place(ink, row[other], round(_PLANE / 2 + side * apart))
    return ink, bool(left or right)


def _place(ink: np.ndarray, glyph: np.ndarray, centre: int) -> None:
    top, left = (_PLANE - _CELL) // 2, centre - _CELL // 2
    first, last = max(left, 0), min(left + _CELL, _PLANE)
    target = ink[top : top + _CELL, first:last]
    np.maximum(target, glyph[:, first - left : last - left], out=target)


def _wall_texture(rng: np.random.Generator) -> np.ndarray:
    """A shade near 1 for each point of the wall: brick, boards, wood, plaster or plain paint."""
    kind, strength = rng.random(), rng.uniform(0.04, 0.1)
    shade = np.ones((_PLANE, _PLANE), np.float32)
    if kind < 0.22:
        _add_bricks(rng, shade, strength if rng.random() < 0.5 else -strength)
    elif kind < 0.36:
        for y in range(rng.integers(20), _PLANE, rng.integers(18, 28)):
            shade[y : y + 2] -= strength
    elif kind < 0.5:
        shade += np.repeat(rng.normal(0, strength * 0.6, _PLANE // 4), 4)[:, None]
    elif kind < 0.75:
        coarse = rng.normal(128, 128 * strength, (20, 20)).clip(0, 255).astype(np.uint8)
        cloud = Image.fromarray(coarse).resize((_PLANE, _PLANE), Image.Resampling.BILINEAR)
        shade += np.asarray(cloud, dtype=np.float32) / 128 - 1
    return shade


def _add_bricks(rng: np.random.Generator, shade: np.ndarray, joint: float) -> None:
    course, length = rng.integers(14, 20), rng.integers(30, 44)
    for k, y in enumerate(range(-int(rng.integers(course)), _PLANE, course)):
        shade[max(y, 0) : max(y + course, 0)] += rng.normal(0, 0.015)
        for x in range((k % 2) * length // 2, _PLANE, length):
            shade[max(y, 0) : max(y + course, 0), x : x + 2] += joint
        shade[max(y, 0) : max(y + 2, 0)] += joint


def _add_plaque(
    rng: np.random.Generator, wall: np.ndarray, face: np.ndarray, rim: np.ndarray, wide: bool
) -> None:
    """Put a plaque that holds the digit on the wall; a wide one if there are neighbours."""
    tall, broad = rng.uniform(27, 33), rng.uniform(25, 34)
    edge = rng.uniform(1.5, 3) if rng.random() < 0.6 else 0.0
    corner = rng.uniform(0, 10)
    if wide:
        broad = float(_PLANE)
    elif rng.random() < 0.4:
        # A disc needs more room than a box to hold the digit's corners.
        tall = broad = corner = max(tall, 30.0)
    if edge:
        wall[:, _rounded_box(broad, tall, corner)] = rim[:, None]
    wall[:, _rounded_box(broad - edge, tall - edge, corner - edge)] = face[:, None]


def _rounded_box(broad: float, tall: float, corner: float) -> np.ndarray:
    """Where a centred box with rounded corners lies, bool [112, 112]; sizes are half-sides."""
    shape, middle = Image.new("L", (_PLANE, _PLANE)), _PLANE / 2
    box = (middle - broad, middle - tall, middle + broad, middle + tall)
    ImageDraw.Draw(shape).rounded_rectangle(box, max(corner, 0.0), fill=255)
    return np.asarray(shape) > 0


def _cast_shadow(rng: np.random.Generator, colour: np.ndarray, ink: np.ndarray) -> None:
    """Darken, on half of the signs, the background below the digit a little."""
    depth = rng.uniform(0.05, 0.25)
    across, down, soft = rng.uniform(-3, 3), rng.uniform(1, 3), rng.uniform(1, 2.5)
    if rng.random() < 0.5:
        return
    cast = Image.fromarray((ink * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(soft))
    moved = np.roll(np.asarray(cast, np.float32), (round(down), round(across)), axis=(0, 1))
    colour *= 1 - moved * np.float32(depth / 255)


def _photograph(rng: np.random.Generator, sign: np.ndarray) -> np.ndarray:
    """What a camera makes of the sign: uint8 [32, 32, 3]."""
    flat = np.clip(sign, 0, 255).astype(np.uint8)
    front = Image.merge("RGB", [Image.fromarray(channel) for channel in flat])
    view = front.transform(
        (_VIEW, _VIEW), Image.Transform.PERSPECTIVE, _view_of(rng), Image.Resampling.BILINEAR
    )
    soft = view.reduce(_VIEW // SIZE).filter(ImageFilter.GaussianBlur(rng.uniform(0.1, 0.65)))
    noise = rng.standard_normal((SIZE, SIZE, 3), dtype=np.float32) * np.float32(rng.uniform(1, 4))
    exposed = np.asarray(soft, np.float32) * _light(rng) + noise
    return _through_jpeg(exposed.clip(0, 255).astype(np.uint8), int(rng.integers(65, 96)))


def _light(rng: np.random.Generator) -> np.ndarray:
    """Uneven light and white balance: a factor near 1, float32 [32, 32, 3]."""
    level, slope = np.float32(rng.uniform(0.92, 1.06)), rng.uniform(-0.09, 0.09, 2)
    across, down = slope.astype(np.float32)
    balance = rng.uniform(0.97, 1.03, 3).astype(np.float32)
    return (level + across * _X + down * _Y)[..., None] * balance


def _view_of(rng: np.random.Generator) -> tuple[float, ...]:
    """A slanted view: Pillow's PERSPECTIVE coefficients that map the view to the plane."""
    zoom = _GLYPH_HEIGHT / (rng.uniform(0.58, 0.84) * _VIEW)
    angle, shear = np.radians(np.clip(rng.normal(0, 5), -12, 12)), rng.uniform(-0.1, 0.1)
    stretch = rng.uniform(0.92, 1.1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = zoom * turn @ np.array([[stretch, shear], [0, 1]])
    middle = _VIEW / 2 + rng.uniform(-3.5, 3.5, 2)
    tilt = rng.uniform(-0.0016, 0.0016, 2)
    # (linear (p - middle)) / (1 + tilt (p - middle)) + plane centre, over one common denominator
    rows = linear + np.outer((_PLANE / 2, _PLANE / 2), tilt)
    scale = 1 - tilt @ middle
    shift = (np.full(2, _PLANE / 2) - rows @ middle) / scale
    (a, b), (d, e) = rows / scale
    g, h = tilt / scale
    return (a, b, shift[0], d, e, shift[1], g, h)


def _through_jpeg(photo: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
