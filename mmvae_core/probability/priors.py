"""Priors p(z): modules that return a distribution over the latent."""

import torch
from torch import Tensor, nn

from mmvae_core.probability.posteriors import Gaussian


class StandardNormalPrior(nn.Module):
    """p(z) = N(0, I), event shape [latent]."""

    zeros: Tensor

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.register_buffer("zeros", torch.zeros(latent), persistent=False)

    def forward(self) -> Gaussian:
        """The prior as a distribution."""
        return Gaussian(self.zeros, torch.ones_like(self.zeros))
