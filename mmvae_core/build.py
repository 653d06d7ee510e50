"""From configurations to models and objectives: the only place where a string picks a class."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from mmvae_core.aggregators.base import About, Aggregator, Fusion, GaussianHead
from mmvae_core.aggregators.concatenation import Concatenation
from mmvae_core.aggregators.fixed import (
    FixedAggregator,
    MixtureOfExperts,
    MixtureOfProducts,
    ProductOfExperts,
)
from mmvae_core.aggregators.heads import GivenHead, LaplaceHead, MakeHead, MixtureHead
from mmvae_core.aggregators.private import (
    PlainSplit,
    SelfAttentionPrivate,
    SumPoolingPrivate,
    WithPrivate,
)
from mmvae_core.aggregators.self_attention import SelfAttention
from mmvae_core.aggregators.start import start_aggregator
from mmvae_core.aggregators.sum_pooling import SumPooling
from mmvae_core.config import LikelihoodConfig, ModalityConfig, RunConfig
from mmvae_core.errors import ConfigError
from mmvae_core.modalities.kinds import kind_of
from mmvae_core.modalities.modality import Modality
from mmvae_core.model import MultimodalVAE
from mmvae_core.networks.image import ImageDecoder, ImageEncoder
from mmvae_core.networks.mixing import MixingNetwork
from mmvae_core.networks.mlp import LinearDecoder, VectorDecoder, VectorEncoder
from mmvae_core.networks.relu import ReluDecoder, ReluEncoder
from mmvae_core.networks.sequence import SequenceEncoder
from mmvae_core.networks.start import LAST_LAYER, Standardise, keep_variance
from mmvae_core.objectives.marginal import marginal
from mmvae_core.objectives.masked import masked
from mmvae_core.objectives.mixture import mixture
from mmvae_core.objectives.terms import Objective
from mmvae_core.objectives.total_correlation import total_correlation
from mmvae_core.probability.counts import NegativeBinomial, Poisson
from mmvae_core.probability.flow import FlowPrior
from mmvae_core.probability.likelihoods import (
    Bernoulli,
    Categorical,
    Likelihood,
    LocationScale,
)
from mmvae_core.probability.posteriors import (
    Diagonal,
    DiagonalLaplace,
    DiagonalMixture,
    Gaussian,
    GaussianMixture,
    LaplaceMixture,
)
from mmvae_core.probability.priors import MixturePrior, PrivatePrior, StandardNormalPrior
from mmvae_core.seeding import seeded
from mmvae_core.subsets import EMPTY, random_shown, random_singletons, random_subsets

DrawSubsets = Callable[[Tensor, torch.Generator], Tensor]
Entry = TypeVar("Entry")

ENCODERS = {
    "mlp": VectorEncoder,
    "linear": VectorEncoder,
    "known": VectorEncoder,
    "image": ImageEncoder,
    "sequence": SequenceEncoder,
    "relu": ReluEncoder,
}
DECODERS = {
    "mlp": VectorDecoder,
    "linear": LinearDecoder,
    "known": MixingNetwork,
    "image": ImageDecoder,
    "sequence": VectorDecoder,
    "relu": ReluDecoder,
}
LIKELIHOODS: dict[str, type[Likelihood]] = {
    "normal": LocationScale,
    "laplace": LocationScale,
    "bernoulli": Bernoulli,
    "categorical": Categorical,
    "categories": Categorical,
    "poisson": Poisson,
    "negative_binomial": NegativeBinomial,
}
FAN_IN = "fan_in"
HEADS: dict[str, MakeHead] = {"normal": GaussianHead, "laplace": LaplaceHead}
FAMILIES: dict[str, type[Diagonal]] = {"normal": Gaussian, "laplace": DiagonalLaplace}
MIXTURES: dict[str, type[DiagonalMixture]] = {"normal": GaussianMixture, "laplace": LaplaceMixture}
OBJECTIVES: dict[str, Objective] = {
    "masked": masked,
    "mixture": mixture,
    "total_correlation": total_correlation,
    "marginal": marginal,
}
SUBSETS: dict[str, Callable[[RunConfig], DrawSubsets]] = {
    "independent": lambda run: (
        lambda observed, generator: random_subsets(
            observed, run.objective.keep_probability, generator
        )
    ),
    "not_empty": lambda run: (
        lambda observed, generator: random_shown(
            observed, run.objective.keep_probability, generator
        )
    ),
    "singletons": lambda run: random_singletons,
    "full": lambda run: lambda observed, generator: observed,
}
AGGREGATORS: dict[str, Callable[[RunConfig], Fusion]] = {
    "poe": lambda run: ProductOfExperts(run.features, run.latent),
    "moe": lambda run: MixtureOfExperts(run.features, run.latent, MIXTURES[run.aggregator.family]),
    "mopoe": lambda run: MixtureOfProducts(run.features, run.latent),
    "sum_pooling": lambda run: SumPooling(
        run.features, run.latent, run.aggregator.width, head_maker(run), run.aggregator.residual
    ),
    "self_attention": lambda run: SelfAttention(
        run.features,
        run.latent,
        run.aggregator.width,
        run.aggregator.heads,
        run.aggregator.layers,
        head_maker(run),
        run.aggregator.residual,
    ),
    "concatenation": lambda run: Concatenation(
        len(run.modalities),
        run.features,
        run.latent,
        run.aggregator.width,
        head_maker(run),
        run.aggregator.residual,
    ),
}
PRIVATE: dict[str, Callable[[RunConfig], nn.Module]] = {
    **dict.fromkeys(
        ("poe", "moe", "mopoe", "concatenation"),
        lambda run: PlainSplit(run.features, run.private),
    ),
    "sum_pooling": lambda run: SumPoolingPrivate(
        run.features, run.latent, run.private, run.aggregator.width, run.aggregator.residual
    ),
    "self_attention": lambda run: SelfAttentionPrivate(
        run.features,
        run.latent,
        run.private,
        run.aggregator.width,
        run.aggregator.heads,
        run.aggregator.layers,
        run.aggregator.residual,
    ),
}
PRIORS: dict[str, Callable[[RunConfig], nn.Module]] = {
    "standard_normal": lambda run: StandardNormalPrior(run.latent),
    "mixture": lambda run: MixturePrior(
        run.latent, run.prior.components, MIXTURES[run.prior.family]
    ),
    "flow": lambda run: FlowPrior(run.latent, run.prior.width, run.prior.layers),
}


def build_model(config: RunConfig) -> MultimodalVAE:
    """A model with weights drawn from the training seed; the global generators are untouched.

    >>> from mmvae_core.config_files import load_config
    >>> from mmvae_core.places import HOME
    >>> build_model(load_config(HOME / "configs" / "experiments" / "bimodal.toml")).names
    ('vector', 'label')
    """
    with seeded(config.training.seed):
        modalities = [build_modality(one, config) for one in config.modalities]
        return MultimodalVAE(modalities, build_aggregator(config), build_prior(config))


def build_modality(config: ModalityConfig, run: RunConfig) -> Modality:
    """One modality's networks and likelihood."""
    _check_name(config.name)
    make_encoder, kind = pick(ENCODERS, config.network, "network"), kind_of(config)
    kind.check()
    likelihood = build_likelihood(config.shape, config.likelihood)
    encoder = make_encoder(config.shape, config.width, run.features)
    latent = run.latent + run.private
    decoder = DECODERS[config.network](likelihood.outputs, config.width, latent)
    modality = Modality(config, encoder, decoder, likelihood, _columns(config, run))
    if run.feature_norm:
        modality.norm = nn.LayerNorm(run.features)
    if run.start == FAN_IN:
        if kind.scaled is not None:
            modality.inputs = Standardise(kind.scaled)
        keep_variance(encoder, kind.ones)
        keep_variance(decoder, factor=LAST_LAYER)
    return modality


def build_likelihood(shape: tuple[int, ...], config: LikelihoodConfig) -> Likelihood:
    """p(x | z) of data of a shape."""
    return pick(LIKELIHOODS, config.name, "likelihood")(shape, config)


def build_aggregator(config: RunConfig) -> Aggregator:
    """The aggregator, with a private network beside it where there are private latents."""
    name, family = config.aggregator.name, config.aggregator.family
    shared = pick(AGGREGATORS, name, "aggregator")(config)
    if family not in shared.about.families:
        raise ConfigError(
            f"Aggregator {name!r} has no closed form of {family} posteriors, it needs family = "
            f'"{shared.about.families[0]}"; or choose moe, sum_pooling or self_attention.'
        )
    if shared.about.fixed and config.aggregator.components > 1:
        raise ConfigError(
            f"Aggregator {name!r} was given components = {config.aggregator.components}, expected "
            "1: its formula fixes them; remove the key, or choose sum_pooling or self_attention."
        )
    if config.aggregator.prior_product and (family != "normal" or config.prior.name == "flow"):
        raise ConfigError(
            f"A {config.prior.name} prior times {family} posteriors has no closed form, so "
            'prior_product needs family = "normal" and a normal prior or a mixture of normals.'
        )
    if config.aggregator.head != "linear":
        if not isinstance(shared, FixedAggregator) or config.features != 2 * config.latent:
            raise ConfigError(
                f'head = "{config.aggregator.head}" was given with {name} and {config.features} '
                f"features, expected poe, moe or mopoe and 2 x {config.latent}; mend `features`, or "
                "remove `head`."
            )
        shared.head = GivenHead(config.aggregator.head == "softmax")
    shared.prior_product, shared.draws = config.aggregator.prior_product, config.aggregator.draws
    for part in shared.modules():
        if isinstance(part, GaussianHead | MixtureHead):
            part.start_at(config.aggregator.start_scale)
    whole = shared
    if config.private:
        private = pick(PRIVATE, name, "aggregator with private latents")
        whole = WithPrivate(shared, private(config), FAMILIES[family])
    if config.start == FAN_IN:
        start_aggregator(whole)
    return whole


def about_aggregator(config: RunConfig) -> About:
    """What a configuration's aggregator says of itself; no weights are drawn."""
    with torch.device("meta"):
        return pick(AGGREGATORS, config.aggregator.name, "aggregator")(config).about


def build_prior(config: RunConfig) -> nn.Module:
    """p(z), with a standard normal for the private latents where there are any."""
    shared = pick(PRIORS, config.prior.name, "prior")(config)
    if not config.private:
        return shared
    return PrivatePrior(shared, config.private * len(config.modalities))


def _check_name(name: str) -> None:
    # torch keeps modules as attributes, so a modality cannot be called "items" or "type".
    if name == EMPTY or hasattr(nn.ModuleDict(), name):
        raise ConfigError(f"A modality cannot be called {name!r}; choose another name.")


def build_objective(config: RunConfig) -> Objective:
    """The bound that the configuration names."""
    return pick(OBJECTIVES, config.objective.name, "objective")


def build_subsets(config: RunConfig) -> DrawSubsets:
    """How training draws the shown modalities from the observed ones."""
    return SUBSETS[config.objective.subsets](config)


def head_maker(config: RunConfig) -> MakeHead:
    """The head of a learned aggregator: one component or a mixture of several."""
    settings = config.aggregator
    if settings.components == 1:
        return HEADS[settings.family]
    family = MIXTURES[settings.family]
    return partial(MixtureHead, components=settings.components, family=family)


def pick(table: Mapping[str, Entry], name: str, what: str) -> Entry:
    """The entry of a name; ConfigError that lists the known names if there is none."""
    if name not in table:
        raise ConfigError(f"There is no {what} {name!r}; choose one of {', '.join(table)}.")
    return table[name]


def _columns(config: ModalityConfig, run: RunConfig) -> tuple[slice, ...]:
    """Shared latents and the modality's own; none named means all there are."""
    if not run.private:
        return ()
    start = run.latent + run.private * run.names.index(config.name)
    return slice(0, run.latent), slice(start, start + run.private)
