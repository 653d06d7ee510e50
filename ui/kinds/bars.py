"""Numbers as bars up and down from a line."""

import numpy as np

from ui.kinds.pictures import diverging, picture_html, tile
from ui.kinds.view import TABLE, Drawn

COLUMNS = 2
"""Bars are broader than a picture of the same height: fewer in a row, each less enlarged."""
HEIGHT, BREADTH = 40, 120
"""Of all bars of a value together, in cells, however many there are."""
MOST_BARS = 60
"""A longer vector is drawn by means of neighbouring entries."""


class BarsView(Drawn):
    """Orange bars up and blue ones down; all values of a block on one scale."""

    ways = (TABLE,)
    zoom, wide = 2, 300

    def pictures(self, values: np.ndarray, limit: float | None = None) -> np.ndarray:
        """Bars; one of `limit` reaches the edge."""
        return bars(self.kind.plain(values).reshape(len(values), -1), limit)

    def html(
        self,
        values: np.ndarray,
        columns: int,
        alt: str,
        right: np.ndarray | None = None,
        widest: int | None = None,
    ) -> str:
        """At most two in a row."""
        return super().html(values, min(columns, COLUMNS), alt, right, widest)

    def ratio(self, own: float, roomy: bool) -> float:
        """Squeezed into a square where there is little room."""
        return super().ratio(own, roomy) if roomy else 1

    def strip(self, values: np.ndarray, limit: float, alt: str) -> str:
        """The first, the middle and the last, as bars are too broad for more."""
        pictures = self.pictures(values, limit)[:: len(values) // 2]
        drawn = (
            picture_html(tile(one[None], 1, self.zoom), text)
            for one, text in zip(pictures, (alt, "", ""), strict=True)
        )
        return f'<div class="bars">{"".join(drawn)}</div>'

    def apart(self, difference: np.ndarray) -> np.ndarray:
        """A stripe an entry."""
        return np.repeat(difference.reshape(1, -1), HEIGHT, 0)


def bars(values: np.ndarray, limit: float | None = None) -> np.ndarray:
    """Values [n, d] as bars up (orange) and down (blue) from a grey line.

    [n, 3, HEIGHT, BREADTH]; a bar of `limit`, by default the longest of all, reaches the edge.
    """
    parts = np.array_split(values, min(values.shape[1], MOST_BARS), axis=1)
    values = np.stack([part.mean(1) for part in parts], 1)
    values = values[:, np.arange(BREADTH) * len(parts) // BREADTH]
    top = float(np.abs(values).max(initial=0)) if limit is None else limit
    reach = values / max(top, 1e-6)
    height = (np.linspace(1, -1, HEIGHT) * (1 - 1 / HEIGHT))[:, None]
    filled = np.where(height > 0, height <= reach[:, None], height >= reach[:, None])
    colours = diverging(np.sign(values))[:, :, None]
    pictures = np.where(filled[:, None], colours, 1.0)
    pictures[:, :, HEIGHT // 2] = np.minimum(pictures[:, :, HEIGHT // 2], 0.8)
    return pictures
