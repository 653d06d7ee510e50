"""Calls of the model for the pages: posteriors, generations, verdicts. Imported late: has torch."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmvae_core.config import ModalityConfig
from mmvae_core.errors import RunError
from mmvae_core.evaluation.coherence import ROWS, Judge, SpellingJudge
from mmvae_core.evaluation.rates import Estimate, kl, log_mean
from mmvae_core.generation import posterior_given
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.seeding import seeded

RATE_SAMPLES = 512

# torch's global generator, which `seeded` borrows, is one for all sessions of the server.
_GENERATOR = threading.Lock()


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
    latents: np.ndarray
    """The draws of z [draw, latent]."""
    log_likelihood: float
    """The importance-weighted bound of log p(x_S) over the same draws, in nats; of nothing 0."""
    log_likelihood_error: float
    """Its standard error, from the spread of the draws' weights."""


@dataclass(frozen=True)
class Verdict:
    """What a judge says of generations [n]."""

    labels: np.ndarray
    spelt: np.ndarray | None = None


@torch.no_grad()
def generate(
    model: MultimodalVAE, given: Mapping[str, np.ndarray], count: int, seed: int
) -> Generated:
    """Infer z from the given modalities ([*shape] each, none: the prior) and decode every modality.

    The same seed gives the same noise to every model of the same latent size: of two posteriors
    with the same kind of noise (normal, mixtures of normals) the very same tensor.
    """
    posterior = _posterior(model, given)
    with _GENERATOR:
        with seeded(seed):
            draws = posterior.rsample((count,)).reshape(count, -1)
        rate = Estimate(torch.zeros(1))
        if given:
            rate = kl(posterior, model.prior(), RATE_SAMPLES, seed)
    mean = posterior.mean.reshape(1, -1)
    outputs = model.decode(torch.cat([mean, draws]))
    means = {name: _finite(name, model.modality(name).likelihood.mean(one))
             for name, one in outputs.items()}
    likelihood = _log_likelihood(model, given, posterior, draws, outputs)
    return Generated(
        at_mean={name: values[0] for name, values in means.items()},
        at_draws={name: values[1:] for name, values in means.items()},
        width=float(posterior.stddev.mean()),
        rate=float(rate.value[0]),
        rate_error=None if rate.error is None else float(rate.error[0]),
        latents=draws.numpy(),
        log_likelihood=float(likelihood.value),
        log_likelihood_error=0.0 if likelihood.error is None else float(likelihood.error),
    )


def as_tensor(values: np.ndarray, modality: ModalityConfig) -> Tensor:
    """Stored values as the model takes them: bytes to [0, 1], symbols as whole numbers."""
    if modality.likelihood.name == "categorical":
        return torch.from_numpy(np.asarray(values, np.int64))
    scale = 255 if values.dtype == np.uint8 else 1
    return torch.from_numpy(np.asarray(values, np.float32) / scale)


@torch.no_grad()
def judge(judge: Judge, values: np.ndarray) -> Verdict:
    """Labels of generations [n, ...]."""
    means = torch.from_numpy(values)
    spelt = judge.spelt(means).numpy() if isinstance(judge, SpellingJudge) else None
    return Verdict(judge(means).numpy(), spelt)


@torch.no_grad()
def judged_items(model: MultimodalVAE, judge: Judge, name: str, means: np.ndarray) -> np.ndarray:
    """What the judge says of E[x | z] at each of the latents [item, latent]: labels [item]."""
    pieces = torch.from_numpy(means).split(ROWS)
    return torch.cat([judge(model.means(one, [name])[name]) for one in pieces]).numpy()


def _posterior(model: MultimodalVAE, given: Mapping[str, np.ndarray]) -> Posterior:
    """q(z | given) with one batch entry; of nothing the prior, whatever it is, without one."""
    if not given:
        return model.prior()
    return posterior_given(model, tensors(model, given))


def tensors(model: MultimodalVAE, given: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Single items [*shape] by name, as the model takes them."""
    return {name: as_tensor(values, model.modality(name).config)
            for name, values in given.items()}


def _log_likelihood(
    model: MultimodalVAE, given: Mapping[str, np.ndarray], posterior: Posterior, draws: Tensor,
    outputs: Mapping[str, Tensor],
) -> Estimate:
    """log p(x_S) of what is given; `outputs` are those of the mean and of the draws."""
    if not given or len(draws) < 2:
        return Estimate(torch.tensor(0.0 if not given else torch.nan))
    scores = [model.modality(name).likelihood.log_prob(outputs[name][1:], values)
              for name, values in tensors(model, given).items()]
    ratio = model.prior().log_prob(draws) - posterior.log_prob(draws[:, None])[:, 0]
    return log_mean(torch.stack(scores).sum(0) + ratio)


def decoded(model: MultimodalVAE, latents: Tensor) -> dict[str, np.ndarray]:
    """E[x | z] of every modality at latents [..., latent]; RunError unless finite."""
    return {name: _finite(name, values) for name, values in model.means(latents).items()}


def _finite(name: str, values: Tensor) -> np.ndarray:
    if not torch.isfinite(values).all():
        raise RunError(
            f"The model's {name} holds NaN or infinity; the run has diverged, choose another one."
        )
    return values.numpy()
