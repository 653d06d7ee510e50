"""Makes what carries `data-way` lead to a page of the same session, like the navigation does.

`data-way` is the page's place in the navigation. With `data-set`, which names a state, Python sets
that first; else nothing is asked of it.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from ui import components

KEY, _TURN = "ways_answer", "_ways_turn"
_WAYS = components.load(Path(__file__).parent)


def ways_answer(prepare: Callable[[str], int]) -> None:
    """Once a page; `prepare` sets the state of a `data-set` and tells to which page to go."""

    def answer() -> None:
        name = st.session_state[KEY].go
        if name is not None:
            turn, _ = st.session_state.get(_TURN, (0, 0))
            st.session_state[_TURN] = (turn + 1, prepare(str(name)))

    turn, page = st.session_state.get(_TURN, (0, 0))
    _WAYS(key=KEY, data={"turn": turn, "page": page}, on_go_change=answer, height=1)
