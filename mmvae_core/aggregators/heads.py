"""Heads beside the Gaussian one: Laplace, mixtures of K components of either family, none."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmvae_core.aggregators.base import MIN_SCALE, GaussianHead, raw_scale
from mmvae_core.networks.start import draw
from mmvae_core.probability.posteriors import DiagonalLaplace, DiagonalMixture

SPREAD = 0.5
"""Standard deviation of the components' first locations, so that no two start alike."""

MakeHead = Callable[[int, int], "GaussianHead | MixtureHead"]
"""From the numbers of features and latents to a head."""


class LaplaceHead(GaussianHead):
    """The Gaussian head's location and scale, read as a diagonal Laplace's."""

    def posterior(self, features: Tensor) -> DiagonalLaplace:
        """The distribution of features [..., feature]."""
        return DiagonalLaplace(*self(features))


class GivenHead(nn.Module):
    """Location and scale as the encoders give them: [..., 2 x latent] to two tensors [..., latent].

    scale = exp(s / 2) of a log variance s, or latent x softmax(s) + 1e-6, which averages 1.
    Source: Shi et al. 2019, arXiv 1911.03393, have the softmax in their code.
    """

    def __init__(self, softmax: bool) -> None:
        super().__init__()
        self.softmax = softmax

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Location and scale."""
        loc, raw = features.chunk(2, -1)
        scale = raw.softmax(-1) * raw.shape[-1] + 1e-6 if self.softmax else (raw / 2).exp()
        return loc, scale


class MixtureHead(nn.Module):
    """A linear read-off of K weights, locations and scales.

    weight = softmax(w), scale = softplus(s) + 0.001, s starting near softplus(s) = 1.
    """

    def __init__(
        self, features: int, latent: int, components: int, family: type[DiagonalMixture]
    ) -> None:
        super().__init__()
        self.components, self.latent, self.family = components, latent, family
        self.linear = nn.Linear(features, components * (1 + 2 * latent))
        with torch.no_grad():
            _, loc, _ = self._split(self.linear.bias)
            draw(loc, SPREAD)
        self.start_at(1.0)

    @torch.no_grad()
    def start_at(self, scale: float) -> None:
        """Let all components' scales begin near this one."""
        self._split(self.linear.bias)[2].fill_(raw_scale(scale))

    def posterior(self, features: Tensor) -> DiagonalMixture:
        """The distribution of features [..., feature]."""
        logits, loc, raw = self._split(self.linear(features))
        return self.family(logits.log_softmax(-1), loc, functional.softplus(raw) + MIN_SCALE)

    def _split(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [..., component], then two [..., component, latent]; views where possible."""
        logits, rest = values[..., : self.components], values[..., self.components :]
        loc, raw = rest.chunk(2, -1)
        shape = (self.components, self.latent)
        return logits, loc.unflatten(-1, shape), raw.unflatten(-1, shape)
