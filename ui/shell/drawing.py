"""How draws are made, and by whom: choices that come from a browser which decodes."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui.shell import state

COUNT, TEMPERATURE, PRIOR = "count", "temperature", "prior"
COUNTS = (4, 8, 16, 32, 64)
HOTTEST = 2.0
"""How many draws, and how hot, a visitor may choose them."""
_ON_SERVER = "_on_server"


def leave_decoding() -> None:
    """This visitor's browser does not decode: the server prepares what it would have made."""
    st.session_state[_ON_SERVER] = True


def leaves_decoding() -> bool:
    """Whether the browser has said so."""
    return _ON_SERVER in st.session_state


def prior_chosen(options: Sequence[str]) -> str:
    """From which of some priors a page draws once nothing is given, while something is."""
    asked = (st.session_state.get(PRIOR), st.query_params.get(PRIOR))
    return next((str(one) for one in asked if one in options), options[0])


def take_ways(chosen: Mapping[str, Any]) -> None:
    """Seed, number and temperature of the draws. For callbacks, before their widgets are drawn.

    What is out of bounds is left out: it comes from a browser.
    """
    seed, count, heat = (chosen.get(key) for key in (state.SEED, COUNT, TEMPERATURE))
    if isinstance(seed, int) and 0 <= seed <= state.MAX_SEED:
        st.session_state[state.SEED] = seed
    if str(count) in map(str, COUNTS):
        st.session_state[COUNT] = str(count)
    if isinstance(heat, int | float) and 0 <= heat <= HOTTEST:
        st.session_state[TEMPERATURE] = round(float(heat), 1)
    state.forget_notes()
