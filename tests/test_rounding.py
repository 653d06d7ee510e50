"""The bounds of rounding hold whatever the order of a sum, count every step, and can be broken."""

from copy import deepcopy
from math import log, pi

import numpy as np
import torch
from torch import nn

from mmvae_core.build import build_model
from mmvae_core.subsets import all_subsets
from tests import family, rounding

UNIT = rounding.unit(torch.float32)


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    """Such as float32 holds, in float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


def test_a_sum_stays_within_in_every_order_and_a_lost_term_does_not() -> None:
    terms = numbers(5_000) + 3
    bound, single = rounding.of_sum(terms), terms.float().numpy()
    random = np.random.default_rng(0)
    for order in (np.arange(5_000), np.argsort(single), random.permutation(5_000)):
        for found in (single[order].sum(), np.cumsum(single[order])[-1]):  # in pairs, one by one
            assert rounding.within(torch.tensor(found), terms.sum(), bound)
    assert not rounding.within(terms.sum() * 0.99, terms.sum(), bound)


def test_a_layer_is_off_by_its_terms_whatever_axes_come_first() -> None:
    layer = nn.Linear(6, 4).double()
    for axes in ((), (5,), (2, 3)):
        values = numbers(*axes, 6)
        size = (values.abs() @ layer.weight.abs().T + layer.bias.abs()) * (7 + rounding.SLACK)
        found = rounding.reach(lambda values=values: layer(values))
        torch.testing.assert_close(found, UNIT * size.detach())


def test_what_is_left_of_a_difference_has_the_rounding_of_what_entered_it() -> None:
    small, large = 1e-3 * numbers(50), 1e4 + numbers(50, seed=1)
    bound = rounding.reach(lambda: (small + large) - large)
    assert (bound >= UNIT * large).all()
    assert rounding.within((small.float() + large.float()) - large.float(), small, bound)
    assert not rounding.within(small + 1, small, bound)


def test_a_density_multiplies_the_rounding_of_its_mean() -> None:
    weight, values, z, scale = numbers(6), numbers(6, seed=1), 40.0, 0.01
    mean = float(weight @ values)

    def density() -> torch.Tensor:
        error = (z - weight @ values) / scale
        return -0.5 * error * error - log(scale) - 0.5 * log(2 * pi)

    carried = (
        abs(z - mean) / scale**2 * (6 + rounding.SLACK) * UNIT * float(weight.abs() @ values.abs())
    )
    own = 10 * rounding.SLACK * UNIT * abs(float(density()))
    assert carried <= float(rounding.reach(density)) <= carried + own


def test_another_order_moves_a_concatenation_beyond_rounding() -> None:
    model = build_model(family.run(name="concatenation"))
    family.spread(model)
    features, subset = numbers(8, 3, family.FEATURES), all_subsets(3)
    exact = deepcopy(model).double()
    bound = 2 * rounding.reach(lambda: exact.posterior(features, subset).mean)
    single, order = features.float(), torch.tensor([1, 0, 2])
    expected = model.posterior(single, subset).mean
    assert rounding.within(model.posterior(single, subset).mean, expected, bound)
    other = model.posterior(single[:, order], subset[:, order]).mean
    assert not rounding.within(other[1:], expected[1:], bound[1:])
