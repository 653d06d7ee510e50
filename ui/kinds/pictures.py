"""From arrays to pictures as PNG and HTML. Pure: knows nothing of Streamlit or torch."""

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ZOOM, GAP = 4, 6
QUALITY = 90
"""Of colour sprites as JPEG: a fifth of the size of a PNG. Exact places are sent as PNG."""


@dataclass(frozen=True)
class Tiled:
    """One picture made of many."""

    image: Image.Image

    @property
    def png(self) -> bytes:
        """As a file's bytes."""
        return png(self.image)

    @property
    def width(self) -> int:
        """In pixels."""
        return self.image.width

    @property
    def uri(self) -> str:
        """The picture inside an address, so that no further request is made."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


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
    return Tiled(canvas)


def picture_html(tiled: Tiled, alt: str, widest: int | None = None) -> str:
    """An <img> no wider than its place or `widest` pixels, with its text alternative."""
    style = f"max-width:{widest}px" if widest else f"max-width:{tiled.width}px"
    return f'<img class="tiles" style="{style}" src="{tiled.uri}" alt="{escape(alt)}">'


def sprite(pictures: np.ndarray, columns: int) -> str:
    """Pictures [n, c, h, w] in 0..1, side by side without gaps, as an address."""
    count, channels, height, width = pictures.shape
    rows = count // columns
    table = pictures.reshape(rows, columns, channels, height, width).transpose(2, 0, 3, 1, 4)
    whole = table.reshape(channels, rows * height, columns * width)
    return uri(whole, "PNG" if channels == 1 else "JPEG")


def sheet_row(cells: np.ndarray) -> str:
    """Pictures [n, c, h, w] in a row as the address of a PNG."""
    return (
        "data:image/png;base64,"
        + base64.b64encode(png(_enlarged(np.concatenate(list(cells), -1), 1))).decode()
    )


def uri(picture: np.ndarray, form: str) -> str:
    """A picture [c, h, w] in 0..1 as an address, PNG or JPEG."""
    pixels = np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    buffer = io.BytesIO()
    options = {"quality": QUALITY, "subsampling": 0} if form == "JPEG" else {"compress_level": 3}
    image.save(buffer, form, **options)
    return f"data:image/{form.lower()};base64," + base64.b64encode(buffer.getvalue()).decode()


def diverging(values: np.ndarray, top: float | None = None) -> np.ndarray:
    """Values [n, d] as blue (negative), white and orange (positive): [n, 3, d].

    Full colour at `top`, by default the largest size among the values.
    """
    top = float(np.abs(values).max(initial=0)) if top is None else top
    strength = np.clip(values / max(top, 1e-6), -1, 1)[:, None]
    orange, blue = np.array([0.90, 0.62, 0.0]), np.array([0.0, 0.45, 0.70])
    end = np.where(strength > 0, orange[None, :, None], blue[None, :, None])
    return (1 - np.abs(strength)) + np.abs(strength) * end


def stacked(parts: Iterable[tuple[str, Image.Image]]) -> bytes:
    """Headings and pictures as one PNG on white, to download."""
    blocks = [block for name, image in parts for block in (_heading(name), image)]
    width = max((block.width for block in blocks), default=1) + 4 * GAP
    height = sum(block.height + 2 * GAP for block in blocks) + 2 * GAP
    page, top = Image.new("RGB", (width, height), "white"), 2 * GAP
    for block in blocks:
        page.paste(block, (2 * GAP, top), block)
        top += block.height + 2 * GAP
    return png(page)


def png(image: Image.Image) -> bytes:
    """The bytes of a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _heading(text: str) -> Image.Image:
    image = Image.new("RGBA", (16 * max(len(text), 1), 30))
    ImageDraw.Draw(image).text((0, 2), text, fill="black", font=ImageFont.load_default(22))
    return image


def _enlarged(picture: np.ndarray, zoom: int) -> Image.Image:
    pixels = np.round(255 * np.clip(np.nan_to_num(picture), 0, 1)).astype(np.uint8)
    pixels = np.repeat(pixels, 3, axis=0) if len(pixels) == 1 else pixels
    return Image.fromarray(pixels.transpose(1, 2, 0).repeat(zoom, 0).repeat(zoom, 1))
