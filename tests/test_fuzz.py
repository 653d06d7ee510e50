"""Files, texts and settings of strangers: each is opened, or refused in one sentence, at small cost.

A small part of the cases runs by itself, the same every time; `pytest -m long` runs thousands.
"""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from mmvae_core.config_files import load_config
from mmvae_core.data.own.spec import read_spec
from mmvae_core.errors import UsageError
from mmvae_core.experiments.freshness import older_models
from mmvae_core.explore.inference import generate
from mmvae_core.places import SHIPPED
from mmvae_core.store.fitted_priors import Settings, empty_prior, load_prior, save_priors
from mmvae_core.store.history import read_history
from mmvae_core.store.opening import read_picture
from mmvae_core.store.progress import progress_of, write_progress
from mmvae_core.store.record_files import write_records
from mmvae_core.store.records import JudgeCard, PriorsCard, Progress
from mmvae_core.store.results import read_report, read_table
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study, find_run, misnamed, runs_in
from mmvae_core.store.weights import check_size, load_model
from mmvae_core.training.state import TrainingState
from mmvae_core.training.watch import Watch
from tests import mutations
from tests.guard import Ended, Tally, ask, guarded, tell
from ui.learn.reading import SHIPPED as LESSONS
from ui.learn.reading import read_card

LONG = [False, pytest.param(True, marks=pytest.mark.long)]
RUN = "poe-masked"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped study bimodal with one run, and every further file that there may be."""
    root = tmp_path_factory.mktemp("fuzz")
    study = root / "bimodal"
    shutil.copytree(SHIPPED / "bimodal", study, ignore=lambda at, names: [
        name for name in names if name.endswith(("-masked", "-mixture")) and name != RUN
    ])  # fmt: skip
    run = Run(study / RUN)
    settings_ = Settings(components=3, width=8, layers=1)
    found = {kind: empty_prior(run.config, kind, settings_) for kind in ("mixture", "flow")}
    card = PriorsCard(
        components=3, width=8, layers=1, weights="", seed=0, items=9, held_out_items=9, held_out={}
    )  # fmt: skip
    save_priors(run, found, card)
    model = run.model()
    TrainingState.of_weights(model, 2).save(run.folder / "training.safetensors")
    write_progress(run.folder, Progress(state="stopped", process=1, epochs=3))
    shutil.copytree(SHIPPED / "results", root / "results")
    for path in (root / "results").iterdir():
        if path.stem != "missing":
            path.unlink()
    shutil.copy(SHIPPED / "mfeat" / "study.toml", root)
    shutil.copy(next(iter(sorted(LESSONS.glob("*.toml")))), root / "card.toml")
    shutil.copy(SHIPPED.parent / "configs" / "experiments" / "bimodal.toml", root)
    (study / "judge").mkdir()
    write_records(study / "judge" / "card.json", {"photo": JudgeCard(shape=(1, 12, 12))})
    for read in READ.values():  # all that is imported late is there, before processes are forked
        read(Run(run.folder), Study(study), root)
    return root


def state(run: Run) -> None:
    path, model = run.folder / "training.safetensors", run.model()
    import torch

    TrainingState.load(path).check(path, model, run.config.training.epochs)
    TrainingState.load(path).give(model, torch.optim.Adam(model.parameters()), Watch(0))


def whole(run: Run, study: Study) -> None:
    """All that a page asks of a run."""
    check_size(run.config)
    study.samples_of(run.config)
    study.check_card(run)
    generate(run.model(), {}, 4, 0)


READ: dict[str, Callable[[Run, Study, Path], Any]] = {
    "bimodal/poe-masked/config.json": lambda run, study, root: whole(run, study),
    "bimodal/poe-masked/card.json": lambda run, study, root: (run.card, run.model()),
    "bimodal/poe-masked/report.json": lambda run, study, root: run.report,
    "bimodal/poe-masked/latents.npz": lambda run, study, root: run.latents(500),
    "bimodal/poe-masked/history.csv": lambda run, study, root: read_history(
        run.folder / "history.csv"
    ),
    "bimodal/poe-masked/weights.safetensors": lambda run, study, root: generate(
        load_model(run.config, run.weights), {}, 4, 0
    ),
    "bimodal/poe-masked/priors.json": lambda run, study, root: load_prior(run, "mixture"),
    "bimodal/poe-masked/priors.safetensors": lambda run, study, root: load_prior(run, "flow"),
    "bimodal/poe-masked/training.safetensors": lambda run, study, root: state(run),
    "bimodal/poe-masked/progress.json": lambda run, study, root: progress_of(run.folder),
    "bimodal/study.json": lambda run, study, root: study.samples_of(run.config),
    "bimodal/samples.npz": lambda run, study, root: study.samples_of(run.config),
    "bimodal/truth.npz": lambda run, study, root: study.truth(),
    "bimodal/opening.npz": lambda run, study, root: read_picture(study, run, 0),
    "bimodal/judge/card.json": lambda run, study, root: study.judge_cards,
    "results/missing.json": lambda run, study, root: read_report(root / "results/missing.json"),
    "results/missing.csv": lambda run, study, root: (
        older_models(root / "results" / "missing.csv"),
        read_table(root / "results" / "missing.json"),
    ),
    "study.toml": lambda run, study, root: read_spec(root),
    "card.toml": lambda run, study, root: read_card(root / "card.toml"),
    "bimodal.toml": lambda run, study, root: check_size(load_config(root / "bimodal.toml")),
}
"""How each file is read, by its place below the folder."""


def opened(root: Path, name: str) -> Ended:
    """A file, and what reads it, in a process of its own."""
    study = Study(root / "bimodal")
    return guarded(lambda: READ[name](Run(study.folder / RUN), study, root), root)


@pytest.mark.parametrize("long", LONG)
def test_altered_files(folder: Path, long: bool, request: pytest.FixtureRequest) -> None:
    names = [name for name in READ for _ in mutations.OF[Path(name).suffix]]

    def case(drawn: tuple[str, int]) -> Ended:
        name, seed = drawn
        path, draw = folder / name, random.Random(seed)
        before = path.read_bytes()
        try:
            path.write_bytes(draw.choice(mutations.OF[path.suffix])(before, draw))
            return opened(folder, name)
        finally:
            path.write_bytes(before)

    drawn = st.tuples(st.sampled_from(names), st.integers(0, 2**40))
    ask(3_600 if long else 260, drawn, case, "altered files", request)


NO_FILES: dict[str, Callable[[Path], Any]] = {
    "a pipe": lambda path: os.mkfifo(path),
    "a device without an end": lambda path: path.symlink_to("/dev/zero"),
    "a folder": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to(path.with_name("gone")),
    "a link to a file of the system": lambda path: path.symlink_to("/etc/hostname"),
    "zeros without an end": lambda path: _sparse(path, 10**12),
    "zeros": lambda path: _sparse(path, 3_000_000),
}


def _sparse(path: Path, count: int) -> None:
    with path.open("wb") as file:
        file.truncate(count)


def test_what_is_no_file_is_refused(folder: Path, request: pytest.FixtureRequest) -> None:
    tally = Tally()
    for name in READ:
        path = folder / name
        kept = path.rename(path.with_name("kept"))
        for how, make in NO_FILES.items():
            make(path)
            tally.add(f"{name} is {how}", opened(folder, name))
            path.rmdir() if path.is_dir() else path.unlink()
        kept.rename(path)
    tell(f"what is no file: {tally}", request)
    assert not tally.faults, "\n".join(tally.faults)
    # The others are of files that need not be there: what is none of these is as if it were not.
    assert tally.counts["refused"] > 0.85 * len(READ) * len(NO_FILES)


NAMES = (
    b"\xff\xfe",
    b"a\nb",
    b"\xe2\x80\xaeabc",
    b"\x1b[31m",
    b"\xc3\x28",
    b"<b>",
    b"..a",
    b"a" * 255,
)


def test_folders_of_any_name(folder: Path, tmp_path: Path) -> None:
    study = tmp_path / "bimodal"
    shutil.copytree(folder / "bimodal", study)
    for name in NAMES:
        shutil.copytree(os.fsencode(study / RUN), os.fsencode(study) + b"/" + name)
        shutil.copytree(os.fsencode(folder / "bimodal"), os.fsencode(tmp_path) + b"/" + name)
    assert {run.folder.name for run in runs_in(study)} == {RUN, "<b>", "..a", "a" * 255}
    told = [*misnamed(tmp_path), *misnamed(study)]
    assert len(told) == 2 * 5 and all(one.isprintable() for one in told)
    with pytest.raises(UsageError) as caught:
        find_run(os.fsdecode(NAMES[0]), tmp_path)
    assert caught.value.args and str(caught.value).isprintable()
    with pytest.raises(UsageError) as caught:
        find_run("n" * 5_000, tmp_path)
    assert "nnn…" in str(caught.value)


def test_whole_files_are_opened(folder: Path) -> None:
    assert {name: opened(folder, name).how for name in READ} == dict.fromkeys(READ, "opened")
