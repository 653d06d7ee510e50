"""A visitor's own picture or text, prepared the way the data of a modality look.

Grey pictures are taken for handwriting and treated as MNIST was: ink bright on black, the ink's
box scaled to 20 of 28 pixels, its centre of mass in the middle. Colour pictures are cropped to
their central square and resized. Everything is checked before a pixel is decoded.
"""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mmvae_core.errors import DataError

FORMATS = ("PNG", "JPEG")
MAX_BYTES = 8_000_000
MAX_PIXELS = 16_000_000
INK_BOX = 20 / 28
"""MNIST scales a digit's box to 20 of its 28 pixels (LeCun et al. 1998)."""
INK_FLOOR = 0.15
"""Paper is never quite even: brightness below this share of the brightest ink counts as paper."""
MIN_CONTRAST = 0.08


def read_picture(source: Path | str | bytes, shape: tuple[int, ...]) -> np.ndarray:
    """A PNG or JPEG as float32 [channel, height, width] in 0..1, ready for a model.

    `source` is a path or the file's bytes, `shape` the modality's (channels, height, width) with
    1 or 3 channels. Raises DataError for anything that is too large, damaged or of another kind.
    """
    channels, height, width = _checked_shape(shape)
    picture = _square(_decode(_bytes_of(source)))
    if channels == 1:
        return _handwriting(picture, height, width)[None]
    resized = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    return np.ascontiguousarray(_floats(resized).transpose(2, 0, 1))


def read_text(text: str, alphabet: str, length: int) -> np.ndarray:
    """Codes int64 [length] of a typed text, padded with spaces on the right.

    Capitals become small letters where the alphabet has none. Raises DataError for other symbols
    and for texts that are too long, or too short where the alphabet has no space.
    """
    given = text if alphabet != alphabet.lower() else text.lower()
    unknown = sorted(set(given) - set(alphabet))
    if unknown:
        raise DataError(
            f"The text {text[:40]!r} holds {', '.join(map(repr, unknown[:5]))}, expected only the "
            f"symbols {alphabet!r}; leave the others out."
        )
    if len(given) > length or (len(given) < length and " " not in alphabet):
        raise DataError(
            f"The text {text[:40]!r} has {len(given)} symbols, expected "
            f"{'at most ' if ' ' in alphabet else ''}{length}; make it fit."
        )
    return np.array([alphabet.index(symbol) for symbol in given.ljust(length)], dtype=np.int64)


def read_symbols(text: str, alphabet: str | None, shape: tuple[int, ...]) -> np.ndarray:
    """Codes int64 [length] of a typed text, `shape` being (length, symbols).

    Without an alphabet the symbols have no signs: then the text holds their numbers, from 0,
    between spaces or commas. Raises DataError as `read_text` does.
    """
    length, symbols = shape
    if alphabet is not None:
        return read_text(text, alphabet, length)
    parts = text.replace(",", " ").split()
    valid = all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts)
    if len(parts) != length or not valid or any(int(part) >= symbols for part in parts):
        raise DataError(
            f"The text {text[:40]!r} was given, expected {length} whole "
            f"number{'s' if length > 1 else ''} from 0 to {symbols - 1}, between spaces."
        )
    return np.array([int(part) for part in parts], dtype=np.int64)


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
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = float(np.median(edge))
    dark_on_light = abs(float(grey.min()) - paper) > abs(float(grey.max()) - paper)
    ink = np.clip(paper - grey if dark_on_light else grey - paper, 0, 1)
    if ink.max() < MIN_CONTRAST:
        raise DataError(
            "The picture is of one brightness only, expected a stroke that differs from its "
            "background; write darker or with more light."
        )
    ink = ink / ink.max()
    return centre_ink(np.where(ink < INK_FLOOR, 0, ink), height, width)


def _checked_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise DataError(
            f"The modality has the shape {list(shape)}, expected 1 or 3 channels, a height and a "
            "width; a picture cannot stand for it."
        )
    return shape


def _bytes_of(source: Path | str | bytes) -> bytes:
    if isinstance(source, bytes):
        size, data = len(source), source
    else:
        path = Path(source)
        try:
            size = path.stat().st_size
            data = path.read_bytes() if size <= MAX_BYTES else b""
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error}); give a PNG or JPEG file.") from None
    if size > MAX_BYTES:
        raise DataError(
            f"The picture has {size / 1e6:.1f} MB, expected at most {MAX_BYTES / 1e6:.0f} MB; "
            "save it smaller."
        )
    return data


def _decode(data: bytes) -> Image.Image:
    """Read the header, check the size, and only then decode."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                _check_pixels(*picture.size)
                picture.load()
                return _opaque(ImageOps.exif_transpose(picture))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise DataError(_too_many("very many")) from None
    except (OSError, ValueError, SyntaxError, EOFError):
        raise DataError(
            "The file is not a readable PNG or JPEG picture; save it anew as PNG."
        ) from None


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise DataError(_too_many(f"{width} x {height}"))


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
