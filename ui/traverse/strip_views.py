"""What each latent by itself changes: a row of pictures a latent."""

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig
from ui.shared import views
from ui.shell import answers, messages, state
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.explore.inference import Generated

REACH, STEPS = 3.0, 7
MOST_STRIPS = 8


def strips(here: Here, generated: "Generated", scale: np.ndarray, whose: str) -> None:
    """A row for each latent: its traversal in every modality, sorted by what it changes."""
    values, change = answers.strips(here.run, generated.mean, scale, STEPS, REACH)
    names = list(here.names)
    state.offer("by", names, names[0], here.study.name)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        by = str(
            st.segmented_control(
                "Sort by the change of",
                names,
                default=names[0],
                required=True,
                key="by",
                bind="query-params",
            )
        )
    order, every = np.argsort(-change[by], kind="stable"), False
    if len(order) > MOST_STRIPS:
        with right:
            every = st.toggle(f"All {len(order)} latents", key="every", bind="query-params")
    rows = order if every else order[:MOST_STRIPS]
    head = "".join(f"<h3>{escape(name)}</h3>" for name in names)
    body = "".join(_row(here, int(latent), values, change) for latent in rows)
    messages.html(
        f'<div class="strips" style="--modalities:{len(names)}"><h3></h3>{head}{body}</div>'
    )
    views.source(
        f"{len(rows)} of {len(order)} latents, each from -{REACH:g} to {REACH:g} {whose} standard "
        f"deviations around the mean of q(z | {here.subset}) of item {here.item}, the others kept",
        "change: root mean square of E[x | z] against the middle, over the steps and entries"
        + ("; zero for another modality's private latents" if here.run.config.private else ""),
        views.run_mark(here.run),
    )


def latent_name(here: Here, latent: int) -> str:
    """`latent 3`, or `private photo 1` where modalities have latents of their own."""
    config = here.run.config
    if latent < config.latent:
        return f"latent {latent}"
    owner, number = divmod(latent - config.latent, config.private)
    return f"private {config.names[owner]} {number}"


def _row(
    here: Here, latent: int, values: dict[str, np.ndarray], change: dict[str, np.ndarray]
) -> str:
    cells = "".join(
        _strip(here, modality, latent, values[modality.name], change[modality.name])
        for modality in here.run.config.modalities
    )
    return f"<h4>{escape(latent_name(here, latent))}</h4>{cells}"


def _strip(
    here: Here, modality: ModalityConfig, latent: int, values: np.ndarray, change: np.ndarray
) -> str:
    share = 100 * float(change[latent]) / max(float(change.max()), 1e-12)
    alt = (
        f"{modality.name} while {latent_name(here, latent)} goes from -{REACH:g} to {REACH:g}; "
        f"change {float(change[latent]):.3g}"
    )
    limit = float(np.abs(values).max(initial=0))
    body = views.look(here.study, modality).strip(values[latent], limit, alt)
    return (
        f'<div>{body}<p class="source"><span class="bar"><b style="width:{share:.0f}%"></b>'
        f"</span>{float(change[latent]):.3f}</p></div>"
    )
