"""What the page Learn keeps in the session and in the address: the card at hand and the answers.

Of a visitor who comes back from another page the session knows more than the address, which is then
written anew; else the address is the truth, so that a link and the browser's way back are followed.
"""

import re
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from ui.shell import state

CARD, ANSWERS, DEPTH, ROOM = "card", "answers", "depth", "room"
MOST_TEXT = 4_000
_AT, _GIVEN, _OWN = "_card", "_answers", "_answered_here"

LIT = "lit"
"""What a card's door lights on the page that it opens, by its key."""
_OUTLINE = "outline: 3px solid #d55e00; outline-offset: 6px; border-radius: 8px;"

Answer = tuple[float, ...]
"""A choice counted from 1, a number, or the five numbers of an ellipse."""
Valid = Callable[[Answer], bool]


def card(ids: Sequence[str]) -> str:
    """The card at hand, which the address then names."""
    state.check_link(CARD, state.is_among(ids), f"one of {', '.join(ids)}")
    given = st.query_params.get(CARD, "")
    chosen = given if given in ids else st.session_state.get(_AT, "")
    chosen = chosen if chosen in ids else ids[0]
    st.session_state[_AT] = chosen
    if given != chosen:
        st.query_params[CARD] = chosen
    return chosen


def go(to: str) -> None:
    """Go to a card. For callbacks."""
    st.session_state[_AT] = st.query_params[CARD] = to
    state.forget_notes()


def answers(valid: Mapping[str, Valid]) -> dict[str, Answer]:
    """What the visitor predicted, by card: of this session, at its start those of the link."""
    if _GIVEN not in st.session_state:
        text = st.query_params.get(ANSWERS, "")
        predictions = from_text(text, valid)
        state.check_link(
            ANSWERS, lambda given: to_text(predictions) == given[-1], "CARD:NUMBER,CARD:NUMBER"
        )
        st.session_state[_GIVEN] = predictions
    _write()
    return dict(st.session_state[_GIVEN])


def answer(to: str, value: Answer) -> None:
    """Keep a prediction. For callbacks."""
    st.session_state[_GIVEN] = {**st.session_state.get(_GIVEN, {}), to: value}
    st.session_state[_OWN] = {*st.session_state.get(_OWN, ()), to}
    state.forget_notes()


def take_back(to: str) -> None:
    """Forget a prediction, so that the card asks again. For callbacks."""
    st.session_state.get(_GIVEN, {}).pop(to, None)


def is_own(to: str) -> bool:
    """Whether this session has predicted on the card; else its prediction came with the link."""
    return to in st.session_state.get(_OWN, ())


def light(where: str) -> None:
    """An outline around what a selector names; gone with the page that draws it."""
    st.html(f"<style>{where} {{ {_OUTLINE} }}</style>")


def light_as_linked() -> None:
    """Light what the door of a card named in the link, on the page that it opened."""
    if re.fullmatch(r"[a-z][a-z0-9_-]{0,59}", named := st.query_params.get(LIT, "")):
        light(f".st-key-{named}")


def from_text(text: str, valid: Mapping[str, Valid]) -> dict[str, Answer]:
    """Answers as the address has them; what means nothing is left out."""
    predictions: dict[str, Answer] = {}
    for part in text[:MOST_TEXT].split(","):
        name, _, numbers = part.partition(":")
        try:
            value = tuple(float(one) for one in numbers.split(";"))
        except ValueError:
            continue
        if name in valid and valid[name](value):
            predictions[name] = value
    return predictions


def to_text(predictions: Mapping[str, Answer]) -> str:
    """Answers as the address has them."""
    return ",".join(
        f"{name}:{';'.join(f'{one:g}' for one in value)}" for name, value in predictions.items()
    )


def _write() -> None:
    text = to_text(st.session_state[_GIVEN])
    if st.query_params.get(ANSWERS, "") == text:
        return
    if text:
        st.query_params[ANSWERS] = text
    else:
        st.query_params.pop(ANSWERS, None)
