"""Where pictures are made: in the visitor's browser, if it can, else by the server as ever."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from mmvae_core.export.values import stored_value
from mmvae_core.store.run import Run
from ui.components.live_pictures import KEY, WAYS, live_pictures
from ui.shared import views
from ui.shell import answers, drawing, loading, weights
from ui.shell.state import Here
from ui.shell.weights import Packed


@dataclass(frozen=True)
class Way:
    """What a page draws of what is given, and what of that the visitor may choose."""

    count: int
    temperature: float = 1.0
    most: int | None = None
    """Only so many of the draws are shown."""
    mean: bool = False
    """Whether the mean of z is shown instead of draws."""
    make: tuple[str, ...] | None = None
    """The modalities that are generated where not given; None where a page shows them all."""
    prior: str | None = None
    """What is drawn from where nothing is given; None for q(z | nothing)."""
    words: tuple[str, str] = views.WORDS
    """What is said of a modality that is given, and of one that is not."""
    counts: tuple[int, ...] = ()
    hottest: float = 2.0
    step: float = 0.1
    """Numbers of draws and temperatures to choose from; no counts, no choice."""
    why: str = ""
    """Why the server has to make the pictures, if it has to."""


@dataclass(frozen=True)
class Known:
    """Values by modality; of those in `hidden` the server alone may know one."""

    values: Mapping[str, np.ndarray]
    hidden: tuple[str, ...] = ()
    drawn: Mapping[str, str] = field(default_factory=dict)
    """The visitor's drawings as text, by modality."""


def of_item(here: Here) -> Known:
    """The item at hand."""
    return Known(loading.item_values(here.study, here.item, here.names))


def packed(here: Here, run: Run | None = None) -> Packed | None:
    """A run's weights for a browser; None of one that it cannot follow, or is not asked to."""
    if not loading.decodes_in_browser():
        return None
    return answers.packed(run or here.run, here.study)


def live(here: Here, way: Way, known: Known, runs: Sequence[Run] = ()) -> None:
    """Controls that answer at once; drawn after the panels, whose pictures they replace.

    Nothing where the server was told to decode. Where it has to, it is said why.
    """
    if not loading.decodes_in_browser():
        return
    bundles = [packed(here, run) for run in runs or [here.run]]
    why = way.why or ("" if all(bundles) else "a model here has parts that browsers do not know")
    told, mark = _values(here, known)
    data: dict[str, Any] = {
        "stamp": views.stamp(here, way.count, way.temperature, known.drawn),
        "runs": [weights.hold(one) for one in bundles if one],
        "parts": [views.look(here.study, one).told for one in here.run.config.modalities],
        "names": here.names,
        "lacks": here.lacks,
        "mask": here.code,
        "seed": here.seed,
        "item": mark,
        "values": told,
        "drawn": dict(known.drawn),
        "columns": views.TILE_COLUMNS,
        "widest": views.SMALL,
    }
    shown = {key: getattr(way, key) for key in way.__dataclass_fields__} | {"why": why}
    with st.container(key=KEY):
        live_pictures(data | shown, _taken)


def _values(here: Here, known: Known) -> tuple[list[Any], str]:
    """Each modality's value as the browser reads it, None or "hidden"; and what names them all."""
    kinds, told, seen = here.study.kinds(here.run.config), [], hashlib.sha256()
    for name in here.names:
        if name in known.values:
            form, data = stored_value(known.values[name], kinds[name])
            told.append(form | {"data": base64.b64encode(data).decode()})
        else:
            told.append("hidden" if name in known.hidden else None)
        seen.update(str(told[-1]).encode())
    return told, seen.hexdigest()[:16]


def _taken() -> None:
    """Seed, draws or temperature were chosen in the browser."""
    chosen = getattr(st.session_state.get(WAYS), "ways", None)
    if isinstance(chosen, dict):
        drawing.take_ways(chosen)
