"""The contract of every aggregator, and the heads that read a posterior off a feature vector."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmvae_core.probability.posteriors import (
    IMPLICIT,
    MIN_SCALE,
    Batched,
    Diagonal,
    DiagonalMixture,
    Draws,
    Gaussian,
    Posterior,
)
from mmvae_core.probability.products import times_prior


class Aggregator(nn.Module):
    """q(z | x_S) from (features [batch, modality, feature], subset [batch, modality]).

    Laws, tested for every member: permuting the (feature, mask) pairs changes nothing; features
    outside the subset have exactly no effect, be they NaN; the empty subset has a posterior.
    """

    prior_product = False
    """Whether every posterior is multiplied by the prior, which nothing shown then gives."""
    draws: Draws = IMPLICIT
    """How gradients pass through draws of a mixture, see `DiagonalMixture`."""

    def forward(self, features: Tensor, subset: Tensor, prior: Posterior | None = None) -> Batched:
        """The posterior of every item, batch shape [batch].

        `prior` is p(z), which fixed aggregators build upon; learned ones only for the product.
        """
        return self.drawing(self.finish(self.prepare(blanked(features, subset)), subset, prior))

    def several(
        self, features: Tensor, subsets: Sequence[Tensor], prior: Posterior | None = None
    ) -> list[Batched]:
        """The same posteriors for several masks, what they have in common computed once."""
        masks = torch.stack(list(subsets))
        known = self.prepare(blanked(features, masks.any(0)))
        found = self.drawing(self.finish(known, masks, prior))
        return [
            found.rebuilt(*(value[row] for value in found.parameters()))
            for row in range(len(masks))
        ]

    def prepare(self, features: Tensor) -> Tensor:
        """What can be said of each modality alone [batch, modality, width]."""
        return features

    def finish(self, known: Tensor, subset: Tensor, prior: Posterior | None) -> Batched:
        """The posterior of what `prepare` gave; `subset` may have further axes in front."""
        posterior = self.aggregate(blanked(known, subset), subset)
        return times_prior(prior, posterior, subset) if self.prior_product else posterior

    def aggregate(self, features: Tensor, subset: Tensor) -> Batched:
        """What a member defines, of what `prepare` gives; zero outside the subset here."""
        raise NotImplementedError

    def drawing(self, posterior: Batched) -> Batched:
        """A posterior whose draws carry the gradients that this aggregator's shall."""
        if isinstance(posterior, DiagonalMixture):
            posterior.draws = self.draws
        return posterior


class GaussianHead(nn.Module):
    """A linear read-off of mean and scale: [..., feature] to two tensors [..., latent].

    scale = softplus(s) + 0.001, with s starting near softplus(s) = 1, the prior's width.
    """

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 2 * latent)
        self.start_at(1.0)

    @torch.no_grad()
    def start_at(self, scale: float) -> None:
        """Let scales begin near this one."""
        self.linear.bias[self.linear.out_features // 2 :].fill_(raw_scale(scale))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and scale."""
        loc, raw = self.linear(features).chunk(2, -1)
        return loc, functional.softplus(raw) + MIN_SCALE

    def posterior(self, features: Tensor) -> Diagonal:
        """The same as a distribution."""
        return Gaussian(*self(features))


def raw_scale(scale: float) -> float:
    """s with softplus(s) = scale, about: a head's bias. Of 1 it is what shipped runs began with."""
    return 0.5413 if scale == 1 else math.log(math.expm1(scale))


def blanked(values: Tensor, subset: Tensor) -> Tensor:
    """Values [..., modality, width] with zeros where the modality is not in the subset."""
    return torch.where(subset[..., None], values, 0.0)
