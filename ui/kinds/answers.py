"""Categories as names: the likeliest answer to each question, paler where the model is unsure."""

from html import escape
from typing import Any

import numpy as np

from mmvae_core.modalities.categories import BETWEEN
from ui.kinds.words import PALEST, WordsView

SHORT = 8
"""Letters of a name where there is little room."""


class AnswersView(WordsView):
    """A name for each question."""

    look = "answers"

    @property
    def hint(self) -> str:
        """Which names, or numbers, and how many."""
        count, names = self.kind.item[0], self.kind.alphabet
        if names is None:
            return super().hint
        known = BETWEEN.join(list(names)[:6]) + (" …" if len(names) > 6 else "")
        return known if count == 1 else f"{count} of {known}, between commas"

    def card(self, draws: np.ndarray, roomy: bool) -> dict[str, Any]:
        """Short names by node."""
        nodes = [
            [self._short(codes) for codes in self.kind.stored(one)] for one in draws.swapaxes(0, 1)
        ]
        return {"name": self.name, "sheet": None, "ratio": 1, "words": nodes}

    def _short(self, codes: np.ndarray) -> str:
        return " ".join(self.kind.sign(code)[:SHORT] for code in codes)

    def _word(self, word: np.ndarray, right: bool = False) -> str:
        """One value [question, answer]."""
        (codes,), said = self.kind.stored(word[None]), []
        for code, share in zip(codes, word.max(-1), strict=True):
            opacity = PALEST + (1 - PALEST) * float(share)
            said.append(
                f'<span style="opacity:{opacity:.2f}">{escape(self.kind.sign(code))}</span>'
            )
        (text,) = self.kind.texts(word[None])
        mark = " right" if right else ""
        return f'<span class="word answers{mark}" role="img" aria-label="{escape(text)}">{" ".join(said)}</span>'

    def _cell(self, word: np.ndarray) -> list[Any]:
        """The likeliest answers, short, and how dark they are."""
        shades = [round(PALEST + (1 - PALEST) * float(share), 2) for share in word.max(-1)]
        return [[self.kind.sign(code)[:SHORT] for code in self.kind.stored(word[None])[0]], shades]
