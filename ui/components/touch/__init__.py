"""Makes the cards of `views.items_grid` answer a click, and a map glide when its mask changes."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from ui import components

KEY = "touch"
_TOUCH = components.load(Path(__file__).parent)


def items_answer(take: Callable[[int], None], glide: str = "") -> None:
    """Once a page, after its map: a click on a card calls `take` with that item.

    `glide` is the label of the map's glide button, to be pressed once when it first appears.
    """

    def answer() -> None:
        item = st.session_state[KEY].item
        if item is not None:
            take(int(item))

    _TOUCH(key=KEY, data={"glide": glide}, on_item_change=answer, height=1)
