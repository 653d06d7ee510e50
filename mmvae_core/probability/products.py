"""Products of Gaussian experts with a prior, in natural parameters."""

from torch import Tensor

from mmvae_core.probability.posteriors import Gaussian, GaussianMixture

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
