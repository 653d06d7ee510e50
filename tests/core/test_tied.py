"""Who is tied ends with the process that started it."""

import subprocess
import sys

from mmvae_core.places import HOME
from tests.guard import WAIT

STARTS = """
import os, signal, time
from mmvae_core.tied import spawned

pool = spawned(2)
print(pool.submit(os.getpid).result(), flush=True)
pool.submit(time.sleep, 1_000)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_when_the_one_that_started_them_is_killed() -> None:
    """They hold its output too, so that ends when all of them have."""
    done = subprocess.run(
        [sys.executable, "-c", STARTS], capture_output=True, cwd=HOME, timeout=WAIT, check=False
    )
    assert done.returncode == -9 and int(done.stdout) > 0
