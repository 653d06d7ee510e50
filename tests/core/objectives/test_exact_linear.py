"""Aggregators and objectives where everything is known: the linear-Gaussian model."""

import math

import pytest
import torch
from torch import Tensor, nn

from mmvae_core.aggregators.fixed import ProductOfExperts
from mmvae_core.aggregators.private import WithPrivate
from mmvae_core.batch import Batch
from mmvae_core.build import build_likelihood, build_model
from mmvae_core.config import LikelihoodConfig, ModalityConfig
from mmvae_core.modalities.modality import Modality
from mmvae_core.model import MultimodalVAE
from mmvae_core.objectives.marginal import marginal
from mmvae_core.objectives.masked import masked
from mmvae_core.objectives.mixture import mixture
from mmvae_core.objectives.terms import Terms
from mmvae_core.objectives.total_correlation import total_correlation
from mmvae_core.probability.posteriors import MIN_SCALE, Gaussian, GaussianMixture
from mmvae_core.probability.priors import PrivatePrior, StandardNormalPrior
from mmvae_core.seeding import generator_of
from mmvae_core.subsets import all_subsets
from tests import family
from tests.oracles.exact_linear import ExactLinear, inverse_softplus

M = len(family.SIZES)
SUBSETS = all_subsets(M)
ONES = torch.ones(M, dtype=torch.float64)


class Conditional(nn.Module):
    """q(z_s | z', x_s), exact for one shared and one private latent; features [.., a, c].

    z_s has precision 1 + |v|^2 / sigma^2 and shift v.(x - b) / sigma^2 - z' v.w / sigma^2; a is the
    first part of the shift and c the second's factor, both made by the encoder.
    """

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(scale)

    def forward(self, features: Tensor, subset: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        shift = features[..., 2:3] - shared[..., None, :] * features[..., 3:4]
        scale = self.scale[:, None].expand(shift.shape)
        return shift * scale**2, scale


def linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0]).double()
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def expert(w: Tensor, b: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias from x to [mu, raw scale] of the likelihood as a function of z'."""
    inner = w.T @ torch.linalg.inv(covariance)
    precision = (inner @ w).diagonal()
    read = inner / precision[:, None]
    raw = inverse_softplus(precision**-0.5 - MIN_SCALE)
    return torch.cat([read, torch.zeros_like(read)]), torch.cat([-read @ b, raw])


def build_exact(oracle: ExactLinear, shared: int, private: int) -> MultimodalVAE:
    """The oracle as a model of the package's own parts, with exact encoders."""
    parts, scales = [], []
    for index, (whole, b) in enumerate(zip(oracle.loadings, oracle.offsets, strict=True)):
        start = shared + private * index
        w, v = whole[:, :shared], whole[:, start : start + private]
        noise = oracle.sigma**2 * torch.eye(len(b), dtype=torch.float64)
        weight, bias = expert(w, b, noise + v @ v.T)
        columns: tuple[slice, ...] = ()
        if private:
            back = v.T / oracle.sigma**2
            weight = torch.cat([weight, back, torch.zeros_like(back)])
            bias = torch.cat([bias, -back @ b, (back @ w).flatten()])
            columns = slice(0, shared), slice(start, start + private)
            scales.append((1 + (back @ v).flatten()) ** -0.5)
        settings = LikelihoodConfig(name="normal", scale=oracle.sigma)
        config = ModalityConfig(name=f"m{index}", shape=(len(b),), likelihood=settings)
        likelihood = build_likelihood(config.shape, settings).double()
        with torch.no_grad():
            likelihood.log_scale.fill_(math.log(oracle.sigma))
        decoder = linear(torch.cat([w, v], 1), b)
        parts.append(Modality(config, linear(weight, bias), decoder, likelihood, columns))
    features = 2 * shared + 2 * private
    aggregator = ProductOfExperts(features, shared).double()
    aggregator.head.linear = linear(
        torch.eye(features).double()[: 2 * shared], torch.zeros(2 * shared)
    )
    if not private:
        return MultimodalVAE(parts, aggregator, StandardNormalPrior(shared).double())
    whole = WithPrivate(aggregator, Conditional(torch.cat(scales)), Gaussian)
    prior = PrivatePrior(StandardNormalPrior(shared), private * M).double()
    return MultimodalVAE(parts, whole, prior)


def batch_of(oracle: ExactLinear, count: int, observed: Tensor | None = None) -> Batch:
    data = {f"m{index}": one for index, one in enumerate(oracle.sample(count))}
    return Batch(data, torch.ones(count, M, dtype=torch.bool) if observed is None else observed)


def marginals(
    oracle: ExactLinear, batch: Batch, masks: Tensor, prior: GaussianMixture | None = None
) -> Tensor:
    """log p(x_A) of each item with its own mask [batch, modality]."""
    values = [
        oracle.log_marginal(
            [batch.data[f"m{i}"][row : row + 1] for i in range(M)], masks[row], prior
        )
        for row in range(len(masks))
    ]
    return torch.cat(values)


def exact_pair(private: bool) -> tuple[ExactLinear, MultimodalVAE]:
    if private:
        oracle = ExactLinear.random(family.SIZES, 1, 1)
        return oracle, build_exact(oracle, 1, 1)
    oracle = ExactLinear.random(family.SIZES, 2, orthogonal=True)
    return oracle, build_exact(oracle, 2, 0)


with_and_without_private = pytest.mark.parametrize("private", [False, True])


@torch.no_grad()
def test_product_of_exact_likelihood_terms_is_the_exact_posterior() -> None:
    oracle, model = exact_pair(private=False)
    batch = batch_of(oracle, 5)
    for mask in SUBSETS:
        posterior = model.infer(batch.data, mask.expand(5, M))
        mean, covariance = oracle.posterior(list(batch.data.values()), mask)
        torch.testing.assert_close(posterior.mean, mean, rtol=0, atol=1e-10)
        variances = torch.diag_embed(posterior.stddev**2)
        torch.testing.assert_close(variances, covariance.expand(5, 2, 2), rtol=0, atol=1e-10)


@torch.no_grad()
def test_with_private_latents_the_joint_density_is_the_exact_posterior() -> None:
    oracle, model = exact_pair(private=True)
    batch = batch_of(oracle, 5)
    z = torch.randn(20, 5, 1 + M, dtype=torch.float64)
    for mask in SUBSETS:
        mean, covariance = oracle.posterior(list(batch.data.values()), mask)
        exact = torch.distributions.MultivariateNormal(mean, covariance).log_prob(z)
        found = model.infer(batch.data, mask.expand(5, M)).log_prob(z)
        torch.testing.assert_close(found, exact, rtol=1e-10, atol=1e-10)


def pairs_of_masks() -> tuple[Tensor, Tensor]:
    """Every subset S inside every observed set O: two masks [pair, modality]."""
    pairs = [
        (shown & seen, seen) for seen in SUBSETS for shown in SUBSETS if not (shown & ~seen).any()
    ]
    return torch.stack([one for one, _ in pairs]), torch.stack([two for _, two in pairs])


@with_and_without_private
@pytest.mark.parametrize("samples", [1, 3])
@torch.no_grad()
def test_masked_bound_is_the_likelihood_where_the_encoder_is_exact(
    private: bool, samples: int
) -> None:
    """For every S inside every O and every draw; what is not observed is NaN."""
    oracle, model = exact_pair(private)
    subset, observed = pairs_of_masks()
    batch = batch_of(oracle, len(subset), observed)
    expected = marginals(oracle, batch, observed)
    for index in range(M):
        batch.data[f"m{index}"][~observed[:, index]] = torch.nan
    terms = masked(model, batch, subset, samples, generator=generator_of(0))
    found = terms.bound(ONES, 1.0)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@with_and_without_private
@torch.no_grad()
def test_marginal_and_mixture_bounds_where_the_encoder_is_exact(private: bool) -> None:
    oracle, model = exact_pair(private)
    batch = batch_of(oracle, len(SUBSETS))
    noise = generator_of(0)
    found = marginal(model, batch, SUBSETS, 2, generator=noise).bound(ONES, 1.0)
    torch.testing.assert_close(found, marginals(oracle, batch, SUBSETS), rtol=1e-10, atol=1e-10)
    full = mixture(model, batch, batch.observed, 2, generator=noise).bound(ONES, 1.0)
    expected = marginals(oracle, batch, batch.observed)
    torch.testing.assert_close(full, expected, rtol=1e-10, atol=1e-10)


@with_and_without_private
@torch.no_grad()
def test_total_correlation_is_the_likelihood_plus_what_the_subset_tells(private: bool) -> None:
    """With an exact encoder log p(x_O) + log p(z|x_S)/p(z), for nothing shown log p(x_O)."""
    oracle, model = exact_pair(private)
    batch = batch_of(oracle, len(SUBSETS))
    found = total_correlation(model, batch, SUBSETS, generator=generator_of(0)).bound(ONES, 1.0)
    z = model.infer(batch.data, batch.observed).rsample((1,), generator=generator_of(0))
    gain = model.infer(batch.data, SUBSETS).log_prob(z) - model.prior().log_prob(z)
    expected = marginals(oracle, batch, batch.observed) + gain[0]
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    nothing = marginals(oracle, batch, batch.observed)[0]
    torch.testing.assert_close(found[0], nothing, rtol=1e-10, atol=1e-10)


BOUNDED = {
    label: settings
    for label, settings in family.EVERY.items()
    if settings.get("prior") != "laplace_mixture"
}


def linear_decoders(settings: dict) -> tuple[ExactLinear, MultimodalVAE]:
    """A model of the family with random encoders and known linear decoders."""
    private = settings.get("private", 0)
    model = build_model(family.run(**settings)).double()
    family.spread(model, seed=5)
    oracle = ExactLinear.random(family.SIZES, family.LATENT, private)
    for index, name in enumerate(model.names):
        modality = model.modality(name)
        columns = modality.columns or (slice(None),)
        weight = torch.cat([oracle.loadings[index][:, part] for part in columns], 1)
        modality.decoder = linear(weight, oracle.offsets[index])
        modality.likelihood.log_scale.fill_(math.log(oracle.sigma))
    return oracle, model


@pytest.mark.parametrize("settings", BOUNDED.values(), ids=BOUNDED)
@torch.no_grad()
def test_mixture_and_marginal_bounds_never_exceed_the_likelihood(settings: dict) -> None:
    """Any encoder, every subset; expectations over 200 draws with four standard errors."""
    oracle, model = linear_decoders(settings)
    batch = batch_of(oracle, len(SUBSETS))
    prior = model.prior()
    shared = getattr(prior, "shared", prior)
    known = (
        with_private_part(shared, settings.get("private", 0))
        if isinstance(shared, GaussianMixture)
        else None
    )
    noise = generator_of(0)
    for objective, masks in ((mixture, batch.observed), (marginal, SUBSETS)):
        terms = objective(model, batch, SUBSETS, 200, generator=noise)
        single = Terms(
            {name: one.flatten()[None] for name, one in terms.log_likelihoods.items()},
            {name: one.flatten()[None] for name, one in terms.rates.items()},
            ((terms.groups[0][0].repeat(200, 1), "rate"),),
        )
        values = single.bound(ONES, 1.0).unflatten(0, (200, len(SUBSETS)))
        error = values.std(0) / math.sqrt(len(values))
        assert (values.mean(0) <= marginals(oracle, batch, masks, known) + 4 * error + 1e-10).all()


def with_private_part(prior: GaussianMixture, private: int) -> GaussianMixture:
    """The mixture prior of z' and standard normal private latents, as one mixture."""
    rest = prior.loc.new_zeros(prior.loc.shape[0], private * M)
    return GaussianMixture(
        prior.log_weights,
        torch.cat([prior.loc, rest], -1),
        torch.cat([prior.scale, torch.ones_like(rest)], -1),
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "poe"},
        {"name": "mopoe", "prior": "mixture"},
        {"name": "sum_pooling", "components": 3, "private": 2},
    ],
)
@torch.no_grad()
def test_importance_weighted_bound_rises_to_the_likelihood(settings: dict) -> None:
    oracle, model = linear_decoders(settings)
    for value in model.aggregator.parameters():
        value.mul_(0.3)
    one = batch_of(oracle, 1)
    batch = Batch(
        {name: x.expand(100, -1) for name, x in one.data.items()},
        torch.ones(100, M, dtype=torch.bool),
    )
    shared = getattr(model.prior(), "shared", model.prior())
    prior = shared if isinstance(shared, GaussianMixture) else None
    exact = float(marginals(oracle, one, one.observed, prior))
    gaps, errors, noise = [], [], generator_of(0)
    for samples in (1, 10, 100, 2_000):
        terms = mixture(model, batch, batch.observed, samples, generator=noise)
        values = terms.bound(ONES, 1.0)
        gaps.append(exact - float(values.mean()))
        errors.append(float(values.std()) / 10)
    for left, right, error in zip(gaps[:-1], gaps[1:], errors[1:], strict=True):
        assert right < left + 4 * error, "more samples, a tighter bound"
    assert abs(gaps[-1]) < 0.01 * gaps[0]
    assert gaps[-1] > -4 * errors[-1], "and never above"


def test_equal_samples_give_the_bound_of_one() -> None:
    """The mean over samples, not their sum: the - log L is there."""
    seen = torch.tensor([[True, False], [True, True]])
    values = {"a": torch.randn(1, 2), "b": torch.randn(1, 2)}
    rate = {"rate": torch.randn(1, 2)}
    one = Terms(values, rate, ((seen, "rate"),)).bound(torch.ones(2), 0.7)
    many = Terms(
        {name: x.repeat(9, 1) for name, x in values.items()},
        {name: x.repeat(9, 1) for name, x in rate.items()},
        ((seen, "rate"),),
    )
    torch.testing.assert_close(many.bound(torch.ones(2), 0.7), one)
