"""A training under way, seen from outside: what it says of itself, and whether it still runs.

A training holds a lock on its folder, which the system lifts when the process ends, in whatever
way; so what says that it trains and holds no lock was interrupted.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from msgspec.structs import replace

from mmvae_core.errors import UsageError
from mmvae_core.files import fcntl, sweep, take_lock
from mmvae_core.store.record_files import read_record, write_record
from mmvae_core.store.records import Progress

FILE = "progress.json"
STATE = "training.safetensors"
"""From where a training goes on; gone once it is done."""
LOCK = ".lock"
STARTING = 120
"""Seconds that a process may take to begin before it counts as interrupted."""
REMEDY = "delete the file, then train again"
BUSY = "Another training runs into {}; wait until it has ended, or choose another folder."
DONE = "{} holds a finished run; choose another folder or delete it."
INTERRUPTED = "Interrupted without a word; started again, it goes on after the last whole pass."


def progress_of(folder: Path) -> Progress | None:
    """How far the training into a folder is; None where none is under way. RunError if unreadable.

    One that was killed after its run was whole is done, whatever it still says.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    progress = read_record(path, Progress, REMEDY)
    is_new = progress.state == "starting" and time.time() - path.stat().st_mtime < STARTING
    if progress.state in ("stopped", "failed") or is_new or is_locked(folder):
        return progress
    if is_trained(folder):
        return None
    return replace(progress, state="stopped", said=INTERRUPTED)


def write_progress(folder: Path, progress: Progress) -> None:
    """Say how far the training into a folder is."""
    write_record(folder / FILE, progress)


def ask_to_stop(folder: Path) -> None:
    """Ask the training into a folder to stop, as Ctrl-C would; UsageError where none runs."""
    progress = progress_of(folder)
    if progress is None or not is_locked(folder):
        raise UsageError(f"No training runs into {folder}, so there is none to stop.")
    with suppress(ProcessLookupError):  # it has just ended
        os.kill(progress.process, signal.SIGINT)


def is_locked(folder: Path) -> bool:
    """Whether a process holds the folder."""
    if fcntl is None or not (path := folder / LOCK).is_file():
        return False
    with path.open("a") as file:
        return not take_lock(file.fileno())


def is_trained(folder: Path) -> bool:
    """Whether a folder holds a run that is done."""
    return (folder / "card.json").is_file() and not (folder / STATE).exists()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder for oneself; UsageError where another process does."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / LOCK).exists() and not (folder / LOCK).is_file():
            raise OSError(f"{LOCK} is no plain file")
        file = (folder / LOCK).open("a")
    except OSError as error:
        said = error.strerror or error
        raise UsageError(f"{folder} cannot be written ({said}); choose another folder.") from None
    with file:
        if not take_lock(file.fileno()) or not _is_at(file.fileno(), folder / LOCK):
            raise UsageError(BUSY.format(folder))
        sweep(folder)
        try:
            yield
        finally:
            (folder / LOCK).unlink(missing_ok=True)


@contextmanager
def a_turn(folder: Path, at_once: int) -> Iterator[bool]:
    """Have one of `at_once` turns among the trainings of a folder; False where all are taken."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        places = (folder / f".turn{number}" for number in range(at_once))
        files = (opened.enter_context(place.open("a")) for place in places)
        yield any(take_lock(file.fileno()) for file in files)


def check_free(folder: Path) -> None:
    """UsageError where a training runs into the folder, or its run is done. Needs no torch.

    What a training has left there that was killed when it was done is deleted.
    """
    if is_locked(folder):
        raise UsageError(BUSY.format(folder))
    if is_trained(folder):
        if any((folder / name).exists() for name in (FILE, LOCK)):
            with held(folder):
                (folder / FILE).unlink(missing_ok=True)
        raise UsageError(DONE.format(folder))


def _is_at(handle: int, path: Path) -> bool:
    """Whether an open file is still the one at a path: who ended in between has deleted it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
