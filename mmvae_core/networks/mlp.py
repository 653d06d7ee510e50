"""Multi-layer perceptrons."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mmvae_core.networks.start import Decoder


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers of the given sizes with SiLU between them (none after the last)."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


class ResidualMLP(nn.Module):
    """A x + mlp(x), A the identity where both ends have one size; mlp(x) is zero at the start."""

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        same = sizes[0] == sizes[-1]
        self.straight = nn.Identity() if same else nn.Linear(sizes[0], sizes[-1])
        self.branch = mlp(sizes)
        start_at_zero(self.branch[-1])

    def forward(self, data: Tensor) -> Tensor:
        """Both parts together."""
        return self.straight(data) + self.branch(data)


def start_at_zero(layer: nn.Module) -> None:
    """Set all of a layer's weights to zero, so that a branch which it ends begins as nothing."""
    with torch.no_grad():
        for value in layer.parameters():
            value.zero_()


def make_mlp(sizes: Sequence[int], residual: bool) -> nn.Module:
    """An MLP, or its residual form."""
    return ResidualMLP(sizes) if residual else mlp(sizes)


class VectorEncoder(nn.Module):
    """Any data, flattened, through an MLP: [batch, *shape] to [batch, features]."""

    def __init__(self, shape: tuple[int, ...], width: int, features: int) -> None:
        super().__init__()
        self.body = mlp([math.prod(shape), width, width, features])

    def forward(self, data: Tensor) -> Tensor:
        """Features of the data."""
        return self.body(data.flatten(1))


class VectorDecoder(Decoder):
    """An MLP from the latent to the likelihood's outputs: [n, latent] to [n, *shape]."""

    def __init__(self, shape: tuple[int, ...], width: int, latent: int) -> None:
        super().__init__()
        self.shape = shape
        self.body = mlp([latent, width, width, math.prod(shape)])

    @property
    def last(self) -> nn.Linear:
        """The layer that gives the outputs."""
        layer = self.body[-1] if isinstance(self.body, nn.Sequential) else self.body
        assert isinstance(layer, nn.Linear)
        return layer

    def forward(self, latent: Tensor) -> Tensor:
        """Outputs for the likelihood."""
        return self.body(latent).unflatten(-1, self.shape)

    def bias_at(self, outputs: Tensor) -> Tensor:
        """The outputs themselves."""
        return outputs.flatten()


class LinearDecoder(VectorDecoder):
    """One linear layer W z + b, so that with a normal likelihood the model is linear-Gaussian."""

    def __init__(self, shape: tuple[int, ...], width: int, latent: int) -> None:
        nn.Module.__init__(self)
        self.shape = shape
        self.body = nn.Linear(latent, math.prod(shape))
