"""Why models of a world end where they do: how they got there, and what they have learnt of it."""

from collections.abc import Sequence

import streamlit as st

from mmvae_core.store.results import Report, Summary
from ui.draw import result_curves
from ui.draw.result_curves import Course
from ui.results.result_tables import MINUS, TRUTH, model_name, objective_name, world_name
from ui.shared import views
from ui.shell import messages, state

STILL = {"displayModeBar": False}
RANKS = "singular_value"


def convergence(report: Report, world: str) -> None:
    """The bound on held-out items along the training, one chart an objective."""
    curves = report.curves_of(world)
    if not curves:
        return
    st.subheader("Was the training long enough?", anchor=False)
    known = list(dict.fromkeys(one.objective for one in curves))
    names = {objective_name(one): one for one in known}
    state.offer("course", list(names), next(iter(names)))
    picked = st.segmented_control(
        "Objective", list(names), default=next(iter(names)), required=True, key="course",
        bind="query-params", format_func=messages.literal,
    )  # fmt: skip
    shown = [one for one in curves if one.objective == names[picked or next(iter(names))]]
    courses = [Course(model_name(one.aggregator), one.passes, one.bounds) for one in shown]
    _chart(
        courses,
        ("pass", "bound on held-out items, nats"),
        "Bounds on held-out items along the training",
        result_curves.floor_of(courses),
    )
    late = "; ".join(
        f"{model_name(one.aggregator)} {one.late_gain:+.2f}".replace("-", MINUS) for one in shown
    )
    messages.html(
        f'<p class="plain">Rise in the last tenth of the passes, in nats: {late}. Passes are equal '
        f"for all rules of {world_name(world)}.</p>"
    )
    views.source("Means over seeds, each model's own bound: not to be compared between objectives")


def reasons(report: Report, world: str) -> None:
    """One picture of why: what was learnt of the world, or what nothing shown costs."""
    entries = report.summary_of(world)
    ranks = [one for one in entries if one.figure == RANKS]
    sizes = [one for one in entries if one.figure == "kl_by_size" and one.objective == "masked"]
    if not ranks and not sizes:
        return
    st.subheader("Why", anchor=False)
    first, second = st.columns(2, gap="large")
    if ranks:
        with first:
            _ranks([one for one in ranks if one.objective in ("masked", TRUTH)])
    if sizes:
        with second:
            _sizes(sizes)


def _ranks(entries: Sequence[Summary]) -> None:
    courses = [
        Course(
            "true loadings" if name == TRUTH else model_name(name),
            *_points([one for one in entries if one.aggregator == name]),
            is_truth=name == TRUTH,
        )
        for name in dict.fromkeys(one.aggregator for one in entries)
    ]
    _chart(courses, ("rank", "singular value"), "Singular values of the loadings, masked", 0.0)
    messages.html(
        '<p class="plain">How strongly the decoders tell of each direction of the latent space: '
        "where a rule's line falls below the true one, latents have not been found.</p>"
    )


def _sizes(entries: Sequence[Summary]) -> None:
    courses = [
        Course(model_name(name), *_points([one for one in entries if one.aggregator == name]))
        for name in dict.fromkeys(one.aggregator for one in entries)
    ]
    tops = sorted(max(one.y) for one in courses)
    _chart(courses, ("modalities shown", "KL, nats"), "KL to the exact posterior, masked", None)
    messages.html(
        '<p class="plain">KL(q(z | S) ‖ p(z | S)) from each model\'s own exact posterior, by how '
        f"many modalities are shown: at most {tops[0]:.2f} nats in the best rule, {tops[-1]:.2f} "
        "in the worst. A mixture cannot be narrower than its experts.</p>"
    )


def _points(entries: Sequence[Summary]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    ordered = sorted(entries, key=lambda one: int(one.given))
    return tuple(int(one.given) for one in ordered), tuple(one.mean for one in ordered)


def _chart(
    courses: Sequence[Course], axes: tuple[str, str], title: str, floor: float | None
) -> None:
    figure = result_curves.lines(courses, *axes, state.is_dark(), floor)
    alt = f"{title}, by {axes[0]}: {result_curves.told(courses)}"
    messages.html(f'<p class="plain"><b>{title}</b></p>')
    st.plotly_chart(views.for_room(figure), theme=None, key=f"lines {title}", alt=alt, config=STILL)
