"""Concatenation: a baseline that knows modalities by their place. Not permutation-invariant."""

import torch
from torch import Tensor

from mmvae_core.aggregators.base import About, GaussianHead, Learned
from mmvae_core.aggregators.heads import MakeHead
from mmvae_core.networks.mlp import make_mlp
from mmvae_core.probability.posteriors import Batched, Posterior


class Concatenation(Learned):
    """q(z | x_S) = head(rho([h_1 .. h_M, mask])), rho an MLP, h_s zero where s is not in S.

    Every place has weights of its own, so another order of the (feature, mask) pairs gives another
    posterior, and the number of modalities is fixed. With three modalities it has as many weights
    as SumPooling of the same width (512 more in 230 thousand).
    """

    def __init__(
        self,
        modalities: int,
        features: int,
        latent: int,
        width: int,
        head: MakeHead = GaussianHead,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.rho = make_mlp([modalities * (features + 1), width, width, width], residual)
        self.head = head(width, latent)

    @property
    def about(self) -> About:
        """Learned, and ordered."""
        return About(
            "A concatenation puts all vectors side by side, an absent one as zeros, and one MLP "
            "reads all of them at once: no sum, product or weight of the modalities arises on the "
            "way, so there is nothing to take apart here.",
            ordered=True,
        )

    def prepare(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def aggregate(self, known: Tensor, subset: Tensor) -> Batched:
        """Read the posterior off all places at once."""
        places = torch.cat([known.flatten(-2), subset.to(known.dtype)], -1)
        return self.head.posterior(self.rho(places))

    def parts(
        self, known: Tensor, subset: Tensor, prior: Posterior, names: tuple[str, ...]
    ) -> None:
        """None: one MLP reads all places."""
