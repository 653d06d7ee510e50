"""Laws that every aggregator keeps, whatever it computes."""

import math
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from mmvae_core.aggregators.base import PRIOR, Aggregator
from mmvae_core.aggregators.self_attention import SelfAttention
from mmvae_core.build import AGGREGATORS, about_aggregator, build_model
from mmvae_core.config import RunConfig
from mmvae_core.evaluation.all_subsets import parameters
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.probability.priors import StandardNormalPrior
from mmvae_core.seeding import generator_of
from mmvae_core.subsets import all_subsets, subset_mask
from tests import rounding, small

MODALITIES, FEATURES, LATENT = 4, 6, 3
TIGHT = 1e-12
"""Of float64, relative and absolute: 4,500 units in the last place."""


def configured(name: str) -> RunConfig:
    """The small run with a fourth modality."""
    fourth = {"name": "more", "shape": [2], "likelihood": {"name": "normal"}}
    return small.config(name, modalities=[*small.SETTINGS["modalities"], fourth])


every_aggregator = pytest.mark.parametrize("name", AGGREGATORS)
every_set_aggregator = pytest.mark.parametrize(
    "name", [name for name in AGGREGATORS if not about_aggregator(configured(name)).ordered]
)
every_precision = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def make(name: str, dtype: torch.dtype = torch.float64) -> Aggregator:
    torch.manual_seed(0)
    aggregator = AGGREGATORS[name](configured(name)).to(dtype)
    small.spread(aggregator)
    return aggregator


def inputs(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """All 2^M subsets at once, each with its own features [subset, modality, feature]."""
    subsets = all_subsets(MODALITIES)
    generator = torch.Generator().manual_seed(1)
    shape = len(subsets), MODALITIES, FEATURES
    return torch.randn(shape, generator=generator, dtype=dtype), subsets


def described(posterior: Posterior) -> list[Tensor]:
    """What two equal distributions share: mean, spread and density at points near and far."""
    points = torch.linspace(-3, 3, 7, dtype=posterior.mean.dtype)[:, None, None]
    return [posterior.mean, posterior.stddev, posterior.log_prob(points.expand(7, 1, LATENT))]


def assert_same(one: Posterior, other: Posterior, tolerance: float) -> None:
    for left, right in zip(described(one), described(other), strict=True):
        torch.testing.assert_close(left, right, rtol=5 * tolerance, atol=tolerance)


def assert_identical(one: Posterior, other: Posterior) -> None:
    for left, right in zip(parameters(one), parameters(other), strict=True):
        assert torch.equal(left, right)


@every_precision
@every_set_aggregator
def test_order_of_modalities_changes_nothing(name: str, dtype: torch.dtype) -> None:
    aggregator, (features, subset) = make(name, dtype), inputs(dtype)
    posterior, exact = aggregator(features, subset), deepcopy(aggregator).double()
    assert posterior.mean.dtype == dtype
    bounds = [
        rounding.reach(lambda which=which: described(exact(features.double(), subset))[which])
        for which in range(3)
    ]
    for seed in range(5):
        order = torch.randperm(MODALITIES, generator=torch.Generator().manual_seed(seed))
        permuted = aggregator(features[:, order], subset[:, order])
        if dtype == torch.float64:
            assert_same(permuted, posterior, TIGHT)
        else:
            for one, two, bound in zip(
                described(permuted), described(posterior), bounds, strict=True
            ):
                assert rounding.within(one, two, 2 * bound)


def test_to_a_concatenation_every_order_is_another_input() -> None:
    aggregator, (features, subset) = make("concatenation"), inputs()
    posterior, shown = aggregator(features, subset), subset.any(-1)
    for order in torch.tensor([[1, 0, 2, 3], [3, 2, 1, 0], [1, 2, 3, 0]]):
        moved = (order != torch.arange(MODALITIES)) & subset[:, order]
        moved |= (order != torch.arange(MODALITIES)) & subset
        permuted = aggregator(features[:, order], subset[:, order])
        change = (permuted.mean - posterior.mean).abs().amax(-1)
        assert (change[moved.any(-1)] > 1e-2).all()
        assert (change[~shown] == 0).all()


@every_aggregator
@pytest.mark.parametrize("garbage", [0.0, 1e30, math.nan, math.inf, -math.inf])
def test_what_is_not_shown_has_exactly_no_effect(name: str, garbage: float) -> None:
    aggregator, (features, subset) = make(name, torch.float32), inputs(torch.float32)
    spoiled = torch.where(subset[..., None], features, garbage)
    assert_identical(aggregator(spoiled, subset), aggregator(features, subset))


@every_aggregator
@pytest.mark.parametrize("garbage", [7.0, math.nan])
def test_what_is_not_shown_gets_exactly_no_gradient(name: str, garbage: float) -> None:
    aggregator, (features, subset) = make(name), inputs()
    spoiled = torch.where(subset[..., None], features, garbage).requires_grad_()
    posterior = aggregator(spoiled, subset)
    density = posterior.log_prob(torch.ones(LATENT, dtype=spoiled.dtype))
    draws = posterior.rsample(generator=generator_of(0))
    (gradient,) = torch.autograd.grad(density.sum() + draws.sum(), spoiled)
    assert torch.equal(gradient[~subset], torch.zeros_like(gradient[~subset]))
    assert (gradient[subset].abs().sum(-1) > 0).all(), "what is shown must matter"


@every_aggregator
def test_gradients_reach_every_weight(name: str) -> None:
    aggregator, (features, subset) = make(name), inputs()
    posterior = aggregator(features, subset)
    posterior.log_prob(torch.ones(LATENT, dtype=features.dtype)).sum().backward()
    for label, value in aggregator.named_parameters():
        assert value.grad is not None, label
        assert torch.isfinite(value.grad).all(), label
        assert value.grad.abs().sum() > 0, label


@every_aggregator
def test_gradients_are_finite_for_every_single_subset(name: str) -> None:
    features, subsets = inputs()
    for row in range(len(subsets)):
        aggregator = make(name)
        posterior = aggregator(features[row : row + 1], subsets[row : row + 1])
        draw = posterior.rsample((2,), generator=generator_of(0))
        (posterior.log_prob(draw) + posterior.detached().log_prob(draw)).sum().backward()
        gradients = [value.grad for value in aggregator.parameters() if value.grad is not None]
        assert all(torch.isfinite(gradient).all() for gradient in gradients)


@every_aggregator
def test_nothing_shown_still_has_a_posterior(name: str) -> None:
    aggregator = make(name)
    features, subset = inputs()[0][:2], torch.zeros(2, MODALITIES).bool()
    posterior = aggregator(features, subset)
    points = torch.randn(5, 1, LATENT, generator=torch.Generator().manual_seed(2)).double()
    assert all(torch.isfinite(value).all() for value in described(posterior))
    assert torch.isfinite(posterior.rsample((5,), generator=generator_of(0))).all()
    if name in ("poe", "moe"):
        assert torch.equal(posterior.mean, torch.zeros(2, LATENT).double())
        assert torch.equal(posterior.stddev, torch.ones(2, LATENT).double())
        normal = torch.distributions.Normal(0.0, 1.0).log_prob(points).sum(-1).expand(5, 2)
        torch.testing.assert_close(posterior.log_prob(points), normal, rtol=1e-14, atol=1e-14)


@every_aggregator
def test_a_batch_is_its_items_one_by_one(name: str) -> None:
    aggregator, (features, subset) = make(name), inputs()
    posterior = aggregator(features, subset)
    for row in range(len(subset)):
        alone = aggregator(features[row : row + 1], subset[row : row + 1])
        for one, many in zip(parameters(alone), parameters(posterior), strict=True):
            torch.testing.assert_close(one[0], many[row], rtol=1e-12, atol=1e-12)


@every_aggregator
def test_it_says_what_it_is_in_words_of_its_own(name: str) -> None:
    said = {one: make(one).about for one in AGGREGATORS}
    assert said[name] == about_aggregator(configured(name))
    assert len(said[name].sentence) > 40 and said[name].sentence.endswith(".")
    assert [one for one in said if said[one].sentence == said[name].sentence] == [name]
    assert said[name].families


@every_aggregator
def test_methods_are_abstract_or_final(name: str) -> None:
    """What a base class defines no class below changes: `AGGREGATORS` may be read one by one."""
    family = [one for one in type(make(name)).mro() if issubclass(one, Aggregator)]
    for place, one in enumerate(family):
        inherited = {
            method
            for base in family[place + 1 :]
            for method, value in vars(base).items()
            if callable(value) and not getattr(value, "__isabstractmethod__", False)
        }
        assert not (inherited - {"__init__"}) & set(vars(one)), one.__name__


@every_aggregator
@torch.no_grad()
def test_what_is_not_shown_has_no_share(name: str) -> None:
    """Shares are of what is shown, NaN elsewhere or not; the prior's own part comes last."""
    aggregator, (features, subset) = make(name), inputs()
    names, prior = tuple("abcd"), StandardNormalPrior(LATENT).double()()
    spoiled = torch.where(subset[..., None], features, math.nan)
    found, same = (aggregator.inside(one, subset, prior, names) for one in (features, spoiled))
    if found is None:
        assert same is None
        return
    assert same is not None and torch.equal(found.shares, same.shares)
    assert found.shares.shape == (len(subset), len(found.parts))
    for column, part in enumerate(found.parts):
        if part != PRIOR:
            shown = (subset_mask(part, names) <= subset).all(-1)
            assert (found.shares[~shown, column] == 0).all()
    total = found.shares[subset.any(-1)].sum(-1)
    torch.testing.assert_close(total, torch.ones_like(total), rtol=1e-12, atol=1e-12)
    if found.detail is not None:
        assert found.detail.values.shape[:2] == found.shares.shape
        assert found.detail.title


@every_aggregator
def test_saved_weights_give_equal_outputs(name: str, tmp_path: Path) -> None:
    aggregator, (features, subset) = make(name), inputs()
    save_file(aggregator.state_dict(), tmp_path / "weights.safetensors")
    other = AGGREGATORS[name](configured(name)).double()
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert_identical(other(features, subset), aggregator(features, subset))


def test_attention_is_shared_out_among_the_members() -> None:
    aggregator, (features, subset) = make("self_attention"), inputs()
    assert isinstance(aggregator, SelfAttention)
    spoiled = torch.where(subset[..., None], features, math.nan)
    found = aggregator.inside(spoiled, subset, StandardNormalPrior(LATENT)(), tuple("abcd"))
    weights = found and found.attention
    assert weights is not None
    assert weights.shape == (2, len(subset), 2, MODALITIES, MODALITIES)
    pairs = (subset[:, None, :, None] & subset[:, None, None, :]).expand_as(weights)
    assert torch.equal(weights[~pairs], torch.zeros_like(weights[~pairs]))
    assert (weights[pairs] > 0).all()
    torch.testing.assert_close(
        weights.sum(-1), subset[:, None].expand(2, -1, 2, -1).double(), rtol=1e-12, atol=1e-12
    )


def test_shown_attention_weights_are_those_that_attention_uses() -> None:
    aggregator, (features, subset) = make("self_attention"), inputs()
    assert isinstance(aggregator, SelfAttention)
    block, tokens = aggregator.blocks[0], aggregator.embed(features)
    normed = block.norm_attention(tokens)
    value = block.to_query_key_value(normed).chunk(3, -1)[2].unflatten(-1, (block.heads, -1))
    mixed = torch.einsum("bhqk,bkhd->bqhd", block.weights(tokens, subset), value).flatten(-2)
    after = tokens + block.out(mixed)
    expected = after + block.body(block.norm_mlp(after))
    shown = block(tokens, subset)
    torch.testing.assert_close(shown[subset], expected[subset], rtol=1e-12, atol=1e-12)


def whole_model(name: str) -> MultimodalVAE:
    model = build_model(small.config(name)).eval()
    small.spread(model)
    return model


@every_aggregator
def test_hidden_data_have_exactly_no_effect_on_posterior_and_pictures(name: str) -> None:
    model, subsets = whole_model(name), all_subsets(3)
    one = small.data(len(subsets))
    noise = small.data(len(subsets), seed=9)
    noise["text"] += 1_000  # no symbol at all
    nothing = {"numbers": math.nan, "picture": math.inf, "text": -1}
    for other in (noise, {key: torch.full_like(one[key], value) for key, value in nothing.items()}):
        spoiled = {
            key: torch.where(
                subsets[:, index].reshape(-1, *[1] * (one[key].dim() - 1)), one[key], other[key]
            )
            for index, key in enumerate(model.names)
        }
        before, after = model.infer(one, subsets), model.infer(spoiled, subsets)
        assert_identical(after, before)
        pictures, again = model.means(before.mean), model.means(after.mean)
        assert all(torch.equal(pictures[key], again[key]) for key in model.names)


@every_aggregator
def test_hidden_data_may_be_left_out_altogether(name: str) -> None:
    model, data = whole_model(name).double(), small.data(2, dtype=torch.float64)
    for subset in all_subsets(3)[1:]:
        given = {key: data[key] for index, key in enumerate(model.names) if subset[index]}
        mask = subset.expand(2, 3)
        assert_same(model.infer(given, mask), model.infer(data, mask), TIGHT)
