"""A part of the latent space to drag in: all modalities at the speed of the pointer."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ui.components import decoding

_PLANE = decoding.load(Path(__file__).parent, "live.js")


def latent_plane(
    key: str, data: Mapping[str, Any], on_grid: Callable[[], None]
) -> tuple[float, float] | None:
    """Where the visitor has let go, each from -1 to 1; None before the first time.

    `data`: `id` (changes with the grid), `label`, `columns`, `rows`, `start` [2], `marks` (`at`,
    `label`), `ground` (a picture's address or None), `modalities` (each `name` and either
    `sprite`, `width`, `height`, `wide`, or `length` and `cells`), `exact_at` [2] or None, and
    `exact` (by name: a picture's address, or a cell). For a browser that decodes stands `live` in
    place of `ground`, `modalities` and what is exact: `weights`, `parts` as `View.told`, `origin`,
    `across` and `up` [latent]; where it cannot, `on_grid` is called.
    """
    state = _PLANE(key=key, data=dict(data), on_place_change=lambda: None, on_grid_change=on_grid)
    place = state["place"]
    return None if place is None else (float(place[0]), float(place[1]))
