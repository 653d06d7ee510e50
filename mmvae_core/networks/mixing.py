"""The injective maps that made worlds draw their data from, as a decoder with nothing to learn."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mmvae_core.networks.start import Decoder

LEAK = 0.2
"""Slope of the leaky ReLU below zero."""


class MixingNetwork(Decoder):
    """f(z) = W_n leaky(... leaky(W_1 z + a_1) ...): [n, latent] to [n, *shape].

    Weights and shifts are buffers, zero until `adopt` gives those of a world: kept with a run, and
    never trained.
    """

    def __init__(self, shape: tuple[int, ...], width: int, latent: int) -> None:
        super().__init__()
        self.shape, size = shape, math.prod(shape)
        zeros = [torch.zeros(size, latent), torch.zeros(size, size)]
        self._keep(zeros, [torch.zeros(size)], LEAK)

    def adopt(
        self, weights: Sequence[np.ndarray], shifts: Sequence[np.ndarray], slope: float
    ) -> "MixingNetwork":
        """Take over a map's weights [out, in] and shifts [out], one shift fewer."""
        like = self._weight(0)
        tensors = [[torch.from_numpy(one).to(like) for one in part] for part in (weights, shifts)]
        self._keep(tensors[0], tensors[1], slope)
        return self

    def _keep(self, weights: Sequence[Tensor], shifts: Sequence[Tensor], slope: float) -> None:
        self.slope, self.layers = slope, len(weights)
        for index, weight in enumerate(weights):
            self.register_buffer(f"weight_{index}", weight)
        for index, shift in enumerate(shifts):
            self.register_buffer(f"shift_{index}", shift)

    def forward(self, latent: Tensor) -> Tensor:
        """The clean data of latents [n, latent]."""
        values = latent
        for index in range(self.layers - 1):
            inside = functional.linear(values, self._weight(index), self._shift(index))
            values = functional.leaky_relu(inside, self.slope)
        return functional.linear(values, self._weight(self.layers - 1)).unflatten(-1, self.shape)

    def with_jacobian(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """The clean data [n, size] and their derivatives by the latents [n, size, latent]."""
        values, slopes = latent, torch.eye(latent.shape[-1]).to(latent)
        for index in range(self.layers - 1):
            weight = self._weight(index)
            inside = functional.linear(values, weight, self._shift(index))
            gain = torch.where(inside > 0, 1.0, self.slope)
            values, slopes = gain * inside, gain[..., None] * (weight @ slopes)
        last = self._weight(self.layers - 1)
        return functional.linear(values, last), last @ slopes

    def begin_at(self, outputs: Tensor) -> None:
        """Nothing: what is known needs no start."""

    def _weight(self, index: int) -> Tensor:
        return self.get_buffer(f"weight_{index}")

    def _shift(self, index: int) -> Tensor:
        return self.get_buffer(f"shift_{index}")
