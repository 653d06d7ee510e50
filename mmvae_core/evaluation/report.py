"""Everything measured on one run: the content of its report.json and latents.npz."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.errors import DataError
from mmvae_core.evaluation.all_subsets import (
    Family,
    Progress,
    all_posteriors,
    complete,
    no_progress,
    parts,
    subset_names,
)
from mmvae_core.evaluation.coherence import Judge, conditional_coherence, joint_coherence
from mmvae_core.evaluation.conflict import conflict
from mmvae_core.evaluation.digit_judges import study_judges
from mmvae_core.evaluation.latent_probe import latent_probe
from mmvae_core.evaluation.log_likelihood import log_likelihood, log_likelihoods
from mmvae_core.evaluation.rates import Estimate, cross_rates, distortions, mean_error, rates
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.projections import project
from mmvae_core.store.arrays import write_arrays
from mmvae_core.store.fitted_priors import load_prior
from mmvae_core.store.held import LATENTS, SAMPLES, measured
from mmvae_core.store.record_files import check_record, write_record
from mmvae_core.store.records import LogLikelihood, Mean, RateMean, RunReport, WithPrior
from mmvae_core.store.run import Latents, Run
from mmvae_core.store.study import Samples, Study
from mmvae_core.store.weights import file_hash
from mmvae_core.subsets import all_subsets


@dataclass(frozen=True)
class Budget:
    """How much is spent on what; the report repeats it."""

    likelihood_items: int = 500
    """The first so many items are importance-sampled; all other figures use every item."""
    likelihood_samples: int = 64
    rate_samples: int = 128
    """Draws per item where a rate has no formula (mixtures)."""
    prior_samples: int = 2_000
    distortion_samples: int = 8
    """Draws per item and subset; the map's log-likelihoods of single items come from them too."""


def evaluate_run(
    run: Run, study: Study, seed: int = 0, each: Progress = no_progress
) -> tuple[RunReport, Latents]:
    """The report of a stored run on its study's items, with the study's judges."""
    priors = {kind: load_prior(run, kind) for kind in run.priors[1:]}
    samples = study.samples_of(run.config)
    judges = study_judges(study)
    report, latents = evaluate(run.model(), samples, judges, seed=seed, each=each, priors=priors)
    named = measured(run.weights, study.folder / SAMPLES)
    return replace(report, measured=named), latents


def save_evaluation(run: Run, report: RunReport, latents: Latents) -> RunReport:
    """Write `report.json` and `latents.npz` into the run's folder; the report as it is written.

    RunError of a run that diverged.
    """
    path = run.folder / "report.json"
    check_record(report, str(path), "nothing was written; train the run anew")
    arrays = {name: values for name, values in vars(latents).items() if values is not None}
    write_arrays(run.folder / LATENTS, arrays)
    if report.measured is not None:
        named = replace(report.measured, latents=file_hash(run.folder / LATENTS))
        report = replace(report, measured=named)
    write_record(path, report)
    return report


def evaluate(
    model: MultimodalVAE,
    samples: Samples,
    judges: Mapping[str, Judge],
    budget: Budget = Budget(),
    seed: int = 0,
    each: Progress = no_progress,
    priors: Mapping[str, Posterior] = MappingProxyType({}),
) -> tuple[RunReport, Latents]:
    """The report of a model on test items, and the items' posteriors.

    Figures in nats per item are means with the standard error over items; likelihoods are
    unweighted. Where items lack modalities, a subset's figures are of the items that have all of it
    (`observed` tells how many; of a subset that none has, of all, each with what it has), those of
    everything included. Items of no class count in no figure about classes. `judges` see means of the modality they are named after. Each of `priors`, fitted
    afterwards (`second_stage`), has a row of its own. Equal seeds give equal reports.
    """
    batch = sample_batch(model, samples)
    posterior, names = all_posteriors(model, batch), subset_names(model.names)
    draws = budget.rate_samples
    likelihood, marginal = _likelihood(model, batch, budget, seed, each)
    rate = rates(posterior, model.prior(), draws, seed)
    cross = cross_rates(posterior, draws, seed)
    each("rate", 1.0)
    kept = complete(batch.observed).cpu()
    labels = torch.from_numpy(samples.labels.astype(np.int64))
    distortion, bound = distortions(
        model,
        batch,
        posterior,
        budget.distortion_samples,
        seed,
        lambda fraction: each("distortion", fraction),
    )
    coherence = conditional_coherence(
        model, posterior, labels, judges, seed, lambda fraction: each("coherence", fraction), kept
    )
    joint = joint_coherence(model, judges, seed, budget.prior_samples)
    fitted = {
        name: _with_prior(model, batch, judges, budget, seed, one) for name, one in priors.items()
    }
    each("joint_coherence", 1.0)
    probe = latent_probe(posterior, samples.labels, seed, kept.numpy())
    each("probe", 1.0)
    conflicts = conflict(model, batch, labels, judges, draws, seed, each)
    latents = _latents(model, posterior, rate, (distortion, bound, marginal), seed)
    each("projection", 1.0)
    report = RunReport(
        seed=seed,
        items=len(samples),
        rate_samples=draws,
        log_likelihood=likelihood,
        rate=_estimates(names, rate, kept),
        cross_rate=_estimates(names, cross, kept),
        distortion_samples=budget.distortion_samples,
        distortion=_means(names, distortion, kept),
        coherence=coherence,
        joint_coherence=joint,
        fitted_priors=fitted,
        probe={name: share for name, share in zip(names, probe, strict=True) if share is not None},
        observed=_counts(names, batch.observed),
        conflict=conflicts,
    )
    return report, latents


def sample_batch(model: MultimodalVAE, samples: Samples) -> Batch:
    """Samples as the model takes them, on its device; see `Kind.tensor`."""
    missing = [name for name in model.names if name not in samples.data]
    if missing or len(samples) == 0:
        raise DataError(
            f"The {len(samples)} samples have {', '.join(samples.data) or 'no modality'}, expected "
            f"at least one item of {', '.join(model.names)}; use the study the run belongs to."
        )
    data = {}
    for name in model.names:
        values = model.modality(name).kind.tensor(samples.data[name])
        real = values.is_floating_point()
        data[name] = values.to(next(model.parameters()).dtype) if real else values
    observed = torch.from_numpy(samples.mask(model.names))
    return Batch(data, observed).to(model.device)


def _likelihood(
    model: MultimodalVAE, batch: Batch, budget: Budget, seed: int, each: Progress
) -> tuple[LogLikelihood, Tensor]:
    """Joint, marginal and conditional log-likelihoods of the first items, and [subset, item]."""
    first = next(parts(batch, budget.likelihood_items))
    values = log_likelihoods(
        model,
        first,
        budget.likelihood_samples,
        seed,
        each=lambda fraction: each("log_likelihood", fraction),
    )
    rows, kept = list(enumerate(subset_names(model.names))), complete(first.observed)
    likelihood = LogLikelihood(
        samples=budget.likelihood_samples,
        items=len(first),
        estimate="importance-weighted lower bound",
        joint=mean_error(values[-1][kept[-1]]),
        marginal={name: mean_error(values[row][kept[row]]) for row, name in rows[1:]},
        conditional={
            name: mean_error((values[-1] - values[row])[kept[row]]) for row, name in rows[1:-1]
        },
    )
    return likelihood, values


@torch.no_grad()
def _with_prior(
    model: MultimodalVAE,
    batch: Batch,
    judges: Mapping[str, Judge],
    budget: Budget,
    seed: int,
    prior: Posterior,
) -> WithPrior:
    """What depends on p(z) alone, measured with another one: draws' coherence, joint likelihood."""
    everything = torch.ones(len(model.names), dtype=torch.bool)
    first = next(parts(batch, budget.likelihood_items))
    values = log_likelihood(
        model, first, everything, everything, budget.likelihood_samples, seed, prior=prior
    )
    return WithPrior(
        joint_coherence=joint_coherence(model, judges, seed, budget.prior_samples, prior),
        log_likelihood=mean_error(values),
    )


def _means(names: list[str], values: Tensor, kept: Tensor) -> dict[str, Mean]:
    """Of values [subset, item] the means over the items that count."""
    return {
        name: mean_error(values[row][kept[row].to(values.device)]) for row, name in enumerate(names)
    }


def _counts(names: list[str], observed: Tensor) -> dict[str, int]:
    """How many items have all of each subset; nothing where all have everything."""
    if bool(observed.all()):
        return {}
    masks = all_subsets(observed.shape[-1])
    having = (observed.cpu() | ~masks[:, None]).all(-1).sum(-1)
    return dict(zip(names, having.tolist(), strict=True))


def _estimates(names: list[str], estimates: list[Estimate], kept: Tensor) -> dict[str, RateMean]:
    means = [
        mean_error(one.value[some.to(one.value.device)])
        for one, some in zip(estimates, kept, strict=True)
    ]
    return {
        name: RateMean(mean=mean.mean, error=mean.error, exact=one.exact)
        for name, mean, one in zip(names, means, estimates, strict=True)
    }


def _latents(
    model: MultimodalVAE,
    posterior: Family,
    rate: list[Estimate],
    scores: tuple[Tensor, Tensor, Tensor],
    seed: int,
) -> Latents:
    mean = posterior.mean.cpu().numpy()
    pca, explained, umap = (part.astype(np.float32) for part in project(mean, seed))
    return Latents(
        masks=all_subsets(len(model.names)).numpy(),
        mean=mean,
        stddev=posterior.stddev.cpu().numpy(),
        rate=torch.stack([one.value for one in rate]).cpu().numpy(),
        pca=pca,
        pca_explained=explained,
        umap=umap,
        distortion=scores[0].cpu().numpy(),
        log_likelihood=scores[1].cpu().numpy(),
        marginal=scores[2].cpu().numpy(),
    )
