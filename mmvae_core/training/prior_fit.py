"""Priors fitted to where the posteriors of training items are."""

from collections.abc import Iterator

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.data.source import Source
from mmvae_core.errors import ConfigError
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.em import fit_mixture
from mmvae_core.probability.posteriors import GaussianMixture
from mmvae_core.probability.priors import MixturePrior, PrivatePrior
from mmvae_core.probability.private import PrivatePosterior
from mmvae_core.seeding import generator_of, pass_seed

ITEMS = 10_000
BATCH = 500


def refits(config: RunConfig) -> int:
    """After how many of the first passes the prior is fitted anew."""
    return round(config.prior.refit * config.training.epochs)


def mixture_of(model: MultimodalVAE) -> MixturePrior:
    """The learned mixture that is the model's prior of its shared latents."""
    prior = model.prior.shared if isinstance(model.prior, PrivatePrior) else model.prior
    if not isinstance(prior, MixturePrior):
        raise ConfigError(f"The prior is a {type(prior).__name__}, expected a mixture to fit.")
    return prior


def refit(model: MultimodalVAE, config: RunConfig, source: Source, epoch: int) -> None:
    """Move the mixture prior onto the posteriors, by EM from where it is; see `fit_mixture`.

    The first time it begins from clusters, as the mixture that training starts from knows nothing.
    Draws are q(z | x_O) of the first 10,000 items of that pass.
    """
    prior, seed = mixture_of(model), config.training.seed
    points = posterior_draws(model, source.batches(seed, epoch, BATCH), pass_seed(seed, epoch))
    start = prior()
    assert isinstance(start, GaussianMixture)
    fitted = fit_mixture(points, config.prior.components, seed, start if epoch else None)
    prior.become(fitted)


@torch.no_grad()
def posterior_draws(
    model: MultimodalVAE, batches: Iterator[Batch], seed: int, items: int = ITEMS
) -> Tensor:
    """One z ~ q(z | x_O) of each of the first items [item, latent]; shared latents alone."""
    draws, count, generator = [], 0, generator_of(seed, model.device)
    for batch in batches:
        batch = batch.to(model.device)
        posterior = model.infer(batch.data, batch.observed)
        if isinstance(posterior, PrivatePosterior):
            posterior = posterior.shared
        draws.append(posterior.rsample(generator=generator))
        count += len(batch)
        if count >= items:
            break
    return torch.cat(draws)[:items]
