"""Numbers as bars up and down from a line."""

from typing import Any, ClassVar

import numpy as np

from ui.kinds.pictures import diverging, picture_html, tile
from ui.kinds.view import TABLE, Drawn

COLUMNS = 2
"""Bars are broader than a picture of the same height: fewer in a row, each less enlarged."""
HEIGHT, BREADTH = 40, 120
"""Of all bars of a value together, in cells, however many there are."""
EDGE = 3.0
"""Standard deviations that a bar may show."""
MOST_BARS = 60
"""A longer vector is drawn by means of neighbouring entries."""


class BarsView(Drawn):
    """Orange bars up and blue ones down; all values of a block on one scale.

    A missing entry has no bar. Where entries have units of their own bars count in the training
    items' standard deviations from their mean, the edge being three.
    """

    ways = (TABLE,)
    look = "bars"
    limit: ClassVar[float | None] = None
    """What reaches the edge, if it is always the same."""
    zoom, wide = 2, 300

    @property
    def told(self) -> dict[str, Any]:
        """Also what the bars count in."""
        units = None if self.units is None else self.units.reshape(2, -1).tolist()
        return super().told | {"units": units, "limit": self.limit}

    def pictures(self, values: np.ndarray, limit: float | None = None) -> np.ndarray:
        """Bars; one of `limit` reaches the edge."""
        numbers = self.kind.plain(values)
        if self.units is not None:
            numbers, limit = (numbers - self.units[0]) / self.units[1], EDGE
        return bars(numbers.reshape(len(values), -1), limit)

    def difference_html(self, difference: np.ndarray, top: float, alt: str) -> str:
        """Where entries have units of their own, full colour is three standard deviations."""
        if self.units is not None:
            difference, top = difference / self.units[1], EDGE
        return super().difference_html(difference, top, alt)

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


class SharesView(BarsView):
    """Bars from 0 to 1, a whole one at the edge."""

    limit = 1.0

    def pictures(self, values: np.ndarray, limit: float | None = None) -> np.ndarray:
        """One is the longest that can be."""
        return super().pictures(values, self.limit)


def bars(values: np.ndarray, limit: float | None = None) -> np.ndarray:
    """Values [n, d] as bars up (orange) and down (blue) from a grey line.

    [n, 3, HEIGHT, BREADTH]; a bar of `limit`, by default the longest of all, reaches the edge.
    """
    values = np.nan_to_num(values, nan=0.0)
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
