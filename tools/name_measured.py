"""Write into reports of earlier versions which files they measured: `python -m tools.name_measured`.

For every shipped run whose report names no files, the posteriors of all test items are computed
anew, from the weights and the items as they are now. Only where they are those that the evaluation
stored does the report get the three hashes, and nothing else in it changes; where they are not, the
run is told, and has to be evaluated anew.
"""

import sys

import numpy as np
import torch
from msgspec.structs import replace

from mmvae_core.evaluation.all_subsets import all_posteriors
from mmvae_core.evaluation.report import sample_batch
from mmvae_core.store.held import LATENTS, SAMPLES, measured
from mmvae_core.store.record_files import write_record
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study, studies

NEAR = 1e-3
"""Of a posterior's width: float32 on another processor moves a mean by far less."""


def is_measured_here(run: Run, study: Study) -> bool:
    """Whether the stored means are those of the run's weights on the study's items, in order."""
    stored, model = run.latents(), run.model()
    batch = sample_batch(model, study.samples_of(run.config))
    with torch.no_grad():
        means = all_posteriors(model, batch).mean.numpy()
    if means.shape != stored.mean.shape:
        return False
    return bool((np.abs(means - stored.mean) <= NEAR * stored.stddev.clip(1e-3)).all())


def main() -> int:
    """Name what can be proved; the number of runs that cannot."""
    failed = 0
    for study in studies():
        for run in study.runs():
            if not run.is_measured or not run.is_evaluated or run.report.measured:
                continue
            if not is_measured_here(run, study):
                print(f"{run.id} was measured on other files; evaluate it anew", file=sys.stderr)
                failed += 1
                continue
            files = (run.weights, study.folder / SAMPLES, run.folder / LATENTS)
            report = replace(run.report, measured=measured(*files))
            write_record(run.folder / "report.json", report)
            print(f"{run.id} names what it measured")
    return failed


if __name__ == "__main__":
    sys.exit(main())
