"""All items of a study as small pictures in one sheet a modality, for maps. Pure."""

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ui.kinds.view import Drawn, View
from ui.kinds.words import WordsView

TALLEST, QUALITY = 32, 70
AT_ONCE = 1_000
"""Pictures brought to bytes together."""
MOST = 20_000
"""Items; of more the sheet would be larger than a browser likes."""


@dataclass(frozen=True)
class Sheet:
    """Pictures in rows of `columns`, each `width` by `height` pixels, as the bytes of a WebP."""

    name: str
    data: bytes
    columns: int
    width: int
    height: int


def sheet(look: View, values: np.ndarray) -> Sheet | None:
    """The sheet of a modality's values [item, ...]; none of what is text, or of too many."""
    if not isinstance(look, Drawn) or not 0 < len(values) <= MOST:
        return None
    pictures = look.pictures(values)
    count, channels, high, wide = pictures.shape
    height = min(TALLEST, high)
    width = max(1, round(wide * height / high))
    columns = math.ceil(math.sqrt(count * height / width))
    rows = math.ceil(count / columns)
    small = np.zeros((rows * columns, height, width, channels), np.uint8)
    for first in range(0, count, AT_ONCE):
        some = np.clip(np.nan_to_num(pictures[first : first + AT_ONCE]), 0, 1)
        whole = np.round(255 * some).astype(np.uint8).transpose(0, 2, 3, 1)
        is_small = (wide, high) == (width, height)
        small[first : first + len(whole)] = whole if is_small else _shrunk(whole, (width, height))
    sheet = small.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, columns * width, channels)
    buffer = io.BytesIO()
    _picture(sheet).convert("RGB").save(buffer, "WEBP", quality=QUALITY, method=2)
    return Sheet(look.name, buffer.getvalue(), columns, width, height)


def _shrunk(pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pictures [item, height, width, channel], each of the size (width, height)."""
    shape = (-1, size[1], size[0], pictures.shape[-1])
    every = [_picture(one).resize(size, Image.Resampling.BOX) for one in pictures]
    return np.stack([np.asarray(one) for one in every]).reshape(shape)


def _picture(pixels: np.ndarray) -> Image.Image:
    """Pixels [height, width, channel] of one or three channels."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def texts(look: View, values: np.ndarray) -> list[str] | None:
    """The text of each item, where the modality is text and there are not too many."""
    if not isinstance(look, WordsView) or len(values) > MOST:
        return None
    return look.kind.texts(values)
