"""What each part contributes inside an aggregator: one share a part, by the aggregator's formula.

* Product of experts: part s of each latent's precision, (1/sigma_s^2) / precision, the prior being
  a part too; then the mean over latents. Under a mixture prior every component has shares of its
  own, averaged with the components' weights in the posterior.
* Mixtures of experts or of products: the components' weights; those of one expert (or product) and
  several prior components are added.
* Pooling (SumPooling, SelfAttention): of the sum t = sum_S v_s, the part v_s . t / |t|^2, the
  length of v_s along t in units of |t|. It may be negative, for a vector that points against
  the sum. All shares are zero where t is.
* Concatenation has no parts.

Shares of one item sum to 1. With private latents all this is of the shared ones.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mmvae_core.aggregators.base import Aggregator
from mmvae_core.aggregators.fixed import (
    MixtureOfExperts,
    MixtureOfProducts,
    ProductOfExperts,
)
from mmvae_core.aggregators.private import WithPrivate
from mmvae_core.aggregators.self_attention import SelfAttention
from mmvae_core.aggregators.sum_pooling import SumPooling
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import DiagonalMixture, GaussianMixture, Posterior
from mmvae_core.probability.private import SharedAndPrivate
from mmvae_core.probability.products import gaussian_prior
from mmvae_core.subsets import all_subsets, subset_name

PRIOR = "prior"


@dataclass(frozen=True)
class Inside:
    """Shares of the parts of one fusion."""

    parts: tuple[str, ...]
    """Modalities, products of them, and the prior."""
    shares: Tensor
    """[batch, part], each row summing to 1; zero for what is not in the subset."""
    detail: Tensor | None = None
    """[batch, part, latent] shares of each latent's precision, or [batch, part, width] the summed
    vectors; none for mixtures."""
    attention: Tensor | None = None
    """[layer, batch, head, query, key], of SelfAttention alone."""


@torch.no_grad()
def inside(model: MultimodalVAE, features: Tensor, subset: Tensor) -> Inside | None:
    """The parts of the fusion of features [batch, modality, feature]; none of a concatenation."""
    prior, aggregator = model.prior(), model.aggregator
    prior = prior.shared if isinstance(prior, SharedAndPrivate) else prior
    aggregator = aggregator.shared if isinstance(aggregator, WithPrivate) else aggregator
    features = torch.where(subset[..., None], features, 0.0)
    if isinstance(aggregator, ProductOfExperts):
        detail = precision_shares(aggregator, features, subset, prior)
        return Inside((*model.names, PRIOR), detail.mean(-1), detail)
    if isinstance(aggregator, MixtureOfExperts | MixtureOfProducts):
        return _components(model.names, aggregator, features, subset, prior)
    if isinstance(aggregator, SumPooling | SelfAttention):
        summands = aggregator.summands(features, subset)
        is_attention = isinstance(aggregator, SelfAttention)
        return Inside(
            model.names,
            pooled_shares(summands),
            summands,
            aggregator.attention(features, subset) if is_attention else None,
        )
    return None


def pooled_shares(summands: Tensor) -> Tensor:
    """v_s . t / |t|^2 [batch, modality] of vectors [batch, modality, width] with the sum t."""
    total = summands.sum(-2, keepdim=True)
    return (summands * total).sum(-1) / total.square().sum(-1).clamp_min(1e-30)


def precision_shares(
    aggregator: ProductOfExperts, features: Tensor, subset: Tensor, prior: Posterior
) -> Tensor:
    """Shares [batch, modality + 1, latent] of each latent's precision, the prior's last."""
    experts = aggregator.precisions(features, subset)
    base = gaussian_prior(prior, experts)
    if not isinstance(base, GaussianMixture):
        own = (base.scale**-2).expand_as(experts[:, :1])
        return _normalised(torch.cat([experts, own], -2))
    posterior = aggregator(features, subset, prior)
    assert isinstance(posterior, GaussianMixture)
    own = (base.scale**-2)[:, None, :].expand(len(experts), -1, 1, -1)
    each = torch.cat([experts[:, None].expand(-1, own.shape[1], -1, -1), own], -2)
    return (_normalised(each) * posterior.log_weights.exp()[..., None, None]).sum(1)


def _components(
    names: tuple[str, ...],
    aggregator: Aggregator,
    features: Tensor,
    subset: Tensor,
    prior: Posterior,
) -> Inside:
    posterior = aggregator(features, subset, prior)
    assert isinstance(posterior, DiagonalMixture)
    weights = posterior.log_weights.exp()
    count = len(names)
    if isinstance(aggregator, MixtureOfExperts) and aggregator.prior_product:
        shares = weights.unflatten(-1, (count, -1)).sum(-1)
        shares = torch.cat([shares, torch.zeros_like(shares[:, :1])], -1)
        nothing = torch.zeros_like(shares)
        nothing[:, -1] = 1.0
        return Inside((*names, PRIOR), torch.where(subset.any(-1, keepdim=True), shares, nothing))
    if isinstance(aggregator, MixtureOfExperts):
        rest = weights[:, count:].sum(-1, keepdim=True)
        return Inside((*names, PRIOR), torch.cat([weights[:, :count], rest], -1))
    products = all_subsets(len(names))
    shares = weights.unflatten(-1, (len(products), -1)).sum(-1).roll(-1, -1)  # the empty one last
    return Inside((*(subset_name(one, names) for one in products[1:]), PRIOR), shares)


def _normalised(values: Tensor) -> Tensor:
    return values / values.sum(-2, keepdim=True)
