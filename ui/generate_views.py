"""What is given to the model, what it sees of it, and the result to take home."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig
from ui import loading, state, views, widgets
from ui.pictures import sheet
from ui.state import Here

if TYPE_CHECKING:
    from ui.inference import Generated

ITEM, OWN = "a test item", "my own input"


def pick_given(here: Here) -> tuple[dict[str, np.ndarray], int | None]:
    """What the model is given: the shown part of the item, or the visitor's own; and its class."""
    state.check_link("start", state.is_among([ITEM, OWN]), f"{ITEM!r} or {OWN!r}")
    start = st.segmented_control("Start from", [ITEM, OWN], default=ITEM, required=True,
                                 key="start", bind="query-params")
    if start == OWN:
        st.html('<p class="source">What you give below is what the model is shown; the mask above '
                "is for test items.</p>")
        return widgets.own_inputs(here.study, here.run), None
    given = loading.item_values(here.study, here.item, here.shown)
    return given, views.truth_of(here, given)


def what_the_model_sees(here: Here, given: Mapping[str, np.ndarray]) -> None:
    """The given modalities as they enter the model."""
    if not given:
        return
    figures = [
        f"<figure>{views.item_picture(here.study, one, given[one.name], f'{one.name} as given')}"
        f"<figcaption>{escape(one.name)}</figcaption></figure>"
        for one in here.run.config.modalities if one.name in given
    ]
    st.html(f'<div class="panel"><h3>What the model sees</h3><div class="pair">{"".join(figures)}'
            "</div></div>")


def posterior_facts(here: Here, made: "Generated", given: Mapping[str, np.ndarray]) -> None:
    """Width and rate of the posterior, and how often such a posterior is right."""
    subset = state.subset_name([name in given for name in here.names], here.names)
    report = loading.report(here.run)
    error = "exact" if made.rate_error is None else f"± {1.96 * made.rate_error:.1f}, estimate"
    views.facts([("Posterior width", f"{made.width:.2f}", "prior: 1"),
                 ("Rate", f"{made.rate:.1f}", f"nats, {error}"),
                 *views.coherence_facts(report, subset, here.names)])
    views.source("width and rate: of what is given here",
                 f"right: share of {report.get('items', '?')} test items with {subset} shown, "
                 f"95 % Wilson interval, seed {report.get('seed', '?')}", views.run_mark(here.run))


def download(here: Here, made: "Generated", wanted: Sequence[ModalityConfig]) -> None:
    """All pictures as one PNG."""
    png = sheet(made.at_draws, wanted, here.study.about.get("alphabets", {}))
    st.download_button("Download as PNG", png, mime="image/png", on_click="ignore",
                       file_name=f"{here.run.folder.name}-seed{here.seed}.png")
