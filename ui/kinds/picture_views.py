"""Pictures as they are, on one scale from black to white."""

import numpy as np

from ui.kinds.pictures import ZOOM, picture_html, tile
from ui.kinds.view import CAMERA, DRAW, UPLOAD, Drawn

STRIP = 420
"""Widest a row of steps is drawn, in pixels."""


class PictureView(Drawn):
    """Base of grey and colour."""

    look = "pictures"
    zoom, wide = ZOOM, 190
    is_ground = True

    def pictures(self, values: np.ndarray, limit: float | None = None) -> np.ndarray:
        """Cut to 0..1."""
        return np.clip(self.kind.plain(values), 0, 1)

    def strip(self, values: np.ndarray, limit: float, alt: str) -> str:
        """Every step."""
        return picture_html(tile(self.pictures(values), len(values), zoom=1), alt, STRIP)

    def apart(self, difference: np.ndarray) -> np.ndarray:
        """The mean over colours."""
        return difference.mean(0)

    def axis(self, items: np.ndarray) -> tuple[str, np.ndarray]:
        """Brightness."""
        return f"how bright {self.name} is", items.reshape(len(items), -1).mean(1)


class GreyView(PictureView):
    """Handwriting, which can be drawn."""

    ways = (DRAW, UPLOAD)


class ColourView(PictureView):
    """Photos; uploaded first, as a camera asks before it looks."""

    ways = (UPLOAD, CAMERA)
