"""Laws of every aggregator with every head, posterior family and private part."""

import math
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.distributions import Normal

from mmvae_core.build import AGGREGATORS, PRIVATE, build_model
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Batched, DiagonalMixture, Posterior
from mmvae_core.seeding import generator_of
from mmvae_core.subsets import all_subsets
from tests import family, rounding

M = len(family.SIZES)
DTYPES = (torch.float32, torch.float64)
TIGHT = 1e-12
"""Of float64, relative, or absolute below one: 4,500 units in the last place."""

every_member = pytest.mark.parametrize("settings", family.EVERY.values(), ids=family.EVERY)


def make(settings: dict, dtype: torch.dtype = torch.float64) -> MultimodalVAE:
    return _made(tuple(settings.items()), dtype)


@cache
def _made(items: tuple, dtype: torch.dtype) -> MultimodalVAE:
    """Built once; no test changes a weight."""
    settings = dict(items)
    model = build_model(family.run(**settings)).to(dtype)
    # Without a norm large weights make densities of -1e7, of which rounding leaves little to check.
    family.spread(model, size=0.25 if settings.get("residual") else 0.5)
    return model


def inputs(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """All subsets at once, each with its own features [subset, modality, feature]."""
    subset = all_subsets(M)
    generator = torch.Generator().manual_seed(1)
    shape = (len(subset), M, family.FEATURES)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype), subset


def points(posterior: Posterior) -> Tensor:
    """Latents near and far [point, 1, latent], no two coordinates alike."""
    size, dtype = posterior.mean.shape[-1], posterior.mean.dtype
    generator = torch.Generator().manual_seed(2)
    return 2 * torch.randn(7, 1, size, generator=generator, dtype=torch.float64).to(dtype)


def described(model: MultimodalVAE, features: Tensor, subset: Tensor, z: Tensor) -> list[Tensor]:
    """Mean, standard deviation and density of the posterior."""
    posterior = model.posterior(features, subset)
    return [posterior.mean, posterior.stddev, posterior.log_prob(z)]


def allowed(model: MultimodalVAE, features: Tensor, subset: Tensor, z: Tensor) -> list[Tensor]:
    """How far two right answers for `described` may be apart."""
    exact = deepcopy(model).double(), features.double(), subset, z.double()
    if features.dtype == torch.float32:
        return [
            2 * rounding.reach(lambda which=which: described(*exact)[which]) for which in range(3)
        ]
    # A density multiplies the rounding of m by (z - m) / s^2.
    return [
        factor * TIGHT * one.detach().abs().clamp_min(1)
        for factor, one in zip((1, 1, 10), described(*exact), strict=True)
    ]


def permuted(latent: Tensor, order: Tensor) -> Tensor:
    """The private blocks in another order of the modalities."""
    shared, own = latent[..., : family.LATENT], latent[..., family.LATENT :]
    if own.shape[-1]:
        own = own.unflatten(-1, (M, -1))[..., order, :].flatten(-2)
    return torch.cat([shared, own], -1)


def test_every_aggregator_of_the_build_is_here() -> None:
    assert {settings["name"] for settings in family.EVERY.values()} == set(AGGREGATORS)
    assert set(PRIVATE) <= set(AGGREGATORS)


@pytest.mark.parametrize("settings", family.SETS.values(), ids=family.SETS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_order_of_modalities_changes_nothing(settings: dict, dtype: torch.dtype) -> None:
    model, (features, subset) = make(settings, dtype), inputs(dtype)
    z = points(model.posterior(features, subset))
    expected, bounds = (how(model, features, subset, z) for how in (described, allowed))
    for order in torch.tensor([[1, 0, 2], [2, 0, 1], [2, 1, 0]]):
        found = described(model, features[:, order], subset[:, order], permuted(z, order))
        assert {one.dtype for one in found} == {dtype}
        for which, (one, two, bound) in enumerate(zip(found, expected, bounds, strict=True)):
            if which < 2:  # a density has no private blocks
                two, bound = permuted(two, order), permuted(bound, order)
            assert rounding.within(one, two, bound)


@pytest.mark.parametrize("settings", family.EVERY.values(), ids=family.EVERY)
def test_single_precision_is_double_precision_to_rounding(settings: dict) -> None:
    model, (features, subset) = make(settings, torch.float32), inputs(torch.float32)
    z = points(model.posterior(features, subset))
    exact = described(deepcopy(model).double(), features.double(), subset, z.double())
    bounds = allowed(model, features, subset, z)
    for one, two, bound in zip(described(model, features, subset, z), exact, bounds, strict=True):
        assert rounding.within(one, two, bound / 2)
        assert (bound < 0.02 * two.abs().clamp_min(1)).all(), "the check must be able to fail"


SHARED = {label: settings for label, settings in family.SETS.items() if label not in family.PRIVATE}


@pytest.mark.parametrize("settings", SHARED.values(), ids=SHARED)
@torch.no_grad()
def test_what_is_not_shown_may_as_well_not_exist(settings: dict) -> None:
    """Leaving the other modalities out altogether gives the same posterior."""
    model, (features, subset) = make(settings), inputs()
    for row in range(1, len(subset)):
        kept = subset[row]
        few, all_seen = features[row : row + 1, kept], torch.ones(1, int(kept.sum())).bool()
        one = model.aggregator(few, all_seen, model.prior())
        two = model.posterior(features[row : row + 1], subset[row : row + 1])
        z = points(two)
        for left, right in ((one.mean, two.mean), (one.log_prob(z), two.log_prob(z))):
            torch.testing.assert_close(left, right, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", ["sum_pooling", "self_attention", "poe"])
@torch.no_grad()
def test_for_private_networks_too(name: str) -> None:
    model, (features, subset) = make({"name": name, "private": 2}), inputs()
    network = model.aggregator.private
    shared = torch.randn(1, family.LATENT, dtype=torch.float64)
    features = torch.where(subset[..., None], features, 0.0)
    for row in range(1, len(subset)):
        kept = subset[row]
        few, all_seen = features[row : row + 1, kept], torch.ones(1, int(kept.sum())).bool()
        found = network(few, all_seen, shared)
        whole = network(features[row : row + 1], subset[row : row + 1], shared)
        for one, two in zip(found, whole, strict=True):
            torch.testing.assert_close(one, two[:, kept], rtol=1e-11, atol=1e-11)


@every_member
def test_several_masks_at_once_are_one_after_the_other(settings: dict) -> None:
    """What is shared is computed once, and what one mask hides has no part in it."""
    model, (features, full) = make(settings), inputs()
    shown = full & (torch.arange(len(full)) % 2 == 0)[:, None] & torch.tensor([True, False, True])
    features = torch.where(full[..., None], features, math.nan).requires_grad_()
    one, two = model.posteriors(features, shown, full)
    for found, subset in ((one, shown), (two, full)):
        alone = model.posterior(features, subset)
        z = points(alone)
        torch.testing.assert_close(found.mean, alone.mean, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(found.log_prob(z), alone.log_prob(z), rtol=1e-12, atol=1e-12)
    (gradient,) = torch.autograd.grad(one.log_prob(points(one)).sum(), features)
    assert torch.equal(gradient[~shown], torch.zeros_like(gradient[~shown]))


@pytest.mark.parametrize("settings", family.PRODUCT.values(), ids=family.PRODUCT)
@torch.no_grad()
def test_the_product_is_the_prior_times_each_of_its_own_components(settings: dict) -> None:
    """q = sum_c w_c p(z) N_c(z) / Z_c, Z_c = sum_k v_k N(m_c; m_k, s_k and s_c)."""
    model, (features, subset) = make(settings), inputs()
    other = build_model(family.run(**settings | {"prior_product": False})).double()
    other.load_state_dict(model.state_dict())
    features, subset = features[1:], subset[1:]
    plain, found = other.posterior(features, subset), model.posterior(features, subset)
    shares, loc, scale = as_components(plain)
    v, m, s = as_components(model.prior())
    wide = (scale[..., None, :].square() + s.square()).sqrt()
    evidence = (v + Normal(m, wide).log_prob(loc[..., None, :]).sum(-1)).logsumexp(-1)
    z = points(found)
    each = Normal(loc, scale).log_prob(z[..., None, :]).sum(-1)
    expected = (shares + each - evidence).logsumexp(-1) + model.prior().log_prob(z)
    torch.testing.assert_close(found.log_prob(z), expected, rtol=1e-10, atol=1e-10)


def as_components(posterior: Posterior) -> tuple[Tensor, Tensor, Tensor]:
    """Log weights [..., component], locations and scales of a normal or a mixture."""
    if isinstance(posterior, DiagonalMixture):
        return posterior.parameters()
    loc, scale = posterior.parameters()
    return torch.zeros_like(loc[..., :1]), loc[..., None, :], scale[..., None, :]


@every_member
@pytest.mark.parametrize("garbage", [0.0, 1e30, math.nan, math.inf])
def test_what_is_not_shown_has_exactly_no_effect(settings: dict, garbage: float) -> None:
    model, (features, subset) = make(settings, torch.float32), inputs(torch.float32)
    spoiled = torch.where(subset[..., None], features, garbage)
    one, two = model.posterior(features, subset), model.posterior(spoiled, subset)
    z = points(one)
    for left, right in (
        (one.mean, two.mean),
        (one.stddev, two.stddev),
        (one.log_prob(z), two.log_prob(z)),
    ):
        assert torch.equal(left, right)


@every_member
@pytest.mark.parametrize("garbage", [7.0, math.nan])
def test_what_is_not_shown_gets_exactly_no_gradient(settings: dict, garbage: float) -> None:
    model, (features, subset) = make(settings), inputs()
    spoiled = torch.where(subset[..., None], features, garbage).requires_grad_()
    posterior = model.posterior(spoiled, subset)
    draws = posterior.rsample((3,), generator=generator_of(0))
    value = posterior.log_prob(points(posterior)).sum() + draws.sin().sum()
    (gradient,) = torch.autograd.grad(value, spoiled)
    assert torch.equal(gradient[~subset], torch.zeros_like(gradient[~subset]))
    assert (gradient[subset].abs().sum(-1) > 0).all(), "what is shown must matter"


@every_member
def test_gradients_reach_every_weight(settings: dict) -> None:
    model, (features, subset) = make(settings), inputs()
    posterior = model.posterior(features, subset)
    prior = model.prior()
    value = posterior.log_prob(points(posterior)).sum() + prior.log_prob(points(posterior)).sum()
    draws = posterior.rsample((5,), generator=generator_of(0))
    parts = {"density": value, "draws": draws.sin().sum()}
    for part, total in parts.items():
        named = dict(model.aggregator.named_parameters())
        if part == "density":
            named |= dict(model.prior.named_parameters())
        found = torch.autograd.grad(total, list(named.values()), retain_graph=True)
        for name, gradient in zip(named, found, strict=True):
            assert torch.isfinite(gradient).all(), (part, name)
            assert gradient.abs().sum() > 0, (part, name)


@every_member
def test_detached_keeps_the_density_and_its_slope_but_no_weights(settings: dict) -> None:
    model, (features, subset) = make(settings), inputs()
    features = features.requires_grad_()
    posterior = model.posterior(features, subset)
    z = points(posterior).requires_grad_()
    value, cut = posterior.log_prob(z), posterior.detached().log_prob(z)
    assert torch.equal(value, cut)
    slopes = [torch.autograd.grad(one.sum(), z, retain_graph=True)[0] for one in (value, cut)]
    assert torch.equal(*slopes)
    weights = [features, *(one for one in model.parameters() if one.requires_grad)]
    assert all(g is None for g in torch.autograd.grad(cut.sum(), weights, allow_unused=True))


@pytest.mark.parametrize("settings", family.EXACT_EMPTY.values(), ids=family.EXACT_EMPTY)
def test_nothing_shown_is_the_prior(settings: dict) -> None:
    model, (features, subset) = make(settings), inputs()
    posterior = model.posterior(features[:1], subset[:1])
    prior, z = model.prior(), points(posterior)
    torch.testing.assert_close(
        posterior.log_prob(z)[:, 0], prior.log_prob(z)[:, 0], rtol=1e-12, atol=1e-12
    )


@every_member
def test_nothing_shown_has_finite_numbers(settings: dict) -> None:
    model, (features, subset) = make(settings), inputs()
    posterior = model.posterior(features[:1] * math.nan, subset[:1])
    for value in (
        posterior.mean,
        posterior.stddev,
        posterior.rsample((4,), generator=generator_of(0)),
        posterior.log_prob(points(posterior)),
    ):
        assert torch.isfinite(value).all()


FLOW = {
    "flow prior": {"name": "poe", "prior": "flow"},
    "flow prior, private": {"name": "sum_pooling", "prior": "flow", "private": 2},
}


@pytest.mark.parametrize("settings", (family.EVERY | FLOW).values(), ids=family.EVERY | FLOW)
def test_saved_and_loaded_is_equal(settings: dict, tmp_path: Path) -> None:
    model, (features, subset) = make(settings, torch.float32), inputs(torch.float32)
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    other = build_model(family.run(**settings))
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    one, two = model.posterior(features, subset), other.posterior(features, subset)
    z = points(one)
    assert torch.equal(one.log_prob(z), two.log_prob(z))
    assert torch.equal(model.prior().log_prob(z), other.prior().log_prob(z))


@every_member
def test_taken_apart_and_put_together_is_equal(settings: dict) -> None:
    """What the evaluation of all subsets at once does with a posterior's batch axes."""
    model, (features, subset) = make(settings), inputs()
    posterior = model.posterior(features, subset)
    assert isinstance(posterior, Batched)
    z = points(posterior)
    folded = posterior.rebuilt(*(one.unflatten(0, (2, 4)) for one in posterior.parameters()))
    torch.testing.assert_close(
        folded.log_prob(z[:, None]).flatten(1), posterior.log_prob(z), rtol=1e-12, atol=1e-12
    )
    row = posterior.rebuilt(*(one[5:6] for one in posterior.parameters()))
    torch.testing.assert_close(
        row.log_prob(z)[:, 0], posterior.log_prob(z)[:, 5], rtol=1e-12, atol=1e-12
    )
    assert torch.isfinite(folded.rsample((3,), generator=generator_of(0))).all()


@pytest.mark.parametrize("name", ["sum_pooling", "self_attention", "poe"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_private_networks_are_equivariant(name: str, dtype: torch.dtype) -> None:
    run = family.run(name=name, private=2)
    torch.manual_seed(0)
    network = PRIVATE[name](run).to(dtype)
    family.spread(network)
    features, subset = inputs(dtype)
    features = torch.where(subset[..., None], features, 0.0)
    shared = torch.randn(3, len(subset), family.LATENT, dtype=torch.float64).to(dtype)
    found, bounds = network(features, subset, shared), [5 * TIGHT, 5 * TIGHT]
    if dtype == torch.float32:
        exact, given = deepcopy(network).double(), (features.double(), subset, shared.double())
        bounds = [2 * rounding.reach(lambda which=which: exact(*given)[which]) for which in (0, 1)]
    for order in torch.tensor([[1, 0, 2], [2, 0, 1]]):
        other = network(features[:, order], subset[:, order], shared)
        for one, two, bound in zip(other, found, bounds, strict=True):
            seen = subset[:, order].expand(3, -1, -1)
            limit = torch.as_tensor(bound).expand_as(two)[..., order, :][seen]
            assert rounding.within(one[seen], two[..., order, :][seen], limit)


@pytest.mark.parametrize("name", ["sum_pooling", "self_attention"])
@torch.no_grad()
def test_learned_private_latents_depend_on_the_shared_draw_and_on_the_others(name: str) -> None:
    model, (features, subset) = make({"name": name, "private": 2}), inputs()
    network = model.aggregator.private
    shared = torch.zeros(1, len(subset), family.LATENT).double()
    loc, _ = network(features, subset, shared)
    moved, _ = network(features, subset, shared + 1)
    assert float((loc - moved).abs().max()) > 0.01
    changed = features.clone()
    changed[-1, 0] += 1
    assert float((network(changed, subset, shared)[0] - loc)[0, -1, 2].abs().max()) > 0.001


@pytest.mark.parametrize("settings", family.PRIVATE.values(), ids=family.PRIVATE)
def test_a_decoder_sees_the_shared_and_its_own_latents(settings: dict) -> None:
    model = make(settings)
    z = torch.randn(1, family.LATENT + 2 * M, dtype=torch.float64, requires_grad=True)
    for index, (name, output) in enumerate(model.decode(z).items()):
        (gradient,) = torch.autograd.grad(output.sum(), z)
        seen = torch.zeros_like(z, dtype=torch.bool)
        seen[:, : family.LATENT] = True
        seen[:, family.LATENT + 2 * index : family.LATENT + 2 * index + 2] = True
        assert torch.equal(gradient != 0, seen), name
