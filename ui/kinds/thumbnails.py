"""All items of a study as small pictures in one sheet a modality, for maps. Pure."""

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ui.kinds.view import Drawn, View
from ui.kinds.words import WordsView

TALLEST, QUALITY = 32, 70
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
    whole = Image.new("RGB", (columns * width, math.ceil(count / columns) * height))
    for index, picture in enumerate(pictures):
        pixels = np.round(255 * np.clip(np.nan_to_num(picture), 0, 1)).astype(np.uint8)
        one = Image.fromarray(pixels[0] if channels == 1 else pixels.transpose(1, 2, 0))
        if (wide, high) != (width, height):
            one = one.resize((width, height), Image.Resampling.BOX)
        whole.paste(one.convert("RGB"), (index % columns * width, index // columns * height))
    buffer = io.BytesIO()
    whole.save(buffer, "WEBP", quality=QUALITY, method=2)
    return Sheet(look.name, buffer.getvalue(), columns, width, height)


def texts(look: View, values: np.ndarray) -> list[str] | None:
    """The text of each item, where the modality is text and there are not too many."""
    if not isinstance(look, WordsView) or len(values) > MOST:
        return None
    return look.kind.texts(values)
