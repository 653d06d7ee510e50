"""Fixed aggregators: products and mixtures of one Gaussian expert per modality.

Each expert N(mu_s, sigma_s) is read off the modality's features by one linear head that all
modalities share; what tells them apart is that each has an encoder of its own.
"""

import torch
from torch import Tensor

from mmvae_core.aggregators.base import Aggregator, GaussianHead
from mmvae_core.probability.posteriors import Gaussian, GaussianMixture


class ProductOfExperts(Aggregator):
    """Natural parameters add.

    precision = 1 + sum_S 1/sigma_s^2, mean = (sum_S mu_s/sigma_s^2) / precision.

    The 1 is the standard normal prior's own expert, so the empty subset gives the prior.
    Source: Wu and Goodman 2018, arXiv 1802.05335.
    """

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.head = GaussianHead(features, latent)

    def aggregate(self, features: Tensor, subset: Tensor) -> Gaussian:
        """The product of the prior and the experts in the subset."""
        loc, scale = self.head(features)
        precisions = torch.where(subset[..., None], scale**-2, 0.0)
        precision = 1 + precisions.sum(-2)
        return Gaussian((precisions * loc).sum(-2) / precision, precision**-0.5)


class MixtureOfExperts(Aggregator):
    """Equal weights over the experts in S; the empty subset gives the standard normal prior.

    The prior stands as one more component, whose weight is one where S is empty and zero else.
    Source: Shi et al. 2019, arXiv 1911.03393.
    """

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.head = GaussianHead(features, latent)

    def aggregate(self, features: Tensor, subset: Tensor) -> GaussianMixture:
        """The mixture of the experts in the subset."""
        loc, scale = self.head(features)
        empty = ~subset.any(-1, keepdim=True)
        members = torch.cat([subset, empty], -1).to(loc.dtype)
        loc = torch.cat([loc, torch.zeros_like(loc[..., :1, :])], -2)
        scale = torch.cat([scale, torch.ones_like(scale[..., :1, :])], -2)
        return GaussianMixture((members / members.sum(-1, keepdim=True)).log(), loc, scale)
