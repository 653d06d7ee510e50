"""Laws that every likelihood keeps. A new one has data of one number unless SHAPES says more."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mmvae_core.batch import Batch
from mmvae_core.build import LIKELIHOODS, build_likelihood, build_model
from mmvae_core.config import LikelihoodConfig
from mmvae_core.objectives.masked import masked
from mmvae_core.probability.likelihoods import Likelihood
from mmvae_core.seeding import generator_of
from tests import rounding, small

SHAPES = {"categorical": (1, 4), "categories": (1, 4)}
DRAWS = 20_000

every_likelihood = pytest.mark.parametrize("name", LIKELIHOODS)
every_output = pytest.mark.parametrize("seed", range(3))


def make(name: str, entries: int = 1) -> Likelihood:
    shape = (entries, *SHAPES.get(name, (1,))[1:])
    return build_likelihood(shape, LikelihoodConfig(name=name, scale=0.7)).double()


def outputs_of(likelihood: Likelihood, *axes: int, seed: int = 0) -> Tensor:
    """What a decoder might give [*axes, *outputs]."""
    generator = torch.Generator().manual_seed(seed)
    shape = (*axes, *likelihood.outputs)
    return 1.5 * torch.randn(shape, generator=generator, dtype=torch.float64)


def draws_of(likelihood: Likelihood, outputs: Tensor, count: int = DRAWS) -> Tensor:
    return likelihood.sample(outputs.expand(count, *outputs.shape), generator=generator_of(1))


def support(draws: Tensor) -> tuple[Tensor, float]:
    """The values that are drawn, [value, 1], and how far apart: whole numbers, or a fine grid."""
    low, high = float(draws.min()), float(draws.max())
    if torch.equal(draws.double(), draws.double().round()):
        high = 3 * high if high > 1 and draws.is_floating_point() else high  # counts have a tail
        return torch.arange(low, high + 1)[:, None].to(draws.dtype), 1.0
    grid = torch.linspace(2 * low - high, 2 * high - low, 60_001, dtype=torch.float64)
    return grid[:, None], float(grid[1] - grid[0])


def in_means_form(likelihood: Likelihood, values: Tensor) -> Tensor:
    """Values as `mean` counts them: symbols as zeros and ones."""
    if likelihood.outputs == likelihood.shape:
        return values.double()
    return functional.one_hot(values.long(), likelihood.outputs[-1]).double()


@every_output
@every_likelihood
def test_mass_is_one_and_the_mean_is_the_masses(name: str, seed: int) -> None:
    """By summation over whole numbers, else by quadrature, over all that 20,000 draws reach."""
    likelihood = make(name)
    outputs = outputs_of(likelihood, seed=seed)
    values, step = support(draws_of(likelihood, outputs))
    mass = likelihood.log_prob(outputs.expand(len(values), *outputs.shape), values).exp() * step
    assert mass.shape == (len(values),)
    # Of whole numbers, those that were never drawn are left out; else it is the step's error.
    assert float(mass.sum()) == pytest.approx(1, abs=1e-3 if step == 1 else 1e-6)
    mean = (in_means_form(likelihood, values).flatten(1) * mass[:, None]).sum(0)
    np.testing.assert_allclose(mean.detach(), likelihood.mean(outputs).flatten(), atol=5e-3)


@every_output
@every_likelihood
def test_draws_have_the_mean(name: str, seed: int) -> None:
    likelihood = make(name, 3)
    outputs = outputs_of(likelihood, seed=seed)
    draws = draws_of(likelihood, outputs)
    assert tuple(draws.shape[1:]) == likelihood.shape
    values = in_means_form(likelihood, draws)
    error = values.std(0) / DRAWS**0.5
    assert ((values.mean(0) - likelihood.mean(outputs)).abs() <= 4 * error).all()


@every_likelihood
def test_entries_add_up_and_axes_are_kept(name: str) -> None:
    """[sample, batch, *outputs] and [batch, *shape] give [sample, batch], the sum over entries."""
    likelihood, alone = make(name, 3), make(name)
    outputs = outputs_of(likelihood, 4, 5)
    data = draws_of(likelihood, outputs[0], 1)[0]
    found = likelihood.log_prob(outputs, data)
    assert found.shape == (4, 5)
    parts = [
        alone.log_prob(outputs[:, :, one : one + 1], data[:, one : one + 1]) for one in range(3)
    ]
    torch.testing.assert_close(found, torch.stack(parts).sum(0), rtol=1e-12, atol=1e-12)


@every_likelihood
def test_a_missing_entry_counts_nothing_and_has_no_gradient(name: str) -> None:
    likelihood = make(name, 3)
    outputs = outputs_of(likelihood, 4, 5).requires_grad_()
    data = draws_of(likelihood, outputs[0].detach(), 1)[0]
    missing = torch.tensor([False, True, False])
    gone = -1 if not data.is_floating_point() else torch.nan
    found = likelihood.log_prob(outputs, torch.where(missing, gone, data))
    alone = make(name)
    parts = [alone.log_prob(outputs[:, :, one : one + 1], data[:, one : one + 1]) for one in (0, 2)]
    torch.testing.assert_close(found, sum(parts), rtol=1e-12, atol=1e-12)
    (slope,) = torch.autograd.grad(found.sum(), outputs)
    assert torch.isfinite(slope).all()
    assert (slope[:, :, 1] == 0).all() and (slope[:, :, 0] != 0).any()


@every_likelihood
def test_single_precision_is_right_to_rounding(name: str) -> None:
    double, single = make(name, 8), make(name, 8).float()
    outputs = outputs_of(double, 20, 30).float()
    data = draws_of(single, outputs[0], 1)[0]
    exact = double.log_prob(outputs.double(), data.double())
    bound = rounding.reach(lambda: double.log_prob(outputs.double(), data.double()))
    assert rounding.within(single.log_prob(outputs, data), exact, bound)
    assert (bound < 1e-3 * exact.abs().clamp_min(1)).all(), "the check must be able to fail"


@every_likelihood
def test_a_model_with_it_has_a_finite_bound_and_gradients(name: str) -> None:
    network = "sequence" if name in SHAPES else "mlp"
    shape = list(SHAPES.get(name, (3,)))
    made = small.config(
        "sum_pooling",
        modalities=[
            {
                "name": one,
                "shape": shape,
                "network": network,
                "width": 8,
                "likelihood": {"name": name},
            }
            for one in ("left", "right")
        ],
    )
    model = build_model(made)
    first = model.modality("left").likelihood
    data = {
        one: draws_of(first, outputs_of(first, 6, seed=seed).float(), 1)[0]
        for seed, one in enumerate(model.names)
    }
    observed = torch.ones(6, 2, dtype=torch.bool)
    subset = torch.tensor([[True, False], [False, True]] * 3)
    terms = masked(model, Batch(data, observed), subset, generator=generator_of(0))
    bound = terms.bound(torch.ones(2), 1.0)
    assert torch.isfinite(bound).all()
    bound.sum().backward()
    for label, value in model.named_parameters():
        if value.requires_grad:
            assert value.grad is not None and torch.isfinite(value.grad).all(), label
