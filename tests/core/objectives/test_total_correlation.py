"""The total-correlation objective where nothing is shown: its regulariser is the prior."""

import torch

from mmvae_core.batch import Batch
from mmvae_core.build import build_model
from mmvae_core.objectives.total_correlation import total_correlation
from mmvae_core.seeding import generator_of
from tests import small


def test_of_nothing_shown_the_cross_rate_is_the_rate() -> None:
    """Whatever a learned rule makes of nothing: here it is far from the prior."""
    model = build_model(small.config("sum_pooling"))
    small.spread(model)
    batch = Batch(small.data(5), torch.ones(5, 3, dtype=torch.bool))
    subset = torch.zeros(5, 3, dtype=torch.bool)
    subset[3:, 1] = True
    terms = total_correlation(model, batch, subset, 2, generator=generator_of(0))
    rate, cross_rate = terms.rates["rate"], terms.rates["cross_rate"]
    assert torch.equal(cross_rate[:, :3], rate[:, :3])
    assert ((cross_rate - rate)[:, 3:].abs() > 0.01).all()
    empty = model.posterior(model.encode(batch.data, batch.observed), torch.zeros_like(subset))
    latent = torch.ones(5, 3)
    assert ((empty.log_prob(latent) - model.prior().log_prob(latent)).abs() > 0.01).all()
