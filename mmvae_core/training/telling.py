"""A training that says how far it is, so that others can show it, wait for it and stop it."""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import getpid
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from mmvae_core.errors import MMVAEError, StoppedError, one_line
from mmvae_core.store.history import EpochReport
from mmvae_core.store.progress import FILE, a_turn, held, write_progress
from mmvae_core.store.records import Progress

EVERY = 0.5
"""Seconds between two writings, and between two tries for a turn."""
GOES_ON = "Stopped; the same command goes on after the last whole pass."


class Teller:
    """Writes `progress.json` in a training's folder; the callbacks are those of `train_run`."""

    def __init__(self, folder: Path, epochs: int, first: int) -> None:
        self.folder, self.began, self.written = folder, time.monotonic(), 0.0
        self.now = Progress(
            state="training", process=getpid(), epoch=first, first=first, epochs=epochs
        )

    def each_step(self, done: int, total: int) -> None:
        """After a batch."""
        self.now = replace(self.now, step=done % total, steps=total, seconds=self._spent())
        if time.monotonic() - self.written >= EVERY:
            self.write()

    def each_epoch(self, report: EpochReport) -> None:
        """After a pass."""
        self.write(epoch=report.epoch, step=0, seconds=self._spent())

    def write(self, **changes: Any) -> None:
        """Write what has changed."""
        self.now = replace(self.now, **changes)
        self.written = time.monotonic()
        write_progress(self.folder, self.now)

    def wait(self) -> None:
        """Begin to count the time anew: what is written now is that it waits for its turn."""
        self.write(state="waiting")

    def begin(self) -> None:
        """The turn has come."""
        self.began = time.monotonic()
        self.write(state="training")

    def _spent(self) -> float:
        return time.monotonic() - self.began


@contextmanager
def telling(folder: Path, epochs: int, first: int, at_once: int) -> Iterator[Teller]:
    """Hold a folder for a training of `epochs` passes, `first` of them done, and tell how it goes.

    With `at_once` trainings under way in the folder's parent it waits; 0 waits for nobody. When it
    is stopped (Ctrl-C, SIGTERM) or fails, the file says so; when all is done there is none.
    """
    teller, was_there = Teller(folder, epochs, first), folder.exists()
    with held(folder), _stoppable():
        try:
            with _turn(teller, at_once):
                teller.begin()
                yield teller
        except KeyboardInterrupt:
            teller.write(state="stopped", said=GOES_ON)
            raise StoppedError(f"{folder}: {GOES_ON}") from None
        except Exception as error:
            said = str(error) if isinstance(error, MMVAEError) else one_line(error)
            with suppress(MMVAEError):  # a full disk is told by the error itself
                teller.write(state="failed", said=said[:1_000])
            if not was_there and not (folder / "config.json").exists():
                shutil.rmtree(folder, ignore_errors=True)  # nothing was begun
            raise
        (folder / FILE).unlink(missing_ok=True)


@contextmanager
def _turn(teller: Teller, at_once: int) -> Iterator[None]:
    """Wait for one of the turns, if there are that many only."""
    if not at_once:
        yield
        return
    while True:
        with a_turn(teller.folder.parent, at_once) as is_mine:
            if is_mine:
                yield
                return
        if teller.now.state != "waiting":
            teller.wait()
        time.sleep(EVERY)


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGINT and SIGTERM end the training as Ctrl-C does, also where a shell had them ignored."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
