"""Multi-layer perceptrons."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers of the given sizes with SiLU between them (none after the last)."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


class VectorEncoder(nn.Module):
    """Any data, flattened, through an MLP: [batch, *shape] to [batch, features]."""

    def __init__(self, shape: tuple[int, ...], width: int, features: int) -> None:
        super().__init__()
        self.body = mlp([math.prod(shape), width, width, features])

    def forward(self, data: Tensor) -> Tensor:
        """Features of the data."""
        return self.body(data.flatten(1))


class VectorDecoder(nn.Module):
    """An MLP from the latent to the likelihood's outputs: [n, latent] to [n, *shape]."""

    def __init__(self, shape: tuple[int, ...], width: int, latent: int) -> None:
        super().__init__()
        self.shape = shape
        self.body = mlp([latent, width, width, math.prod(shape)])

    def forward(self, latent: Tensor) -> Tensor:
        """Outputs for the likelihood."""
        return self.body(latent).unflatten(-1, self.shape)


class LinearDecoder(VectorDecoder):
    """One linear layer W z + b, so that with a normal likelihood the model is linear-Gaussian."""

    def __init__(self, shape: tuple[int, ...], width: int, latent: int) -> None:
        nn.Module.__init__(self)
        self.shape = shape
        self.body = nn.Linear(latent, math.prod(shape))
