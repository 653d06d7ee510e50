"""Files of a run and of its study that do not belong together are one sentence each."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from mmvae_core.errors import RunError
from mmvae_core.store.held import LATENTS, SAMPLES, measured
from mmvae_core.store.record_files import write_record
from mmvae_core.store.run import Run
from mmvae_core.store.study import SHIPPED, studies
from mmvae_core.store.weights import file_hash
from tests import damage

SHIPPED_RUNS = [run for study in studies(SHIPPED) for run in study.runs()]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A copy of a shipped run, in a copy of its study."""
    folder = tmp_path / "linear" / "poe-masked"
    shutil.copytree(SHIPPED / "linear" / "poe-masked", folder)
    for name in ("study.json", SAMPLES):
        shutil.copy(SHIPPED / "linear" / name, folder.parent / name)
    return Run(folder)


def reversed_items(run: Run) -> None:
    path = run.folder.parent / SAMPLES
    with np.load(path) as file:
        turned = {name: values[::-1] for name, values in file.items()}
    np.savez_compressed(path, **turned)


def one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 4
    path.write_bytes(content)


def others(name: str) -> Callable[[Run], None]:
    """The file of another run of the same shapes."""
    return lambda run: shutil.copy(SHIPPED / "linear" / "moe-masked" / name, run.folder / name)


MIXED: dict[str, tuple[Callable[[Run], object], Callable[[Run], object], str]] = {
    "a flipped bit": (lambda run: one_bit(run.weights), lambda run: run.model(), "has the hash"),
    "another's card": (others("card.json"), lambda run: run.model(), "as card.json beside"),
    "another's report": (others("report.json"), lambda run: run.report, "measured the weights"),
    "another's posteriors": (others(LATENTS), lambda run: run.latents(), "as report.json beside"),
    "items in reversed order": (reversed_items, lambda run: run.report, "other test items"),
    "and their posteriors": (reversed_items, lambda run: run.latents(), "other test items"),
}


@pytest.mark.parametrize("how", MIXED)
def test_files_that_do_not_belong_together_are_one_sentence(run: Run, how: str) -> None:
    harm, ask, expected = MIXED[how]
    ask(run)
    harm(run)
    with pytest.raises(RunError, match=expected) as caught:
        ask(Run(run.folder))
    said = str(caught.value)
    assert said.endswith(".") and "\n" not in said
    assert "expected" in said


def test_a_report_without_names_is_held_against_nothing(run: Run) -> None:
    write_record(run.folder / "report.json", replace(run.report, measured=None))
    reversed_items(run)
    assert Run(run.folder).report.measured is None
    assert Run(run.folder).latents().mean.size


def test_a_run_elsewhere_is_held_against_the_studys_items(run: Run, tmp_path: Path) -> None:
    samples = run.folder.parent / SAMPLES
    own = Run(shutil.move(run.folder, tmp_path / "mine"))
    own.check_samples(samples)
    reversed_items(run)
    with pytest.raises(RunError, match="other test items"):
        Run(own.folder).check_samples(samples)


def test_a_hash_follows_the_file(tmp_path: Path) -> None:
    path, seen = tmp_path / "a", set()
    for number in range(20):
        path.write_bytes(bytes([number]) * 100)
        seen.add(file_hash(path))
    assert len(seen) == 20
    damage.empty(path)
    assert file_hash(path) == "e3b0c44298fc"


@pytest.mark.parametrize("run", SHIPPED_RUNS, ids=lambda run: run.id)
def test_each_shipped_report_names_what_it_measured(run: Run) -> None:
    """If one does not: `python -m tools.name_measured` names what it can prove."""
    files = (run.weights, run.folder.parent / SAMPLES, run.folder / LATENTS)
    assert run.report.measured == measured(*files)
    run.check_weights()
