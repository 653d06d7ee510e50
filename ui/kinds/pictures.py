"""From arrays to pictures and words as PNG and HTML. Pure: knows nothing of Streamlit or torch.

A modality is shown by its kind: an `image` (1 or 3 channels), `symbols` (one per position), or a
`vector` (anything else, drawn as bars).
"""

import base64
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmvae_core.config import ModalityConfig

Kind = Literal["image", "symbols", "vector"]
SPACE = "·"
ZOOM, GAP = 4, 6
CELL, LINE = 22, 34
PALEST = 0.62
"""Opacity of a symbol that the model is quite unsure of; still 4.5:1 on both grounds."""
BAR_COLUMNS, BAR_ZOOM = 2, 2
"""Bars are broader than a picture of the same height: fewer in a row, each less enlarged."""
DIFFERENCE = 190
"""Widest a difference is drawn, in pixels."""
STRIP, BREADTH = 40, 120
"""Height and breadth of a vector's bars together, in cells, whatever its length."""
MOST_BARS = 60
"""A longer vector is drawn by means of neighbouring entries."""


@dataclass(frozen=True)
class Tiled:
    """One picture made of many: PNG bytes and their width in pixels."""

    png: bytes
    width: int

    @property
    def uri(self) -> str:
        """The picture inside an address, so that no further request is made."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


def kind_of(modality: ModalityConfig) -> Kind:
    """How a modality is drawn."""
    if modality.likelihood.name == "categorical" and len(modality.shape) == 2:
        return "symbols"
    if len(modality.shape) == 3 and modality.shape[0] in (1, 3):
        return "image"
    return "vector"


def as_image(
    values: np.ndarray, modality: ModalityConfig, limit: float | None = None
) -> np.ndarray:
    """Values [n, *shape] as pictures [n, channel, height, width] in 0..1; vectors become bars.

    A bar reaches the edge at `limit`, by default the largest size among the values.
    """
    values = np.asarray(values, np.float32)
    if kind_of(modality) == "image":
        return np.clip(values, 0, 1)
    return _bars(values.reshape(len(values), -1), limit)


def tile(pictures: np.ndarray, columns: int, zoom: int = ZOOM) -> Tiled:
    """Pictures [n, c, h, w] in 0..1 in rows of `columns`, the gaps transparent."""
    count, _, height, width = pictures.shape
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    canvas = Image.new(
        "RGBA", (columns * (width * zoom + GAP) - GAP, max(1, rows * (height * zoom + GAP) - GAP))
    )
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        canvas.paste(
            _enlarged(picture, zoom), (column * (width * zoom + GAP), row * (height * zoom + GAP))
        )
    return Tiled(_png(canvas), canvas.width)


def word_of(codes: np.ndarray, alphabet: str | None) -> str:
    """The text of codes [length]; codes without an alphabet are joined as numbers."""
    if alphabet is None:
        return " ".join(str(int(code)) for code in codes)
    return "".join(alphabet[int(code)] for code in codes)


def probabilities_of(values: np.ndarray, symbols: int) -> np.ndarray:
    """Probabilities [n, length, symbols] of codes [n, length] (certain) or of themselves."""
    values = np.asarray(values)
    return np.eye(symbols, dtype=np.float32)[values] if values.ndim == 2 else values


def word_html(probabilities: np.ndarray, alphabet: str | None, right: bool = False) -> str:
    """One word [length, symbols]: the likeliest symbol of each position, paler where unsure."""
    codes, shares = probabilities.argmax(-1), probabilities.max(-1)
    cells = "".join(
        f'<span style="opacity:{PALEST + (1 - PALEST) * float(share):.2f}">'
        f"{_symbol(int(code), alphabet)}</span>"
        for code, share in zip(codes, shares, strict=True)
    )
    said = escape(word_of(codes, alphabet).strip()) or "only spaces"
    mark = " right" if right else ""
    return f'<span class="word{mark}" role="img" aria-label="{said}">{cells}</span>'


def words_html(
    probabilities: np.ndarray, alphabet: str | None, right: np.ndarray | None = None
) -> str:
    """Words [n, length, symbols] as tiles; `right` bool [n] marks the well spelt ones."""
    marks = np.zeros(len(probabilities), bool) if right is None else right
    words = (
        word_html(word, alphabet, bool(mark))
        for word, mark in zip(probabilities, marks, strict=True)
    )
    return f'<div class="words">{"".join(words)}</div>'


def picture_html(tiled: Tiled, alt: str, widest: int | None = None) -> str:
    """An <img> no wider than its place or `widest` pixels, with its text alternative."""
    style = f"max-width:{widest}px" if widest else f"max-width:{tiled.width}px"
    return f'<img class="tiles" style="{style}" src="{tiled.uri}" alt="{escape(alt)}">'


def values_html(
    values: np.ndarray,
    modality: ModalityConfig,
    alphabet: str | None,
    columns: int,
    alt: str,
    right: np.ndarray | None = None,
    widest: int | None = None,
) -> str:
    """Values of any modality [n, ...] as one block of HTML."""
    if kind_of(modality) == "symbols":
        probabilities = probabilities_of(values, modality.shape[1])
        return words_html(probabilities, alphabet, right)
    columns = columns if kind_of(modality) == "image" else min(columns, BAR_COLUMNS)
    return picture_html(tile(as_image(values, modality), columns, zoom_of(modality)), alt, widest)


def zoom_of(modality: ModalityConfig) -> int:
    """How many pixels a cell of a modality's picture takes."""
    return ZOOM if kind_of(modality) == "image" else BAR_ZOOM


def difference_html(apart: np.ndarray, top: float, modality: ModalityConfig, alt: str) -> str:
    """A signed difference of two values [*shape]: orange more, blue less, full colour at `top`.

    Colours of a picture are averaged; of symbols each row is a position and each column a symbol.
    """
    flat = apart.mean(0) if kind_of(modality) == "image" else np.atleast_2d(apart)
    if kind_of(modality) == "vector":
        flat = np.repeat(apart.reshape(1, -1), STRIP, 0)
    return picture_html(
        tile(_diverging(flat.reshape(1, -1), top).reshape(1, 3, *flat.shape), 1), alt, DIFFERENCE
    )


def sheet(
    values: Mapping[str, np.ndarray],
    modalities: Iterable[ModalityConfig],
    alphabets: Mapping[str, str],
    columns: int = 8,
) -> bytes:
    """All values as one PNG on white, to download: a heading and a grid for each modality."""
    blocks: list[Image.Image] = []
    for modality in modalities:
        if modality.name not in values:
            continue
        blocks.append(_heading(modality.name))
        given = np.asarray(values[modality.name])
        if kind_of(modality) == "symbols":
            probabilities = probabilities_of(given, modality.shape[1])
            blocks.append(_words_image(probabilities, alphabets.get(modality.name), columns // 2))
        else:
            png = tile(as_image(given, modality), columns, zoom_of(modality)).png
            blocks.append(Image.open(io.BytesIO(png)).convert("RGBA"))
    return _png(_stacked(blocks))


def _stacked(blocks: list[Image.Image]) -> Image.Image:
    width = max((block.width for block in blocks), default=1) + 4 * GAP
    height = sum(block.height + 2 * GAP for block in blocks) + 2 * GAP
    page, top = Image.new("RGB", (width, height), "white"), 2 * GAP
    for block in blocks:
        page.paste(block, (2 * GAP, top), block)
        top += block.height + 2 * GAP
    return page


def _heading(text: str) -> Image.Image:
    image = Image.new("RGBA", (16 * max(len(text), 1), 30))
    ImageDraw.Draw(image).text((0, 2), text, fill="black", font=ImageFont.load_default(22))
    return image


def _words_image(probabilities: np.ndarray, alphabet: str | None, columns: int) -> Image.Image:
    count, length, _ = probabilities.shape
    columns = max(1, min(columns, count))
    wide = length * CELL + 2 * GAP
    image = Image.new("RGBA", (columns * wide, -(-count // columns) * LINE))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(24)
    for index, word in enumerate(probabilities):
        row, column = divmod(index, columns)
        for place, symbol in enumerate(word):
            code, shade = int(symbol.argmax()), int(200 * (1 - float(symbol.max())))
            letter = str(code) if alphabet is None else alphabet[code]
            draw.text(
                (column * wide + (place + 0.5) * CELL, (row + 0.5) * LINE),
                letter,
                fill=(shade, shade, shade, 255),
                font=font,
                anchor="mm",
            )
    return image


def _symbol(code: int, alphabet: str | None) -> str:
    symbol = str(code) if alphabet is None else alphabet[code]
    return f'<i aria-hidden="true">{SPACE}</i>' if symbol == " " else escape(symbol)


def _enlarged(picture: np.ndarray, zoom: int) -> Image.Image:
    pixels = np.round(255 * np.clip(np.nan_to_num(picture), 0, 1)).astype(np.uint8)
    pixels = np.repeat(pixels, 3, axis=0) if len(pixels) == 1 else pixels
    return Image.fromarray(pixels.transpose(1, 2, 0).repeat(zoom, 0).repeat(zoom, 1))


def _bars(values: np.ndarray, limit: float | None = None) -> np.ndarray:
    """Values [n, d] as bars up (orange) and down (blue) from a grey line: [n, 3, STRIP, BREADTH].

    One scale for all: a bar of `limit`, by default the longest, reaches the edge.
    """
    parts = np.array_split(values, min(values.shape[1], MOST_BARS), axis=1)
    values = np.stack([part.mean(1) for part in parts], 1)
    values = values[:, np.arange(BREADTH) * len(parts) // BREADTH]
    top = float(np.abs(values).max(initial=0)) if limit is None else limit
    reach = values / max(top, 1e-6)
    height = (np.linspace(1, -1, STRIP) * (1 - 1 / STRIP))[:, None]
    filled = np.where(height > 0, height <= reach[:, None], height >= reach[:, None])
    colours = _diverging(np.sign(values))[:, :, None]
    pictures = np.where(filled[:, None], colours, 1.0)
    pictures[:, :, STRIP // 2] = np.minimum(pictures[:, :, STRIP // 2], 0.8)
    return pictures


def _diverging(values: np.ndarray, top: float | None = None) -> np.ndarray:
    """Values [n, d] as blue (negative), white and orange (positive): [n, 3, d].

    Full colour at `top`, by default the largest size among the values.
    """
    top = float(np.abs(values).max(initial=0)) if top is None else top
    strength = np.clip(values / max(top, 1e-6), -1, 1)[:, None]
    orange, blue = np.array([0.90, 0.62, 0.0]), np.array([0.0, 0.45, 0.70])
    end = np.where(strength > 0, orange[None, :, None], blue[None, :, None])
    return (1 - np.abs(strength)) + np.abs(strength) * end


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
