"""Products of Gaussian experts with a prior, in natural parameters."""

import torch
from torch import Tensor

from mmvae_core.errors import ConfigError
from mmvae_core.probability.posteriors import Batched, Gaussian, GaussianMixture, Posterior

GaussianPrior = Gaussian | GaussianMixture


def times_experts(prior: GaussianPrior, precision: Tensor, shift: Tensor) -> GaussianPrior:
    """The normalised product of a prior and experts, of the prior's own family.

    `precision` = sum_s 1/sigma_s^2 and `shift` = sum_s mu_s/sigma_s^2, both [..., latent]; zero
    precision means no expert, and gives the prior back. A normal prior N(m, 1/p) gives the normal
    of precision p + precision and mean (p m + shift) / (p + precision). Of a mixture each
    component does so, and its weight is multiplied by the evidence that the experts' product
    N(mu, 1/t) gives it: N(mu; m, 1/p + 1/t), t the precision and mu = shift / t.
    Source: Wu and Goodman 2018, arXiv 1802.05335; conjugacy for the mixture.
    """
    if isinstance(prior, GaussianMixture):
        precision, shift = precision[..., None, :], shift[..., None, :]
    own = prior.scale**-2
    total = own + precision
    loc, scale = (own * prior.loc + shift) / total, total**-0.5
    if isinstance(prior, Gaussian):
        return Gaussian(loc, scale)
    # The Gaussian's exponent, written without 1 / precision, which may be zero.
    divisor = (precision > 0) * precision + (precision == 0)
    exponent = own * (precision * prior.loc - shift).square() / (total * divisor)
    evidence = 0.5 * (own.log() - total.log() - exponent).sum(-1)
    return GaussianMixture((prior.log_weights + evidence).log_softmax(-1), loc, scale)


def times_prior(prior: Posterior | None, posterior: Batched, subset: Tensor) -> GaussianPrior:
    """q(z | x_S) proportional to p(z) times a posterior's own components; nothing shown gives p(z).

    Of a mixture each component is multiplied by the prior and keeps its weight: sum_c w_c
    [p(z) N(z; m_c, s_c) / Z_c], so a prior of K normals makes C K components of C. Subset
    [..., modality], the posterior's batch shape [...]; ConfigError where there is no closed form.
    """
    if not isinstance(posterior, Gaussian | GaussianMixture):
        raise ConfigError(
            f"A prior times a {type(posterior).__name__} has no closed form; use "
            'family = "normal", or leave prior_product out.'
        )
    shown = subset.any(-1)[..., None]
    if isinstance(posterior, GaussianMixture):
        shown = shown[..., None]
    precision = torch.where(shown, posterior.scale**-2, 0.0)
    product = times_experts(
        gaussian_prior(prior, posterior.loc), precision, precision * posterior.loc
    )
    if isinstance(posterior, GaussianMixture):
        return weighted(posterior.log_weights, product)
    return product


def weighted(log_weights: Tensor, parts: GaussianPrior) -> GaussianMixture:
    """The mixture of the distributions `parts`, batch shape [..., part], with weights [..., part].

    Parts that are mixtures of K themselves make one of part * K components.
    """
    if isinstance(parts, Gaussian):
        return GaussianMixture(log_weights, parts.loc, parts.scale)
    within = (log_weights[..., None] + parts.log_weights).flatten(-2)
    return GaussianMixture(within, parts.loc.flatten(-3, -2), parts.scale.flatten(-3, -2))


def gaussian_prior(prior: Posterior | None, like: Tensor) -> GaussianPrior:
    """The prior if it is normal or a mixture of normals, else the standard normal."""
    if isinstance(prior, Gaussian | GaussianMixture):
        return prior.rebuilt(*(value.to(like.dtype) for value in prior.parameters()))
    zeros = like.new_zeros(like.shape[-1])
    return Gaussian(zeros, torch.ones_like(zeros))
