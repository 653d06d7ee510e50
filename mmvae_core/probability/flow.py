"""A prior as a normalising flow: flexible, with an exact density."""

import copy
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from mmvae_core.errors import ConfigError
from mmvae_core.probability.posteriors import MIN_SCALE
from mmvae_core.seeding import generator_of, standard_normal

MAX_LATENT = 512
MOMENT_DRAWS = 4_096
START = 0.01
"""The last layers start this much smaller, so that the flow starts near the standard normal."""


class FlowPrior(nn.Module):
    """Neural spline flow: z = T(u), u ~ N(0, I), log p(z) = log N(T^-1(z)) + log |det dT^-1/dz|.

    `layers` autoregressive rational-quadratic spline transformations, the identity outside of
    [-5, 5], and last z -> shift + scale z, which `standardise` sets. One pass gives a density,
    `latent` passes a draw.
    Source: Durkan et al., "Neural Spline Flows", 2019, arXiv 1906.04032; made by the library zuko.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, latent: int, width: int, layers: int) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(latent))
        self.register_buffer("scale", torch.ones(latent))
        if latent > MAX_LATENT:
            raise ConfigError(
                f"A flow prior was asked for over {latent} latents, expected at most {MAX_LATENT}; "
                'make `latent` smaller or use prior.name = "mixture".'
            )
        from zuko.flows import NSF  # late: only runs with this prior need the library
        from zuko.nn import MaskedMLP

        with torch.device("cpu"):  # zuko's masks need real numbers, also where others are counted
            self.flow = NSF(latent, transforms=layers, hidden_features=(width, width))
        self.latent = latent
        with torch.no_grad():
            for part in self.flow.modules():
                if isinstance(part, MaskedMLP):
                    for value in part[-1].parameters():
                        value.mul_(START)

    def forward(self) -> "Flow":
        """The prior as a distribution."""
        return Flow(self.flow, self.shift, self.scale)

    @torch.no_grad()
    def standardise(self, points: Tensor) -> None:
        """Let the splines see points [point, latent] with mean 0 and variance 1 in each latent."""
        self.shift.copy_(points.mean(0))
        self.scale.copy_(points.std(0).clamp_min(MIN_SCALE))


class Flow:
    """The flow's distribution, event shape [latent], batch shape []."""

    def __init__(self, flow: nn.Module, shift: Tensor, scale: Tensor) -> None:
        self.flow, self.shift, self.scale = flow, shift, scale

    @property
    def mean(self) -> Tensor:
        """E[z] [latent], estimated: a flow's moments have no formula."""
        return self._moments[0]

    @property
    def stddev(self) -> Tensor:
        """Standard deviations [latent], estimated from the same draws as the mean."""
        return self._moments[1]

    def rsample(self, sample_shape: Any = (), *, generator: torch.Generator) -> Tensor:
        """T(u) for draws u of the standard normal; the library's own draws take no generator."""
        shape = (*torch.Size(sample_shape), *self.shift.shape)
        start = standard_normal(shape, self.shift, generator)
        return self.shift + self.scale * self.flow().transform.inv(start)

    def log_prob(self, value: Tensor) -> Tensor:
        """Exact log-density in nats."""
        inside = self.flow().log_prob((value - self.shift) / self.scale)
        return inside - self.scale.log().sum()

    def detached(self) -> "Flow":
        """The same distribution with parameters cut from the graph."""
        return Flow(copy.deepcopy(self.flow).requires_grad_(False), self.shift, self.scale)

    @cached_property
    def _moments(self) -> tuple[Tensor, Tensor]:
        """Of 4,096 draws with a fixed seed; nobody else's random numbers are touched."""
        with torch.no_grad():
            draws = self.rsample((MOMENT_DRAWS,), generator=generator_of(0, self.shift.device))
        return draws.mean(0), draws.std(0)
