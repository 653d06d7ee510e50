"""Generations on a grid in the form that the plane's component draws from. Pure."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from mmvae_core.config import ModalityConfig
from ui.kinds.pictures import PALEST, as_image, kind_of, probabilities_of, word_of

WIDE = {"image": 190, "vector": 300}
QUALITY = 90
"""Of colour sprites as JPEG: a fifth of the size of a PNG. Exact places are sent as PNG."""


def modality_data(
    values: np.ndarray, modality: ModalityConfig, alphabet: str | None, columns: int
) -> dict[str, Any]:
    """One modality [row * column, *shape] for `latent_plane`."""
    if kind_of(modality) == "symbols":
        cells = [word_cell(one, modality, alphabet) for one in values]
        return {"name": modality.name, "length": modality.shape[0], "cells": cells}
    pictures = as_image(values, modality)
    height, width = pictures.shape[-2:]
    return {
        "name": modality.name,
        "sprite": sprite(pictures, columns),
        "width": width,
        "height": height,
        "wide": WIDE[kind_of(modality)],
    }


def exact_data(
    value: np.ndarray, modality: ModalityConfig, alphabet: str | None, grid: np.ndarray
) -> Any:
    """One value [*shape] in the same form; strips keep the colours of the grid's."""
    if kind_of(modality) == "symbols":
        return word_cell(value, modality, alphabet)
    limit = float(np.abs(grid).max(initial=0))
    return _uri(_image(as_image(value[None], modality, limit)[0]), "PNG")


def word_cell(value: np.ndarray, modality: ModalityConfig, alphabet: str | None) -> list[Any]:
    """The likeliest symbols and their probabilities."""
    shares = probabilities_of(value[None], modality.shape[1])[0]
    symbols = [word_of(np.array([code]), alphabet) for code in shares.argmax(-1)]
    return [symbols, [round(PALEST + (1 - PALEST) * float(share), 2) for share in shares.max(-1)]]


def sprite(pictures: np.ndarray, columns: int) -> str:
    """Pictures [n, c, h, w] in 0..1, side by side without gaps, as an address."""
    count, channels, height, width = pictures.shape
    rows = count // columns
    table = pictures.reshape(rows, columns, channels, height, width).transpose(2, 0, 3, 1, 4)
    return _uri(
        _image(table.reshape(channels, rows * height, columns * width)),
        "PNG" if channels == 1 else "JPEG",
    )


def _image(picture: np.ndarray) -> Image.Image:
    pixels = np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    return Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))


def _uri(image: Image.Image, kind: str) -> str:
    buffer = io.BytesIO()
    options = {"quality": QUALITY, "subsampling": 0} if kind == "JPEG" else {"compress_level": 3}
    image.save(buffer, kind, **options)
    return f"data:image/{kind.lower()};base64," + base64.b64encode(buffer.getvalue()).decode()
