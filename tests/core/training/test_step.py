"""One step of a training weighs the modalities as its configuration says."""

import torch

from mmvae_core.batch import Batch
from mmvae_core.build import build_model
from mmvae_core.objectives.mixture import mixture
from mmvae_core.seeding import generator_of
from mmvae_core.training.step import Step
from tests import small


def test_a_bound_is_the_weighted_log_likelihoods_less_beta_rates() -> None:
    """Weights 1, 1/2 and 2, beta 0.3: sum_s w_s log p(x_s | z) - beta (log q(z) - log p(z))."""
    config = small.config("poe", objective={"name": "mixture"})
    assert [one.weight for one in config.modalities] == [1.0, 0.5, 2.0]
    model = build_model(config)
    small.spread(model)
    batch = Batch(small.data(6), torch.ones(6, 3, dtype=torch.bool))
    subset = batch.observed.clone()
    subset[::2, 0] = False
    step = Step(model, config)
    bound, rate = step(batch, subset, 0.3, generator_of(3))
    terms = mixture(model, batch, subset, generator=generator_of(3))
    numbers, picture, text = (terms.log_likelihoods[name] for name in config.names)
    expected = numbers + 0.5 * picture + 2 * text - 0.3 * terms.rates["rate"]
    torch.testing.assert_close(bound, expected.mean())
    torch.testing.assert_close(rate, terms.rates["rate"].mean())
    plain = numbers + picture + text - 0.3 * terms.rates["rate"]
    assert (plain.mean() - bound).detach().abs() > 1
