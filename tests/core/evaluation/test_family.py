"""Every member of the family, beside every prior, can be evaluated."""

import numpy as np
import pytest
import torch

from mmvae_core.batch import Batch
from mmvae_core.build import build_model
from mmvae_core.errors import ConfigError
from mmvae_core.evaluation.all_subsets import all_posteriors
from mmvae_core.evaluation.latent_probe import latent_probe
from mmvae_core.evaluation.log_likelihood import log_likelihoods
from mmvae_core.evaluation.rates import cross_rates, rates
from mmvae_core.seeding import generator_of
from tests import family


@pytest.mark.parametrize("prior", [None, "mixture", "flow"])
@pytest.mark.parametrize("settings", family.EVERY.values(), ids=family.EVERY)
@torch.no_grad()
def test_all_figures_are_finite(settings: dict, prior: str | None) -> None:
    settings = settings | ({"prior": prior} if prior else {})
    if prior == "flow" and settings.get("prior_product"):
        with pytest.raises(ConfigError, match="flow prior times normal posteriors has no closed"):
            build_model(family.run(**settings))
        return
    model = build_model(family.run(**settings))
    data = {f"m{index}": torch.randn(8, size) for index, size in enumerate(family.SIZES)}
    batch = Batch(data, torch.ones(8, len(data), dtype=torch.bool))
    posterior = all_posteriors(model, batch, size=5)
    values = [posterior.mean, posterior.stddev, log_likelihoods(model, batch, 3, seed=0)]
    values += [one.value for one in rates(posterior, model.prior(), 4, seed=0)]
    values += [one.value for one in cross_rates(posterior, 4, seed=0)]
    assert all(torch.isfinite(one).all() for one in values)
    assert len(latent_probe(posterior, np.array([0, 1] * 4), seed=0)) == 8
    assert torch.isfinite(model.prior().rsample((3,), generator=generator_of(0))).all()
