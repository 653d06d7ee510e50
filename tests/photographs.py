"""Drawings as a camera sees them: how they are lit, on what they lie, how the picture is kept."""

import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 480
Y, X = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
WHITE, BLUE = (232, 230, 222), (35, 38, 85)
Colour = Sequence[float]
Sheet = np.ndarray
"""Colours [SIDE, SIDE, 3] in 0..255 of an empty sheet and what lies around it."""


def cover(
    strokes: Sequence[Sequence[Sequence[float]]],
    size: float = 0.6,
    pen: float = 0.05,
    turn: float = 0,
) -> np.ndarray:
    """Share of each pixel [SIDE, SIDE] that ink covers; `size` and `pen` are shares of the side."""
    points = np.concatenate([np.array(one, float) for one in strokes])
    middle = (points.min(0) + points.max(0)) / 2
    scale = size / max(float(np.ptp(points, axis=0).max()), 0.05)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    canvas, fine = Image.new("L", (3 * SIDE, 3 * SIDE)), 3 * SIDE
    pencil, radius = ImageDraw.Draw(canvas), pen * fine / 2
    for stroke in strokes:
        line = fine * (0.5 + scale * (np.array(stroke, float) - middle) @ spin.T)
        pencil.line([tuple(one) for one in line], fill=255, width=round(2 * radius), joint="curve")
        for x, y in line:
            pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX), float) / 255


def plain(colour: Colour = WHITE) -> Sheet:
    """A sheet that fills the picture."""
    return np.broadcast_to(np.array(colour, float), (SIDE, SIDE, 3)).copy()


def on(
    table: Colour, left: float, top: float, right: float, bottom: float, turn: float = 0
) -> Sheet:
    """A sheet on a table: how much of the table is seen on each side, how far the sheet is turned."""
    x, y = X - 0.5, Y - 0.5
    across = x * np.cos(turn) + y * np.sin(turn) + 0.5
    down = y * np.cos(turn) - x * np.sin(turn) + 0.5
    sheet = (across > left) & (across < 1 - right) & (down > top) & (down < 1 - bottom)
    return np.where(sheet[..., None], np.array(WHITE, float), np.array(table, float))


def lined(step: int, colour: Colour, crossed: bool = False) -> Sheet:
    """Ruled or squared paper."""
    sheet = plain()
    for at in range(step // 2, SIDE, step):
        sheet[at : at + 2] = colour
        if crossed:
            sheet[:, at : at + 2] = colour
    return sheet


def spotted(count: int) -> Sheet:
    """Paper with small dark spots."""
    random, sheet = np.random.default_rng(5), plain()
    for x, y in random.uniform(0.05, 0.95, (count, 2)):
        sheet[(X - x) ** 2 + (Y - y) ** 2 < 0.006**2] = 70
    return sheet


def seen(
    covered: np.ndarray,
    sheet: Sheet | None = None,
    light: np.ndarray | float = 1.0,
    ink: Colour = BLUE,
    noise: float = 3,
    blur: float = 0,
    quality: int = 85,
    form: str = "JPEG",
) -> bytes:
    """A picture's file: ink over the sheet, lit, blurred, with the sensor's noise, packed."""
    random, sheet = np.random.default_rng(0), plain() if sheet is None else sheet
    colours = sheet + covered[..., None] * (np.array(ink, float) - sheet)
    lit = colours * np.broadcast_to(light, (SIDE, SIDE))[..., None]
    picture = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))
    picture = picture.filter(ImageFilter.GaussianBlur(blur))
    noisy = np.asarray(picture, float) + random.normal(0, noise, (SIDE, SIDE, 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(buffer, form, quality=quality)
    return buffer.getvalue()


def shadow(edge: np.ndarray, depth: float, soft: float) -> np.ndarray:
    """Light of `depth` where `edge` is positive, 1 elsewhere; over `soft` of the side in between."""
    return 1 - (1 - depth) / (1 + np.exp(-np.clip(edge / soft, -60, 60)))


Strokes = Sequence[Sequence[Sequence[float]]]
TABLE, OAK, CLOTH = (58, 44, 36), (150, 105, 62), (30, 60, 110)
CONDITIONS: Mapping[str, Callable[[Strokes], bytes]] = {
    "even": lambda s: seen(cover(s)),
    "png": lambda s: seen(cover(s), form="PNG", noise=0),
    "darker to the right, 0.6": lambda s: seen(cover(s), light=1 - 0.4 * X),
    "darker to the left, 0.4": lambda s: seen(cover(s), light=0.4 + 0.6 * X),
    "darker downwards, 0.3": lambda s: seen(cover(s), light=1 - 0.7 * Y),
    "darker to a corner, 0.3": lambda s: seen(cover(s), light=1 - 0.35 * (X + Y)),
    "a lamp in a corner": lambda s: seen(cover(s), light=np.exp(-1.2 * (X**2 + Y**2))),
    "a lamp's spot": lambda s: seen(
        cover(s), light=0.4 + 0.6 * np.exp(-6 * ((X - 0.6) ** 2 + (Y - 0.4) ** 2))
    ),
    "a dark corner": lambda s: seen(cover(s), light=1 - 0.7 * np.clip(X + Y - 1.1, 0, 1)),
    "a soft shadow": lambda s: seen(cover(s), light=shadow(X - 0.55, 0.55, 0.04)),
    "a shadow's edge": lambda s: seen(cover(s), light=shadow(X + 0.4 * Y - 0.7, 0.6, 0.006)),
    "a shadow across": lambda s: seen(cover(s), light=shadow(Y - 0.5, 0.6, 0.01)),
    "dim": lambda s: seen(cover(s), light=0.3),
    "small": lambda s: seen(cover(s, 0.22, 0.02)),
    "thick": lambda s: seen(cover(s, 0.6, 0.1)),
    "large": lambda s: seen(cover(s, 0.85, 0.05)),
    "turned": lambda s: seen(cover(s, turn=0.12)),
    "red": lambda s: seen(cover(s), ink=(210, 45, 45)),
    "green": lambda s: seen(cover(s), ink=(30, 120, 60)),
    "pencil": lambda s: seen(cover(s, 0.55, 0.035), ink=(120, 120, 122)),
    "chalk": lambda s: seen(cover(s), plain((38, 62, 50)), ink=(225, 228, 220)),
    "chalk, unevenly lit": lambda s: seen(
        cover(s), plain((38, 62, 50)), ink=(225, 228, 220), light=1 - 0.5 * X
    ),
    "ruled": lambda s: seen(cover(s), lined(60, (150, 170, 220))),
    "squared": lambda s: seen(cover(s), lined(40, (165, 185, 225), crossed=True)),
    "spots": lambda s: seen(cover(s), spotted(20)),
    "grey paper": lambda s: seen(cover(s), plain((150, 148, 140))),
    "on a table": lambda s: seen(cover(s, 0.42, 0.04), on(TABLE, 0.1, 0.1, 0.1, 0.1)),
    "on a table, far": lambda s: seen(cover(s, 0.25, 0.025), on(TABLE, 0.28, 0.25, 0.25, 0.28)),
    "on oak": lambda s: seen(cover(s, 0.45, 0.04), on(OAK, 0.08, 0.14, 0.12, 0.06, 0.1)),
    "on a cloth, shaded": lambda s: seen(
        cover(s, 0.42, 0.04), on(CLOTH, 0.12, 0.1, 0.1, 0.12, -0.08), light=1 - 0.5 * X
    ),
    "a table's edge": lambda s: seen(cover(s, 0.5, 0.045), on(TABLE, -1, 0.16, -1, -1, 0.05)),
    "a corner of the sheet": lambda s: seen(
        cover(s, 0.45, 0.04), on(OAK, 0.15, -1, -1, 0.15, 0.06)
    ),
    "noise": lambda s: seen(cover(s), noise=18),
    "coarse JPEG": lambda s: seen(cover(s), quality=15),
    "out of focus": lambda s: seen(cover(s), blur=7),
    "dim, noisy, shaded": lambda s: seen(cover(s), light=0.5 - 0.3 * Y, noise=6, quality=60),
}
"""How a file is made of a drawing's strokes."""
