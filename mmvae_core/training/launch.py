"""Start a training as a process of its own, which outlives who started it. Needs no torch."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from mmvae_core.config import RunConfig, changed_training, to_dict
from mmvae_core.errors import UsageError
from mmvae_core.files import write_json
from mmvae_core.store.progress import is_locked, write_progress
from mmvae_core.store.records import Progress

ORDER = "order.json"
LOG = "training.log"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def like(
    config: RunConfig, aggregator: str, objective: str, training: Mapping[str, Any]
) -> RunConfig:
    """The same run with another aggregator, objective and values in `training`.

    What only learned aggregators have is left to them. ConfigError where the parts do not fit.
    """
    from mmvae_core.build import about_aggregator  # late: brings torch
    from mmvae_core.store.weights import check_size

    wanted = changed_training(config, dict(training))
    wanted = replace(wanted, objective=replace(wanted.objective, name=objective))
    if aggregator != config.aggregator.name:
        rule = replace(wanted.aggregator, name=aggregator)
        if about_aggregator(replace(wanted, aggregator=rule)).fixed:
            rule = replace(rule, components=1, residual=False)
        wanted = replace(wanted, aggregator=rule)
    check_size(wanted)
    return wanted


def start(
    config: RunConfig,
    runs: Path,
    name: str,
    options: Sequence[str] = (),
    at_once: int | None = None,
) -> Path:
    """Train a configuration into a folder of `runs`, with further options of the command `train`.

    It waits while `at_once` trainings are under way in `runs`, by itself as many as there are
    cores. UsageError where the name is none for a run, or there is one of it.
    """
    folder = new_folder(runs, name)
    write_json(folder / ORDER, to_dict(config))
    resume(folder, options, at_once)
    return folder


def resume(folder: Path, options: Sequence[str] = (), at_once: int | None = None) -> None:
    """Go on with a training that `start` began and that has stopped."""
    if is_locked(folder):
        raise UsageError(f"The training into {folder} is under way.")
    orders = [path for name in ("config.json", ORDER) if (path := folder / name).is_file()]
    if not orders:
        raise UsageError(f"{folder} holds no training that was begun; start it anew.")
    _spawn(folder, ["train", str(orders[0]), "--out", str(folder)], options, at_once)


def go_on(
    run: Path,
    runs: Path,
    name: str,
    passes: int,
    options: Sequence[str] = (),
    at_once: int | None = None,
) -> Path:
    """Train a finished run for further passes, into a folder of `runs` of its own."""
    folder = new_folder(runs, name)
    command = ["go-on", str(run), "--out", str(folder), "--passes", str(passes)]
    _spawn(folder, command, options, at_once)
    return folder


def new_folder(runs: Path, name: str) -> Path:
    """The folder of a run that is not there yet; UsageError for a name that cannot be one."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is no name for a run; take up to 64 letters, digits, - and _."
        )
    if (runs / name).exists():
        raise UsageError(f"There is a run {name!r} already; take another name.")
    return runs / name


def _spawn(folder: Path, command: list[str], options: Sequence[str], at_once: int | None) -> None:
    turns = str(at_once or os.cpu_count() or 1)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mmvae_core", *command, "--at-once", turns, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    if not is_locked(folder):  # else it is quicker and tells more
        write_progress(folder, Progress(state="starting", process=process.pid))
