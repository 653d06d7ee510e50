"""The one place that reads and writes the session and the address.

Every choice is a widget in the frame, bound to the query parameter of its own name; so it
survives a page switch, a reload and a link. The keys are private to this file and `widgets.py`.
"""

import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from mmvae_core.errors import DataError
from mmvae_core.modalities.strokes import from_text
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study

STUDY, RUN, ITEM, MASK, SEED, RUNS = "study", "run", "item", "mask", "seed", "runs"
PLACE, PLAIN = "at", "plain"
MAX_SEED = 2**31 - 1
NOTHING = "nothing"

_HERE, _NOTES, _BEFORE, _CHOSEN, _LIT = "_here", "_notes", "_mask_before", "_chosen", "_lit"
_DRAWN, _PLANE, _OFFERED, _TOUCHED, _DEFAULT = (
    "_drawn_",
    "_plane",
    "_offered",
    "_touched",
    "_default",
)


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


def another_item(count: int) -> None:
    """Go to a random other item."""
    present = int(st.session_state.get(ITEM, 0))
    take_item(random.choice([i for i in range(count) if i != present] or [0]))


def take_item(item: int) -> None:
    """Go to an item."""
    st.session_state[ITEM] = item
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
        check_link(own(name), _is_drawing, "a drawing")
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
    check_link(PLACE, _is_place, "two numbers from -1 to 1")
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


def _is_place(given: list[str]) -> bool:
    parts = given[-1].split(",") if given else []
    return len(parts) == 2 and all(is_number(-1, 1)([part]) for part in parts)


def _is_drawing(given: list[str]) -> bool:
    try:
        return bool(from_text(given[-1] if given else "")) or not any(given)
    except DataError:
        return False


def is_dark() -> bool:
    """Whether the visitor's theme is dark."""
    return st.context.theme.type == "dark"
