"""A grid of runs: what it asks for, what it makes, what it makes again."""

import csv
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from mmvae_core.config import to_dict
from mmvae_core.errors import ConfigError, UsageError
from mmvae_core.files import write_json
from mmvae_core.places import HOME
from mmvae_core.sources import build_source
from mmvae_core.store.progress import STATE, is_locked, progress_of
from mmvae_core.store.run import Run
from mmvae_core.studies import make_table_study
from mmvae_core.training.pools import Here, OnRay
from mmvae_core.training.sweep import read_grid, sweep, write_table
from tests import small
from tests.guard import WAIT

LINEAR = small.linear(items=40, epochs=2, batch=20)


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    write_json(tmp_path / "one.json", to_dict(LINEAR))
    path = tmp_path / "grid.toml"
    path.write_text(
        'configs = ["one.json"]\naggregators = ["poe", "sum_pooling"]\nseeds = [3, 1]\n'
        "[training]\nepochs = 1\n"
    )
    return path


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    source = build_source(LINEAR)
    make_table_study(source, LINEAR, tmp_path / "studies" / LINEAR.study)
    return tmp_path / "studies"


class Told:
    """A pool that runs nothing and ends as it is told, command after command."""

    def __init__(self, *codes: int) -> None:
        self.codes, self.ran = list(codes), []

    def run(
        self, commands: Sequence[Sequence[str]], logs: Sequence[Path]
    ) -> Iterator[tuple[int, int]]:
        for index, log in reversed(list(enumerate(logs))):
            self.ran.append(list(commands[index]))
            log.write_text("a line\nwhat is wrong\n\n")
            yield index, self.codes.pop(0)


def test_every_combination_is_a_run(grid: Path) -> None:
    jobs = read_grid(grid)
    assert [job.name for job in jobs] == [
        f"{LINEAR.study}/{rule}-{LINEAR.objective.name}-seed{seed}"
        for rule in ("poe", "sum_pooling")
        for seed in (3, 1)
    ]
    for job, (rule, seed) in zip(jobs, [("poe", 3), ("poe", 1), ("sum_pooling", 3), ("sum_pooling", 1)], strict=True):  # fmt: skip
        assert (job.config.aggregator.name, job.config.training.seed) == (rule, seed)
        assert (job.config.training.epochs, job.config.training.batch) == (1, 20)
        assert job.config.objective == LINEAR.objective


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("configs = []", "not a valid grid"),
        ('configs = ["one.json"]\nseed = [1]', "unknown field"),
        ('configs = ["two.json"]', "no configuration file"),
        ('configs = ["one.json"]\naggregators = ["none"]', "none"),
        ('configs = ["one.json"]\n[training]\nepochs = 0', "epochs"),
        ('configs = ["one.json", "other.json"]', "two runs of the name"),
        (f'configs = ["one.json"]\nseeds = {list(range(10_001))}', "10,001 runs"),
        ("configs = ", "cannot be read"),
    ],
)
def test_a_wrong_grid_is_told_before_anything_runs(grid: Path, text: str, said: str) -> None:
    other = to_dict(LINEAR) | {"features": LINEAR.features + 1}
    write_json(grid.parent / "other.json", other)
    grid.write_text(text)
    with pytest.raises((ConfigError, UsageError), match=said):
        read_grid(grid)


def test_what_died_is_started_again_and_what_said_what_is_wrong_is_not(
    grid: Path, tmp_path: Path
) -> None:
    jobs, pool = read_grid(grid), Told(2, -9, 0, 1, -9, 0, 137)
    found = sweep(jobs, tmp_path / "out", pool, ("--threads", "1"), retries=2)
    assert [one.job for one in found] == jobs
    # The pool ends the last first: it was wrong, one died, one was made, one died; again: the third
    # died, the first was made; and once more the third died.
    assert [(one.starts, one.fault) for one in found] == [
        (2, ""),
        (1, ""),
        (3, "ended with 137: what is wrong"),
        (1, "ended with 2: what is wrong"),
    ]
    assert all(one[:1] == ["train"] and "--evaluate" in one for one in pool.ran)


def test_a_sweep_trains_measures_and_is_not_done_twice(
    grid: Path, studies: Path, tmp_path: Path
) -> None:
    out, jobs = tmp_path / "out", read_grid(grid)[:2]
    options = ("--threads", "1", "--checkpoints", str(studies))
    found = sweep(jobs, out, Here(2), options)
    assert [(one.starts, one.fault) for one in found] == [(1, ""), (1, "")]
    path, rows = write_table(found, out)
    with path.open(newline="") as file:
        (first, second) = csv.DictReader(file)
    run = Run(out / jobs[0].name)
    assert run.config == jobs[0].config
    assert float(first["joint_log_likelihood"]) == run.report.log_likelihood.joint.mean
    assert (first["seed"], second["seed"]) == ("3", "1") and rows[0]["aggregator"] == "poe"
    (run.folder / "report.json").unlink()  # trained, and not measured
    pool = Told(0)
    again = sweep(jobs, out, pool, options)
    assert [one.starts for one in again] == [1, 0]
    assert pool.ran == [["evaluate", str(run.folder), "--save", *options]]


def test_what_a_killed_sweep_trains_stops_and_can_go_on(grid: Path, tmp_path: Path) -> None:
    grid.write_text(grid.read_text().replace("epochs = 1", "epochs = 10000"))  # for ever
    out, (job, *_) = tmp_path / "out", read_grid(grid)
    order = ["sweep", str(grid), "--out", str(out), "--workers", "1"]
    folder = out / job.name
    killed = subprocess.Popen([sys.executable, "-m", "mmvae_core", *order], cwd=HOME)
    try:
        wait_until(lambda: (now := progress_of(folder)) is not None and now.epoch > 0)
    finally:
        killed.kill()
        killed.wait()
    wait_until(lambda: not is_locked(folder))
    assert (told := progress_of(folder)) is not None
    assert (told.state, "goes on after the last whole pass" in told.said) == ("stopped", True)
    assert (folder / STATE).is_file()


def wait_until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < ends, "waits for ever"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_cluster_of_two_workers_makes_the_same(grid: Path, studies: Path, tmp_path: Path) -> None:
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    ray = sys.modules["ray"]
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        jobs, options = read_grid(grid)[:2], ("--threads", "1", "--checkpoints", str(studies))
        found = sweep(jobs, tmp_path / "there", OnRay(cluster.address, 1), options)
        assert [(one.starts, one.fault) for one in found] == [(1, ""), (1, "")]
    finally:
        ray.shutdown()
        cluster.shutdown()
    sweep(jobs, tmp_path / "here", Here(1), options)
    for job in jobs:
        here, there = (Run(tmp_path / place / job.name) for place in ("here", "there"))
        assert here.card.weights == there.card.weights
        assert here.report.log_likelihood == there.report.log_likelihood


def test_the_committed_grid_can_be_ordered() -> None:
    jobs = read_grid(HOME / "configs" / "mfeat" / "sweep.toml")
    assert len(jobs) == 12 and {job.config.training.seed for job in jobs} == {0, 1, 2}
