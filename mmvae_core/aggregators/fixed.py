"""Fixed aggregators: products and mixtures of one expert per modality.

Each expert's location mu_s and scale sigma_s are read off the modality's features by one linear
head that all modalities share; what tells them apart is that each has an encoder of its own.

The prior's place. With nothing shown, each gives the model's prior exactly where that is of the
posterior's own family: a normal or a mixture of normals here, a mixture of Laplaces for a mixture
of Laplace experts. Else (a flow; a normal prior beside Laplace experts) the family's member with
mean 0 and variance 1 stands in for it, and `nothing` is not the prior.
"""

from abc import abstractmethod
from functools import lru_cache
from typing import final

import torch
from torch import Tensor, nn

from mmvae_core.aggregators.base import PRIOR, About, Detail, Fusion, GaussianHead, Inside
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
from mmvae_core.subsets import all_subsets, subset_name

MOST_MODALITIES = 10


class FixedAggregator(Fusion):
    """Base: the experts' common head, and the prior to build upon."""

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.head: nn.Module = GaussianHead(features, latent)

    @final
    def prepare(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    @final
    def fuse(self, known: Tensor, subset: Tensor, prior: Posterior | None) -> Batched:
        """The posterior of every item; no prior given means the standard normal."""
        loc, scale = self.head(known)
        return self.combine(loc, scale, subset, prior)

    @abstractmethod
    def combine(
        self, loc: Tensor, scale: Tensor, subset: Tensor, prior: Posterior | None
    ) -> Batched:
        """What a member defines, from the experts [batch, modality, latent]."""


class ProductOfExperts(FixedAggregator):
    """PoE, the product of experts: natural parameters add.

    precision = 1 + sum_S 1/sigma_s^2, mean = (sum_S mu_s/sigma_s^2) / precision.

    The 1 is the standard normal prior's own expert, so the empty subset gives the prior. A prior
    that is a mixture of normals makes the product a mixture of as many (see `times_experts`).
    Source: Wu and Goodman 2018, arXiv 1802.05335.
    """

    @property
    def about(self) -> About:
        """A formula."""
        return About(
            "A product of experts adds precisions: a part's share of a latent is its precision "
            "1/σ² over the sum of all, the prior's own among them. The bars are means over the "
            "latents. A larger share pulls the posterior's mean closer to that expert's.",
            fixed=True,
            families=("normal",),
        )

    def combine(
        self, loc: Tensor, scale: Tensor, subset: Tensor, prior: Posterior | None
    ) -> Batched:
        """The product of the prior and the experts in the subset."""
        precisions = torch.where(subset[..., None], scale**-2, 0.0)
        prior = gaussian_prior(prior, loc)
        return times_experts(prior, precisions.sum(-2), (precisions * loc).sum(-2))

    def parts(
        self, known: Tensor, subset: Tensor, prior: Posterior, names: tuple[str, ...]
    ) -> Inside:
        """Each part's (1/sigma_s^2) / precision; then the mean over latents.

        Under a mixture prior every component has shares of its own, averaged with the components'
        weights in the posterior.
        """
        shares = self._precision_shares(known, subset, prior)
        detail = Detail("Share of each latent's precision", shares, is_share=True)
        return Inside((*names, PRIOR), shares.mean(-1), detail)

    def _precision_shares(self, known: Tensor, subset: Tensor, prior: Posterior) -> Tensor:
        """Shares [batch, modality + 1, latent] of each latent's precision, the prior's last."""
        _, scale = self.head(known)
        experts = torch.where(subset[..., None], scale**-2, 0.0)
        base = gaussian_prior(prior, experts)
        if not isinstance(base, GaussianMixture):
            own = (base.scale**-2).expand_as(experts[:, :1])
            return _normalised(torch.cat([experts, own], -2))
        posterior = self.fuse(known, subset, prior)
        assert isinstance(posterior, GaussianMixture)
        own = (base.scale**-2)[:, None, :].expand(len(experts), -1, 1, -1)
        each = torch.cat([experts[:, None].expand(-1, own.shape[1], -1, -1), own], -2)
        return (_normalised(each) * posterior.log_weights.exp()[..., None, None]).sum(1)


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

    @property
    def about(self) -> About:
        """A formula."""
        return About(
            "A mixture of experts picks one shown modality for each draw of z, each with the same "
            "chance, and never combines two. Nothing here depends on what the modalities say.",
            fixed=True,
        )

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

    def parts(
        self, known: Tensor, subset: Tensor, prior: Posterior, names: tuple[str, ...]
    ) -> Inside:
        """The components' weights; those of one expert and several prior components are added."""
        weights, count = _weights(self.fuse(known, subset, prior)), len(names)
        if not self.prior_product:
            rest = weights[:, count:].sum(-1, keepdim=True)
            return Inside((*names, PRIOR), torch.cat([weights[:, :count], rest], -1))
        shares = weights.unflatten(-1, (count, -1)).sum(-1)
        shares = torch.cat([shares, torch.zeros_like(shares[:, :1])], -1)
        nothing = torch.zeros_like(shares)
        nothing[:, -1] = 1.0
        return Inside((*names, PRIOR), torch.where(subset.any(-1, keepdim=True), shares, nothing))


class MixtureOfProducts(FixedAggregator):
    """MoPoE: equal weights over the non-empty subsets A of S, each the product of experts of A.

    Each product has the prior's own expert. The empty A has all the weight where S is empty, and
    none else. A prior of K normals makes a mixture of K components out of every product.
    Source: Sutter et al. 2021, arXiv 2105.02470.
    """

    @property
    def about(self) -> About:
        """A formula."""
        return About(
            "A mixture of products: each draw of z picks one set of shown modalities, each set "
            "with the same chance, and multiplies the experts of that set.",
            fixed=True,
            families=("normal",),
        )

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

    def parts(
        self, known: Tensor, subset: Tensor, prior: Posterior, names: tuple[str, ...]
    ) -> Inside:
        """The components' weights; those of one product and several prior components are added."""
        weights, products = _weights(self.fuse(known, subset, prior)), all_subsets(len(names))
        shares = weights.unflatten(-1, (len(products), -1)).sum(-1).roll(-1, -1)  # none goes last
        return Inside((*(subset_name(one, names) for one in products[1:]), PRIOR), shares)


def equal(members: Tensor, like: Tensor) -> Tensor:
    """Log weights that share 1 equally among the members of a mask, -inf for the others."""
    shares = members.to(like.dtype)
    return (shares / shares.sum(-1, keepdim=True).clamp_min(1)).log()


def prior_components(
    prior: Posterior | None, family: type[DiagonalMixture], like: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The prior as components of the family: log weights [component], two [component, latent]."""
    if isinstance(prior, family):
        parameters = prior.parameters()
    elif isinstance(prior, family.family):
        parameters = (prior.loc.new_zeros(1), prior.loc[None], prior.scale[None])
    else:
        parameters = _unit_component(family.family, like)
    log_weights, loc, scale = (value.to(like.dtype) for value in parameters)
    return log_weights, loc, scale


def _unit_component(family: type[Diagonal], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    zeros = like.new_zeros(1, like.shape[-1])
    scale = 0.5**0.5 if family is DiagonalLaplace else 1.0
    return like.new_zeros(1), zeros, torch.full_like(zeros, scale)


def _weights(posterior: Batched) -> Tensor:
    """The components' weights [batch, component]."""
    assert isinstance(posterior, DiagonalMixture)
    return posterior.log_weights.exp()


def _normalised(values: Tensor) -> Tensor:
    return values / values.sum(-2, keepdim=True)


@lru_cache
def _power_set(modalities: int) -> Tensor:
    if modalities > MOST_MODALITIES:
        raise ConfigError(
            f"MoPoE has one component per subset and was given {modalities} modalities, expected "
            f"at most {MOST_MODALITIES}; use another aggregator."
        )
    return all_subsets(modalities)
