"""What a kind of modality looks like, wherever a page shows it. Knows nothing of Streamlit."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from mmvae_core.modalities.kind import Kind
from ui.kinds.pictures import Tiled, diverging, picture_html, sheet_row, sprite, tile, uri

DRAW, UPLOAD, CAMERA, TYPE, TABLE = "draw", "upload", "camera", "type", "table"
"""How a visitor may give a value."""
DIFFERENCE = 190
"""Widest a difference is drawn, in pixels."""


@dataclass(frozen=True)
class View(ABC):
    """The look of one modality's values: arrays in, HTML, pictures and plain JSON out.

    Values [n, ...] are stored ones, or means E[x | z]. `units` [2, *shape] are mean and standard
    deviation of the training items, where entries have units of their own.
    """

    kind: Kind
    units: np.ndarray | None = None
    ways: ClassVar[tuple[str, ...]]
    """How a visitor may give one, the first where none is chosen."""
    is_text: ClassVar[bool] = False
    """Whether it is shown as text, below the pictures of an item."""
    is_ground: ClassVar[bool] = False
    """Whether its values, side by side, make the ground of a plane."""

    @property
    def name(self) -> str:
        """The modality's name."""
        return self.kind.modality.name

    look: ClassVar[str]
    """How `components/shared/paint.js` draws it: `pictures`, `bars`, `words` or `answers`."""

    @property
    def told(self) -> dict[str, Any]:
        """What a browser needs to draw values [n, *shape] itself, as plain JSON."""
        return {
            "name": self.name,
            "look": self.look,
            "shape": list(self.kind.modality.shape),
            "alphabet": self.kind.alphabet,
        }

    @property
    def hint(self) -> str:
        """What to give, in an empty field."""
        return ""

    @abstractmethod
    def html(
        self,
        values: np.ndarray,
        columns: int,
        alt: str,
        right: np.ndarray | None = None,
        widest: int | None = None,
    ) -> str:
        """Values as one block, in rows of `columns`; `right` bool [n] marks the well spelt ones."""

    @abstractmethod
    def small(self, value: np.ndarray, alt: str) -> str:
        """One value, small."""

    @abstractmethod
    def card(self, draws: np.ndarray, roomy: bool) -> dict[str, Any]:
        """Draws [draw, node, *shape] for the lattice's cards: one draw of each node, or four."""

    @abstractmethod
    def row(self, draws: np.ndarray) -> dict[str, Any]:
        """Draws [draw, node, *shape] in the same form, all those of a node in a row."""

    @abstractmethod
    def plane(self, values: np.ndarray, columns: int) -> dict[str, Any]:
        """Values on a grid [row * column, ...], for the plane's component."""

    @abstractmethod
    def exact(self, value: np.ndarray, grid: np.ndarray) -> Any:
        """One value in the same form, its colours those of the grid."""

    @abstractmethod
    def strip(self, values: np.ndarray, limit: float, alt: str) -> str:
        """What a latent changes: values [step, ...], the largest size among all being `limit`."""

    @abstractmethod
    def apart(self, difference: np.ndarray) -> np.ndarray:
        """A difference of two means [*shape] as a plane [height, width]."""

    @abstractmethod
    def sheet(self, values: np.ndarray, columns: int) -> Image.Image:
        """Values for a sheet to download."""

    def axis(self, items: np.ndarray) -> tuple[str, np.ndarray] | None:
        """A number of each stored item that an axis of a map may follow, and its name."""
        return None

    def difference_html(self, difference: np.ndarray, top: float, alt: str) -> str:
        """A signed difference [*shape]: orange more, blue less, full colour at `top`."""
        flat = self.apart(difference)
        colours = diverging(flat.reshape(1, -1), top).reshape(1, 3, *flat.shape)
        return picture_html(tile(colours, 1), alt, DIFFERENCE)


class Drawn(View):
    """Base of what is drawn as a picture."""

    @property
    def told(self) -> dict[str, Any]:
        """Also how wide it is beside a plane."""
        return super().told | {"wide": self.wide}

    zoom: ClassVar[int]
    """How many pixels a cell takes."""
    wide: ClassVar[int]
    """How wide it is beside a plane, in pixels."""

    @abstractmethod
    def pictures(self, values: np.ndarray, limit: float | None = None) -> np.ndarray:
        """Values as pictures [n, channel, height, width] in 0..1.

        Where size is drawn as length, `limit` is full length, by default the largest among them.
        """

    def tiles(self, values: np.ndarray, columns: int) -> Tiled:
        """Values as one picture."""
        return tile(self.pictures(values), columns, self.zoom)

    def html(
        self,
        values: np.ndarray,
        columns: int,
        alt: str,
        right: np.ndarray | None = None,
        widest: int | None = None,
    ) -> str:
        """One picture of them all."""
        return picture_html(self.tiles(values, columns), alt, widest)

    def small(self, value: np.ndarray, alt: str) -> str:
        """At twice its size."""
        return picture_html(tile(self.pictures(value[None]), 1, zoom=2), alt)

    def card(self, draws: np.ndarray, roomy: bool) -> dict[str, Any]:
        """One draw a node, or two by two, side by side in one picture."""
        cells = self._cells(draws)
        ratio = self.ratio(cells.shape[2] / cells.shape[3], roomy)
        return {"name": self.name, "sheet": sheet_row(cells), "ratio": ratio, "words": None}

    def row(self, draws: np.ndarray) -> dict[str, Any]:
        """The rows of all nodes side by side in one picture."""
        cells = np.concatenate(list(self._by_node(draws)), -1)
        ratio = round(cells.shape[2] / cells.shape[3], 3)
        return {"name": self.name, "sheet": sheet_row(cells), "ratio": ratio, "words": None}

    def ratio(self, own: float, roomy: bool) -> float:
        """Height by width on a card."""
        return round(own, 3)

    def plane(self, values: np.ndarray, columns: int) -> dict[str, Any]:
        """All in one picture without gaps."""
        pictures = self.pictures(values)
        height, width = pictures.shape[-2:]
        return {
            "name": self.name,
            "sprite": sprite(pictures, columns),
            "width": width,
            "height": height,
            "wide": self.wide,
        }

    def exact(self, value: np.ndarray, grid: np.ndarray) -> str:
        """The picture's address."""
        return uri(self.pictures(value[None], float(np.abs(grid).max(initial=0)))[0], "PNG")

    def sheet(self, values: np.ndarray, columns: int) -> Image.Image:
        """As on the page."""
        return self.tiles(values, columns).image

    def _cells(self, draws: np.ndarray) -> np.ndarray:
        """One picture a node [node, channel, height, width]."""
        pictures = self._by_node(draws)
        if len(pictures) < 4:
            return pictures[0]
        rows = [
            np.concatenate([pictures[one], pictures[other]], -1) for one, other in ((0, 1), (2, 3))
        ]
        return np.concatenate(rows, -2)

    def _by_node(self, draws: np.ndarray) -> np.ndarray:
        """Pictures [draw, node, channel, height, width]."""
        count, nodes = draws.shape[:2]
        pictures = self.pictures(draws.reshape(count * nodes, *draws.shape[2:]))
        return pictures.reshape(count, nodes, *pictures.shape[1:])
