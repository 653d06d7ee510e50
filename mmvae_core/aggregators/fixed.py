"""Fixed aggregators: products and mixtures of one expert per modality.

Each expert's location mu_s and scale sigma_s are read off the modality's features by one linear
head that all modalities share; what tells them apart is that each has an encoder of its own.

The prior's place. With nothing shown, each gives the model's prior exactly where that is of the
posterior's own family: a normal or a mixture of normals here, a mixture of Laplaces for a mixture
of Laplace experts. Else (a flow; a normal prior beside Laplace experts) the family's member with
mean 0 and variance 1 stands in for it, and `nothing` is not the prior.
"""

from functools import lru_cache

import torch
from torch import Tensor

from mmvae_core.aggregators.base import Aggregator, GaussianHead, blanked
from mmvae_core.errors import ConfigError
from mmvae_core.probability.posteriors import (
    Batched,
    Diagonal,
    DiagonalLaplace,
    DiagonalMixture,
    GaussianMixture,
    Posterior,
)
from mmvae_core.probability.products import gaussian_prior, times_experts, times_prior, weighted
from mmvae_core.subsets import all_subsets

MOST_MODALITIES = 10


class FixedAggregator(Aggregator):
    """Base: the experts' common head, and the prior to build upon."""

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.head = GaussianHead(features, latent)

    def finish(self, known: Tensor, subset: Tensor, prior: Posterior | None) -> Batched:
        """The posterior of every item; no prior given means the standard normal."""
        loc, scale = self.head(blanked(known, subset))
        return self.combine(loc, scale, subset, prior)

    def combine(
        self, loc: Tensor, scale: Tensor, subset: Tensor, prior: Posterior | None
    ) -> Batched:
        """What a member defines, from the experts [batch, modality, latent]."""
        raise NotImplementedError


class ProductOfExperts(FixedAggregator):
    """Natural parameters add.

    precision = 1 + sum_S 1/sigma_s^2, mean = (sum_S mu_s/sigma_s^2) / precision.

    The 1 is the standard normal prior's own expert, so the empty subset gives the prior. A prior
    that is a mixture of normals makes the product a mixture of as many (see `times_experts`).
    Source: Wu and Goodman 2018, arXiv 1802.05335.
    """

    def combine(
        self, loc: Tensor, scale: Tensor, subset: Tensor, prior: Posterior | None
    ) -> Batched:
        """The product of the prior and the experts in the subset."""
        precisions = torch.where(subset[..., None], scale**-2, 0.0)
        prior = gaussian_prior(prior, loc)
        return times_experts(prior, precisions.sum(-2), (precisions * loc).sum(-2))

    def precisions(self, features: Tensor, subset: Tensor) -> Tensor:
        """1/sigma_s^2 of each expert [batch, modality, latent], zero outside the subset."""
        _, scale = self.head(torch.where(subset[..., None], features, 0.0))
        return torch.where(subset[..., None], scale**-2, 0.0)


class MixtureOfExperts(FixedAggregator):
    """Equal weights over the experts in S; the empty subset gives the prior.

    The prior stands as further components, which have all the weight where S is empty and none
    else. With `prior_product` each expert is multiplied by the prior instead: a prior of K normals
    makes M K components of M experts.
    Source: Shi et al. 2019, arXiv 1911.03393.
    """

    def __init__(
        self, features: int, latent: int, family: type[DiagonalMixture] = GaussianMixture
    ) -> None:
        super().__init__(features, latent)
        self.family = family

    def combine(
        self, loc: Tensor, scale: Tensor, subset: Tensor, prior: Posterior | None
    ) -> Batched:
        """The mixture of the experts in the subset."""
        if self.prior_product:
            # Where S is empty all experts share the weight, and each is the prior.
            log_weights = equal(subset | ~subset.any(-1, keepdim=True), loc)
            return times_prior(prior, self.family(log_weights, loc, scale), subset)
        log_prior, prior_loc, prior_scale = prior_components(prior, self.family, loc)
        rest = (*loc.shape[:-2], *prior_loc.shape)
        loc = torch.cat([loc, prior_loc.expand(rest)], -2)
        scale = torch.cat([scale, prior_scale.expand(rest)], -2)
        empty = ~subset.any(-1, keepdim=True)
        log_weights = torch.cat([equal(subset, loc), torch.where(empty, log_prior, -torch.inf)], -1)
        return self.family(log_weights, loc, scale)


class MixtureOfProducts(FixedAggregator):
    """MoPoE: equal weights over the non-empty subsets A of S, each the product of experts of A.

    Each product has the prior's own expert. The empty A has all the weight where S is empty, and
    none else. A prior of K normals makes a mixture of K components out of every product.
    Source: Sutter et al. 2021, arXiv 2105.02470.
    """

    def combine(
        self, loc: Tensor, scale: Tensor, subset: Tensor, prior: Posterior | None
    ) -> Batched:
        """The mixture of the products over the subset's subsets."""
        precisions = torch.where(subset[..., None], scale**-2, 0.0)
        parts = _power_set(subset.shape[-1]).to(subset.device)
        adder = parts.to(loc.dtype)
        products = times_experts(
            gaussian_prior(prior, loc), adder @ precisions, adder @ (precisions * loc)
        )
        inside = ~(parts & ~subset[..., None, :]).any(-1)
        log_weights = equal(inside & (parts.any(-1) | ~subset.any(-1, keepdim=True)), loc)
        return weighted(log_weights, products)


def equal(members: Tensor, like: Tensor) -> Tensor:
    """Log weights that share 1 equally among the members of a mask, -inf for the others."""
    shares = members.to(like.dtype)
    return (shares / shares.sum(-1, keepdim=True).clamp_min(1)).log()


def prior_components(
    prior: Posterior | None, family: type[DiagonalMixture], like: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The prior as components of the family: log weights [component], two [component, latent]."""
    if isinstance(prior, family):
        found = prior.parameters()
    elif isinstance(prior, family.family):
        found = (prior.loc.new_zeros(1), prior.loc[None], prior.scale[None])
    else:
        found = _unit_component(family.family, like)
    log_weights, loc, scale = (value.to(like.dtype) for value in found)
    return log_weights, loc, scale


def _unit_component(family: type[Diagonal], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    zeros = like.new_zeros(1, like.shape[-1])
    scale = 0.5**0.5 if family is DiagonalLaplace else 1.0
    return like.new_zeros(1), zeros, torch.full_like(zeros, scale)


@lru_cache
def _power_set(modalities: int) -> Tensor:
    if modalities > MOST_MODALITIES:
        raise ConfigError(
            f"MoPoE has one component per subset and was given {modalities} modalities, expected "
            f"at most {MOST_MODALITIES}; use another aggregator."
        )
    return all_subsets(modalities)
