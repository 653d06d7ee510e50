"""All runs of a study on two planes of figures that pull against each other."""

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from mmvae_core.store.run import Run
from ui.compare.trade_offs import run_points
from ui.compare.trade_offs import trade_offs as kinds
from ui.draw import compare_plots
from ui.draw.compare_plots import letter
from ui.shared import views
from ui.shell import caching, loading, messages, state
from ui.shell.state import Here


def trade_offs(here: Here, runs: Sequence[Run]) -> None:
    """Likelihood against coherence, and rate against distortion, of all runs of the study."""
    every = {
        name: run
        for name, run in loading.runs(here.study).items()
        if run.config.names == here.names
    }
    chosen = tuple(loading.title(run) for run in runs)
    titled = {loading.title(run): run for run in every.values()}
    columns = st.columns(2, gap="large")
    for index, (column, kind) in enumerate(zip(columns, kinds(), strict=True)):
        points, figure = _trade_off(
            tuple(every.values()), here.names, chosen, state.is_dark(), index
        )
        with column:
            if figure is None:
                st.info(messages.literal(f"No run of this study has both figures: {kind.needs}."))
                continue
            st.plotly_chart(
                views.for_room(figure),
                theme=None,
                key=f"trade_off_{index}",
                alt=f"{kind.x} against {kind.y}. " + "; ".join(one.said for one in points),
                config={"displayModeBar": False},
            )
            lacking = sorted(set(titled) - {one.name for one in points})
            first = loading.report(titled[points[0].name])
            views.source(
                f"{len(points)} of {len(every)} runs"
                + (f", not measured: {escape(', '.join(lacking))}" if lacking else ""),
                "" if first is None else kind.source(first),
                "bars are 95 % intervals",
                "rings: runs not chosen above, named where the pointer is"
                if any(not one.letter for one in points)
                else "",
                *(f"{letter(at)} {views.run_mark(run)}" for at, run in enumerate(runs)),
            )


@caching.resource(max_entries=64)
def _trade_off(
    runs: tuple[Run, ...], names: tuple[str, ...], chosen: tuple[str, ...], dark: bool, index: int
) -> tuple[list[compare_plots.RunPoint], Any]:
    kind, reports = (
        kinds()[index],
        {loading.title(run): loading.report(run) for run in runs},
    )
    points = run_points(kind, reports, "+".join(names), chosen)
    return points, compare_plots.trade_off((kind.x, kind.y), points, dark) if points else None
