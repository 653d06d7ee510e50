"""Calls of the model for pages, commands and notebooks: posteriors, generations, verdicts.

Values go in as they are stored and come out as arrays. Imported late: has torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmvae_core.errors import RunError, UsageError
from mmvae_core.evaluation import familiarity
from mmvae_core.evaluation.coherence import ROWS, ConfidentJudge, Judge, SpellingJudge, share
from mmvae_core.evaluation.live_likelihood import of_draws
from mmvae_core.evaluation.rates import Estimate, kl
from mmvae_core.explore import traversal
from mmvae_core.explore.generation import check_names, latents, posterior_given
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.seeding import generator_of
from mmvae_core.store.fitted_priors import load_prior
from mmvae_core.store.records import Share
from mmvae_core.store.run import TRAINED, Run

RATE_SAMPLES = 512
AGREE = "agree"


@dataclass(frozen=True)
class Generated:
    """E[x | z] at the posterior's mean and at draws of it, and the posterior's summary."""

    at_mean: Mapping[str, np.ndarray]
    """Per modality [*shape], symbols as probabilities."""
    at_draws: Mapping[str, np.ndarray]
    """Per modality [draw, *shape]."""
    width: float
    """Mean over the latent axes of the posterior's standard deviation."""
    rate: float
    """KL(q(z | x_S) || p(z)) in nats."""
    rate_error: float | None
    """Standard error of the rate; None where it is exact."""
    mean: np.ndarray
    """E[z] [latent]."""
    stddev: np.ndarray
    """Standard deviations of z [latent]."""
    latents: np.ndarray
    """The draws of z [draw, latent]."""
    log_likelihood: float
    """The importance-weighted bound of log p(x_S) over the same draws, in nats; of nothing 0.

    NaN at another temperature than 1, whose draws are not the posterior's.
    """
    log_likelihood_error: float
    """Its standard error, from the spread of the draws' weights."""


@dataclass(frozen=True)
class Verdict:
    """What a judge says of generations [n]."""

    labels: np.ndarray
    spelt: np.ndarray | None = None
    confidence: np.ndarray | None = None
    """The judge's probability of the label, [n]."""


@torch.no_grad()
def generate(
    model: MultimodalVAE,
    given: Mapping[str, np.ndarray],
    count: int,
    seed: int,
    temperature: float = 1.0,
    prior: Posterior | None = None,
) -> Generated:
    """Infer z from the given modalities ([*shape] each) and decode every modality.

    Of nothing given it is what the model itself makes of nothing, q(z | nothing), which may but need
    not be the prior; `prior` is drawn from in its place, see `prior_of`.

    The same seed gives the same noise to every model of the same latent size: of two posteriors
    with the same kind of noise (normal, mixtures of normals) the very same tensor. For the
    temperature see `mmvae_core.explore.generation.latents`. Raises UsageError for other names than
    the model's, DataError for values of another shape or that are not finite.
    """
    check_names(model.names, given)
    if prior is None or given:
        posterior, is_prior = posterior_given(model, tensors(model, given)), False
    else:
        posterior, is_prior = prior, True
    generator = generator_of(seed, model.device)
    draws = latents(posterior, count, temperature, generator=generator).reshape(count, -1)
    rate = Estimate(torch.zeros(1))
    if not is_prior:
        rate = kl(posterior, model.prior(), RATE_SAMPLES, seed)
    mean = posterior.mean.reshape(1, -1)
    outputs = model.decode(torch.cat([mean, draws]))
    means = {
        name: _finite(name, model.modality(name).likelihood.mean(one))
        for name, one in outputs.items()
    }
    likelihood = Estimate(torch.tensor(torch.nan))
    if temperature == 1:
        likelihood = _log_likelihood(model, given, posterior, draws, outputs)
    return Generated(
        at_mean={name: values[0] for name, values in means.items()},
        at_draws={name: values[1:] for name, values in means.items()},
        width=float(posterior.stddev.mean()),
        rate=float(rate.value[0]),
        rate_error=None if rate.error is None else float(rate.error[0]),
        mean=mean[0].numpy(),
        stddev=posterior.stddev.reshape(-1).numpy(),
        latents=draws.numpy(),
        log_likelihood=float(likelihood.value),
        log_likelihood_error=0.0 if likelihood.error is None else float(likelihood.error),
    )


@torch.no_grad()
def decoded(model: MultimodalVAE, latents: np.ndarray | Tensor) -> dict[str, np.ndarray]:
    """E[x | z] of every modality at latents [..., latent]; RunError unless finite."""
    means = model.means(torch.as_tensor(latents, dtype=torch.float32))
    return {name: _finite(name, values) for name, values in means.items()}


def strips(
    model: MultimodalVAE, mean: np.ndarray, scale: np.ndarray, steps: int, reach: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """One latent moved at a time; see `traversal.strips`."""
    pair = traversal.strips(
        model, torch.from_numpy(mean).float(), torch.from_numpy(scale).float(), steps, reach
    )
    values, change = ({name: _finite(name, one) for name, one in part.items()} for part in pair)
    return values, change


def prior_of(run: Run, model: MultimodalVAE, kind: str) -> Posterior:
    """The run's trained prior, or one fitted afterwards; UsageError for any other."""
    if kind == TRAINED:
        return model.prior()
    if kind not in run.priors:
        raise UsageError(
            f"There is no prior {kind!r} of the run {run.id}; it has {', '.join(run.priors)}."
        )
    return load_prior(run, kind)


@torch.no_grad()
def prior_draws(prior: Posterior, count: int) -> np.ndarray:
    """Draws [draw, latent] of a prior, seed 0."""
    return latents(prior, count, generator=generator_of(0)).numpy()


def prior_scale(model: MultimodalVAE) -> np.ndarray:
    """The prior's standard deviations [latent]."""
    return model.prior().stddev.detach().numpy()


@torch.no_grad()
def familiar(
    model: MultimodalVAE, given: Mapping[str, np.ndarray], others: np.ndarray, samples: int
) -> familiarity.Familiarity:
    """How likely what is given is, among test items; see `familiarity.familiarity`."""
    return familiarity.familiarity(model, tensors(model, given), others, samples)


@torch.no_grad()
def judge(judge: Judge, values: np.ndarray) -> Verdict:
    """Labels of generations [n, ...]."""
    means = torch.from_numpy(values)
    spelt = judge.spelt(means).numpy() if isinstance(judge, SpellingJudge) else None
    if not isinstance(judge, ConfidentJudge):
        return Verdict(judge(means).numpy(), spelt)
    confidence, labels = judge.probabilities(means).max(-1)
    return Verdict(labels.numpy(), spelt, confidence.numpy())


def live_coherence(verdicts: Mapping[str, Verdict], truth: int | None) -> dict[str, Share]:
    """Of judged draws, by modality: how many are the truth, with 95 % Wilson intervals.

    Of texts also how many are the right one without a mistake. Without a truth, as where nothing is
    given, how many draws are judged the same in all modalities, under the name `agree`; nothing of
    fewer than two judged modalities.
    """
    if truth is not None:
        return {
            name: share(int((one.labels == truth).sum()), len(one.labels), _spelt(one, truth))
            for name, one in verdicts.items()
        }
    if len(verdicts) < 2:
        return {}
    every = np.stack([one.labels for one in verdicts.values()])
    return {AGREE: share(int((every == every[0]).all(0).sum()), every.shape[1])}


def _spelt(verdict: Verdict, truth: int) -> float | None:
    """The share of the draws that are the right text without a mistake."""
    if verdict.spelt is None:
        return None
    return float(verdict.spelt[verdict.labels == truth].sum() / len(verdict.labels))


@torch.no_grad()
def judged_items(model: MultimodalVAE, judge: Judge, name: str, means: np.ndarray) -> np.ndarray:
    """What the judge says of E[x | z] at each of the latents [item, latent]: labels [item]."""
    pieces = torch.from_numpy(means).split(ROWS)
    return torch.cat([judge(model.means(one, [name])[name]) for one in pieces]).numpy()


def tensors(model: MultimodalVAE, given: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Single items [*shape] by name, as the model takes them."""
    return {name: model.modality(name).kind.tensor(values) for name, values in given.items()}


def _log_likelihood(
    model: MultimodalVAE,
    given: Mapping[str, np.ndarray],
    posterior: Posterior,
    draws: Tensor,
    outputs: Mapping[str, Tensor],
) -> Estimate:
    """log p(x_S) of what is given; `outputs` are those of the mean and of the draws."""
    if not given or len(draws) < 2:
        return Estimate(torch.tensor(0.0 if not given else torch.nan))
    items, drawn = tensors(model, given), {name: one[1:] for name, one in outputs.items()}
    return of_draws(model, items, posterior, draws, drawn)


def _finite(name: str, values: Tensor) -> np.ndarray:
    if not torch.isfinite(values).all():
        raise RunError(
            f"The model's {name} holds NaN or infinity; the run has diverged, choose another one."
        )
    return values.numpy()
