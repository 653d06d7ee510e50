"""Shared and private latents as one flat latent: z = (z', z_1, .., z_M).

The first `shared` entries are z', then come the private blocks in the modalities' order. Every
density here is over the whole vector, so objectives and figures need not know of the split.
"""

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.func import functional_call

from mmvae_core.probability.posteriors import Batched, Diagonal, Gaussian, Posterior


class SharedAndPrivate:
    """The product of a distribution of z' and a normal of all private latents."""

    def __init__(self, shared: Posterior, private: Gaussian) -> None:
        self.shared, self.private = shared, private

    @property
    def mean(self) -> Tensor:
        """Means of both parts [shared + private]."""
        return torch.cat([self.shared.mean, self.private.mean], -1)

    @property
    def stddev(self) -> Tensor:
        """Standard deviations of both parts."""
        return torch.cat([self.shared.stddev, self.private.stddev], -1)

    def rsample(self, sample_shape: Any = (), *, generator: torch.Generator) -> Tensor:
        """Draws of both parts, the shared one first."""
        shared = self.shared.rsample(sample_shape, generator=generator)
        return torch.cat([shared, self.private.rsample(sample_shape, generator=generator)], -1)

    def log_prob(self, value: Tensor) -> Tensor:
        """The sum of both log-densities, in nats."""
        private = self.private.loc.shape[-1]
        shared, own = value[..., :-private], value[..., -private:]
        return self.shared.log_prob(shared) + self.private.log_prob(own)

    def detached(self) -> "SharedAndPrivate":
        """The same distribution with parameters cut from the graph."""
        return SharedAndPrivate(self.shared.detached(), self.private.detached())


class PrivatePosterior:
    """q(z | x_S) = q(z' | x_S) prod_{s in S} q(z_s | z', x_S) prod_{s not in S} N(z_s; 0, I).

    `network(features, subset, z')` gives location and scale [..., modality, private] of the
    members' private latents; features [..., modality, feature], those outside the subset zero.
    Source: Hirt et al. 2024, arXiv 2309.00380.
    """

    def __init__(
        self,
        shared: Batched,
        network: nn.Module,
        family: type[Diagonal],
        features: Tensor,
        subset: Tensor,
        weights: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.shared, self.network, self.family = shared, network, family
        self.features, self.subset, self.weights = features, subset, weights

    @property
    def mean(self) -> Tensor:
        """E[z'] and the private means given z' = E[z'] (their own mean has no formula)."""
        private = self._given(self.shared.mean)
        own = torch.where(self.subset[..., None], private.mean, 0.0)
        return torch.cat([self.shared.mean, own.flatten(-2)], -1)

    @property
    def stddev(self) -> Tensor:
        """Standard deviations: of z', and of the private latents given z' = E[z']."""
        private = self._given(self.shared.mean)
        own = torch.where(self.subset[..., None], private.stddev, 1.0)
        return torch.cat([self.shared.stddev, own.flatten(-2)], -1)

    def rsample(self, sample_shape: Any = (), *, generator: torch.Generator) -> Tensor:
        """Draw z', then the members' private latents given it, then the others' from the prior."""
        shared = self.shared.rsample(sample_shape, generator=generator)
        seen = self._given(shared).rsample(generator=generator)
        unseen = Gaussian.noise(seen.shape, seen, generator)
        own = torch.where(self.subset[..., None], seen, unseen)
        return torch.cat([shared, own.flatten(-2)], -1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density of shared and private latents together, in nats."""
        size = self.shared.mean.shape[-1]
        shared, own = value[..., :size], value[..., size:]
        own = own.unflatten(-1, (self.subset.shape[-1], -1))
        seen = self._given(shared).log_prob(own)
        unseen = Gaussian(torch.zeros_like(own), torch.ones_like(own)).log_prob(own)
        return self.shared.log_prob(shared) + torch.where(self.subset, seen, unseen).sum(-1)

    def detached(self) -> Self:
        """The same distribution with parameters cut from the graph, not z' inside the network."""
        weights = {name: value.detach() for name, value in self.network.named_parameters()}
        return type(self)(
            self.shared.detached(),
            self.network,
            self.family,
            self.features.detach(),
            self.subset,
            weights,
        )

    def parameters(self) -> tuple[Tensor, ...]:
        """Features and subset, then the parameters of q(z' | x_S)."""
        return self.features, self.subset, *self.shared.parameters()

    def rebuilt(self, *parameters: Tensor) -> Self:
        """The same family with other parameters."""
        features, subset, *shared = parameters
        return type(self)(
            self.shared.rebuilt(*shared), self.network, self.family, features, subset, self.weights
        )

    def _given(self, shared: Tensor) -> Diagonal:
        """The private latents given z', batch shape [..., modality]."""
        arguments = (self.features, self.subset, shared)
        if self.weights is None:
            return self.family(*self.network(*arguments))
        return self.family(*functional_call(self.network, dict(self.weights), arguments))
