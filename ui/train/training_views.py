"""Trainings under way and finished: how far, how long still, and ways to stop and go on."""

from collections.abc import Callable
from html import escape
from pathlib import Path

import streamlit as st

from mmvae_core.errors import MMVAEError
from mmvae_core.store.history import EpochReport, read_history
from mmvae_core.store.progress import ask_to_stop, progress_of
from mmvae_core.store.records import Progress
from mmvae_core.store.run import Run
from mmvae_core.store.study import runs_in
from mmvae_core.training import launch
from ui.draw.training_curves import curves_html
from ui.shell import loading, messages, state
from ui.shell.state import Here
from ui.train import order_views

EVERY = 1.0
ACTIVE = ("starting", "waiting", "training", "evaluating")
_SAID, _WERE = "_train_said", "_train_were"


def trainings(here: Here) -> None:
    """All of the visitor's folder; while one is under way the list is drawn anew every second."""
    jobs, faults = _under_way()
    is_active = any(one.state in ACTIVE for one in jobs.values())
    st.fragment(_listed, run_every=EVERY if is_active else None)(here)
    for fault in faults:
        st.error(messages.literal(fault))


def words(name: str, told: Progress) -> str:
    """How far a training is, in a sentence.

    >>> words("mine", Progress(state="waiting", process=1, epochs=20))
    'mine waits for its turn'
    >>> told = Progress(
    ...     state="training", process=1, epoch=4, epochs=20, step=5, steps=10, seconds=45.0
    ... )
    >>> words("mine", told)
    'mine, pass 5 of 20, about 3 minutes left'
    """
    if told.state == "starting":
        return f"{name} is starting"
    if told.state == "waiting":
        return f"{name} waits for its turn"
    if told.state == "evaluating":
        return f"{name} is trained and is being measured"
    if told.state == "training":
        place = min(told.epoch + 1, told.epochs)
        return f"{name}, pass {place} of {told.epochs}{_left(told.left)}"
    verb = "failed" if told.state == "failed" else "stopped"
    return f"{name} {verb} after {told.epoch} of {told.epochs} passes"


def share(told: Progress) -> float:
    """The part of all passes that is done, from 0 to 1."""
    part = told.step / told.steps if told.steps else 0.0
    return min(1.0, (told.epoch + part) / max(told.epochs, 1))


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return f", about {max(1, round(seconds))} seconds left"
    return f", about {round(seconds / 60)} minutes left"


def _under_way() -> tuple[dict[Path, Progress], list[str]]:
    """What is begun and not done, by its folder; and why some cannot be read."""
    jobs, faults = {}, []
    for path in sorted(loading.own_runs().glob("*/progress.json")):
        try:
            told = progress_of(path.parent)
        except MMVAEError as error:
            faults.append(str(error))
            continue
        if told is not None:
            jobs[path.parent] = told
    return jobs, faults


def _listed(here: Here) -> None:
    jobs, _ = _under_way()
    active = sorted(str(folder) for folder, told in jobs.items() if told.state in ACTIVE)
    if active != st.session_state.setdefault(_WERE, active):
        st.session_state[_WERE] = active
        st.rerun()  # one has ended or begun: the sidebar and the pace of this list change
    if said := st.session_state.pop(_SAID, ""):
        st.error(messages.literal(said))
    for folder, told in jobs.items():
        _one(folder, told)
    finished = [run for run in runs_in(loading.own_runs()) if run.folder not in jobs]
    for run in finished:
        _finished(run)
    if not jobs and not finished:
        st.info(messages.literal(f"Nothing is trained into {loading.own_runs()} yet."))


def _one(folder: Path, told: Progress) -> None:
    with st.container(border=True, key=f"training_{folder.name}"):
        st.progress(share(told), messages.literal(words(folder.name, told)))
        if told.said:
            st.html(f'<p class="source">{escape(told.said)}</p>')
        st.html(_curves(_history(folder)))
        if not loading.trains():
            return
        if told.state == "starting":
            return
        if told.state in ACTIVE:
            _button("Stop", folder, lambda: ask_to_stop(folder))
        else:
            _button("Go on", folder, lambda: launch.resume(folder, order_views.options()))


def _finished(run: Run) -> None:
    history = _history(run.folder)
    with st.container(border=True, key=f"trained_{run.folder.name}"):
        bound = f", held-out bound {history[-1].validation_bound:.1f}" if history else ""
        said = f"{run.folder.name} is trained, {len(history)} passes{bound}"
        st.markdown(messages.literal(said))
        st.html(_curves(history))
        if loading.trains() and history:
            name = f"{run.folder.name[:56]}-more"
            more = len(history)
            _button(
                f"Train {more} more passes as {name}",
                run.folder,
                lambda: launch.go_on(
                    run.folder, loading.own_runs(), name, more, order_views.options()
                ),
            )


def _button(label: str, folder: Path, act: Callable[[], object]) -> None:
    """A button that does something to a training; why it could not is told above the list."""

    def clicked() -> None:
        try:
            act()
        except MMVAEError as error:
            st.session_state[_SAID] = str(error)

    st.button(messages.literal(label), key=f"{label}_{folder.name}", on_click=clicked)


def _history(folder: Path) -> list[EpochReport]:
    try:
        return read_history(folder / "history.csv")
    except MMVAEError:  # not written yet, or told where the run is opened
        return []


def _curves(history: list[EpochReport]) -> str:
    drawn = curves_html(history, state.is_dark())
    return drawn.replace("<details>", "<details open>", 1) or "<p></p>"
