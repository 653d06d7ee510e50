"""Priors p(z): modules that return a distribution over the latent."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmvae_core.probability.posteriors import MIN_SCALE, DiagonalMixture, Gaussian
from mmvae_core.probability.private import SharedAndPrivate


class StandardNormalPrior(nn.Module):
    """p(z) = N(0, I), event shape [latent]."""

    zeros: Tensor

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.register_buffer("zeros", torch.zeros(latent), persistent=False)

    def forward(self) -> Gaussian:
        """The prior as a distribution."""
        return Gaussian(self.zeros, torch.ones_like(self.zeros))


class MixturePrior(nn.Module):
    """p(z) = sum_k w_k prod_d f(z_d; m_kd, s_kd), all learned, event shape [latent].

    The weights start equal, the locations as standard normal draws, the scales at one.
    """

    def __init__(self, latent: int, components: int, family: type[DiagonalMixture]) -> None:
        super().__init__()
        self.family = family
        self.logits = nn.Parameter(torch.zeros(components))
        self.loc = nn.Parameter(torch.randn(components, latent))
        self.raw_scale = nn.Parameter(torch.full((components, latent), 0.5413))

    def forward(self) -> DiagonalMixture:
        """The prior as a distribution."""
        scale = functional.softplus(self.raw_scale) + MIN_SCALE
        return self.family(self.logits.log_softmax(-1), self.loc, scale)

    @torch.no_grad()
    def become(self, mixture: DiagonalMixture) -> None:
        """Take over another mixture of the same size and family."""
        log_weights, loc, scale = mixture.parameters()
        self.logits.copy_(log_weights)
        self.loc.copy_(loc)
        self.raw_scale.copy_((scale - MIN_SCALE).clamp_min(1e-6).expm1().log())


class PrivatePrior(nn.Module):
    """p(z', z_1..z_M) = p(z') prod_s N(z_s; 0, I): any prior for the shared latents alone."""

    zeros: Tensor

    def __init__(self, shared: nn.Module, private: int) -> None:
        super().__init__()
        self.shared = shared
        self.register_buffer("zeros", torch.zeros(private), persistent=False)

    def forward(self) -> SharedAndPrivate:
        """The prior as a distribution."""
        return SharedAndPrivate(self.shared(), Gaussian(self.zeros, torch.ones_like(self.zeros)))
