"""The lattice of subsets: cards joined by edges, and the posteriors of all of them in the plane.

A click, Enter or the keys 1..M send a mask; arrow keys move along edges. Given
`data = {"lattice": lattice_cards.payload(..), "stamp": its identity, "lit": "101"}`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ui import components

_LATTICE = components.load(Path(__file__).parent, "plane.js")


def lattice(data: dict[str, Any], key: str, on_mask: Callable[[], None]) -> None:
    """Draw it; `on_mask` is called when `st.session_state[key].mask` is a newly chosen mask."""
    _LATTICE(key=key, data=data, on_mask_change=on_mask)
