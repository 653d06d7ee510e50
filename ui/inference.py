"""Calls of the model for the pages: posteriors, generations, verdicts. Imported late: has torch."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmvae_core import traversal
from mmvae_core.checkpoints import Samples, Study
from mmvae_core.config import ModalityConfig
from mmvae_core.data.words import ALPHABET, LENGTH
from mmvae_core.errors import RunError
from mmvae_core.evaluation import familiarity
from mmvae_core.evaluation.coherence import ConfidentJudge, Judge, SpellingJudge
from mmvae_core.evaluation.rates import Estimate, kl
from mmvae_core.generation import latents, posterior_given
from mmvae_core.model import MultimodalVAE

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
    """Mean over the latent axes of the posterior's standard deviation; the prior's is 1."""
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


@dataclass(frozen=True)
class Verdict:
    """What a judge says of generations [n]."""

    labels: np.ndarray
    spelt: np.ndarray | None = None
    confidence: np.ndarray | None = None
    """The judge's probability of the label, [n]."""


@torch.no_grad()
def generate(
    model: MultimodalVAE, given: Mapping[str, np.ndarray], count: int, seed: int,
    temperature: float = 1.0,
) -> Generated:
    """Infer z from the given modalities ([*shape] each, none: the prior) and decode every modality.

    The same seed gives the same noise to every model of the same latent size; for the temperature
    see `mmvae_core.generation.latents`.
    """
    posterior = posterior_given(model, tensors(model, given)) if given else model.prior()
    with _GENERATOR:
        draws = latents(posterior, count, seed, temperature).reshape(count, -1)
        rate = Estimate(torch.zeros(1))
        if given:
            rate = kl(posterior, model.prior(), RATE_SAMPLES, seed)
    mean = posterior.mean.reshape(1, -1)
    means = {name: _finite(name, values)
             for name, values in model.means(torch.cat([mean, draws])).items()}
    return Generated(
        at_mean={name: values[0] for name, values in means.items()},
        at_draws={name: values[1:] for name, values in means.items()},
        width=float(posterior.stddev.mean()),
        rate=float(rate.value[0]),
        rate_error=None if rate.error is None else float(rate.error[0]),
        mean=mean[0].numpy(), stddev=posterior.stddev.reshape(-1).numpy(), latents=draws.numpy(),
    )


@torch.no_grad()
def decoded(model: MultimodalVAE, points: np.ndarray) -> dict[str, np.ndarray]:
    """E[x_s | z] [n, *shape] of every modality at latents [n, latent]."""
    means = model.means(torch.from_numpy(points).float())
    return {name: _finite(name, values) for name, values in means.items()}


def strips(
    model: MultimodalVAE, mean: np.ndarray, scale: np.ndarray, steps: int, reach: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """One latent moved at a time; see `traversal.strips`."""
    found = traversal.strips(model, torch.from_numpy(mean).float(),
                             torch.from_numpy(scale).float(), steps, reach)
    values, change = ({name: _finite(name, one) for name, one in part.items()} for part in found)
    return values, change


def prior_scale(model: MultimodalVAE) -> np.ndarray:
    """The prior's standard deviations [latent]."""
    with _GENERATOR:  # a flow's moments are estimated
        return model.prior().stddev.detach().numpy()


@torch.no_grad()
def compared(model: MultimodalVAE, samples: Samples, names: tuple[str, ...]) -> Tensor:
    """log p(x_S) of test items; see `familiarity.reference`."""
    from mmvae_core.evaluation.report import sample_batch  # late: brings scikit-learn

    subset = torch.tensor([name in names for name in model.names])
    with _GENERATOR:
        return familiarity.reference(model, sample_batch(model, samples), subset)


@torch.no_grad()
def familiar(
    model: MultimodalVAE, given: Mapping[str, np.ndarray], others: Tensor
) -> familiarity.Familiarity:
    """How likely what is given is, among the test items of `compared`."""
    with _GENERATOR:
        return familiarity.familiarity(model, tensors(model, given), others)


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
    if not isinstance(judge, ConfidentJudge):
        return Verdict(judge(means).numpy(), spelt)
    confidence, labels = judge.probabilities(means).max(-1)
    return Verdict(labels.numpy(), spelt, confidence.numpy())


def tensors(model: MultimodalVAE, given: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Single items [*shape] by name, as the model takes them."""
    return {name: as_tensor(values, model.modality(name).config)
            for name, values in given.items()}


def _finite(name: str, values: Tensor) -> np.ndarray:
    if not torch.isfinite(values).all():
        raise RunError(
            f"The model's {name} holds NaN or infinity; the run has diverged, choose another one."
        )
    return values.numpy()
