"""The one place that reads and writes the session and the address of what all pages share.

Every choice is a widget in the frame, bound to the query parameter of its own name; so it
survives a page switch, a reload and a link. The keys are private to this file and `widgets.py`.
Items chosen on maps are in `choice.py`; drawings and the place on a plane, in `address.py`.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from mmvae_core.store.run import Run
from mmvae_core.store.study import Study

STUDY, RUN, ITEM, MASK, SEED, RUNS = "study", "run", "item", "mask", "seed", "runs"
PLAIN, OWN_NAME = "plain", "name"
MAX_SEED = 2**31 - 1
NOTHING = "nothing"

_HERE, _NOTES, _BEFORE = "_here", "_notes", "_mask_before"
_OFFERED, _TOUCHED, _DEFAULT = "_offered", "_touched", "_default"


@dataclass(frozen=True)
class Here:
    """What the visitor looks at: the same on every page."""

    study: Study
    run: Run
    item: int
    mask: tuple[bool, ...]
    seed: int
    lacks: tuple[str, ...] = ()
    """Modalities that the item does not have; no mask of a page about it shows them."""

    @property
    def names(self) -> tuple[str, ...]:
        """Modality names in the order of the mask."""
        return self.run.config.names

    @property
    def shown(self) -> tuple[str, ...]:
        """The modalities that the model is shown."""
        return tuple(name for name, kept in zip(self.names, self.mask, strict=True) if kept)

    @property
    def code(self) -> str:
        """The mask as zeros and ones."""
        return "".join("01"[kept] for kept in self.mask)

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
    if before is not None and before.study.name != here.study.name:
        st.session_state.pop(_BEFORE, None)
    elif (
        before is not None
        and before.names == here.names
        and before.mask != here.mask
        and has_touched_mask(here.study)  # else only another page opens in its own way
    ):
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


def settle_item(ids: Sequence[str]) -> None:
    """At a session's start: a link that names the item as its own data do counts by that name."""
    if ITEM in st.session_state or OWN_NAME not in st.query_params:
        return
    check_link(OWN_NAME, is_among(ids), "the name of a test item")
    given = st.query_params.get(OWN_NAME, "")
    if given in ids:
        st.session_state[ITEM] = list(ids).index(given)
    del st.query_params[OWN_NAME]


def take_item(item: int) -> None:
    """Go to an item."""
    st.session_state[ITEM] = item
    forget_notes()


def take_run(study: str, run: str) -> None:
    """Go to a run of a study that may be new. For callbacks: the frame's widgets are drawn later."""
    st.session_state[STUDY], st.session_state[RUN] = study, run
    st.session_state.get(_OFFERED, {}).pop(RUN, None)  # else another study begins with its own
    forget_notes()


def take_mask(names: Sequence[str]) -> None:
    """Show these modalities to the model. For callbacks: the frame's widget is drawn later."""
    st.session_state[MASK] = list(names)
    touch_mask()


def touch_mask() -> None:
    """The visitor has chosen a mask: from now on it is the same on every page."""
    present = st.session_state.get(_HERE)
    st.session_state[_TOUCHED] = present.study.name if present else ""
    forget_notes()


def has_touched_mask(study: Study) -> bool:
    """Whether the visitor, or the link, has chosen a mask in this study."""
    return st.session_state.get(_TOUCHED) == study.name


def settle_mask(study: Study, names: Sequence[str], default: Sequence[str]) -> None:
    """Before the mask's widget: where no mask was chosen, the page's own `default` is shown."""
    if _TOUCHED not in st.session_state:
        given = st.query_params.get_all(MASK)
        is_chosen = bool(given) and is_among(names, empty=True)(given)
        st.session_state[_TOUCHED] = study.name if is_chosen else ""
    if not has_touched_mask(study):
        st.session_state[_TOUCHED] = ""
        if st.session_state.get(MASK, default) != default:
            st.session_state[MASK] = default


def write_mask(kept: Sequence[str], default: Sequence[str]) -> None:
    """After the mask's widget: write into the address what Streamlit 1.67 leaves out of it.

    That is an empty mask which a program has set, and one that the last page opens with and this
    page does not. Without the parameter the mask is the page's `default`.
    """
    before = st.session_state.get(_DEFAULT, default)
    st.session_state[_DEFAULT] = default
    context = get_script_run_ctx()
    is_left_out = not kept or before != default
    if not context or st.query_params.get_all(MASK) or list(kept) == default or not is_left_out:
        return
    text, kind = (list(kept), "string_array_value") if kept else ("", "string_value")
    with context.session_state.query_params() as address:
        address.set_corrected_value(MASK, text, kind)


def unlike_defaults() -> dict[str, str]:
    """The choices of study, run, item and seed that are in the address: all but the defaults."""
    held = st.session_state.get(_OFFERED, {})
    defaults = {key: held[key][2] for key in (STUDY, RUN, ITEM) if key in held} | {SEED: 0}
    return {
        key: str(st.session_state[key])
        for key, default in defaults.items()
        if st.session_state.get(key, default) != default
    }


def is_plain() -> bool:
    """Whether the page is for a lecture room; before its toggle is drawn, as the link says."""
    return bool(st.session_state.get(PLAIN, st.query_params.get(PLAIN) == "true"))


def show_controls() -> None:
    """End the plain view."""
    st.session_state[PLAIN] = False


def choose_other(key: str, options: Sequence[str] | Sequence[int]) -> None:
    """Set a page's widget to a random other one of its options."""
    present = st.session_state.get(key)
    st.session_state[key] = random.choice([one for one in options if one != present] or [*options])
    forget_notes()


def new_seed() -> None:
    """Other noise from now on."""
    st.session_state[SEED] = random.randrange(MAX_SEED)
    forget_notes()


def offer(
    key: str,
    options: Sequence[Any],
    default: Any,
    study: str = "",
    *,
    empty: bool = False,
    expected: str = "",
) -> None:
    """Before each widget whose options depend on another choice: settle its value.

    What was chosen and is still an option stays; what nobody chose follows the default. In another
    `study`, or where nothing stays, the widget starts from its default again: one value, or a list
    of them where several may be chosen (none, if `empty`). What a link brought and is no option is
    noted.
    """
    many = isinstance(default, list)
    words = expected or (("some of " if many else "one of ") + ", ".join(map(str, options)))
    check_link(key, is_among([str(one) for one in options], empty), words)
    held = st.session_state.setdefault(_OFFERED, {})
    before, held[key] = held.get(key), (study, options, default)
    if key not in st.session_state or before in (None, held[key]):
        return
    given = st.session_state[key]
    kept = [one for one in (given if many else [given]) if one in options]
    is_emptied = not kept and not (many and empty and not given)
    if before[0] != study or given == before[2] or is_emptied:
        st.session_state[key] = default
    elif many and kept != given:
        st.session_state[key] = kept


def keep_first(key: str, option: str, most: int) -> None:
    """Before a widget of several options is drawn: one of them is always chosen, if need be first."""
    given = st.session_state.get(key)
    if given is not None and option not in given:
        st.session_state[key] = [option, *given][:most]


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


def is_number(low: float, high: float) -> Callable[[list[str]], bool]:
    """Whether a parameter is one number from low to high."""

    def valid(given: list[str]) -> bool:
        try:
            return low <= float(given[-1]) <= high
        except (ValueError, IndexError):
            return False

    return valid


def is_among(options: Sequence[str], empty: bool = False) -> Callable[[list[str]], bool]:
    """Whether every value of a parameter is one of the options; `empty` allows ''."""

    def valid(given: list[str]) -> bool:
        return all(value in options or (empty and value == "") for value in given)

    return valid


def is_dark() -> bool:
    """Whether the visitor's theme is dark."""
    return st.context.theme.type == "dark"
