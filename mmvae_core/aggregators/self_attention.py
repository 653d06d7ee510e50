"""SelfAttention: a learned permutation-invariant aggregator (Set Transformer)."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmvae_core.aggregators.base import (
    RHO,
    About,
    GaussianHead,
    Inside,
    Learned,
    blanked,
    of_sum,
)
from mmvae_core.aggregators.heads import MakeHead
from mmvae_core.networks.mlp import make_mlp, mlp, start_at_zero
from mmvae_core.probability.posteriors import Batched, Posterior


class AttentionBlock(nn.Module):
    """Pre-LayerNorm multi-head attention, then an MLP, each with a residual.

    Tokens are [batch, modality, width]; a `quiet` block starts as the identity.

    Keys outside the subset are masked. A row whose subset is empty may attend to anything: its
    output is dropped by the pooling, and no softmax without keys (NaN) arises.
    """

    def __init__(self, width: int, heads: int, quiet: bool = False) -> None:
        super().__init__()
        self.heads, self.quiet = heads, quiet
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.body = mlp([width, 2 * width, width])
        if quiet:
            start_at_zero(self.out)
            start_at_zero(self.body[-1])

    def forward(self, tokens: Tensor, subset: Tensor) -> Tensor:
        """The tokens after one block."""
        query, key, value = self._project(tokens)
        keys = (subset | ~subset.any(-1, keepdim=True))[..., None, None, :]
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=keys)
        tokens = tokens + self.out(mixed.transpose(-3, -2).flatten(-2))
        return tokens + self.body(self.norm_mlp(tokens))

    def weights(self, tokens: Tensor, subset: Tensor) -> Tensor:
        """Attention weights [batch, head, query, key]; zero for keys outside the subset."""
        query, key, _ = self._project(tokens)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        weights = scores.masked_fill(~subset[..., None, None, :], -torch.inf).softmax(-1)
        return torch.where(subset.any(-1)[..., None, None, None], weights, 0.0)

    def _project(self, tokens: Tensor) -> list[Tensor]:
        parts = self.to_query_key_value(self.norm_attention(tokens)).chunk(3, -1)
        return [part.unflatten(-1, (self.heads, -1)).transpose(-3, -2) for part in parts]


class SelfAttention(Learned):
    """Attention between the members' tokens, sum over S, then rho and the head.

    The residual form has no norm before the sum, which would take the magnitude away, and all its
    branches start at zero.
    Source: Lee et al. 2019, arXiv 1810.00825; Hirt et al. 2024, arXiv 2309.00380.
    """

    def __init__(
        self,
        features: int,
        latent: int,
        width: int,
        heads: int,
        layers: int,
        head: MakeHead = GaussianHead,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(features, width)
        self.blocks = nn.ModuleList(AttentionBlock(width, heads, residual) for _ in range(layers))
        self.norm = nn.Identity() if residual else nn.LayerNorm(width)
        self.rho = make_mlp([width, width, width], residual)
        self.head = head(width, latent)

    @property
    def about(self) -> About:
        """Attention, then a learned sum."""
        return About(
            "The shown modalities' vectors look at each other, then they are added, and an MLP "
            f"{RHO} reads the posterior off the sum t. A vector's share is v · t / |t|²: its "
            "length along the sum. The shares add up to 1.",
            f"A share is of what enters {RHO}, not of what {RHO} makes of it; after attention a "
            "vector also carries what it has seen of the others.",
        )

    def prepare(self, features: Tensor) -> Tensor:
        """The tokens [batch, modality, width]."""
        return self.embed(features)

    def aggregate(self, known: Tensor, subset: Tensor) -> Batched:
        """Let the members attend to each other, pool them, read the posterior off the sum."""
        return self.head.posterior(self.rho(self._attended(known, subset).sum(-2)))

    def parts(
        self, known: Tensor, subset: Tensor, prior: Posterior, names: tuple[str, ...]
    ) -> Inside:
        """The tokens that are added, after all blocks, and who looked at whom before."""
        attention = self._attention(known, subset)
        return replace(of_sum(names, self._attended(known, subset)), attention=attention)

    def _attended(self, tokens: Tensor, subset: Tensor) -> Tensor:
        """The members' tokens after all blocks [..., modality, width], zero outside S."""
        for block in self.blocks:
            tokens = block(tokens, subset)
        return blanked(self.norm(tokens), subset)

    def _attention(self, tokens: Tensor, subset: Tensor) -> Tensor:
        """Weights [layer, batch, head, query, key] between the members of the subset.

        Each member's row sums to 1 over the members; rows and columns of the others are zero.
        """
        weights = []
        for block in self.blocks:
            assert isinstance(block, AttentionBlock)
            weights.append(block.weights(tokens, subset))
            tokens = block(tokens, subset)
        return torch.where(subset[:, None, :, None], torch.stack(weights), 0.0)
