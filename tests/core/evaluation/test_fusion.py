"""Shares of a fusion: laws of every aggregator, and formulas."""

import math

import pytest
import torch

from mmvae_core.aggregators.base import PRIOR, Inside, pooled_shares
from mmvae_core.aggregators.fixed import ProductOfExperts
from mmvae_core.aggregators.sum_pooling import SumPooling
from mmvae_core.build import build_model
from mmvae_core.evaluation.fusion import inside
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import GaussianMixture
from mmvae_core.subsets import all_subsets, subset_mask
from tests import family

SUBSETS = all_subsets(3)
NAMES = ("m0", "m1", "m2")


def case(**settings) -> tuple[MultimodalVAE, torch.Tensor, Inside]:
    model = build_model(family.run(**settings)).double()
    family.spread(model)
    generator = torch.Generator().manual_seed(1)
    shape = len(SUBSETS), 3, family.FEATURES
    features = torch.randn(shape, generator=generator, dtype=torch.float64)
    found = inside(model, torch.where(SUBSETS[..., None], features, math.nan), SUBSETS)
    assert found is not None
    return model, features, found


@pytest.mark.parametrize("prior", [None, "mixture", "flow"])
@pytest.mark.parametrize("settings", family.SETS.values(), ids=family.SETS)
def test_shares_sum_to_one_and_what_is_absent_has_none(settings: dict, prior: str | None) -> None:
    if prior == "flow" and settings.get("prior_product"):
        pytest.skip("refused, see test_family")
    _, _, found = case(**settings | ({"prior": prior} if prior else {}))
    total = found.shares.sum(-1)
    is_pooled = PRIOR not in found.parts
    torch.testing.assert_close(total[1:], torch.ones(7).double(), rtol=1e-12, atol=1e-12)
    assert float(total[0]) == pytest.approx(0 if is_pooled else 1)
    for column, part in enumerate(found.parts):
        if part != PRIOR:
            members = subset_mask(part, NAMES)
            absent = (members & ~SUBSETS).any(-1)
            assert (found.shares[absent, column] == 0).all()
            assert (found.shares[~absent, column] != 0).all()
    assert (found.attention is not None) == (settings["name"] == "self_attention")


def test_a_concatenation_has_no_parts() -> None:
    model = build_model(family.run(name="concatenation"))
    assert inside(model, torch.randn(8, 3, family.FEATURES), SUBSETS) is None


def test_the_priors_share_of_a_product_is_the_posteriors_variance() -> None:
    model, features, found = case(name="poe")
    posterior = model.posterior(features, SUBSETS)
    assert found.detail is not None
    torch.testing.assert_close(found.detail.values[:, -1], posterior.stddev**2)
    scale = model.aggregator.head(features)[1]
    assert isinstance(model.aggregator, ProductOfExperts)
    by_hand = SUBSETS[..., None] * scale**-2 * posterior.stddev[:, None] ** 2
    torch.testing.assert_close(found.detail.values[:, :-1], by_hand)
    torch.testing.assert_close(found.shares, found.detail.values.mean(-1))


def test_under_a_mixture_prior_shares_are_averaged_over_its_components() -> None:
    model, features, found = case(name="poe", prior="mixture")
    posterior = model.posterior(features, SUBSETS)
    assert isinstance(posterior, GaussianMixture)
    own = model.prior().scale ** -2
    share = (posterior.log_weights.exp()[..., None] * own * posterior.scale**2).sum(-2)
    assert found.detail is not None
    torch.testing.assert_close(found.detail.values[:, -1], share)


def test_experts_and_products_have_equal_weights() -> None:
    experts, products = case(name="moe")[2], case(name="mopoe")[2]
    torch.testing.assert_close(experts.shares[-1], torch.tensor([1, 1, 1, 0]).double() / 3)
    assert products.parts == ("m0", "m1", "m2", "m0+m1", "m0+m2", "m1+m2", "m0+m1+m2", PRIOR)
    torch.testing.assert_close(products.shares[-1], torch.tensor([1] * 7 + [0]).double() / 7)
    assert products.shares[0].tolist() == [0] * 7 + [1]
    two = products.shares[4]  # m0+m1
    torch.testing.assert_close(two, torch.tensor([1, 1, 0, 1, 0, 0, 0, 0]).double() / 3)


def test_pooled_shares_are_lengths_along_the_sum() -> None:
    vectors = torch.tensor([[[3.0, 0.0], [1.0, 2.0], [0.0, -2.0]]])  # the sum is (4, 0)
    assert pooled_shares(vectors).tolist() == [[0.75, 0.25, 0.0]]
    assert pooled_shares(torch.zeros(1, 3, 2)).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("name", ["sum_pooling", "self_attention"])
def test_the_shown_vectors_are_those_that_are_summed(name: str) -> None:
    model, features, found = case(name=name)
    aggregator = model.aggregator
    assert found.detail is not None
    posterior = aggregator.head.posterior(aggregator.rho(found.detail.values.sum(-2)))
    expected = model.posterior(features, SUBSETS)
    torch.testing.assert_close(posterior.mean, expected.mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(posterior.stddev, expected.stddev, rtol=1e-12, atol=1e-12)
    if isinstance(aggregator, SumPooling):
        torch.testing.assert_close(found.detail.values[-1], aggregator.chi(features[-1]))
