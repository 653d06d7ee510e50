"""Killed at any moment, or on a full disk: no half of a file is taken for whole, and all goes on.

A command runs in a forked process. At a moment of its own the system kills it, or the disk is full
from then on. A few moments by themselves; with `pytest -m long`, every one of each command.
"""

import os
import random
import re
import resource
import select
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tqdm import tqdm

from mmvae_core import files, studies
from mmvae_core.cli import main
from mmvae_core.config import to_dict
from mmvae_core.errors import MMVAEError
from mmvae_core.evaluation import report
from mmvae_core.files import UNFINISHED, write_json
from mmvae_core.store.fitted_priors import load_prior
from mmvae_core.store.opening import read_picture
from mmvae_core.store.progress import STATE
from mmvae_core.store.record_files import read_record
from mmvae_core.store.records import PriorsCard
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from mmvae_core.training import pools, second_stage, telling
from tests import small
from tests.guard import WAIT, WRITING, tell

LONG = [False, pytest.param(True, marks=pytest.mark.long)]
FEW = 2
"""So many moments of each command are tried by themselves."""
AT_RANDOM = 100
CHANGES = {"os.rename", "os.remove", "os.chmod", "os.mkdir"}
HERE = ("--threads", "1", "--checkpoints", ".")
ORDERS: dict[str, list[str]] = {
    "train": ["train", "one.json", "--out", "small/new", *HERE],
    "train and measure": ["train", "one.json", "--out", "small/new", "--evaluate", *HERE],
    "go-on": ["go-on", "small/first", "--out", "small/more", "--passes", "1", *HERE],
    "evaluate": ["evaluate", "small/first", "--save", "--seed", "1", *HERE],
    "fit-prior": ["fit-prior", "small/first", "--components", "2", "--seed", "1", *HERE],
    "made study": ["study", "other.toml", "--out", "small"],
    "own study": ["study", "make", "own"],
    "opening": ["opening", "small", *HERE],
    "export": ["export", "small/first", "--out", "plain", *HERE[2:]],
    "page": ["page", "small/first", "--out", "one.html", *HERE[2:]],
    "generate": ["generate", "small/first", "--out", "made", "--samples", "1", *HERE[2:]],
    "sweep": ["sweep", "grid.toml", "--out", "swept", "--workers", "1", *HERE],
}
LEFT = (f"{UNFINISHED}*", ".lock", "progress.json", "training.safetensors")
"""What may be there only while a command runs."""
EQUAL = (".safetensors", ".npz", ".bin", ".html", ".toml", ".txt")
"""Endings of files that hold no time of day: they are the same however often one was killed."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative: the signal), what it said, its moments."""

    code: int
    said: str
    moments: int


@dataclass(frozen=True)
class Done:
    """A command that nobody has disturbed: the folder afterwards, and how many moments it had."""

    place: Path
    changes: int
    writes: int


def forked(place: Path, order: list[str], prepare: Callable[[], Callable[[], int]]) -> Ended:
    """Run a command in a folder, in a process of its own; `prepare` gives what counts moments."""
    return end_of(*begun(place, order, prepare))


def begun(
    place: Path, order: list[str], prepare: Callable[[], Callable[[], int]]
) -> tuple[int, int]:
    """The process that runs a command, and where it says what it says.

    A bar that another thread drew as it was forked keeps its lock for ever: it has one of its own.
    """
    reading, writing = os.pipe()
    if not (process := os.fork()):
        code = 99
        try:
            tqdm.set_lock(threading.RLock())
            os.dup2(writing, 1)
            os.dup2(writing, 2)
            sys.stdout, sys.stderr = (os.fdopen(at, "w", closefd=False) for at in (1, 2))
            os.chdir(place)
            count = prepare()
            try:
                main(order)
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 0
            except BaseException:
                traceback.print_exc()
            sys.stderr.flush()
            print(f"\nmoments {count()}", flush=True)
        finally:
            os._exit(code)
    os.close(writing)
    return process, reading


def end_of(process: int, reading: int) -> Ended:
    """Wait until a command has ended; one that never does is killed, and fails its test."""
    said, ends = b"", time.monotonic() + WAIT
    while select.select([reading], [], [], max(ends - time.monotonic(), 0))[0]:
        if not (more := os.read(reading, 1 << 16)):
            break
        said += more
    else:
        os.kill(process, signal.SIGKILL)
        said += b"\nwaits for ever"
    os.close(reading)
    _, status = os.waitpid(process, 0)
    text, _, moments = said.decode().partition("\nmoments ")
    return Ended(os.waitstatus_to_exitcode(status), text, int(moments or 0))


def killed_at(moment: int, by: int = signal.SIGKILL) -> Callable[[], Callable[[], int]]:
    """Before the change of the disk of this number the process gets a signal; at 0 none.

    A file that is written but not in its place yet is cut in half before a process is killed: so it
    is in the middle of the writing.
    """

    def prepare() -> Callable[[], int]:
        here, count = str(Path.cwd()), 0

        def hear(event: str, given: tuple[Any, ...]) -> None:
            nonlocal count
            is_open = event == "open" and isinstance(given[0], str) and bool(given[2] & WRITING)
            if not (is_open or event in CHANGES):
                return
            if not (path := os.path.abspath(os.fsdecode(given[0]))).startswith(here):  # noqa: PTH100
                return
            count += 1
            if count == moment:
                if event == "os.chmod" and by == signal.SIGKILL:
                    os.truncate(path, os.stat(path).st_size // 2)  # noqa: PTH116
                os.kill(os.getpid(), by)

        if by == signal.SIGINT:  # who starts the tests in the background may have it ignored
            signal.signal(by, signal.default_int_handler)
        sys.addaudithook(hear)
        return lambda: count

    return prepare


def full_at(moment: int) -> Callable[[], Callable[[], int]]:
    """From the writing of this number on no file takes more than a few bytes; at 0 all do."""

    def prepare() -> Callable[[], int]:
        count, make = 0, files.tempfile.mkstemp

        def counted(*given: Any, **named: Any) -> tuple[int, str]:
            nonlocal count
            count += 1
            if count == moment:
                resource.setrlimit(resource.RLIMIT_FSIZE, (8, resource.RLIM_INFINITY))
            return make(*given, **named)

        files.tempfile.mkstemp = counted  # of this process alone, which ends soon
        return lambda: count

    return prepare


def forked_command(command: list[str], log: Path) -> Any:
    """In place of a program that is started: a fork, which has imported all already."""

    class Process:
        def wait(self) -> int:
            ended = forked(Path.cwd(), list(command), lambda: lambda: 0)
            with suppress(OSError):
                log.write_text(ended.said)
            return ended.code

        def terminate(self) -> None:
            """It has nobody to ask; it ends by itself."""

    return Process()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made study with a run of everything, a study of one's own, and what is to be trained."""
    place = tmp_path_factory.mktemp("torn") / "world"
    made = small.linear(items=60, epochs=2, batch=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studies, "TABLE_ITEMS", 12)
        patch.setattr(report, "project", _no_map)
        patch.setattr(
            second_stage, "fit_flow", lambda prior, points, *more: prior.standardise(points)
        )
        patch.setattr(pools, "_start", forked_command)
        patch.setattr(telling, "EVERY", 1e9)  # else a slow machine would have more moments
        write_json(place / "one.json", to_dict(made))
        (place / "one.toml").write_text('extends = "one.json"\n')
        (place / "other.toml").write_text('extends = "one.json"\n[data]\nseed = 5\n')
        (place / "grid.toml").write_text('configs = ["one.json"]\nseeds = [3, 4]\n')
        _table(place, 0)
        with pytest.MonkeyPatch.context() as there:
            there.chdir(place)
            for order in (
                ["study", "one.toml", "--out", "small"],
                ["train", "one.json", "--out", "small/first", "--evaluate", *HERE],
                ["fit-prior", "small/first", "--components", "2", *HERE],
                ["evaluate", "small/first", "--save", *HERE],
                ["study", "new", "own", "--from", "table.csv"],
                *(ORDERS[name] for name in ("opening", "export", "page", "generate")),
            ):  # also so that all is imported before processes are forked
                with pytest.raises(SystemExit) as ended:
                    main(order)
                assert ended.value.code == 0, order
        _table(place, 1)
        yield place


def _no_map(means: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """In place of PCA and UMAP, which take seconds."""
    return means[..., :2] + seed, np.ones(2) / 2, means[..., :2] - seed


def _table(place: Path, seed: int) -> None:
    numbers = np.random.default_rng(seed).normal(size=(60, 4))
    rows = [",".join(f"{one:.3f}" for one in row) for row in numbers]
    (place / "table.csv").write_text("\n".join(["a,b,c,d", *rows]))


@pytest.fixture(scope="module")
def done(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Done]:
    """A command as it ends undisturbed, run once: the folder afterwards and its moments."""
    found: dict[str, Done] = {}

    def of(name: str) -> Done:
        if name not in found:
            places = [tmp_path_factory.mktemp("done") / "world" for _ in range(2)]
            ended = []
            for place, prepare in zip(places, (killed_at(0), full_at(0)), strict=True):
                shutil.copytree(world, place)
                ended.append(forked(place, ORDERS[name], prepare))
            assert [one.code for one in ended] == [0, 0], ended
            assert files_of(places[0], EQUAL) == files_of(places[1], EQUAL)
            found[name] = Done(places[0], *(one.moments for one in ended))
        return found[name]

    return of


def files_of(place: Path, endings: tuple[str, ...]) -> dict[str, bytes]:
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file() and path.name.endswith(endings) and not path.name.startswith(UNFINISHED)
    }


def moments(count: int, long: bool, name: str) -> list[int]:
    """All of so many, or a few of them, the last among these."""
    every = range(1, count + 1)
    if long or count <= FEW:
        return list(every)
    return sorted({*random.Random(name).sample(every, FEW - 1), count})


def opened(place: Path) -> dict[str, object]:
    """What can be read of the folder, piece by piece: what it says, or None where it is refused."""
    study, run = Study(place / "small"), Run(place / "small" / "first")
    own = Study(place / "own")
    pieces: dict[str, Callable[[], object]] = {
        "samples": lambda: (study.samples().data["first"].tobytes(), study.about.title),
        "truth": lambda: study.samples().data["first"].tobytes() + study.truth().tobytes(),  # pyright: ignore[reportOptionalMemberAccess]
        "own samples": lambda: (own.samples().data["table"].tobytes(), own.about.content),
        "report": lambda: run.report,
        "latents": lambda: (run.report.seed, run.latents(12).pca.tobytes()),
        "priors": lambda: [_prior(run, kind) for kind in run.priors[1:]],
        "picture": lambda: _picture(study, run),
        "run": lambda: [bytes(one.numpy()) for one in run.model().state_dict().values()],
        **{
            f"a new run {name}": lambda name=name: [
                bytes(one.numpy()) for one in Run(place / name).model().state_dict().values()
            ]
            for name in ("small/new", "small/more", "swept/small/poe-masked-seed3")
            if (place / name / "card.json").exists()
        },
    }
    return {name: _or_none(read) for name, read in pieces.items()}


def _prior(run: Run, kind: str) -> object:
    card = read_record(run.folder / "priors.json", PriorsCard, "")
    at = torch.zeros(1, run.config.latent)
    return card.seed, float(load_prior(run, kind).log_prob(at))


def _picture(study: Study, run: Run) -> object:
    found = read_picture(study, run, 0)
    return None if found is None else found.latents.tobytes()


def _or_none(read: Callable[[], object]) -> object:
    try:
        return read()
    except MMVAEError:
        return None


def check_whole(place: Path, world: Path, after: Path) -> None:
    """What can be read is as it was before, or as it is afterwards; never a bit of both."""
    found, old, new = opened(place), opened(world), opened(after)
    for name, value in found.items():
        assert value is None or value in (old.get(name), new.get(name)), name


def check_goes_on(place: Path, name: str, after: Path) -> None:
    """Ordered again it ends with the same files, or says that all is done; nothing is left over."""
    again = forked(place, ORDERS[name], lambda: lambda: 0)
    assert again.code in (0, 2), again
    if again.code:
        assert "holds a finished run" in again.said, again
    assert files_of(place, EQUAL) == files_of(after, EQUAL)
    assert opened(place) == opened(after)
    left = [str(path) for one in LEFT for path in place.rglob(one)]
    assert not left


def disturbed(
    chosen: list[int], name: str, world: Path, after: Path, tmp_path: Path
) -> Iterator[tuple[int, Path]]:
    """Each moment with a folder in which the test disturbs the command; then all must hold there."""
    for moment in chosen:
        place = tmp_path / str(moment)
        shutil.copytree(world, place)
        yield moment, place
        check_whole(place, world, after)
        check_goes_on(place, name, after)
        shutil.rmtree(place)


@pytest.mark.parametrize("long", LONG)
@pytest.mark.parametrize("name", ORDERS)
def test_killed_a_command_goes_on_or_begins_anew(
    name: str, long: bool, world: Path, done: Callable[[str], Done], tmp_path: Path
) -> None:
    known = done(name)
    chosen = moments(known.changes, long, name)
    for moment, place in disturbed(chosen, name, world, known.place, tmp_path):
        assert forked(place, ORDERS[name], killed_at(moment)).code == -signal.SIGKILL


@pytest.mark.parametrize("long", LONG)
@pytest.mark.parametrize("name", ORDERS)
def test_a_full_disk_is_one_sentence_and_nothing_is_lost(
    name: str, long: bool, world: Path, done: Callable[[str], Done], tmp_path: Path
) -> None:
    known, before = done(name), files_of(world, EQUAL)
    chosen = moments(known.writes, long, name)
    for moment, place in disturbed(chosen, name, world, known.place, tmp_path):
        ended = forked(place, ORDERS[name], full_at(moment))
        assert ended.code == 2, ended
        assert "Traceback" not in ended.said
        assert re.search(r"cannot be written \(.*File too large.*\); make room", ended.said), ended
        new = files_of(known.place, EQUAL)
        for path, content in files_of(place, EQUAL).items():
            assert path.endswith(STATE) or content in (before.get(path), new.get(path)), path
        assert set(before) <= set(files_of(place, EQUAL))


@pytest.mark.parametrize("long", LONG)
@pytest.mark.parametrize("name", ORDERS)
def test_stopped_by_hand_a_command_says_how_it_goes_on(
    name: str, long: bool, world: Path, done: Callable[[str], Done], tmp_path: Path
) -> None:
    known = done(name)
    chosen = moments(known.changes, long, name)[: None if long else 1]
    for moment, place in disturbed(chosen, name, world, known.place, tmp_path):
        ended = forked(place, ORDERS[name], killed_at(moment, signal.SIGINT))
        assert ended.code == 130, ended
        assert "Traceback" not in ended.said
        (*_, said) = ended.said.strip().splitlines()
        assert re.search(r"Stopped; .*the same command (begins|goes on)", said), ended


@pytest.mark.long
def test_killed_a_hundred_times_a_training_ends_with_the_same_bits(
    world: Path, done: Callable[[str], Done], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """At any time of the clock, again and again in the same folder until it is done."""
    name, draw, killed, whole = "train and measure", random.Random(0), 0, 0
    known, began = done(name), time.monotonic()
    shutil.copytree(world, tmp_path / "timed")
    forked(tmp_path / "timed", ORDERS[name], lambda: lambda: 0)
    longest = time.monotonic() - began
    while killed < AT_RANDOM:
        place = tmp_path / str(whole)
        shutil.copytree(world, place)
        while True:
            process, reading = begun(place, ORDERS[name], lambda: lambda: 0)
            time.sleep(draw.uniform(0, longest))
            os.kill(process, signal.SIGKILL)
            if end_of(process, reading).code != -signal.SIGKILL:
                break
            killed += 1
            check_whole(place, world, known.place)
        check_goes_on(place, name, known.place)
        whole += 1
    tell(f"{killed} times killed, {whole} trainings ended with the same bits", request)
