"""What pages write into the address themselves: a drawing, the place on a plane."""

import streamlit as st

from mmvae_core.errors import DataError
from mmvae_core.modalities.strokes import from_text
from ui.shell import state

PLACE = "at"
_DRAWN, _PLANE = "_drawn_", "_plane"


def own(name: str) -> str:
    """The key, and the query parameter, of the visitor's own input for a modality."""
    return f"own_{name}"


def drawn(name: str) -> str:
    """The visitor's drawing for a modality as text: of this session, else of the link, else ''.

    What in the link is no drawing is noted and dropped.
    """
    kept = st.session_state.get(_DRAWN + name)
    if kept is None:
        text = st.query_params.get(own(name), "")
        kept = text if _is_drawing([text]) else ""
        state.check_link(own(name), _is_drawing, "a drawing")
        st.session_state[_DRAWN + name] = kept
    return kept


def keep_drawn(name: str, text: str) -> None:
    """Hold a drawing over page switches and put it into the address."""
    st.session_state[_DRAWN + name] = text
    if st.query_params.get(own(name), "") != text:
        if text:
            st.query_params[own(name)] = text
        else:
            st.query_params.pop(own(name), None)


def place(plane: str) -> tuple[float, float] | None:
    """The place on a plane that the link names; none where the visitor has come from another."""
    changed = st.session_state.get(_PLANE, plane) != plane
    st.session_state[_PLANE] = plane
    if changed:
        return None
    state.check_link(PLACE, _is_place, "two numbers from -1 to 1")
    text = st.query_params.get(PLACE, "")
    if not _is_place([text]):
        return None
    across, up = map(float, text.split(","))
    return across, up


def keep_place(where: tuple[float, float] | None) -> None:
    """Put the place on the plane into the address."""
    if where is None:
        st.query_params.pop(PLACE, None)
    else:
        st.query_params[PLACE] = ",".join(f"{number:g}" for number in where)


def _is_place(given: list[str]) -> bool:
    parts = given[-1].split(",") if given else []
    return len(parts) == 2 and all(state.is_number(-1, 1)([part]) for part in parts)


def _is_drawing(given: list[str]) -> bool:
    try:
        return bool(from_text(given[-1] if given else "")) or not any(given)
    except DataError:
        return False
