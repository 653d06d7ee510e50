"""Symbols as text: the likeliest at each position, paler where the model is unsure."""

from html import escape
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmvae_core.modalities.symbols import Symbols
from ui.kinds.pictures import GAP
from ui.kinds.view import TYPE, View

SPACE = "·"
CELL, LINE = 22, 34
PALEST = 0.62
"""Opacity of a symbol that the model is quite unsure of; still 4.5:1 on both grounds."""


class WordsView(View):
    """A word a value."""

    kind: Symbols
    ways = (TYPE,)
    look = "words"
    is_text = True

    @property
    def hint(self) -> str:
        """Which symbols, or numbers, and how many."""
        (length,), alphabet = self.kind.item, self.kind.alphabet
        if alphabet is None:
            return f"{length} whole numbers from 0 to {self.kind.signs - 1}"
        return f"up to {length} of {''.join(alphabet).strip()}"

    def html(
        self,
        values: np.ndarray,
        columns: int,
        alt: str,
        right: np.ndarray | None = None,
        widest: int | None = None,
    ) -> str:
        """Words as tiles, as many in a row as have room, each with its own text for readers."""
        marks = np.zeros(len(values), bool) if right is None else right
        words = map(self._word, self.kind.means(values), marks)
        return f'<div class="words">{"".join(words)}</div>'

    def small(self, value: np.ndarray, alt: str) -> str:
        """A word."""
        return self._word(self.kind.means(value[None])[0])

    def card(self, draws: np.ndarray, roomy: bool) -> dict[str, Any]:
        """Words by node."""
        nodes = [self.kind.texts(one) for one in draws.swapaxes(0, 1)]
        return {"name": self.name, "sheet": None, "ratio": 1, "words": nodes}

    def row(self, draws: np.ndarray) -> dict[str, Any]:
        """Words by node."""
        return self.card(draws, roomy=True)

    def plane(self, values: np.ndarray, columns: int) -> dict[str, Any]:
        """A cell a place."""
        cells = [self._cell(one) for one in self.kind.means(values)]
        return {"name": self.name, "length": self.kind.modality.shape[0], "cells": cells}

    def exact(self, value: np.ndarray, grid: np.ndarray) -> list[Any]:
        """A cell."""
        return self._cell(self.kind.means(value[None])[0])

    def strip(self, values: np.ndarray, limit: float, alt: str) -> str:
        """The first, the middle and the last."""
        return self.html(values[:: len(values) // 2], 3, alt)

    def apart(self, difference: np.ndarray) -> np.ndarray:
        """A row a position, a column a symbol."""
        return difference

    def sheet(self, values: np.ndarray, columns: int) -> Image.Image:
        """Words in half as many columns."""
        words = self.kind.means(values)
        columns = max(1, min(columns // 2, len(words)))
        wide = words.shape[1] * CELL + 2 * GAP
        image = Image.new("RGBA", (columns * wide, -(-len(words) // columns) * LINE))
        draw, font = ImageDraw.Draw(image), ImageFont.load_default(24)
        for index, word in enumerate(words):
            row, column = divmod(index, columns)
            for place, symbol in enumerate(word):
                shade = int(200 * (1 - float(symbol.max())))
                draw.text(
                    (column * wide + (place + 0.5) * CELL, (row + 0.5) * LINE),
                    self.kind.sign(symbol.argmax()),
                    fill=(shade, shade, shade, 255),
                    font=font,
                    anchor="mm",
                )
        return image

    def _word(self, word: np.ndarray, right: bool = False) -> str:
        """One word [length, symbols]."""
        shown = zip(word.argmax(-1), word.max(-1), strict=True)
        cells = "".join(
            f'<span style="opacity:{PALEST + (1 - PALEST) * float(share):.2f}">'
            f"{self._symbol(code)}</span>"
            for code, share in shown
        )
        (text,) = self.kind.texts(word[None])
        said = escape(text.strip()) or "only spaces"
        mark = " right" if right else ""
        return f'<span class="word{mark}" role="img" aria-label="{said}">{cells}</span>'

    def _symbol(self, code: int) -> str:
        symbol = self.kind.sign(code)
        return f'<i aria-hidden="true">{SPACE}</i>' if symbol == " " else escape(symbol)

    def _cell(self, word: np.ndarray) -> list[Any]:
        """The likeliest symbols and how dark they are."""
        shades = [round(PALEST + (1 - PALEST) * float(share), 2) for share in word.max(-1)]
        return [[self.kind.sign(code) for code in word.argmax(-1)], shades]
