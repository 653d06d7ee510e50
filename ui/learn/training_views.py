"""Training in the page: the visitor's own, in a thread of this server, a few at once."""

from typing import TYPE_CHECKING

import streamlit as st

from mmvae_core.explore.turns import AT_ONCE, Course, Places
from ui.components.toy_training import toy_training
from ui.shared import views
from ui.shell import messages

if TYPE_CHECKING:
    from mmvae_core.explore.toy_training import Race

EVERY_SECONDS = 0.5
PLAYED, PLAN = "_toy_course", "_toy_plan"
TRAINED = ("bounds", "learned")
"""Ids of the cards that end with a training."""
SEED, SLOW = "toy_seed", "toy_slow"
MOST_SEED = 9_999
BEGINS = (
    "It begins: the first training of a server takes some seconds to be built. Go on meanwhile."
)


@st.cache_resource(show_spinner=False)
def places() -> Places:
    """Who trains on this server, and who waits."""
    return Places()


def below(card: str) -> None:
    """Under some cards, folded: the same rules, trained by the visitor."""
    if card in TRAINED:
        with st.expander("Train five rules yourself"):
            training()


def training(world: str = "two", objective: str = "masked") -> None:
    """Controls, curves and posteriors of five aggregators that learn together on a small world.

    `world`: of `mmvae_core.data.worlds.toy.WORLDS`, or `clusters`.
    """
    with st.container(key="toy_training"):
        seed = _controls()
        course = _course(world, objective, seed)
        _buttons(course)
        every = EVERY_SECONDS if course.runs else None
        st.fragment(_drawn, run_every=every)(course, world, course.runs)


def _controls() -> int:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input("Seed of the training", 0, MOST_SEED, 0, key=SEED, width=170)
        st.toggle("Slow", key=SLOW)
    return int(seed)


def _course(world: str, objective: str, seed: int) -> Course:
    """The visitor's training; another seed or world begins another."""
    plan = (world, objective, seed)
    if st.session_state.get(PLAN) != plan or PLAYED not in st.session_state:
        _begin(plan)
    course: Course = st.session_state[PLAYED]
    course.slow = bool(st.session_state.get(SLOW))
    course.see()
    return course


def _begin(plan: tuple[str, str, int]) -> None:
    if (old := st.session_state.get(PLAYED)) is not None:
        old.pause()
    st.session_state[PLAN] = plan
    st.session_state[PLAYED] = Course(lambda: _race(*plan), places())


def _race(world: str, objective: str, seed: int) -> "Race":
    from mmvae_core.explore.toy_grounds import Plan
    from mmvae_core.explore.toy_training import Race

    return Race(Plan(world=world, objective=objective, seed=seed))


def _buttons(course: Course) -> None:
    with st.container(horizontal=True):
        if course.runs:
            st.button("Pause", on_click=course.pause, key="toy_pause", type="primary")
        else:
            st.button(
                "Play", on_click=course.play, key="toy_play", disabled=course.over, type="primary"
            )
        st.button(
            "Step",
            on_click=lambda: course.play(1),
            key="toy_step",
            disabled=course.runs or course.over,
        )
        st.button("Reset", on_click=lambda: _begin(st.session_state[PLAN]), key="toy_reset")


def _drawn(course: Course, world: str, ran: bool) -> None:
    course.see()
    messages.html(f'<p class="source" role="status">{_said(course)}</p>')
    race = course.played
    if race is not None:
        from ui.learn.training_data import payload

        toy_training(payload(race), key="toy_training_drawn")
        _source(race, world)
    if ran and not course.runs:
        st.rerun()  # buttons say what may be done next, and nothing asks any more


def _said(course: Course) -> str:
    """What the training is at, in words."""
    if course.fault:
        return course.fault
    if course.waits:
        return f"This server trains {AT_ONCE} at once: {course.waits} before you, yours begins by itself."
    if course.over:
        return "The training is over: its steps or its time are spent."
    if course.left:
        return "It stopped when nobody looked; Play goes on."
    if course.runs:
        return "It trains." if course.played is not None else BEGINS
    return "It rests." if course.played is not None else "Press Play, or Step for ten steps."


def _source(race: "Race", world: str) -> None:
    exact = "exact" if race.ground.log_p_error == 0 else "estimated from the true maps"
    views.source(
        f"{len(race.ground.items)} items that no step has seen, random subsets, one draw each",
        f"log p(x) {exact}; ± is 95 %",
        f"world {world}, seed {race.plan.seed}, equal data and noise for all",
    )
