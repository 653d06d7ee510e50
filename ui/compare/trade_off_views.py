"""All runs of a study on two planes of figures that pull against each other."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from mmvae_core.store.run import Run
from ui.compare.trade_offs import run_points
from ui.compare.trade_offs import trade_offs as kinds
from ui.draw import compare_plots
from ui.draw.compare_plots import letter
from ui.shared import views
from ui.shell import loading, messages, state
from ui.shell.state import Here


def trade_offs(here: Here, runs: Sequence[Run]) -> None:
    """Likelihood against coherence, and rate against distortion, of all runs of the study."""
    every = {
        name: run
        for name, run in loading.runs(here.study).items()
        if run.config.names == here.names
    }
    stamps = tuple((name, loading.stamp(run)) for name, run in every.items())
    chosen = tuple(loading.title(run) for run in runs)
    titled = {loading.title(run): run for run in every.values()}
    columns = st.columns(2, gap="large")
    for index, (column, kind) in enumerate(zip(columns, kinds(), strict=True)):
        found, figure = _trade_off(
            str(here.study.folder), stamps, chosen, state.is_dark(), index, every, here
        )
        with column:
            if figure is None:
                st.info(messages.literal(f"No run of this study has both figures: {kind.needs}."))
                continue
            st.plotly_chart(
                figure,
                theme=None,
                key=f"trade_off_{index}",
                alt=f"{kind.x} against {kind.y}. " + "; ".join(one.said for one in found),
                config={"displayModeBar": False},
            )
            lacking = sorted(set(titled) - {one.name for one in found})
            first = loading.report(titled[found[0].name])
            views.source(
                f"{len(found)} of {len(every)} runs"
                + (f", not measured: {escape(', '.join(lacking))}" if lacking else ""),
                "" if first is None else kind.source(first),
                "bars are 95 % intervals",
                "rings: runs not chosen above, named where the pointer is"
                if any(not one.letter for one in found)
                else "",
                *(f"{letter(at)} {views.run_mark(run)}" for at, run in enumerate(runs)),
            )


@st.cache_resource(show_spinner=False, max_entries=64)
def _trade_off(
    folder: str,
    stamps: tuple[Any, ...],
    chosen: tuple[str, ...],
    dark: bool,
    index: int,
    _runs: Mapping[str, Run],
    _here: Here,
) -> tuple[list[compare_plots.RunPoint], Any]:
    kind, reports = (
        kinds()[index],
        {loading.title(run): loading.report(run) for run in _runs.values()},
    )
    points = run_points(kind, reports, "+".join(_here.names), chosen)
    return points, compare_plots.trade_off((kind.x, kind.y), points, dark) if points else None
