"""The items chosen on a map and the choices that were given a name, in session and address.

In the address items are one short word: `i` and their gaps in base 36, or `b` and a bit an item in
base 64, whichever is shorter.
"""

import base64
import binascii
import re
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import streamlit as st

from mmvae_core.store.study import Study
from ui.shell import state

CHOSEN, NAMED = "chosen", "set"
MOST_NAMED, LONGEST_NAME = 12, 30
_READ, _SETS, _CHOSEN, _LIT = "_chosen_read", "_sets", "_chosen", "_lit"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def to_text(ids: Sequence[int], count: int) -> str:
    """Different items, each below `count`, as a word for the address."""
    ordered = sorted(ids)
    gaps = np.diff([0, *ordered])
    listed = "i" + ".".join(_base36(int(gap)) for gap in gaps)
    kept = np.zeros(count, bool)
    kept[ordered] = True
    bits = base64.urlsafe_b64encode(np.packbits(kept).tobytes()).decode().rstrip("=")
    return min(listed, "b" + bits, key=len)


def from_text(text: str, count: int) -> tuple[int, ...]:
    """The items of such a word; ValueError where it is none, or names an item beyond `count`."""
    if re.fullmatch(r"i[0-9a-z]{1,6}(\.[0-9a-z]{1,6})*", text):
        ids = np.cumsum([int(gap, 36) for gap in text[1:].split(".")]).tolist()
    elif text.startswith("b") and len(text) <= count // 6 + 8:
        ids = np.flatnonzero(np.unpackbits(_bytes(text[1:]))).tolist()
    else:
        ids = []
    if not ids or max(ids) >= count or len(set(ids)) != len(ids):
        raise ValueError(
            f"{text[:40]!r} names no different items from 0 to {count - 1}; copy the whole link."
        )
    return tuple(ids)


def settle(study: Study, count: int) -> None:
    """By the frame: at a session's start take choices from the link, then write them into it."""
    if _READ not in st.session_state:
        st.session_state[_READ] = True
        expected = "items as a map's link names them"
        state.check_link(CHOSEN, lambda given: _are_items(given, count), expected)
        state.check_link(NAMED, lambda given: _are_items(given, count, named=True), expected)
        given = st.query_params.get(CHOSEN, "")
        if given and _are_items([given], count):
            choose(study, from_text(given, count))
        words = st.query_params.get_all(NAMED)[:MOST_NAMED]
        for name, word in (_parts(one) for one in words):
            if name and _are_items([word], count):
                _sets(study)[name] = from_text(word, count)
    ids = chosen(study)
    _write(CHOSEN, [to_text(ids, count)] if ids else [])
    _write(NAMED, [f"{name}~{to_text(ids, count)}" for name, ids in named(study).items()])


def named(study: Study) -> Mapping[str, tuple[int, ...]]:
    """The study's choices that have a name, in the order in which they got it."""
    return _sets(study)


def chosen(study: Study) -> tuple[int, ...]:
    """The items of the study that were chosen on a map, the same on every map and page."""
    return st.session_state.get(_CHOSEN, {}).get(study.name, ())


def choose(study: Study, ids: Sequence[int], chart: str | None = None) -> None:
    """Choose items. The chart on which that was done stays as it is, the others are redrawn."""
    st.session_state.setdefault(_CHOSEN, {})[study.name] = tuple(sorted(set(ids)))
    for name, (turn, _, _) in st.session_state.setdefault(_LIT, {}).items():
        if name != chart:
            st.session_state[_LIT][name] = (turn + 1, None, ())


def lit(study: Study, chart: str, frame: Hashable) -> tuple[int, tuple[int, ...]]:
    """How often the chart was redrawn for a choice, and the items that its figure shows as chosen.

    Those are the ones of when `frame` (all else that the figure depends on) last changed: a figure
    must not change while points are chosen on it, else the chart is made anew and loses its view.
    """
    held = st.session_state.setdefault(_LIT, {})
    turn, seen, ids = held.get(chart, (0, None, ()))
    if seen != (study.name, frame):
        ids = chosen(study)
        held[chart] = (turn, (study.name, frame), ids)
    return turn, ids


def keep(study: Study, name: str) -> None:
    """Give the present choice a name; one of that name is replaced, beyond 12 the oldest goes."""
    name = " ".join(name.replace("~", " ").split())[:LONGEST_NAME]
    ids, sets = chosen(study), _sets(study)
    if not name or not ids:
        return
    sets.pop(name, None)
    sets[name] = ids
    while len(sets) > MOST_NAMED:
        del sets[next(iter(sets))]


def forget(study: Study, name: str) -> None:
    """A name is no longer kept; the choice stays."""
    _sets(study).pop(name, None)


def _sets(study: Study) -> dict[str, tuple[int, ...]]:
    return st.session_state.setdefault(_SETS, {}).setdefault(study.name, {})


def _write(key: str, words: list[str]) -> None:
    """Only what differs is written: each writing is a step in the browser's history."""
    if st.query_params.get_all(key) != words:
        if words:
            st.query_params[key] = words
        else:
            del st.query_params[key]


def _are_items(given: Sequence[str], count: int, named: bool = False) -> bool:
    try:
        for one in given:
            from_text(_parts(one)[1] if named else one, count)
    except ValueError:
        return False
    return True


def _parts(one: str) -> tuple[str, str]:
    name, _, word = one.partition("~")
    return name[:LONGEST_NAME], word


def _bytes(text: str) -> np.ndarray:
    """What base 64 stands for, nothing where it is none."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except binascii.Error:
        return np.zeros(0, np.uint8)
    return np.frombuffer(content, np.uint8)


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
