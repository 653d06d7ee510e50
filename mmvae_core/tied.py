"""Processes that end when the one that started them is gone, in whatever way it went.

A process that is killed tells nobody, but the system closes its ends of all pipes. So who is tied
holds the other end of one, on which nothing is ever sent, and waits in a thread until it closes.
"""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection, get_context, parent_process
from threading import Thread

GRACE = 60
"""Seconds for what was asked to stop, such as a training that writes how far it is."""
GONE = 130
"""What a process exits with that did not stop by itself."""


def tie_to_input() -> None:
    """End once the standard input ends, which is a pipe of the process that started this one."""
    _end_after(lambda: os.read(0, 1))


def spawned(workers: int) -> ProcessPoolExecutor:
    """So many fresh processes that take work, and end with this one."""
    context = get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_tie_to_parent)


def _tie_to_parent() -> None:
    if (parent := parent_process()) is not None:
        _end_after(lambda: connection.wait([parent.sentinel]))


def _end_after(wait: Callable[[], object]) -> None:
    def watch() -> None:
        wait()
        os.kill(os.getpid(), signal.SIGTERM)  # a training that hears it says that it was stopped
        time.sleep(GRACE)
        os._exit(GONE)

    Thread(target=watch, daemon=True, name="tied").start()
