"""Exact evidence and posteriors read off a model, against conditioning by hand and oracles."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import kl_divergence

from mmvae_core.build import build_model
from mmvae_core.config import from_dict
from mmvae_core.evaluation.exact_linear import exact_linear, kl_from_exact
from mmvae_core.evaluation.rates import kl
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import DiagonalLaplace, Gaussian, GaussianMixture
from mmvae_core.subsets import all_subsets
from tests import family
from tests.oracles.exact_linear import ExactLinear
from tests.oracles.linear_gaussian import LinearGaussian

MASKS = all_subsets(3)
ITEMS = 4


def linear_model(private: int = 0, **changes: Any) -> MultimodalVAE:
    """Three vectors with linear decoders and random weights, in float64."""
    modalities = [
        {
            "name": f"m{index}",
            "shape": [size],
            "width": 8,
            "network": "linear",
            "likelihood": {"name": "normal", "scale": 0.7},
        }
        | changes
        for index, size in enumerate(family.SIZES)
    ]
    model = build_model(
        from_dict(
            {
                "study": "a",
                "latent": 2,
                "features": 6,
                "private": private,
                "modalities": modalities,
                "aggregator": {"name": "sum_pooling", "width": 8},
                "objective": {"name": "masked"},
                "data": {},
                "training": {"epochs": 1},
            }
        )
    ).double()
    family.spread(model)
    return model


def conditioned(
    oracle: LinearGaussian, data: dict[str, Tensor], mask: Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """E[z | x_S] [batch, latent] and Cov by conditioning the joint normal of z and x_S."""
    kept = [index for index in range(3) if mask[index]]
    eye = np.eye(oracle.latent)
    if not kept:
        return np.zeros((ITEMS, oracle.latent)), eye
    loading, offset = (
        np.concatenate([one[index] for index in kept]) for one in (oracle.loadings, oracle.offsets)
    )
    noise = np.concatenate(
        [np.full(len(oracle.offsets[index]), oracle.scales[index] ** 2) for index in kept]
    )
    x = np.concatenate([data[oracle.names[index]] for index in kept], -1)
    gain = loading.T @ np.linalg.inv(loading @ loading.T + np.diag(noise))
    return (x - offset) @ gain.T, eye - gain @ loading


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: "".join(map(str, mask.int().tolist())))
def test_every_subset_is_what_conditioning_gives(mask: Tensor) -> None:
    oracle = LinearGaussian.random()
    found, batch, masks = exact_linear(oracle.model()), oracle.draw(ITEMS), mask.expand(ITEMS, 3)
    assert found is not None
    np.testing.assert_allclose(
        found.log_evidence(batch.data, masks),
        oracle.log_evidence(batch, masks),
        rtol=1e-12,
        atol=1e-12,
    )
    posterior = found.posterior(batch.data, masks)
    mean, covariance = conditioned(oracle, dict(batch.data), mask)
    np.testing.assert_allclose(posterior.mean, mean, rtol=1e-10, atol=1e-12)
    expected = np.broadcast_to(covariance, posterior.covariance_matrix.shape)
    np.testing.assert_allclose(posterior.covariance_matrix, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("private", [0, 2])
@torch.no_grad()
def test_loadings_are_what_the_decoders_do(private: int) -> None:
    """With private latents each loading is zero where its decoder does not look."""
    model = linear_model(private)
    found = exact_linear(model)
    assert found is not None
    assert found.latent == 2 + 3 * private
    latent = torch.randn(5, found.latent, dtype=torch.float64)
    for index, (name, outputs) in enumerate(model.decode(latent).items()):
        loading = found.loadings[name]
        torch.testing.assert_close(latent @ loading.T + found.offsets[name], outputs)
        seen = torch.zeros(found.latent, dtype=torch.bool)
        seen[:2] = True
        seen[2 + private * index : 2 + private * (index + 1)] = True
        assert torch.equal((loading != 0).all(0), seen)
        assert torch.equal((loading != 0).any(0), seen)
        assert found.scales[name] == pytest.approx(
            float(model.modality(name).likelihood.log_scale.exp()), rel=1e-12
        )


@pytest.mark.parametrize("private", [0, 2])
@torch.no_grad()
def test_of_a_built_model_evidence_and_posterior_are_the_oracles(private: int) -> None:
    model = linear_model(private)
    for name in model.names:
        model.modality(name).likelihood.log_scale.fill_(math.log(0.7))
    found = exact_linear(model)
    assert found is not None
    oracle = ExactLinear(tuple(found.loadings.values()), tuple(found.offsets.values()), 0.7)
    data = oracle.sample(ITEMS)
    for mask in MASKS:
        named, masks = dict(zip(model.names, data, strict=True)), mask.expand(ITEMS, 3)
        evidence = found.log_evidence(named, masks)
        torch.testing.assert_close(evidence, oracle.log_marginal(data, mask))
        mean, covariance = oracle.posterior(data, mask)
        posterior = found.posterior(named, masks)
        torch.testing.assert_close(posterior.mean, mean)
        torch.testing.assert_close(posterior.covariance_matrix, covariance.expand(ITEMS, -1, -1))


def test_what_is_not_in_the_subset_may_be_anything() -> None:
    """NaN too, item by item, each with a mask of its own."""
    oracle = LinearGaussian.random()
    found, batch = exact_linear(oracle.model()), oracle.draw(len(MASKS))
    assert found is not None
    spoiled = {
        name: values.masked_fill(~MASKS[:, index, None], torch.nan)
        for index, (name, values) in enumerate(batch.data.items())
    }
    assert torch.equal(found.log_evidence(spoiled, MASKS), found.log_evidence(batch.data, MASKS))
    one, other = (found.posterior(data, MASKS) for data in (spoiled, batch.data))
    assert torch.equal(one.mean, other.mean)
    assert torch.equal(one.covariance_matrix, other.covariance_matrix)


@pytest.mark.parametrize(
    "model",
    [
        lambda: linear_model(network="mlp"),
        lambda: linear_model(likelihood={"name": "laplace"}),
        lambda: linear_model(likelihood={"name": "bernoulli"}),
        lambda: build_model(family.run(name="poe", prior="mixture")),
    ],
    ids=["mlp", "laplace", "bernoulli", "mixture prior"],
)
def test_other_models_have_no_closed_form(model: Callable[[], MultimodalVAE]) -> None:
    assert exact_linear(model()) is None


def posterior_of(oracle: LinearGaussian) -> torch.distributions.MultivariateNormal:
    found, batch = exact_linear(oracle.model()), oracle.draw(ITEMS)
    assert found is not None
    return found.posterior(batch.data, MASKS[[1, 4, 6, 7]])


def gaussian() -> Gaussian:
    generator = torch.Generator().manual_seed(3)
    loc = torch.randn(ITEMS, 2, generator=generator, dtype=torch.float64)
    return Gaussian(loc, 0.3 + torch.rand(ITEMS, 2, generator=generator, dtype=torch.float64))


def test_divergence_of_a_normal_is_torchs_and_agrees_with_sampling() -> None:
    exact, q = posterior_of(LinearGaussian.random()), gaussian()
    found = kl_from_exact(q, exact, 2, 0)
    assert found.exact
    whole = torch.distributions.MultivariateNormal(q.loc, torch.diag_embed(q.scale**2))
    torch.testing.assert_close(found.value, kl_divergence(whole, exact), rtol=1e-10, atol=1e-12)
    one = GaussianMixture(torch.zeros(ITEMS, 1).double(), q.loc[:, None], q.scale[:, None])
    drawn = kl_from_exact(one, exact, 20_000, 0)
    assert drawn.error is not None
    assert ((drawn.value - found.value).abs() < 3 * drawn.error).all()
    assert (drawn.error < 0.05 * (1 + found.value)).all()


def test_divergence_of_other_families_is_seeded_and_has_an_error() -> None:
    exact, q = posterior_of(LinearGaussian.random()), gaussian()
    laplace = DiagonalLaplace(q.loc, q.scale)
    first, again, other = (kl_from_exact(laplace, exact, 64, seed) for seed in (1, 1, 2))
    assert torch.equal(first.value, again.value)
    assert not torch.equal(first.value, other.value)
    assert first.error is not None
    assert (first.error > 0).all()
    # Against a diagonal truth there is torch's formula.
    plain = kl(laplace, Gaussian(torch.zeros(2).double(), torch.ones(2).double()), 2, 0)
    unit = torch.distributions.MultivariateNormal(
        torch.zeros(ITEMS, 2).double(), torch.eye(2).double()
    )
    drawn = kl_from_exact(laplace, unit, 20_000, 0)
    assert drawn.error is not None
    assert ((drawn.value - plain.value).abs() < 4 * drawn.error).all()


def test_divergence_is_zero_where_q_is_exact() -> None:
    """Orthogonal loadings make the posterior of every subset diagonal."""
    oracle = ExactLinear.random(family.SIZES, 2, orthogonal=True)
    data = oracle.sample(ITEMS)
    for mask in MASKS:
        mean, covariance = oracle.posterior(data, mask)
        exact = torch.distributions.MultivariateNormal(mean, covariance)
        q = Gaussian(mean, covariance.diagonal().sqrt().expand(ITEMS, -1))
        assert float(kl_from_exact(q, exact, 2, 0).value.abs().max()) < 1e-10
        assert float(kl_from_exact(Gaussian(mean + 0.1, q.scale), exact, 2, 0).value.min()) > 1e-3


@torch.no_grad()
def test_the_gap_of_the_evidence_bound_is_the_divergence() -> None:
    """log p(x) - E_q[log p(x, z) - log q(z)] = KL(q || p(z | x)), within four standard errors."""
    oracle = LinearGaussian.random()
    model, batch, q = oracle.model(), oracle.draw(ITEMS), gaussian()
    found = exact_linear(model)
    assert found is not None
    torch.manual_seed(0)
    latent = q.rsample((20_000,))
    bound = model.prior().log_prob(latent) - q.log_prob(latent)
    for index, name in enumerate(model.names):
        seen = batch.observed[:, index]
        bound = bound + model.modality(name).log_prob(latent, batch.data[name], seen)
    gap = found.log_evidence(batch.data, batch.observed) - bound.mean(0)
    exact = kl_from_exact(q, found.posterior(batch.data, batch.observed), 2, 0).value
    assert ((gap - exact).abs() < 4 * bound.std(0) / len(bound) ** 0.5).all()
