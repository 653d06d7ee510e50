"""A grid of runs, each trained and measured by a process of its own, and one table of them all.

A process that dies is started again, a run that is finished is not made again: a sweep that was
stopped goes on when it is ordered again. Where the processes run is the pool's business: on this
machine, or on the machines of a Ray cluster that share the folder.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mmvae_core.config import Config, RunConfig, to_dict
from mmvae_core.config_files import load_config, read_table
from mmvae_core.errors import ConfigError, MMVAEError, UsageError
from mmvae_core.files import write_atomically, write_json
from mmvae_core.store.progress import is_trained
from mmvae_core.store.results import headline
from mmvae_core.store.run import Run
from mmvae_core.training.launch import LOG, ORDER, like
from mmvae_core.training.pools import Pool

MOST = 10_000
"""Runs of a sweep."""
WRONG = 2
"""What a command exits with that said in one sentence what is wrong: it would say so again."""
STOPPED = 130
"""What a command exits with that somebody stopped."""
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Names = tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...]


class Grid(Config, frozen=True):
    """A grid file: every configuration with every aggregator, objective and seed.

    Where a list is empty it is the configuration's own value. `training` holds what else of a
    configuration's table `training` is to be otherwise, for all runs.
    """

    configs: Annotated[Names, Meta(min_length=1)]
    aggregators: Names = ()
    objectives: Names = ()
    seeds: tuple[Seed, ...] = ()
    training: dict[str, Any] = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """One run of a sweep: its name below the sweep's folder, and its configuration."""

    name: str
    config: RunConfig


@dataclass(frozen=True)
class Outcome:
    """What became of a job: the starts it took (0: it was there), and why it failed, if it did."""

    job: Job
    starts: int
    fault: str = ""


def read_grid(path: Path) -> list[Job]:
    """The runs of a grid file; ConfigError or UsageError in one sentence, before anything runs."""
    try:
        grid = msgspec.convert(read_table(path), Grid)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path} is not a valid grid: {error}.") from None
    count = len(grid.configs)
    for values in (grid.aggregators, grid.objectives, grid.seeds):
        count *= max(1, len(values))
    if count > MOST:
        raise UsageError(f"{path} asks for {count:,} runs, at most {MOST:,} are taken; split it.")
    jobs: dict[str, Job] = {}
    for file in grid.configs:
        for job in _jobs_of(grid, load_config(path.parent / file)):
            if jobs.setdefault(job.name, job).config != job.config:
                raise UsageError(
                    f"{path} makes two runs of the name {job.name}; give the studies of its "
                    "configurations names of their own, or sweep them into two folders."
                )
    return list(jobs.values())


def sweep(
    jobs: Sequence[Job],
    folder: Path,
    pool: Pool,
    options: Sequence[str] = (),
    retries: int = 2,
    each: Callable[[int, int], None] = lambda done, total: None,
) -> list[Outcome]:
    """Train and measure what is not finished, with further options of the command `train`.

    A process that died, however it did, is started up to `retries` times more and goes on after its
    last whole pass; one that said what is wrong, or that was stopped, is not.
    """
    outcomes = {job.name: Outcome(job, 0) for job in jobs if _is_finished(folder / job.name)}
    for start in range(1, retries + 2):
        waiting = [job for job in jobs if job.name not in outcomes]
        commands = [_command(job, folder, options) for job in waiting]
        logs = [folder / job.name / LOG for job in waiting]
        each(len(outcomes), len(jobs))
        for index, code in pool.run(commands, logs):
            if code in (0, WRONG, STOPPED) or start > retries:
                job = waiting[index]
                outcomes[job.name] = Outcome(job, start, _fault(code, logs[index]))
                each(len(outcomes), len(jobs))
    return [outcomes[job.name] for job in jobs]


def write_table(outcomes: Sequence[Outcome], folder: Path) -> tuple[Path, list[dict[str, Any]]]:
    """`sweep.csv` in the sweep's folder, a row a run with its headline figures; and the rows."""
    rows = [_row(one, folder) for one in outcomes]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    path = folder / "sweep.csv"
    with write_atomically(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path, rows


def _jobs_of(grid: Grid, config: RunConfig) -> Iterator[Job]:
    aggregators = grid.aggregators or (config.aggregator.name,)
    objectives = grid.objectives or (config.objective.name,)
    seeds = grid.seeds or (config.training.seed,)
    for aggregator, objective, seed in product(aggregators, objectives, seeds):
        variant = like(config, aggregator, objective, {**grid.training, "seed": seed})
        yield Job(f"{config.study}/{aggregator}-{objective}-seed{seed}", variant)


def _command(job: Job, folder: Path, options: Sequence[str]) -> list[str]:
    """What trains and measures a job, or only measures it; its order is written into its folder."""
    place = folder / job.name
    place.mkdir(parents=True, exist_ok=True)
    write_json(place / ORDER, to_dict(job.config))
    if is_trained(place):
        return ["evaluate", str(place), "--save", *_shared(options)]
    return ["train", str(place / ORDER), "--out", str(place), "--evaluate", *options]


def _shared(options: Sequence[str]) -> list[str]:
    """Those of the options, each with its value, that `evaluate` has too."""
    pairs = zip(options[::2], options[1::2], strict=True)
    return [part for pair in pairs if pair[0] in ("--threads", "--checkpoints") for part in pair]


def _is_finished(place: Path) -> bool:
    return is_trained(place) and Run(place).is_measured


def _fault(code: int, log: Path) -> str:
    if code == 0:
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
    return f"ended with {code}: {last.strip()[:500]}"


def _row(one: Outcome, folder: Path) -> dict[str, Any]:
    config = one.job.config
    row: dict[str, Any] = {
        "run": one.job.name,
        "aggregator": config.aggregator.name,
        "objective": config.objective.name,
        "seed": config.training.seed,
        "starts": one.starts,
        "fault": one.fault,
    }
    if one.fault:
        return row
    try:
        return row | headline(Run(folder / one.job.name))
    except MMVAEError as error:
        return row | {"fault": str(error)}
