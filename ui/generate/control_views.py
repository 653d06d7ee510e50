"""What the model is given, from which prior it draws, and how its draws are made and shown."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from mmvae_core.store.run import TRAINED
from ui.generate import own_inputs
from ui.shared import views
from ui.shell import drawing, loading, state
from ui.shell.state import Here

ITEM, OWN = "a test item", "my own input"
SAMPLES, MEAN = "samples", "the mean"
DRAWN, SURE = "as drawn", "surest first"
PRIORS = {
    TRAINED: "the trained prior p(z)",
    "mixture": "a mixture fitted afterwards",
    "flow": "a flow fitted afterwards",
}


@dataclass(frozen=True)
class Ways:
    """How the visitor wants generations to be made and shown."""

    names: tuple[str, ...]
    mean: bool
    count: int
    temperature: float
    surest: bool


def pick_given(here: Here) -> tuple[dict[str, np.ndarray], int | None]:
    """What the model is given: the shown part of the item, or the visitor's own; and its class."""
    state.check_link("start", state.is_among([ITEM, OWN]), f"{ITEM!r} or {OWN!r}")
    start = st.segmented_control(
        "Start from", [ITEM, OWN], default=ITEM, required=True, key="start", bind="query-params"
    )
    if start == OWN:
        return own_inputs.own_inputs(here), None
    given = loading.item_values(here.study, here.item, here.shown)
    return given, views.truth_of(here, given)


def pick_prior(here: Here) -> str:
    """From which prior to draw where nothing is given: the trained one or one fitted afterwards."""
    options = list(here.run.priors)
    state.offer(drawing.PRIOR, options, options[0])
    if len(options) == 1:
        return options[0]
    return (
        st.segmented_control(
            "Draw from the prior",
            options,
            default=options[0],
            required=True,
            key=drawing.PRIOR,
            bind="query-params",
            format_func=lambda one: PRIORS[one],
            help="The trained prior may have holes: places where it is dense and no item is. A prior "
            "that was fitted afterwards, to where the training items' posteriors are, has fewer. The "
            "model itself is the same.",
        )
        or options[0]
    )


def pick_ways(here: Here) -> Ways:
    """The controls of drawing."""
    names = list(here.names)
    left, middle, right = st.columns([5, 4, 5], gap="large")
    with left:
        state.offer("make", names, names, here.study.name, empty=True)
        wanted = st.pills(
            "Generate, where not given",
            names,
            selection_mode="multi",
            default=names,
            key="make",
            bind="query-params",
        )
    with middle:
        state.check_link("show", state.is_among([SAMPLES, MEAN]), f"{SAMPLES} or {MEAN}")
        show = st.segmented_control(
            "Show", [SAMPLES, MEAN], default=SAMPLES, required=True, key="show", bind="query-params"
        )
    with right:
        order = _pick_order() if here.study.judge_cards else DRAWN
    with st.container(key="numbers"):  # hidden where the browser's own are there
        count, temperature = _pick_numbers(here)
    return Ways(tuple(wanted), show == MEAN, count, temperature, order == SURE)


def _pick_order() -> str | None:
    state.check_link("sort", state.is_among([DRAWN, SURE]), f"{DRAWN} or {SURE}")
    return st.segmented_control(
        "Order",
        [DRAWN, SURE],
        default=DRAWN,
        required=True,
        key="sort",
        bind="query-params",
        help="Surest first: by the judges' probabilities of what they "
        "name, multiplied over what is generated; the same order for "
        "every modality.",
    )


def _pick_numbers(here: Here) -> tuple[int, float]:
    left, middle, right = st.columns([5, 4, 5], gap="large", vertical_alignment="bottom")
    with left:
        state.check_link(
            drawing.TEMPERATURE, state.is_number(0, drawing.HOTTEST), f"0 to {drawing.HOTTEST:g}"
        )
        temperature = st.slider(
            "Temperature",
            0.0,
            drawing.HOTTEST,
            1.0,
            0.1,
            key=drawing.TEMPERATURE,
            bind="query-params",
            help="z = m + t (z - m): scales the noise "
            "around the posterior's mean m; 1 is the posterior itself.",
        )
    with middle:
        options = [str(count) for count in drawing.COUNTS]
        state.check_link(drawing.COUNT, state.is_among(options), "one of " + ", ".join(options))
        count = st.selectbox("Draws of z", options, index=2, key=drawing.COUNT, bind="query-params")
    with right:
        st.button(
            "New noise",
            key="new_noise",
            on_click=state.new_seed,
            width="stretch",
            help=f"The noise is fixed by the seed {here.seed} until you roll it anew.",
        )
    return int(str(count)), float(temperature)
