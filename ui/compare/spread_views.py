"""The study's models by other seeds and other weights of the KL, where such runs are kept."""

import streamlit as st

from mmvae_core.errors import MMVAEError
from mmvae_core.store.run import Run
from mmvae_core.store.spread import Series, Setting, find_series, kept_runs
from ui.compare.spread_rows import (
    JOINT,
    Reports,
    coherence_courses,
    pairs,
    seed_rows,
    trade_courses,
)
from ui.draw import result_curves, tables
from ui.draw.result_curves import Course
from ui.shared import views
from ui.shell import caching, loading, messages, state
from ui.shell.state import Here

STILL = {"displayModeBar": False}


def by_seed(here: Here) -> None:
    """How far the figures move from seed to seed."""
    models = _reports(here, "training.seed")
    if not models:
        return
    st.subheader("The same by other seeds", anchor=False)
    rows = seed_rows(models, here.names)
    heads = [one.title for one in models]
    messages.html(tables.comparison(rows, heads, "Figures over seeds"))
    seeds = "; ".join(
        f"{one.title}: {', '.join(f'{seed:g}' for seed in one.values)}" for one in models
    )
    views.source(
        "Mean over seeds, below it the least and the most; a seed draws the starting weights and the "
        "batches",
        f"seeds {seeds}",
        "★ the worst seed is above the best of every other model",
    )


def by_beta(here: Here) -> None:
    """Rate against distortion over the weight of the KL, with a coherence along it."""
    models = _reports(here, "objective.beta")
    if not models:
        return
    st.subheader("What β moves", anchor=False)
    messages.html(
        '<p class="plain">β weighs the rate in the bound: more of it, and z carries less, so that '
        "less can be reconstructed.</p>"
    )
    first, second = st.columns(2, gap="large")
    with first:
        axes = ("rate of all modalities, nats", "distortion, nats (← less is better)")
        _chart("Rate against distortion", axes, trade_courses(models, "+".join(here.names)))
    with second:
        known = [JOINT, *pairs(models, here.names)]
        state.offer("along", known, JOINT)
        name = st.selectbox("Along β", known, key="along", bind="query-params")
        courses = coherence_courses(models, name)
        _chart(f"{name} along β", ("β, doubling", "share"), courses, doubling=True)
    views.source(
        "One seed; test items; all else is equal", "rate and distortion as above, unweighted"
    )


def _chart(
    title: str, axes: tuple[str, str], courses: list[Course], doubling: bool = False
) -> None:
    figure = result_curves.lines(courses, *axes, state.is_dark())
    if doubling:
        figure.update_xaxes(type="log", tickvals=courses[0].x if courses else [])
    said = "; ".join(
        f"{one.name} " + ", ".join(f"{x:,.4g}: {y:,.4g}" for x, y in zip(one.x, one.y, strict=True))
        for one in courses
    )
    st.plotly_chart(
        views.for_room(figure), theme=None, key=f"spread {axes[0]}", config=STILL,
        alt=f"{title}, {axes[0]}: {axes[1]}. {said}",
    )  # fmt: skip


def _reports(here: Here, setting: Setting) -> list[Reports]:
    shipped, kept = tuple(loading.runs(here.study).values()), tuple(kept_runs(here.study))
    try:
        return [
            Reports(loading.title(one.shipped), one.values, tuple(run.report for run in one.runs))
            for one in _series(shipped, kept, setting)
        ]
    except MMVAEError as error:
        st.error(messages.literal(error))
        return []


@caching.resource(max_entries=16)
def _series(
    shipped: tuple[Run, ...], kept: tuple[Run, ...], setting: Setting
) -> tuple[Series, ...]:
    return find_series(shipped, kept, setting)
