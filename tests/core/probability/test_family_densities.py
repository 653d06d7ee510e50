"""Densities against quadrature, divergences against sampling, products against their definition."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    Normal,
    kl_divergence,
)

from mmvae_core.build import build_model
from mmvae_core.config import RunConfig
from mmvae_core.errors import ConfigError
from mmvae_core.probability.flow import FlowPrior
from mmvae_core.probability.posteriors import (
    Diagonal,
    DiagonalLaplace,
    DiagonalMixture,
    Gaussian,
    GaussianMixture,
    LaplaceMixture,
    Posterior,
)
from mmvae_core.probability.products import times_experts
from mmvae_core.seeding import generator_of
from mmvae_core.store.weights import check_size
from mmvae_core.subsets import all_subsets
from tests import family, rounding

LOC = torch.tensor([[-1.0, 0.5], [2.0, -0.3]], dtype=torch.float64)
SCALE = torch.tensor([[0.5, 1.2], [0.8, 0.3]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.3, 0.7], dtype=torch.float64).log()


def number(value: float) -> Tensor:
    """One latent [1]."""
    return torch.tensor([value], dtype=torch.float64)


def mass(posterior: Posterior, reach: float = 12, steps: int = 480) -> Tensor:
    """The integral of a density of two latents over [-reach, reach]^2 by Simpson's rule."""
    axis = torch.linspace(-reach, reach, steps + 1, dtype=torch.float64)
    weights = torch.full_like(axis, 2.0)
    weights[1::2], weights[[0, -1]] = 4.0, 1.0
    weights *= (axis[1] - axis[0]) / 3
    total = torch.zeros((), dtype=torch.float64)
    for first, weight in zip(axis.split(25), weights.split(25), strict=True):
        points = torch.cartesian_prod(first, axis)
        shape = (len(points), *[1] * (posterior.mean.dim() - 1), 2)
        density = posterior.log_prob(points.reshape(shape)).exp().movedim(0, -1)
        total = total + density.unflatten(-1, (len(first), -1)) @ weights @ weight
    return total


@pytest.mark.parametrize("mixture", [GaussianMixture, LaplaceMixture])
def test_mixtures_integrate_to_one(mixture: type) -> None:
    # Kinks of the Laplaces lie on the grid, or the rule would lose two orders.
    steps, tolerance = (960, 1e-9) if mixture is GaussianMixture else (1920, 1e-6)
    assert float(mass(mixture(WEIGHTS, LOC, SCALE), 24, steps)) == pytest.approx(1, abs=tolerance)


@pytest.mark.parametrize("latent", [2, 24, 128])
@pytest.mark.parametrize("kind", [Gaussian, DiagonalLaplace, GaussianMixture, LaplaceMixture])
def test_densities_in_single_precision_are_right_to_rounding(kind: type, latent: int) -> None:
    """Of equal parameters, near and far from the mean."""
    generator = torch.Generator().manual_seed(latent)
    shape = (50, 5, latent) if issubclass(kind, DiagonalMixture) else (50, latent)
    loc = torch.randn(shape, generator=generator)
    parameters = [loc, 0.05 + 1.5 * torch.rand(shape, generator=generator)]
    if issubclass(kind, DiagonalMixture):
        parameters.insert(0, torch.randn(50, 5, generator=generator).log_softmax(-1))
    single, double = kind(*parameters), kind(*(value.double() for value in parameters))
    reach = 3 * torch.randn(20, 50, latent, generator=generator)
    for z in (single.mean + single.stddev * reach, reach):
        exact, found = double.log_prob(z.double()), single.log_prob(z)
        bounds = []
        for item, near in enumerate(z.double().unbind(1)):
            one = double.rebuilt(*(value[item] for value in double.parameters()))
            bounds.append(rounding.reach(lambda one=one, near=near: one.log_prob(near)))
        bound = torch.stack(bounds, 1)
        assert rounding.within(found, exact, bound)
        assert (bound < 1e-4 * exact.abs().clamp_min(1)).all(), "the check must be able to fail"


def test_a_laplace_density_integrates_to_one_and_has_its_spread() -> None:
    one = DiagonalLaplace(LOC[0, :1], SCALE[0, :1])

    def moment(power: int) -> float:
        def density(z: float) -> float:
            return (z + 1) ** power * float(one.log_prob(number(z)).exp())

        return quad(density, -20, 20, points=[-1], epsabs=1e-11)[0]

    assert moment(0) == pytest.approx(1, abs=1e-10)
    assert moment(2) == pytest.approx(float(one.stddev) ** 2, abs=1e-9)


@pytest.mark.parametrize(
    "label", ["mopoe", "mopoe, mixture prior", "poe, mixture prior", "sum_pooling, normal, 3"]
)
@torch.no_grad()
def test_posteriors_of_every_subset_integrate_to_one(label: str) -> None:
    model = build_model(family.run(**(family.FIXED | family.LEARNED)[label])).double()
    subset = all_subsets(3)
    features = torch.randn(8, 3, family.FEATURES, generator=torch.Generator().manual_seed(0))
    found = mass(model.posterior(2 * features.double(), subset), reach=10, steps=240)
    np.testing.assert_allclose(found, 1, atol=1e-9)


@pytest.mark.parametrize("name", ["mixture", "laplace_mixture", "flow"])
@torch.no_grad()
def test_learned_priors_integrate_to_one(name: str) -> None:
    prior = build_model(family.run(name="poe", prior=name)).prior.double()
    if name == "flow":
        for value in prior.parameters():
            value.add_(0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(0)))
    assert float(mass(prior(), steps=160)) == pytest.approx(1, abs=2e-3)


BOTH = (Gaussian, DiagonalLaplace)
PAIRS = [(one, other) for one in BOTH for other in BOTH]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_every_closed_divergence_agrees_with_sampling(
    one: type[Diagonal], other: type[Diagonal]
) -> None:
    torch.manual_seed(0)
    q, p = one(LOC, SCALE), other(LOC.flip(0) / 2, SCALE.flip(0) * 1.5)
    draws = q.rsample((20_000,))
    ratios = q.log_prob(draws) - p.log_prob(draws)
    error = ratios.std(0) / math.sqrt(len(ratios))
    assert ((ratios.mean(0) - kl_divergence(q, p)).abs() < 4 * error).all()
    assert (kl_divergence(q, q).abs() < 1e-12).all()


@pytest.mark.parametrize("experts", [0, 1, 3])
def test_a_mixture_prior_times_experts_is_their_normalised_product(experts: int) -> None:
    prior = GaussianMixture(WEIGHTS, LOC[:, :1], SCALE[:, :1])
    means, scales = np.array([0.3, -0.8, 1.5])[:experts], np.array([0.6, 1.1, 0.2])[:experts]
    precision, shift = (scales**-2.0).sum(), (means * scales**-2.0).sum()
    natural = (number(value) for value in (precision, shift))
    product = times_experts(prior, *natural)

    def density(z: float) -> float:
        value = float(prior.log_prob(number(z)))
        return math.exp(value - 0.5 * (((z - means) / scales) ** 2).sum())

    total = quad(density, -12, 12, points=[-1, 0, 1, 2], epsabs=1e-13, epsrel=1e-11, limit=200)[0]
    for z in (-2.0, -0.5, 0.3, 1.4, 2.5):
        found = float(product.log_prob(number(z)).exp())
        assert found == pytest.approx(density(z) / total, rel=1e-9)


@pytest.mark.parametrize("prior", ["standard_normal", "mixture"])
@torch.no_grad()
def test_mopoe_is_the_mean_of_the_products_over_the_non_empty_subsets(prior: str) -> None:
    mopoe = build_model(family.run(name="mopoe", prior=prior)).double()
    family.spread(mopoe)
    poe = build_model(family.run(name="poe", prior=prior)).double()
    poe.load_state_dict(mopoe.state_dict())
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(1, 3, family.FEATURES, generator=generator, dtype=torch.float64)
    z = torch.randn(20, 1, family.LATENT, generator=generator, dtype=torch.float64)
    for subset in all_subsets(3)[1:]:
        inside = [one for one in all_subsets(3)[1:] if not (one & ~subset).any()]
        parts = [poe.posterior(features, one[None]).log_prob(z) for one in inside]
        expected = torch.stack(parts).logsumexp(0) - math.log(len(inside))
        found = mopoe.posterior(features, subset[None]).log_prob(z)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_a_product_in_single_precision_keeps_its_weights_under_sharp_experts() -> None:
    prior = GaussianMixture(WEIGHTS, LOC, SCALE)
    single = GaussianMixture(*(one.float() for one in prior.parameters()))
    precision = torch.tensor([1e6, 1e5], dtype=torch.float64)
    shift = precision * torch.tensor([0.5, 0.1])
    precision, shift = precision.float(), shift.float()
    given = [one.double() for one in single.parameters()]

    def exact() -> Tensor:
        return times_experts(
            GaussianMixture(*given), precision.double(), shift.double()
        ).log_weights

    found, bound = times_experts(single, precision, shift).log_weights, rounding.reach(exact)
    assert rounding.within(found, exact(), bound)
    assert (bound < 1e-2).all(), "the weights must not drown in rounding"


@torch.no_grad()
def test_a_flow_starts_near_the_standard_normal_and_draws_what_it_says() -> None:
    torch.manual_seed(0)
    flow = FlowPrior(2, 8, 2).double()
    z = torch.randn(100, 2, dtype=torch.float64)
    normal = Gaussian(torch.zeros(2).double(), torch.ones(2).double())
    assert float((flow().log_prob(z) - normal.log_prob(z)).abs().max()) < 0.1
    family.spread(flow)
    flow.standardise(torch.tensor([[0.7, -1.1], [1.7, 0.2], [2.5, 1.9]]).double())
    draws = flow().rsample((20_000,), generator=generator_of(0))
    axis = torch.linspace(-8, 8, 161, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    density = flow().log_prob(grid).exp()[:, None] * (axis[1] - axis[0]) ** 2
    for function in (torch.tanh, torch.sin):
        expected, values = (density * function(grid)).sum(0), function(draws)
        error = values.std(0) / math.sqrt(len(values))
        assert ((values.mean(0) - expected).abs() < 4 * error + 2e-3).all()
    assert torch.isfinite(flow().mean).all()
    assert torch.equal(flow().stddev, flow().stddev)


def test_a_flow_gives_gradients_to_every_weight_and_none_when_detached() -> None:
    torch.manual_seed(0)
    flow = FlowPrior(3, 8, 2)
    z = torch.randn(50, 3, requires_grad=True)
    flow().log_prob(z).sum().backward()
    for name, value in flow.named_parameters():
        assert value.grad is not None, name
        assert torch.isfinite(value.grad).all(), name
        assert value.grad.abs().sum() > 0, name
    cut = flow().detached().log_prob(z)
    assert torch.equal(cut, flow().log_prob(z))
    grads = torch.autograd.grad(cut.sum(), [z, *flow.parameters()], allow_unused=True)
    assert grads[0] is not None
    assert all(one is None for one in grads[1:])


@pytest.mark.parametrize("prior", ["standard_normal", "mixture", "flow"])
@pytest.mark.parametrize("private", [0, 2])
def test_parameters_are_counted_with_every_prior(prior: str, private: int) -> None:
    run = family.run(name="sum_pooling", prior=prior, private=private)
    assert check_size(run) == sum(one.numel() for one in build_model(run).parameters())


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "poe", "family": "laplace"},
        {"name": "mopoe", "family": "laplace"},
        {"name": "poe", "components": 2},
        {"name": "moe", "components": 2},
    ],
)
def test_what_has_no_formula_is_refused(settings: dict) -> None:
    with pytest.raises(ConfigError, match=r"laplace|components"):
        build_model(family.run(**settings))


def test_a_flow_over_too_many_latents_is_refused() -> None:
    with pytest.raises(ConfigError, match="512"):
        FlowPrior(513, 8, 2)


def test_where_the_prior_cannot_stand_in_the_unit_member_does() -> None:
    def empty(run: RunConfig) -> Posterior:
        model = build_model(run).double()
        features = torch.zeros(1, 3, family.FEATURES).double()
        return model.posterior(features, torch.zeros(1, 3).bool())

    for settings in (
        {"name": "moe", "family": "laplace"},
        {"name": "poe", "prior": "flow"},
        {"name": "mopoe", "prior": "flow"},
        {"name": "moe", "prior": "laplace_mixture"},
    ):
        posterior = empty(family.run(**settings))
        torch.testing.assert_close(posterior.mean, torch.zeros(1, family.LATENT).double())
        torch.testing.assert_close(posterior.stddev, torch.ones(1, family.LATENT).double())


@torch.no_grad()
@pytest.mark.parametrize("cached", [1, 50, 10**9])
@pytest.mark.parametrize(
    ("batch", "draws"),
    [
        *[((), (7,)), ((5,), ()), ((5,), (7,)), ((5,), (2, 3)), ((4, 5), (3,)), ((4, 5), ())],
        *[((), ()), ((1,), (7,)), ((1,), ()), ((1, 1), (2, 3))],
    ],
)
def test_densities_of_mixtures_are_torchs_in_whatever_pieces(
    batch: tuple[int, ...], draws: tuple[int, ...], cached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmvae_core.probability.posteriors.CACHED", cached)
    monkeypatch.setattr("mmvae_core.probability.posteriors.PIECE", cached)
    torch.manual_seed(0)
    logits, loc, scale = (
        torch.randn(*batch, 4, *own, dtype=torch.float64) for own in ((), (3,), (3,))
    )
    logits[..., 0] = -torch.inf
    mixture = GaussianMixture(logits, loc, scale.exp())
    value = torch.randn(*draws, *batch, 3, dtype=torch.float64)
    expected = MixtureSameFamily(
        Categorical(logits=logits), Independent(Normal(loc, scale.exp()), 1)
    ).log_prob(value)
    torch.testing.assert_close(mixture.log_prob(value), expected, rtol=1e-12, atol=0)
