"""A linear-Gaussian multi-modal model in float64, of which everything is known in closed form.

x_s | z ~ N(W_s z + b_s, scale_s^2 I), z ~ N(0, I). With P_s = W_s' W_s / scale_s^2 and
h_s = W_s' (x_s - b_s) / scale_s^2, the exact posterior of every subset S is normal with precision
I + sum_S P_s and mean precision^-1 sum_S h_s: an encoder that gives h_s and an aggregator that
holds P_s are exact. Both have parameters, so that gradients can be looked at.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import multivariate_normal
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from mmvae_core.batch import Batch
from mmvae_core.build import build_likelihood
from mmvae_core.config import LikelihoodConfig, ModalityConfig
from mmvae_core.modalities.modality import Modality
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.priors import StandardNormalPrior
from mmvae_core.seeding import standard_normal
from tests.small import Written

SCALES = (0.7, 1.3, 0.9)


class FullGaussian(MultivariateNormal):
    """A normal posterior with any covariance."""

    def rsample(
        self, sample_shape: Any = (), *, generator: torch.Generator | None = None
    ) -> Tensor:
        shape = self._extended_shape(torch.Size(sample_shape))
        noise = standard_normal(shape, self.loc, generator)
        return self.loc + (self.scale_tril @ noise[..., None])[..., 0]

    def detached(self) -> "FullGaussian":
        return self.rebuilt(*(value.detach() for value in self.parameters()))

    def parameters(self) -> tuple[Tensor, Tensor]:
        return self.loc, self.covariance_matrix

    def rebuilt(self, *parameters: Tensor) -> "FullGaussian":
        return FullGaussian(*parameters, validate_args=False)


class ExactPosterior(Written):
    """Precision I + sum_S P_s and mean precision^-1 sum_S h_s; P_s [modality, latent, latent]."""

    def __init__(self, precisions: Tensor) -> None:
        super().__init__()
        self.precisions = nn.Parameter(precisions)

    def aggregate(self, features: Tensor, subset: Tensor) -> FullGaussian:
        eye = torch.eye(self.precisions.shape[-1], dtype=features.dtype)
        kept = torch.einsum("...m,mij->...ij", subset.to(features.dtype), self.precisions)
        covariance = torch.linalg.inv(eye + (kept + kept.mT) / 2)
        mean = torch.einsum("...ij,...j->...i", covariance, features.sum(-2))
        return FullGaussian(mean, covariance, validate_args=False)


@dataclass(frozen=True)
class LinearGaussian:
    """The truth as numpy arrays: loadings W_s [size, latent], offsets b_s [size], scales."""

    loadings: tuple[np.ndarray, ...]
    offsets: tuple[np.ndarray, ...]
    scales: tuple[float, ...]

    @classmethod
    def random(
        cls, sizes: tuple[int, ...] = (4, 3, 2), latent: int = 2, seed: int = 0
    ) -> "LinearGaussian":
        """Loadings and offsets drawn from a seed."""
        generator = np.random.default_rng(seed)
        return cls(
            tuple(0.8 * generator.normal(size=(size, latent)) for size in sizes),
            tuple(generator.normal(size=size) for size in sizes),
            SCALES[: len(sizes)],
        )

    @property
    def latent(self) -> int:
        return self.loadings[0].shape[1]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple("abc"[: len(self.scales)])

    def draw(self, items: int, seed: int = 0) -> Batch:
        """A complete batch of the model's own data."""
        generator = np.random.default_rng(seed)
        latent = generator.normal(size=(items, self.latent))
        data = {
            name: torch.from_numpy(
                latent @ loading.T + offset + scale * generator.normal(size=(items, len(offset)))
            )
            for name, loading, offset, scale in zip(
                self.names, self.loadings, self.offsets, self.scales, strict=True
            )
        }
        return Batch(data, torch.ones(items, len(self.names), dtype=torch.bool))

    def log_evidence(self, batch: Batch, mask: Tensor) -> np.ndarray:
        """log p(x_S) [batch] for masks [batch, modality], by scipy; 0 for the empty subset."""
        return np.array([self._log_evidence_of(batch, row, mask[row]) for row in range(len(mask))])

    def _log_evidence_of(self, batch: Batch, row: int, mask: Tensor) -> float:
        members = [index for index in range(len(self.names)) if mask[index]]
        if not members:
            return 0.0
        value = np.concatenate([batch.data[self.names[index]][row].numpy() for index in members])
        loading = np.concatenate([self.loadings[index] for index in members])
        offset = np.concatenate([self.offsets[index] for index in members])
        noise = np.concatenate(
            [np.full(len(self.offsets[index]), self.scales[index] ** 2) for index in members]
        )
        covariance = loading @ loading.T + np.diag(noise)
        return float(multivariate_normal(offset, covariance).logpdf(value))

    def posterior(self, batch: Batch, mask: Tensor) -> FullGaussian:
        """p(z | x_S) for masks [batch, modality]."""
        model = self.model()
        with torch.no_grad():
            return model.infer(batch.data, mask)

    def model(self) -> MultimodalVAE:
        """The model in float64 with the exact posterior of every subset, all of it parameters."""
        precisions = np.stack(
            [
                loading.T @ loading / scale**2
                for loading, scale in zip(self.loadings, self.scales, strict=True)
            ]
        )
        modalities = [self._modality(index) for index in range(len(self.names))]
        aggregator = ExactPosterior(torch.from_numpy(precisions))
        return MultimodalVAE(modalities, aggregator, StandardNormalPrior(self.latent)).double()

    def _modality(self, index: int) -> Modality:
        loading, offset, scale = self.loadings[index], self.offsets[index], self.scales[index]
        likelihood = LikelihoodConfig(name="normal", scale=scale, learn_scale=True)
        config = ModalityConfig(
            name=self.names[index], shape=(len(offset),), likelihood=likelihood, network="mlp"
        )
        family = build_likelihood(config.shape, likelihood).double()
        with torch.no_grad():  # the float32 logarithm of the scale is off by 1e-8
            family.log_scale.copy_(torch.tensor(scale, dtype=torch.float64).log())
        encoder = linear(loading.T / scale**2, -loading.T @ offset / scale**2)
        return Modality(config, encoder, linear(loading, offset), family)


def linear(weight: np.ndarray, bias: np.ndarray) -> nn.Linear:
    """x -> weight x + bias in float64."""
    layer = nn.Linear(*weight.shape[::-1], dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))
    return layer


def disturb(model: MultimodalVAE, seed: int = 0, size: float = 0.3) -> MultimodalVAE:
    """Move the encoders away from the exact ones; decoders and prior stay as they are."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name in model.names:
            for value in model.modality(name).encoder.parameters():
                value += size * torch.randn(value.shape, generator=generator, dtype=value.dtype)
    return model
