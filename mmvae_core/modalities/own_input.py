"""A visitor's own picture, prepared the way the data of a modality look.

Grey pictures are taken for handwriting and treated as MNIST was: ink bright on black, the ink's
box scaled to 20 of 28 pixels, its centre of mass in the middle. Colour pictures are cropped to
their central square and resized. Everything is checked before a pixel is decoded.
"""

import io
import math
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps

from mmvae_core.errors import DataError
from mmvae_core.modalities.ink import find_ink

FORMATS = ("PNG", "JPEG")
MAX_PIXELS = 16_000_000
FINE = 1_024
"""A JPEG's shorter side is read at no more than twice so many pixels, which saves its memory."""
MAX_SCANNED = 200_000_000
"""Pixels times scans of a progressive JPEG: each scan costs a pass, and cameras write ten."""
SCAN = b"\xff\xda"
BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow raises on damaged pictures, and on cameras' notes of an odd type."""
INK_BOX = 20 / 28
"""MNIST scales a digit's box to 20 of its 28 pixels (LeCun et al. 1998)."""


def read_handwriting(data: bytes, height: int, width: int) -> np.ndarray:
    """The bytes of a PNG or JPEG as ink: float32 [1, height, width] in 0..1, bright on black.

    Raises DataError for a picture that is too large, damaged or of one brightness.
    """
    return _handwriting(_square(_decode(data)), height, width)[None]


def read_photo(data: bytes, height: int, width: int) -> np.ndarray:
    """The bytes of a PNG or JPEG in colour: float32 [3, height, width] in 0..1; DataError as above."""
    picture = _square(_decode(data)).convert("RGB")
    resized = picture.resize((width, height), Image.Resampling.LANCZOS)
    return np.ascontiguousarray(_floats(resized).transpose(2, 0, 1))


def centre_ink(ink: np.ndarray, height: int, width: int) -> np.ndarray:
    """Ink [h, w] in 0..1 on black to [height, width]: box scaled to 20/28, mass in the middle.

    A picture without ink comes back black.
    """
    rows, columns = np.nonzero(ink.max(1) > 0)[0], np.nonzero(ink.max(0) > 0)[0]
    if not len(rows):
        return np.zeros((height, width), np.float32)
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = INK_BOX * min(height, width) / max(box.shape)
    size = max(1, round(box.shape[1] * scale)), max(1, round(box.shape[0] * scale))
    small = np.asarray(Image.fromarray(box.astype(np.float32)).resize(size, _filter(scale)))
    small = np.clip(small, 0, 1)
    return centred(small / max(float(small.max()), 1e-6), height, width)


def centred(small: np.ndarray, height: int, width: int) -> np.ndarray:
    """Put a small picture onto black so that its centre of mass is at the middle."""
    mass = small.sum()
    down = (small.sum(1) @ np.arange(small.shape[0])) / mass
    right = (small.sum(0) @ np.arange(small.shape[1])) / mass
    # Half a pixel up and left of the exact middle, as in MNIST, whose centre is pixel 14 of 28.
    top = int(np.clip(round(height / 2 - down), 0, height - small.shape[0]))
    left = int(np.clip(round(width / 2 - right), 0, width - small.shape[1]))
    canvas = np.zeros((height, width), np.float32)
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def _handwriting(picture: Image.Image, height: int, width: int) -> np.ndarray:
    grey = _floats(picture.convert("L"))
    if grey.shape == (height, width) and _rim(grey).max() == 0:  # ink already, as MNIST has it
        return centre_ink(grey, height, width)
    ink = find_ink(grey)
    if ink is None:
        raise DataError(
            "The picture is of one brightness only, expected a stroke that differs from its "
            "background; write darker or with more light."
        )
    return centre_ink(ink, height, width)


def _rim(grey: np.ndarray) -> np.ndarray:
    """The pixels of a picture's edge."""
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])


def _decode(data: bytes) -> Image.Image:
    """Read the header, check the size, and only then decode."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                _check_pixels(*picture.size)
                if picture.format == "JPEG":
                    _check_scans(data.count(SCAN), math.prod(picture.size))
                    picture.draft(None, (FINE, FINE))  # pyright: ignore[reportArgumentType]
                picture.load()
                return _opaque(ImageOps.exif_transpose(picture))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise DataError(_too_many("very many")) from None
    except BROKEN:
        raise DataError(
            "The file is not a readable PNG or JPEG picture; save it anew as PNG."
        ) from None


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise DataError(_too_many(f"{width} x {height}"))


def _check_scans(count: int, pixels: int) -> None:
    if count > 1 and count * pixels > MAX_SCANNED:
        raise DataError(
            f"The JPEG picture has {count:,} scans of {pixels:,} pixels, expected at most "
            f"{max(1, MAX_SCANNED // pixels):,}; save it anew as PNG."
        )


def _too_many(size: str) -> str:
    return f"The picture has {size} pixels, expected at most {MAX_PIXELS:,}; make it smaller first."


def _opaque(picture: Image.Image) -> Image.Image:
    """Transparent parts become white paper."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture
    layered = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")


def _square(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    return ImageOps.fit(picture if picture.mode in ("L", "RGB") else _plain(picture), (side, side))


def _plain(picture: Image.Image) -> Image.Image:
    """Sixteen-bit grey is scaled to bytes, every other mode becomes RGB."""
    if picture.mode.startswith("I"):
        values = np.asarray(picture).astype(np.float32)
        top = max(float(values.max()), 1.0)
        return Image.fromarray((255 * values / top).astype(np.uint8))
    return picture.convert("RGB")


def _floats(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, dtype=np.float32) / 255


def _filter(scale: float) -> Image.Resampling:
    return Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
