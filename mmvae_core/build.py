"""From configurations to objects: the only place where a string picks a class."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmvae_core.aggregators.base import Aggregator
from mmvae_core.aggregators.fixed import MixtureOfExperts, ProductOfExperts
from mmvae_core.aggregators.self_attention import SelfAttention
from mmvae_core.aggregators.sum_pooling import SumPooling
from mmvae_core.batch import Batch
from mmvae_core.config import ModalityConfig, RunConfig
from mmvae_core.errors import ConfigError
from mmvae_core.modality import Modality
from mmvae_core.model import MultimodalVAE
from mmvae_core.networks.image import ImageDecoder, ImageEncoder
from mmvae_core.networks.mlp import VectorDecoder, VectorEncoder
from mmvae_core.networks.sequence import SequenceEncoder
from mmvae_core.objectives.masked import masked
from mmvae_core.objectives.mixture import mixture
from mmvae_core.objectives.terms import Terms
from mmvae_core.probability.likelihoods import build_likelihood
from mmvae_core.probability.priors import StandardNormalPrior
from mmvae_core.subsets import EMPTY

Objective = Callable[[MultimodalVAE, Batch, Tensor, int, bool], Terms]

ENCODERS = {"mlp": VectorEncoder, "image": ImageEncoder, "sequence": SequenceEncoder}
DECODERS = {"mlp": VectorDecoder, "image": ImageDecoder, "sequence": VectorDecoder}
RANKS = {"image": 3, "sequence": 2}
OBJECTIVES: dict[str, Objective] = {"masked": masked, "mixture": mixture}
AGGREGATORS: dict[str, Callable[[RunConfig], Aggregator]] = {
    "poe": lambda run: ProductOfExperts(run.features, run.latent),
    "moe": lambda run: MixtureOfExperts(run.features, run.latent),
    "sum_pooling": lambda run: SumPooling(run.features, run.latent, run.aggregator.width),
    "self_attention": lambda run: SelfAttention(
        run.features, run.latent, run.aggregator.width, run.aggregator.heads, run.aggregator.layers
    ),
}


def build_model(config: RunConfig) -> MultimodalVAE:
    """A model with weights drawn from the training seed; the global generator is untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        modalities = [build_modality(one, config) for one in config.modalities]
        aggregator = AGGREGATORS[config.aggregator.name](config)
    return MultimodalVAE(modalities, aggregator, StandardNormalPrior(config.latent))


def build_modality(config: ModalityConfig, run: RunConfig) -> Modality:
    """One modality's networks and likelihood."""
    _check_modality(config)
    likelihood = build_likelihood(config.shape, config.likelihood)
    encoder = ENCODERS[config.network](config.shape, config.width, run.features)
    decoder = DECODERS[config.network](likelihood.outputs, config.width, run.latent)
    return Modality(config, encoder, decoder, likelihood)


def _check_modality(config: ModalityConfig) -> None:
    """Raise ConfigError for a name, shape, network and likelihood that cannot go together."""
    # torch keeps modules as attributes, so a modality cannot be called "items" or "type".
    if config.name == EMPTY or hasattr(nn.ModuleDict(), config.name):
        raise ConfigError(f"A modality cannot be called {config.name!r}; choose another name.")
    rank = RANKS.get(config.network, len(config.shape))
    if len(config.shape) != rank:
        raise ConfigError(
            f"Modality {config.name!r}: network {config.network!r} needs a shape of {rank} "
            f"numbers, got {list(config.shape)}; mend `shape` or choose another network."
        )
    if (config.network == "sequence") != (config.likelihood.name == "categorical"):
        raise ConfigError(
            f"Modality {config.name!r}: network 'sequence' and likelihood 'categorical' need each "
            f"other, got {config.network!r} with {config.likelihood.name!r}; mend one of them."
        )


def build_objective(config: RunConfig) -> Objective:
    """The bound that the configuration names."""
    return OBJECTIVES[config.objective.name]
