"""What the measuring of shipped runs costs: `python -m benchmarks.evaluation [STUDY/RUN ...]`.

Evaluates each run as `mmvae evaluate` does, one after the other in one process and on two threads,
and prints seconds of the processor and by the clock, and the most memory so far. The first pays for
what UMAP compiles, about 12 s. Without names, all runs of all studies.
"""

import os
import resource
import sys
import time

import torch

from mmvae_core.evaluation.report import evaluate_run
from mmvae_core.store.study import find_run, find_study, studies


def main() -> None:
    """Print a table, a row at a time."""
    torch.set_num_threads(2)
    names = sys.argv[1:] or [run.id for study in studies() for run in study.runs()]
    print(f"two threads; torch {torch.__version__}; load {os.getloadavg()[0]:.1f}")
    print("| run | processor, s | clock, s | memory, GiB |\n|---|--:|--:|--:|")
    for name in names:
        run = find_run(name)
        wall, cpu = time.perf_counter(), time.process_time()
        evaluate_run(run, find_study(run.config.study))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"| `{name}` | {cpu:.0f} | {wall:.0f} | {most:.1f} |", flush=True)


if __name__ == "__main__":
    main()
