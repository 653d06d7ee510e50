"""Makes the cards of `views.items_grid` answer a click, and a map glide when its mask changes."""

from pathlib import Path

import streamlit as st

from ui import components
from ui.shell import state

KEY = "touch"
_TOUCH = components.load(Path(__file__).parent)


def items_answer(glide: str = "") -> None:
    """Once a page, after its map: a click on a card takes that item everywhere.

    `glide` is the label of the map's glide button, to be pressed once when it first appears.
    """
    _TOUCH(key=KEY, data={"glide": glide}, on_item_change=_take, height=1)


def _take() -> None:
    item = st.session_state[KEY].item
    if item is not None:
        state.take_item(int(item))
