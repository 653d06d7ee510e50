"""Private latents: permutation-equivariant networks of the members' features and z'.

Each gives location and scale [..., modality, private] of q(z_s | z', x_S) for every s in S; what
it gives outside of S is not used. Inputs: features [..., modality, feature], zero outside the
subset, subset [..., modality], shared [sample, ..., latent]. Permuting the (feature, mask) pairs
permutes the outputs alike. Source: Hirt et al. 2024, arXiv 2309.00380.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmvae_core.aggregators.base import About, Aggregator, GaussianHead, Inside, blanked
from mmvae_core.aggregators.self_attention import AttentionBlock
from mmvae_core.networks.mlp import make_mlp
from mmvae_core.probability.posteriors import Batched, Diagonal, Posterior
from mmvae_core.probability.private import PrivatePosterior, SharedAndPrivate


class PlainSplit(nn.Module):
    """q(z_s | x_s): each modality's own features by one linear head; z' plays no part.

    The private part of the fixed aggregators.
    """

    def __init__(self, features: int, private: int) -> None:
        super().__init__()
        self.head = GaussianHead(features, private)

    def forward(self, features: Tensor, subset: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Location and scale, equal for all samples of z'."""
        loc, scale = self.head(features)
        shape = torch.broadcast_shapes(loc.shape, (*shared.shape[:-1], *loc.shape[-2:]))
        return loc.expand(shape), scale.expand(shape)


class SumPoolingPrivate(nn.Module):
    """head(rho(sum_{t in S} chi_1(h_t) + chi_2(h_s) + chi_3(z'))) for each s in S."""

    def __init__(
        self, features: int, latent: int, private: int, width: int, residual: bool = False
    ) -> None:
        super().__init__()
        self.others = make_mlp([features, width, width], residual)
        self.own = make_mlp([features, width, width], residual)
        self.shared = make_mlp([latent, width, width], residual)
        self.rho = make_mlp([width, width, width], residual)
        self.head = GaussianHead(width, private)

    def forward(self, features: Tensor, subset: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Location and scale."""
        pooled = torch.where(subset[..., None], self.others(features), 0.0).sum(-2, keepdim=True)
        return self.head(self.rho(pooled + self.own(features) + self.shared(shared)[..., None, :]))


class SelfAttentionPrivate(nn.Module):
    """Attention between the tokens g(h_s) + g_z(z') of S; no pooling, one output per member."""

    def __init__(
        self,
        features: int,
        latent: int,
        private: int,
        width: int,
        heads: int,
        layers: int,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(features, width)
        self.shared = nn.Linear(latent, width)
        self.blocks = nn.ModuleList(AttentionBlock(width, heads, residual) for _ in range(layers))
        self.norm = nn.Identity() if residual else nn.LayerNorm(width)
        self.rho = make_mlp([width, width, width], residual)
        self.head = GaussianHead(width, private)

    def forward(self, features: Tensor, subset: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Location and scale."""
        tokens = self.embed(features) + self.shared(shared)[..., None, :]
        for block in self.blocks:
            tokens = block(tokens, subset)
        return self.head(self.rho(self.norm(tokens)))


class WithPrivate(Aggregator):
    """Any aggregator for z', and a private network beside it: q(z', z_1..z_M | x_S)."""

    def __init__(self, shared: Aggregator, private: nn.Module, family: type[Diagonal]) -> None:
        super().__init__()
        self.shared, self.private, self.family = shared, private, family

    @property
    def about(self) -> About:
        """What the aggregator of z' says of itself."""
        return self.shared.about

    def inside(
        self, features: Tensor, subset: Tensor, prior: Posterior, names: tuple[str, ...]
    ) -> Inside | None:
        """The parts of the fusion of z'."""
        return self.shared.inside(features, subset, _of_shared(prior), names)

    def forward(self, features: Tensor, subset: Tensor, prior: Posterior | None = None) -> Batched:
        """The posterior of shared and private latents together."""
        return self.several(features, (subset,), prior)[0]

    def several(
        self, features: Tensor, subsets: Sequence[Tensor], prior: Posterior | None = None
    ) -> list[Batched]:
        """The same for several masks."""
        shared = self.shared.several(
            features, subsets, None if prior is None else _of_shared(prior)
        )
        return [
            PrivatePosterior(one, self.private, self.family, blanked(features, subset), subset)
            for one, subset in zip(shared, subsets, strict=True)
        ]


def _of_shared(prior: Posterior) -> Posterior:
    """p(z') of the prior of all latents."""
    return prior.shared if isinstance(prior, SharedAndPrivate) else prior
