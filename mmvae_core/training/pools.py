"""Where the processes of a sweep run: on this machine, or on a Ray cluster.

Each ends when whoever started it is gone, and can go on.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from mmvae_core.errors import UsageError


class Pool(Protocol):
    """Where commands run, so many at a time."""

    def run(
        self, commands: Sequence[Sequence[str]], logs: Sequence[Path]
    ) -> Iterator[tuple[int, int]]:
        """Run each command, what it says into its log; (index, exit code) as they end."""
        ...


@dataclass(frozen=True)
class Here:
    """Processes of this machine, `workers` at a time."""

    workers: int

    def run(
        self, commands: Sequence[Sequence[str]], logs: Sequence[Path]
    ) -> Iterator[tuple[int, int]]:
        """See `Pool`; what still runs when the sweep is stopped is asked to stop, and can go on."""
        running: set[subprocess.Popen[bytes]] = set()

        def run_one(index: int) -> tuple[int, int]:
            process = _start(commands[index], logs[index])
            running.add(process)
            code = process.wait()
            running.discard(process)
            return index, code

        threads = ThreadPoolExecutor(self.workers)
        try:
            waiting = [threads.submit(run_one, index) for index in range(len(commands))]
            yield from (one.result() for one in as_completed(waiting))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            for process in list(running):
                process.terminate()


@dataclass(frozen=True)
class OnRay:
    """Processes on the machines of a Ray cluster, one a task of `threads` processors."""

    address: str
    threads: int

    def run(
        self, commands: Sequence[Sequence[str]], logs: Sequence[Path]
    ) -> Iterator[tuple[int, int]]:
        """See `Pool`; a machine that is lost costs one start of what ran there."""
        ray = _ray()
        if not ray.is_initialized():
            ray.init(address=self.address, log_to_driver=False)
        task = ray.remote(num_cpus=self.threads, max_retries=0)(run_command)
        waiting = {
            task.remote(list(command), str(log.resolve())): index
            for index, (command, log) in enumerate(zip(commands, logs, strict=True))
        }
        try:
            while waiting:
                (one,), _ = ray.wait(list(waiting), num_returns=1)
                index = waiting.pop(one)
                try:
                    yield index, ray.get(one)
                except ray.exceptions.RayError:  # the worker or its machine died
                    yield index, -1
        finally:
            for one in waiting:
                ray.cancel(one, force=True)


def run_command(command: Sequence[str], log: str) -> int:
    """Run a command of `mmvae_core` to its end, what it says at the end of a file; its exit code."""
    return _start(command, Path(log)).wait()


def _start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "mmvae_core", "--tied", *command],
            stdin=subprocess.PIPE,  # says nothing; it ends when this process does
            stdout=file,
            stderr=file,
        )


def _ray() -> Any:
    try:
        return import_module("ray")  # by its name: it is an extra, and need not be there
    except ImportError:
        raise UsageError(
            "A sweep on a cluster needs Ray, which is not installed: `pip install ray`."
        ) from None
