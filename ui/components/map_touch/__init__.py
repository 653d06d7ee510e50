"""Maps answer: a click chooses the item, a pointer over a point shows its pictures.

Zoomed in, pictures stand in place of dots. On a narrow screen the page scrolls over a map until its
button is pressed. The figures stay as they are: ring and pictures lie over them.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from ui import components

KEY = "map_touch"
_TOUCH = components.load(Path(__file__).parent, "places.js")


def maps_answer(
    charts: Sequence[str],
    item: int,
    thumbnails: Mapping[str, Any],
    take: Callable[[int], None],
    lack_webgl: Callable[[], None],
) -> None:
    """Once a page, after its maps, whose keys are `charts`; `take` is called with a clicked item.

    `lack_webgl` is called where a map is drawn by WebGL and the browser has none.

    `thumbnails`: `sheets`, a list of `name`, `url`, `columns`, `width`, `height`, and `texts`, by
    name a text an item.
    """

    def answer() -> None:
        chosen = st.session_state[KEY].item
        if chosen is not None:
            take(int(chosen))

    _TOUCH(
        key=KEY,
        data={"charts": list(charts), "item": item, **thumbnails},
        on_item_change=answer,
        on_lacks_change=lack_webgl,
    )
