"""What the made worlds share: vectors as modalities, clustered latents, injective mixings."""

from collections.abc import Mapping

import numpy as np
import torch

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.errors import ConfigError
from mmvae_core.networks.mixing import LEAK


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
    """A mixture of normals with equal weights.

    Centres are uniform in (-5, 5) and standard deviations, which differ between clusters and
    latents, in (0.5, 3): clusters overlap. With `scaled` all is then brought to mean 0 and variance
    1 in each latent.
    Source: Khemakhem et al. 2020, https://arxiv.org/abs/1907.04809
    """

    def __init__(
        self, count: int, latent: int, generator: np.random.Generator, scaled: bool = True
    ) -> None:
        centres = generator.uniform(-5, 5, (count, latent))
        spreads = generator.uniform(0.5, 3, (count, latent))
        shift, scale = 0.0, 1.0
        if scaled:
            shift, scale = centres.mean(0), np.sqrt(centres.var(0) + (spreads**2).mean(0))
        self.centres, self.spreads = (centres - shift) / scale, spreads / scale

    def draw(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Latents [count, latent] and which cluster each comes from [count]."""
        labels = generator.integers(0, len(self.centres), count)
        noise = generator.standard_normal((count, self.centres.shape[1]))
        return self.centres[labels] + self.spreads[labels] * noise, labels


class Mixing:
    """f(z) = W_n leaky(... leaky(W_1 z + a_1) ...): injective, as all W have full rank.

    W_1 [size, latent] and the others [size, size] have orthonormal columns, but that W_1 is scaled
    by sqrt(2 size / latent), so that entries stay near the latents' size; shifts are normal with
    standard deviation 0.3.
    Source: the mixings of Khemakhem et al. 2020, https://arxiv.org/abs/1907.04809
    """

    def __init__(
        self,
        latent: int,
        size: int,
        generator: np.random.Generator,
        layers: int = 2,
        slope: float = LEAK,
    ) -> None:
        if size < latent:
            raise ConfigError(
                f"A vector of {size} numbers cannot hold {latent} latents apart; make `shape` "
                f"at least [{latent}]."
            )
        self.slope = slope
        widths = [latent] + [size] * (layers - 1)
        self.weights = [np.linalg.qr(generator.standard_normal((size, one)))[0] for one in widths]
        self.weights[0] = (2 * size / latent) ** 0.5 * self.weights[0]
        self.shifts = [0.3 * generator.standard_normal(size) for _ in widths[1:]]

    def __call__(self, latents: np.ndarray) -> np.ndarray:
        """x [item, size] of latents [item, latent]."""
        values = latents
        for weight, shift in zip(self.weights, self.shifts, strict=False):
            inside = values @ weight.T + shift
            values = np.where(inside > 0, inside, self.slope * inside)
        return values @ self.weights[-1].T
