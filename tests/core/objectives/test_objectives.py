"""Objectives on a linear-Gaussian model, where every bound has a known value in float64."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import kl_divergence

from mmvae_core.batch import Batch
from mmvae_core.build import AGGREGATORS, OBJECTIVES, build_model
from mmvae_core.model import MultimodalVAE
from mmvae_core.objectives.masked import masked
from mmvae_core.objectives.mixture import mixture
from mmvae_core.objectives.terms import Objective, Terms
from mmvae_core.probability import posteriors
from mmvae_core.seeding import generator_of
from mmvae_core.subsets import all_subsets, random_subsets
from tests import small
from tests.oracles.linear_gaussian import LinearGaussian, disturb

SUBSETS = all_subsets(3)
ONES = torch.ones(3, dtype=torch.float64)

every_objective = pytest.mark.parametrize("name", OBJECTIVES)
both_estimators = pytest.mark.parametrize("stick", [True, False])


def drawn(batch: Batch, seed: int = 0) -> Tensor:
    return random_subsets(batch.observed, 0.5, torch.Generator().manual_seed(seed))


def mean_and_error(values: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Over the first axis."""
    values = values.detach().numpy()
    return values.mean(0), values.std(0) / math.sqrt(len(values))


def single(terms: Terms) -> Tensor:
    """The bounds of one-sample draws [sample, batch], all from one call."""
    values = torch.stack(list(terms.log_likelihoods.values()), -1)
    groups = [
        torch.where(mask, values, 0.0).sum(-1) - terms.rates[rate] for mask, rate in terms.groups
    ]
    return torch.stack(groups).sum(0)


@both_estimators
@pytest.mark.parametrize("samples", [1, 3])
def test_masked_bound_of_exact_posteriors_is_the_evidence(
    exact: LinearGaussian, exact_model: MultimodalVAE, stick: bool, samples: int
) -> None:
    """For any draw of subsets and latents; with several samples only if - log L is there."""
    batch = exact.draw(8)
    expected = exact.log_evidence(batch, batch.observed)
    for row, subset in enumerate([*SUBSETS.unsqueeze(1).expand(-1, 8, -1), drawn(batch)]):
        noise = generator_of(row)
        terms = masked(exact_model, batch, subset, samples, stick, generator=noise)
        bound = terms.bound(ONES, 1.0)
        np.testing.assert_allclose(bound.detach(), expected, rtol=0, atol=1e-10)


def test_halves_of_the_masked_bound_are_marginal_and_conditional(
    exact: LinearGaussian, exact_model: MultimodalVAE
) -> None:
    batch = exact.draw(8)
    for subset in SUBSETS.unsqueeze(1).expand(-1, 8, -1):
        terms = masked(exact_model, batch, subset, generator=generator_of(0))
        values = torch.stack(list(terms.log_likelihoods.values()), -1)
        (shown, rate), (rest, cross_rate) = terms.groups
        marginal = (torch.where(shown, values, 0.0).sum(-1) - terms.rates[rate])[0]
        conditional = (torch.where(rest, values, 0.0).sum(-1) - terms.rates[cross_rate])[0]
        of_shown = exact.log_evidence(batch, subset)
        of_all = exact.log_evidence(batch, batch.observed)
        np.testing.assert_allclose(marginal.detach(), of_shown, rtol=0, atol=1e-10)
        np.testing.assert_allclose(conditional.detach(), of_all - of_shown, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_mixture_bound_falls_short_by_a_kl_for_any_encoder(
    exact: LinearGaussian, seed: int
) -> None:
    """E[bound] = log p(x_O) - KL(q(z|x_S) || p(z|x_O)), which never exceeds log p(x_O)."""
    model, batch = disturb(exact.model(), seed), exact.draw(8, seed)
    evidence = exact.log_evidence(batch, batch.observed)
    truth = exact.posterior(batch, batch.observed)
    for subset in SUBSETS.unsqueeze(1).expand(-1, 8, -1):
        gap = kl_divergence(model.infer(batch.data, subset), truth).detach().numpy()
        mean, error = mean_and_error(
            single(mixture(model, batch, subset, 4_000, generator=generator_of(seed)))
        )
        assert (gap >= 0).all()
        assert (mean <= evidence + 4 * error).all()
        assert (np.abs(mean - (evidence - gap)) < 4.5 * error).all()


@pytest.mark.parametrize("seed", range(3))
def test_masked_bound_of_any_encoder_has_its_gaps(exact: LinearGaussian, seed: int) -> None:
    """E[bound] = log p(x_O) - KL(q_S||p_S) - KL(q_O||p_O) + KL(q_O||p_S) - KL(q_O||q_S)."""
    model, batch = disturb(exact.model(), seed), exact.draw(8, seed)
    evidence, full = exact.log_evidence(batch, batch.observed), batch.observed
    q_full, p_full = model.infer(batch.data, full), exact.posterior(batch, full)
    for subset in SUBSETS.unsqueeze(1).expand(-1, 8, -1):
        q_shown, p_shown = model.infer(batch.data, subset), exact.posterior(batch, subset)
        gap = kl_divergence(q_shown, p_shown) + kl_divergence(q_full, p_full)
        gap = gap - kl_divergence(q_full, p_shown) + kl_divergence(q_full, q_shown)
        terms = masked(model, batch, subset, 4_000, generator=generator_of(seed))
        mean, error = mean_and_error(single(terms))
        expected = evidence - gap.detach().numpy()
        assert (np.abs(mean - expected) < 4.5 * error + 1e-9).all()


def test_more_samples_bring_the_mixture_bound_to_the_evidence(exact: LinearGaussian) -> None:
    model, batch = disturb(exact.model()), exact.draw(8)
    evidence = exact.log_evidence(batch, batch.observed)
    gaps, noise = [], generator_of(0)
    for samples in (1, 8, 64):
        bounds = torch.stack(
            [
                mixture(model, batch, batch.observed, samples, generator=noise).bound(ONES, 1.0)
                for _ in range(100)
            ]
        )
        gaps.append(float((evidence - mean_and_error(bounds)[0]).mean()))
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2] > 0
    close = mixture(model, batch, batch.observed, 50_000, generator=noise).bound(ONES, 1.0)
    np.testing.assert_allclose(close.detach(), evidence, rtol=0, atol=0.1)


@every_objective
def test_named_terms_add_up_to_the_bound(exact: LinearGaussian, name: str) -> None:
    """With one sample: sum_s w_s log p(x_s|z) - beta sum of rates."""
    model, batch = disturb(exact.model()), exact.draw(8)
    terms = OBJECTIVES[name](model, batch, drawn(batch), 1, True, generator=generator_of(0))
    weights, beta = torch.tensor([2.0, 0.5, 3.0], dtype=torch.float64), 0.7
    expected = sum(
        weight * terms.log_likelihoods[key][0]
        for weight, key in zip(weights, model.names, strict=True)
    ) - beta * sum(terms.rates[rate][0] for _, rate in terms.groups)
    torch.testing.assert_close(terms.bound(weights, beta), expected, rtol=1e-12, atol=1e-12)
    in_bound = {"masked": {"rate", "cross_rate"}, "total_correlation": {"cross_rate"}}
    assert {rate for _, rate in terms.groups} == in_bound.get(name, {"rate"}) <= set(terms.rates)


@every_objective
def test_weights_act_on_likelihoods_and_beta_on_rates_only(
    exact: LinearGaussian, name: str
) -> None:
    model, batch = disturb(exact.model()), exact.draw(8)
    terms = OBJECTIVES[name](model, batch, drawn(batch), 1, True, generator=generator_of(0))
    rates = sum(terms.rates[rate][0] for _, rate in terms.groups)
    torch.testing.assert_close(terms.bound(ONES, 1.0) - terms.bound(ONES, 3.0), 2 * rates)
    for index, key in enumerate(model.names):
        weights = ONES.clone()
        weights[index] = 3.0
        change = terms.bound(weights, 1.0) - terms.bound(ONES, 1.0)
        torch.testing.assert_close(change, 2 * terms.log_likelihoods[key][0])


@pytest.mark.parametrize("name", ["masked", "mixture"])
def test_likelihoods_come_from_the_latents_that_the_formula_names(
    exact: LinearGaussian, name: str
) -> None:
    model, batch = disturb(exact.model()), exact.draw(8)
    subset = drawn(batch)
    terms = OBJECTIVES[name](model, batch, subset, 2, True, generator=generator_of(5))
    noise = generator_of(5)
    z_shown = model.infer(batch.data, subset).rsample((2,), generator=noise)
    z_full = model.infer(batch.data, batch.observed).rsample((2,), generator=noise)
    for index, key in enumerate(model.names):
        held_back = ~subset[:, index, None] & (name == "masked")
        latent = torch.where(held_back, z_full, z_shown)
        outputs = model.decode(latent, [key])[key]
        expected = model.modality(key).likelihood.log_prob(outputs, batch.data[key])
        torch.testing.assert_close(terms.log_likelihoods[key], expected, rtol=1e-12, atol=1e-12)


def hide(batch: Batch, observed: Tensor, value: float = math.nan) -> Batch:
    """The batch with `value` where nothing was observed."""
    data = {
        key: torch.where(observed[:, index, None], batch.data[key], value)
        for index, key in enumerate(batch.data)
    }
    return Batch(data, observed)


@every_objective
@both_estimators
def test_what_is_not_observed_counts_for_nothing(
    exact: LinearGaussian, name: str, stick: bool
) -> None:
    observed = SUBSETS[[1, 2, 3, 4, 5, 6, 7, 0]]
    subset = drawn(Batch({}, observed))
    found = []
    for value in (math.nan, 5.0):
        model = disturb(exact.model())
        batch = hide(exact.draw(8), observed, value)
        terms = OBJECTIVES[name](model, batch, subset, 2, stick, generator=generator_of(0))
        for index, key in enumerate(model.names):
            hidden = terms.log_likelihoods[key][:, ~observed[:, index]]
            assert torch.equal(hidden, torch.zeros_like(hidden))
        bound = terms.bound(ONES, 1.0)
        bound.sum().backward()
        found.append([bound.detach(), *(value.grad for value in model.parameters())])
    assert all(torch.isfinite(value).all() for value in found[0])
    assert all(torch.equal(*both) for both in zip(*found, strict=True))


@every_objective
def test_a_modality_that_nobody_has_gets_no_gradient(exact: LinearGaussian, name: str) -> None:
    model, whole = disturb(exact.model()), exact.draw(8)
    observed = whole.observed.clone()
    observed[:, 1] = False
    batch = hide(whole, observed)
    terms = OBJECTIVES[name](model, batch, drawn(batch), 1, True, generator=generator_of(0))
    terms.bound(ONES, 1.0).sum().backward()
    for index, key in enumerate(model.names):
        gradients = [value.grad for value in model.modality(key).decoder.parameters()]
        assert all((gradient == 0).all() == (index == 1) for gradient in gradients)


def test_missing_data_are_marginalised_by_the_masked_bound(
    exact: LinearGaussian, exact_model: MultimodalVAE
) -> None:
    observed = SUBSETS[[1, 2, 3, 4, 5, 6, 7, 0]]
    batch = hide(exact.draw(8), observed)
    terms = masked(exact_model, batch, drawn(batch), 2, generator=generator_of(0))
    bound = terms.bound(ONES, 1.0)
    np.testing.assert_allclose(
        bound.detach(), exact.log_evidence(batch, observed), rtol=0, atol=1e-10
    )


def posterior_gradients(model: MultimodalVAE, value: Tensor) -> list[Tensor]:
    """Gradients of `value` for everything that shapes the posterior, zeros where unconnected."""
    weights = [*model.aggregator.parameters()]
    for name in model.names:
        weights += model.modality(name).encoder.parameters()
    found = torch.autograd.grad(value, weights, retain_graph=True, allow_unused=True)
    return [
        torch.zeros_like(weight) if gradient is None else gradient
        for weight, gradient in zip(weights, found, strict=True)
    ]


def largest(gradients: list[Tensor]) -> float:
    return max(float(gradient.abs().max()) for gradient in gradients)


def of_each_item(model: MultimodalVAE, bound: Tensor) -> list[float]:
    return [largest(posterior_gradients(model, value)) for value in bound]


@pytest.mark.parametrize(("name", "row"), [("mixture", -1), ("masked", 0)])
@pytest.mark.parametrize("samples", [1, 3])
def test_sticking_the_landing_leaves_exact_posteriors_alone(
    exact: LinearGaussian, exact_model: MultimodalVAE, name: str, row: int, samples: int
) -> None:
    """With exact q the gradient of every item is zero; the plain estimator's is noise.

    For the mixture bound with everything shown, for the masked one with nothing shown: elsewhere
    log q(z_O|x_S) has a slope by design, see the next test.
    """
    batch = exact.draw(4)
    subset = SUBSETS[row].expand(4, -1)
    for stick in (True, False):
        noise = generator_of(0)
        terms = OBJECTIVES[name](exact_model, batch, subset, samples, stick, generator=noise)
        sizes = of_each_item(exact_model, terms.bound(ONES, 1.0))
        assert max(sizes) < 1e-10 if stick else min(sizes) > 1e-2


def test_sticking_the_landing_never_detaches_what_the_rest_is_predicted_from(
    exact: LinearGaussian, exact_model: MultimodalVAE
) -> None:
    """Of the masked bound with exact q only the slope of log q(z_O|x_S) at fixed z_O remains."""
    batch = exact.draw(4)
    for subset in SUBSETS.unsqueeze(1).expand(-1, 4, -1):
        terms = masked(exact_model, batch, subset, generator=generator_of(7))
        bound, noise = terms.bound(ONES, 1.0), generator_of(7)
        features = exact_model.encode(batch.data, batch.observed)
        shown = exact_model.posterior(features, subset)
        shown.rsample((1,), generator=noise)
        full = exact_model.posterior(features, batch.observed)
        z_full = full.rsample((1,), generator=noise).detach()
        kept = shown.log_prob(z_full)[0]
        for item in range(4):
            left = posterior_gradients(exact_model, bound[item])
            right = posterior_gradients(exact_model, kept[item])
            for one, other in zip(left, right, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("stick", [True, False])
def test_both_estimators_have_the_gradient_of_the_expected_bound(
    exact: LinearGaussian, stick: bool
) -> None:
    """Of the mixture bound: - d KL(q(z|x_S) || p(z|x_O)), by the closed form."""
    model, batch = disturb(exact.model()), exact.draw(1)
    subset = torch.tensor([[True, False, True]])
    truth = exact.posterior(batch, batch.observed)
    weight = model.modality("a").encoder.weight
    gap = kl_divergence(model.infer(batch.data, subset), truth)
    (expected,) = torch.autograd.grad(-gap.sum(), weight)
    chunks, noise = [], generator_of(0)
    for _ in range(50):
        value = single(mixture(model, batch, subset, 200, stick, generator=noise)).mean()
        chunks.append(torch.autograd.grad(value, weight)[0])
    mean, error = mean_and_error(torch.stack(chunks))
    assert (np.abs(mean - expected.numpy()) < 4.5 * error).all()


@every_objective
@pytest.mark.parametrize("samples", [1, 3])
def test_every_modality_is_decoded_and_encoded_once(name: str, samples: int) -> None:
    model, batch = build_model(small.config()), Batch(small.data(5), torch.ones(5, 3).bool())
    rows: dict[str, list[int]] = {}
    for key in model.names:
        for part in ("encoder", "decoder"):
            rows[f"{part} of {key}"] = []
            getattr(model.modality(key), part).register_forward_hook(
                lambda module, given, result, to=f"{part} of {key}": rows[to].append(len(given[0]))
            )
    OBJECTIVES[name](model, batch, drawn(batch), samples, True, generator=generator_of(0))
    for key in model.names:
        assert rows[f"encoder of {key}"] == [5]
        assert rows[f"decoder of {key}"] == [5 * samples]


@every_objective
@pytest.mark.parametrize("aggregator", AGGREGATORS)
def test_every_item_keeps_to_itself(
    name: str, aggregator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item by item, with the same noise for each, the bound is that of the batch."""
    objective: Objective = OBJECTIVES[name]
    model = build_model(small.config(aggregator)).double()
    small.spread(model)
    data = small.data(4, dtype=torch.float64)
    batch = Batch(data, torch.ones(4, 3).bool())
    monkeypatch.setattr(
        posteriors, "standard_normal", lambda shape, like, _: like.new_full(shape, 0.3)
    )
    monkeypatch.setattr(posteriors, "picked", first_member)
    subset = drawn(batch, 3)
    noise = generator_of(0)
    together = objective(model, batch, subset, 1, True, generator=noise).bound(ONES, 1.0)
    for row in range(4):
        one = Batch({k: v[row : row + 1] for k, v in data.items()}, batch.observed[row : row + 1])
        terms = objective(model, one, subset[row : row + 1], 1, True, generator=noise)
        alone = terms.bound(ONES, 1.0)
        torch.testing.assert_close(alone[0], together[row], rtol=1e-11, atol=1e-11)


def first_member(probs: Tensor, shape: torch.Size, _: torch.Generator) -> Tensor:
    return probs.argmax(-1).expand(*shape, *probs.shape[:-1])
