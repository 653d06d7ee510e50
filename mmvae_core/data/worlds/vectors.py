"""What the made worlds share: vectors as modalities, clustered latents, injective mixings."""

from collections.abc import Mapping

import numpy as np
import torch

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.errors import ConfigError

LEAK = 0.2
"""Slope of the leaky ReLU below zero."""


def sizes(config: RunConfig) -> list[int]:
    """How many numbers each modality has; ConfigError unless all are vectors."""
    for modality in config.modalities:
        if len(modality.shape) != 1:
            raise ConfigError(
                f"The data set {config.data.name} has vectors, modality {modality.name!r} has the "
                f"shape {list(modality.shape)}; give it a shape of one number."
            )
    return [modality.shape[0] for modality in config.modalities]


def complete(data: Mapping[str, np.ndarray]) -> Batch:
    """A batch of which nothing is missing: numbers as float32, codes as integers."""
    tensors = {name: torch.from_numpy(values) for name, values in data.items()}
    tensors = {
        name: values.float() if values.is_floating_point() else values.long()
        for name, values in tensors.items()
    }
    count = len(next(iter(tensors.values())))
    return Batch(tensors, torch.ones(count, len(tensors), dtype=torch.bool))


class Clusters:
    """A mixture of normals with equal weights, scaled to mean 0 and variance 1 in each latent.

    Before scaling, centres are uniform in (-5, 5) and standard deviations, which differ between
    clusters and latents, in (0.5, 3): clusters overlap.
    Source: Khemakhem et al. 2020, https://arxiv.org/abs/1907.04809
    """

    def __init__(self, count: int, latent: int, generator: np.random.Generator) -> None:
        centres = generator.uniform(-5, 5, (count, latent))
        spreads = generator.uniform(0.5, 3, (count, latent))
        scale = np.sqrt(centres.var(0) + (spreads**2).mean(0))
        self.centres, self.spreads = (centres - centres.mean(0)) / scale, spreads / scale

    def draw(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Latents [count, latent] and which cluster each comes from [count]."""
        labels = generator.integers(0, len(self.centres), count)
        noise = generator.standard_normal((count, self.centres.shape[1]))
        return self.centres[labels] + self.spreads[labels] * noise, labels


class Mixing:
    """f(z) = B leaky(A z + a): injective, for A [size, latent] and B [size, size] have full rank.

    Columns of A and B are orthonormal and B leaky(A z) is scaled by sqrt(2), so that entries stay
    near the latents' size; a is normal with standard deviation 0.3.
    Source: the two-layer mixings of Khemakhem et al. 2020, https://arxiv.org/abs/1907.04809
    """

    def __init__(self, latent: int, size: int, generator: np.random.Generator) -> None:
        if size < latent:
            raise ConfigError(
                f"A vector of {size} numbers cannot hold {latent} latents apart; make `shape` "
                f"at least [{latent}]."
            )
        self.inner = np.linalg.qr(generator.standard_normal((size, latent)))[0]
        self.outer = np.linalg.qr(generator.standard_normal((size, size)))[0]
        self.shift = 0.3 * generator.standard_normal(size)
        self.scale = 2**0.5 * (size / latent) ** 0.5

    def __call__(self, latents: np.ndarray) -> np.ndarray:
        """x [item, size] of latents [item, latent]."""
        hidden = self.scale * (latents @ self.inner.T) + self.shift
        return np.where(hidden > 0, hidden, LEAK * hidden) @ self.outer.T
