"""Random draws that a seed decides, without touching anybody else's."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_ONE = threading.RLock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, torch's global generators start from `seed`; afterwards they are as before.

    Equal seeds give equal draws on the same machine. CUDA generators are covered once CUDA is in
    use; before that there is nothing of theirs to give back. One thread at a time is inside, as
    the generators are the process's own.
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with _ONE, torch.random.fork_rng(devices=list(devices)):
        torch.manual_seed(seed)
        yield
