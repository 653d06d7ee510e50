"""The order of the modalities: which one, what it changes, and the pictures before and after."""

from html import escape
from itertools import permutations
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig
from mmvae_core.store.run import Run
from ui.shared import views
from ui.shell import loading, messages, state, widgets
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.explore.insides import Reordered

KEY = "order"


def pick_order(names: tuple[str, ...]) -> tuple[int, ...]:
    """An order of the modalities, at first the reversed one, and a button that shuffles."""
    orders = {
        ", ".join(names[one] for one in order): order for order in permutations(range(len(names)))
    }
    options = list(orders)
    state.offer(KEY, options, options[-1], expected="all of " + ", ".join(names) + " once")
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        text = st.selectbox(
            "Order in which the modalities come",
            options,
            index=len(options) - 1,
            key=KEY,
            bind="query-params",
        )
    with right:
        st.button("Shuffle", on_click=state.choose_other, args=(KEY, options), width="stretch")
    return orders[str(text)]


def pick_pair(here: Here) -> list[Run]:
    """The run at hand, and beside it one of the other kind: placed against invariant."""

    from mmvae_core.build import about_aggregator  # late: has torch

    def is_placed(run: Run) -> bool:
        return about_aggregator(run.config).ordered

    others = [
        run
        for run in loading.runs(here.study).values()
        if widgets.comparable(run, here.run) and is_placed(run) != is_placed(here.run)
    ]
    alike = [run for run in others if run.config.objective == here.run.config.objective]
    if is_placed(here.run):
        return [*(alike or others)[-1:], here.run]
    return [here.run, *(alike or others)[:1]]


def alone(here: Here) -> str:
    """What the table answers with no run of the other kind beside it, and where there is one."""
    from mmvae_core.build import about_aggregator  # late: has torch

    if about_aggregator(here.run.config).ordered:
        said = f"{escape(here.study.name)} has no model without places to put beside this one."
        return f'<p class="plain">{said}</p>'
    said = "This model has no weights for places, so no order can matter."
    for study in loading.studies().values():
        for name, run in loading.runs(study).items():
            if about_aggregator(run.config).ordered:
                link = f"order?{urlencode({'study': study.name, 'run': name})}"
                said += (
                    f' Where one does: <a href="{escape(link)}" target="_self">'
                    f"{escape(loading.title(run))}, of {escape(study.name)}</a>."
                )
                return f'<p class="plain">{said}</p>'
    return f'<p class="plain">{said}</p>'


def changes(runs: list[Run], reordered: list["Reordered"]) -> None:
    """The table of the changes of mean and width."""
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in (
            "run",
            "the order",
            "largest change of a mean",
            "of a standard deviation",
            "relative",
        )
    )
    body = "".join(
        f'<tr><th scope="row">{escape(loading.title(run))}</th>'
        f"<td>{_verdict(one.change.relative)}</td><td>{scientific(one.change.mean)}</td>"
        f"<td>{scientific(one.change.stddev)}</td><td>{scientific(one.change.relative)}</td></tr>"
        for run, one in zip(runs, reordered, strict=True)
    )
    messages.html(
        '<div class="scroll" tabindex="0" role="region" aria-label="Changes by the order">'
        f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


def pictures(here: Here, runs: list[Run], reordered: list["Reordered"]) -> None:
    """E[x | z] at the posterior's mean, in the order of training and in the chosen one."""
    for column, run, one in zip(st.columns(2, gap="large"), runs, reordered, strict=False):
        rows = []
        for modality in here.run.config.modalities:
            pair = "".join(
                f"<figure>{_picture(here, modality, values, f'{loading.title(run)}, {when}')}"
                f"<figcaption>{when}</figcaption></figure>"
                for when, values in (
                    ("order of training", one.before[modality.name]),
                    ("this order", one.after[modality.name]),
                )
            )
            badge = views.badge(modality.name in here.shown)
            rows.append(
                f'<h3>{escape(modality.name)} {badge}</h3><div class="pair alike">{pair}</div>'
            )
        with column:
            messages.html(
                f'<div class="panel"><h3>{escape(loading.title(run))}</h3>{"".join(rows)}</div>'
            )


def scientific(value: float) -> str:
    """1.2e-07 as 1.2 · 10⁻⁷; from a thousandth on with three decimals."""
    if value == 0 or value >= 1e-3:
        return f"{value:.3f}" if value else "0"
    digits, power = f"{value:.1e}".split("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digits} · 10{raised}"


def _verdict(relative: float) -> str:
    if relative == 0:
        return "changes nothing"
    return "changes rounding only" if relative < 1e-5 else "<b>changes the posterior</b>"


def _picture(here: Here, modality: ModalityConfig, values: np.ndarray, alt: str) -> str:
    return views.item_picture(here.study, modality, values, f"{modality.name} by {alt}", 96)
