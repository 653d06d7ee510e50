"""The one place that reads and writes the session and the address.

Every choice is a widget in the frame, bound to the query parameter of its own name; so it
survives a page switch, a reload and a link. The keys are private to this file and `widgets.py`.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from mmvae_core.checkpoints import Run, Study

STUDY, RUN, ITEM, MASK, SEED, RUNS = "study", "run", "item", "mask", "seed", "runs"
MAX_SEED = 2**31 - 1
NOTHING = "nothing"

_HERE, _NOTES, _BEFORE = "_here", "_notes", "_mask_before"


@dataclass(frozen=True)
class Here:
    """What the visitor looks at: the same on every page."""

    study: Study
    run: Run
    item: int
    mask: tuple[bool, ...]
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """Modality names in the order of the mask."""
        return self.run.config.names

    @property
    def shown(self) -> tuple[str, ...]:
        """The modalities that the model is shown."""
        return tuple(name for name, kept in zip(self.names, self.mask, strict=True) if kept)

    @property
    def subset(self) -> str:
        """The mask's name, as reports write it."""
        return subset_name(self.mask, self.names)


def subset_name(mask: Sequence[bool], names: Sequence[str]) -> str:
    """As `mmvae_core.subsets.subset_name`, which cannot be used before torch is imported."""
    return "+".join(name for name, kept in zip(names, mask, strict=True) if kept) or NOTHING


def remember(here: Here) -> None:
    """Called by the frame once its widgets have their values."""
    before = st.session_state.get(_HERE)
    if before is not None and before.names == here.names and before.mask != here.mask:
        st.session_state[_BEFORE] = before.mask
    st.session_state[_HERE] = here


def here() -> Here:
    """What the visitor looks at."""
    return st.session_state[_HERE]


def mask_before() -> tuple[bool, ...] | None:
    """The mask before the present one, if there was one for the same modalities."""
    before, present = st.session_state.get(_BEFORE), here().mask
    return before if before and len(before) == len(present) and before != present else None


def another_item(count: int) -> None:
    """Go to a random other item."""
    present = int(st.session_state.get(ITEM, 0))
    take_item(random.choice([i for i in range(count) if i != present] or [0]))


def take_item(item: int) -> None:
    """Go to an item."""
    st.session_state[ITEM] = item
    forget_notes()


def choose_other(key: str, options: Sequence[str] | Sequence[int]) -> None:
    """Set a page's widget to a random other one of its options."""
    present = st.session_state.get(key)
    st.session_state[key] = random.choice([one for one in options if one != present] or [*options])
    forget_notes()


def check_link(key: str, valid: Callable[[list[str]], bool], expected: str) -> None:
    """At a session's start: note a parameter of the link that means nothing here.

    Streamlit drops such a value by itself, without a word.
    """
    if key in st.session_state or key not in st.query_params:
        return
    given = st.query_params.get_all(key)
    if not valid(given):
        said = ", ".join(repr(value[:40]) for value in given)
        note = f"The link's {key} {said} is unknown here, the default is used; expected {expected}."
        st.session_state.setdefault(_NOTES, []).append(note)


def notes() -> list[str]:
    """What was wrong with the link that opened this session."""
    return st.session_state.get(_NOTES, [])


def forget_notes() -> None:
    """The visitor has gone on."""
    st.session_state.pop(_NOTES, None)


def is_whole(low: int, high: int) -> Callable[[list[str]], bool]:
    """Whether a parameter is one whole number from low to high."""
    def valid(given: list[str]) -> bool:
        text = given[-1] if given else ""
        return text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high
    return valid


def is_among(options: Sequence[str], empty: bool = False) -> Callable[[list[str]], bool]:
    """Whether every value of a parameter is one of the options; `empty` allows ''."""
    def valid(given: list[str]) -> bool:
        return all(value in options or (empty and value == "") for value in given)
    return valid


def is_dark() -> bool:
    """Whether the visitor's theme is dark."""
    return st.context.theme.type == "dark"
