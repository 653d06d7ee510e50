"""Calls of the model for the pages: posteriors, generations, verdicts. Imported late: has torch."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmvae_core.checkpoints import Study
from mmvae_core.config import ModalityConfig
from mmvae_core.data.words import ALPHABET, LENGTH
from mmvae_core.errors import RunError
from mmvae_core.evaluation.coherence import Judge, SpellingJudge
from mmvae_core.evaluation.rates import Estimate, kl
from mmvae_core.generation import posterior_given
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Gaussian, Posterior
from mmvae_core.seeding import seeded

RATE_SAMPLES = 512

# torch's global generator, which `seeded` borrows, is one for all sessions of the server.
GENERATOR = threading.Lock()


@dataclass(frozen=True)
class Generated:
    """E[x | z] at the posterior's mean and at draws of it, and the posterior's summary."""

    at_mean: Mapping[str, np.ndarray]
    """Per modality [*shape], symbols as probabilities."""
    at_draws: Mapping[str, np.ndarray]
    """Per modality [draw, *shape]."""
    width: float
    """Mean over the latent axes of the posterior's standard deviation; the prior's is 1."""
    rate: float
    """KL(q(z | x_S) || p(z)) in nats."""
    rate_error: float | None
    """Standard error of the rate; None where it is exact."""


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

    The same seed gives the same noise to every model of the same latent size.
    """
    posterior = _posterior(model, given)
    with GENERATOR:
        with seeded(seed):
            draws = posterior.rsample((count,))[:, 0]
        rate = Estimate(torch.zeros(1))
        if given:
            rate = kl(posterior, model.prior(), RATE_SAMPLES, seed)
    latents = torch.cat([posterior.mean, draws])
    means = {name: _finite(name, values) for name, values in model.means(latents).items()}
    return Generated(
        at_mean={name: values[0] for name, values in means.items()},
        at_draws={name: values[1:] for name, values in means.items()},
        width=float(posterior.stddev.mean()),
        rate=float(rate.value[0]),
        rate_error=None if rate.error is None else float(rate.error[0]),
    )


def as_tensor(values: np.ndarray, modality: ModalityConfig) -> Tensor:
    """Stored values as the model takes them: bytes to [0, 1], symbols as whole numbers."""
    if modality.likelihood.name == "categorical":
        return torch.from_numpy(np.asarray(values, np.int64))
    scale = 255 if values.dtype == np.uint8 else 1
    return torch.from_numpy(np.asarray(values, np.float32) / scale)


def is_judged(study: Study, modality: ModalityConfig) -> bool:
    """Whether the study's judges can name the class of this modality's generations."""
    alphabet = study.about.get("alphabets", {}).get(modality.name)
    is_number_word = alphabet == ALPHABET and modality.shape == (LENGTH, len(ALPHABET))
    return modality.name in study.judge_cards or is_number_word


@torch.no_grad()
def judge(judge: Judge, values: np.ndarray) -> Verdict:
    """Labels of generations [n, ...]."""
    means = torch.from_numpy(values)
    spelt = judge.spelt(means).numpy() if isinstance(judge, SpellingJudge) else None
    return Verdict(judge(means).numpy(), spelt)


def _posterior(model: MultimodalVAE, given: Mapping[str, np.ndarray]) -> Posterior:
    if not given:
        prior = model.prior()
        return Gaussian(prior.mean[None], prior.stddev[None])
    return posterior_given(model, {
        name: as_tensor(values, model.modality(name).config) for name, values in given.items()
    })


def _finite(name: str, values: Tensor) -> np.ndarray:
    if not torch.isfinite(values).all():
        raise RunError(
            f"The model's {name} holds NaN or infinity; the run has diverged, choose another one."
        )
    return values.numpy()
