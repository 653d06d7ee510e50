"""A training as a process: it says how far it is, waits, stops when asked and goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from msgspec.structs import replace

from mmvae_core.config import to_dict
from mmvae_core.errors import RunError, UsageError
from mmvae_core.files import write_json
from mmvae_core.store.history import EpochReport, read_history
from mmvae_core.store.progress import (
    FILE,
    INTERRUPTED,
    STARTING,
    ask_to_stop,
    held,
    is_locked,
    progress_of,
    write_progress,
)
from mmvae_core.store.records import Progress
from mmvae_core.store.run import Run
from mmvae_core.store.weights import file_hash
from mmvae_core.training import launch
from mmvae_core.training.telling import GOES_ON, telling
from tests import small

LINEAR = small.linear(items=3_000, epochs=40, batch=10)
AN_EPOCH = EpochReport(1, -2.0, -1.0, 0.5, 1.0, 1e-3)


def until(what: Callable[[], object]) -> None:
    """Wait for something that another process does."""
    for _ in range(1_200):
        if what():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come in two minutes")


def state(folder: Path) -> str:
    found = progress_of(folder)
    return "" if found is None else found.state


def test_a_training_is_started_stopped_and_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    few = replace(LINEAR, training=replace(LINEAR.training, epochs=4))
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    launch.start(few, tmp_path, "cut", ("--threads", "1"))
    assert state(cut) == "starting"
    until(lambda: (told := progress_of(cut)) and told.epoch)
    ask_to_stop(cut)
    until(lambda: not is_locked(cut))
    told = progress_of(cut)
    assert told is not None and (told.state, told.said) == ("stopped", GOES_ON)
    assert 1 <= told.epoch < 4 == told.epochs
    with pytest.raises(UsageError, match="none to stop"):
        ask_to_stop(cut)
    launch.resume(cut, ("--threads", "1"))
    until(lambda: (cut / "card.json").is_file() and not is_locked(cut))
    assert not (cut / FILE).exists()
    write_json(tmp_path / "few.json", to_dict(few))
    command = ["train", str(tmp_path / "few.json"), "--out", str(whole), "--threads", "1"]
    subprocess.run([sys.executable, "-m", "mmvae_core", *command], check=True)
    assert file_hash(Run(cut).weights) == file_hash(Run(whole).weights)
    with pytest.raises(UsageError, match="There is a run 'cut' already"):
        launch.start(few, tmp_path, "cut")


def test_a_training_whose_turn_has_not_come_waits_for_it(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    launch.start(LINEAR, tmp_path, "first", ("--threads", "1"), at_once=1)
    until(lambda: state(first) == "training")
    launch.start(LINEAR, tmp_path, "second", ("--threads", "1"), at_once=1)
    until(lambda: state(second) == "waiting")
    os.kill(progress_of(first).process, signal.SIGKILL)  # pyright: ignore[reportOptionalMemberAccess]
    until(lambda: state(second) == "training")
    killed = progress_of(first)
    assert killed is not None and (killed.state, killed.said) == ("stopped", INTERRUPTED)
    ask_to_stop(second)
    until(lambda: state(second) == "stopped")


def test_two_trainings_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with (
        telling(tmp_path / "run", 3, 0, 0),
        pytest.raises(UsageError, match="Another training"),
        telling(tmp_path / "run", 3, 0, 0),
    ):
        raise AssertionError("two hold it")
    assert not is_locked(tmp_path / "run")


def test_what_is_told_follows_the_training(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with telling(folder, 3, 0, 0) as tell:
        assert state(folder) == "training"
        tell.each_epoch(AN_EPOCH)
        tell.written = 0.0
        tell.each_step(5, 20)
        found = progress_of(folder)
        assert found is not None
        assert (found.epoch, found.epochs, found.step, found.steps) == (1, 3, 5, 20)
        assert found.process == os.getpid()
        tell.write(state="evaluating")
        assert state(folder) == "evaluating"
    assert progress_of(folder) is None
    assert not is_locked(folder)


def test_the_time_left_is_that_of_the_pace_so_far() -> None:
    told = Progress(
        state="training", process=1, epoch=5, first=3, epochs=8, step=5, steps=10, seconds=25.0
    )
    assert told.left == pytest.approx(25.0)  # 2.5 passes took 25 seconds, 2.5 are to come
    assert replace(told, epoch=3, step=0).left is None
    assert replace(told, steps=0).left is None


def test_a_failure_before_anything_was_begun_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(RunError), telling(tmp_path / "run", 3, 0, 0):
        raise RunError("No data here.")
    assert not (tmp_path / "run").exists()


def test_a_failure_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for error, said in ((RunError("No data here."), "No data here."), (ValueError("odd"), "odd")):
        with pytest.raises(type(error)), telling(tmp_path / "run", 3, 0, 0):
            raise error
        found = progress_of(tmp_path / "run")
        assert found is not None and (found.state, found.said) == ("failed", said)


def test_a_folder_without_lock_was_interrupted(tmp_path: Path) -> None:
    now = Progress(state="training", process=os.getpid(), epoch=2, epochs=4)
    (tmp_path / "run").mkdir()
    write_progress(tmp_path / "run", now)
    assert progress_of(tmp_path / "run") == replace(now, state="stopped", said=INTERRUPTED)
    with held(tmp_path / "run"):
        assert progress_of(tmp_path / "run") == now


def test_a_process_that_never_began_was_interrupted(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write_progress(tmp_path / "run", Progress(state="starting", process=1))
    assert state(tmp_path / "run") == "starting"
    os.utime(tmp_path / "run" / FILE, (time.time() - STARTING - 1,) * 2)
    assert state(tmp_path / "run") == "stopped"


@pytest.mark.parametrize("name", ["", "a b", "../up", "x" * 65, "-first", "ä", "a/b"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no name for a run"):
        launch.start(LINEAR, tmp_path / "runs", name)
    assert not (tmp_path / "runs").exists()


def test_what_was_never_begun_is_not_resumed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="start it anew"):
        launch.resume(tmp_path / "run")


def test_after_a_history_a_training_is_still_to_be_read(tmp_path: Path) -> None:
    few = replace(LINEAR, training=replace(LINEAR.training, epochs=1))
    launch.start(few, tmp_path, "run", ("--threads", "1"))
    until(lambda: (tmp_path / "run" / "card.json").is_file())
    assert [one.epoch for one in read_history(tmp_path / "run" / "history.csv")] == [1]


class Spawned:
    """In place of a process: the command that was asked for."""

    commands: ClassVar[list[list[str]]] = []
    pid = 2**22 + 1

    def __init__(self, command: list[str], **_: object) -> None:
        self.commands.append(command[3:])


def test_what_is_asked_for_is_in_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch.subprocess, "Popen", Spawned)
    monkeypatch.setattr(Spawned, "commands", [])
    launch.start(LINEAR, tmp_path, "new", ("--threads", "3"), at_once=7)
    launch.go_on(tmp_path / "new", tmp_path, "more", 11, ("--evaluate",), at_once=5)
    order, out = str(tmp_path / "new" / launch.ORDER), str(tmp_path / "new")
    assert Spawned.commands == [
        ["train", order, "--out", out, "--at-once", "7", "--threads", "3"],
        [
            *("go-on", out, "--out", str(tmp_path / "more"), "--passes", "11"),
            *("--at-once", "5", "--evaluate"),
        ],
    ]


def test_a_run_like_another_differs_in_what_is_asked_alone() -> None:
    learned = replace(LINEAR.aggregator, name="sum_pooling", components=3, residual=True)
    base = replace(LINEAR, aggregator=learned)
    changes = {"epochs": 7, "seed": 5, "patience": 2}
    found = launch.like(base, "poe", "mixture", changes)
    assert (found.aggregator.name, found.objective.name) == ("poe", "mixture")
    assert (found.aggregator.components, found.aggregator.residual) == (1, False)
    training = replace(base.training, epochs=7, seed=5, patience=2)
    fixed = replace(learned, name="poe", components=1, residual=False)
    objective = replace(base.objective, name="mixture")
    assert found == replace(base, training=training, aggregator=fixed, objective=objective)
    kept = launch.like(base, "self_attention", base.objective.name, {})
    assert kept == replace(base, aggregator=replace(learned, name="self_attention"))
