"""The model that a training begins with: drawn from the seed, then fitted to its data."""

from mmvae_core.build import FAN_IN, build_model
from mmvae_core.config import RunConfig
from mmvae_core.data.moments import moments
from mmvae_core.data.source import Source
from mmvae_core.errors import ConfigError
from mmvae_core.modalities.modality import Modality
from mmvae_core.model import MultimodalVAE
from mmvae_core.networks.mixing import LEAK

KNOWN = "known"


def start_model(config: RunConfig, source: Source) -> MultimodalVAE:
    """A model of the seed, its inputs and outputs fitted to the data where its start asks for it.

    Likelihoods that count in the data's own units learn them, whatever the start.
    """
    model = build_model(config)
    own_units = any(
        one.likelihood.standardise or one.likelihood.library for one in config.modalities
    )
    if config.start == FAN_IN or own_units:
        for name, data in moments(config, source).items():
            part = model.modality(name)
            part.likelihood.start_at(data.mean, data.stddev, data.total)
            if config.start == FAN_IN:
                part.start_at(data.mean, data.stddev, data.seen)
    for one in config.modalities:
        if one.network == KNOWN:
            _know(model.modality(one.name), source)
    return model


def _know(modality: Modality, source: Source) -> None:
    """Give a modality the map that its data were drawn with, for its decoder."""
    truth = getattr(source, "truth", None)
    if truth is None or modality.name not in truth.maps:
        raise ConfigError(
            f"Modality {modality.name!r} has the network 'known', which is the true map of a made "
            "world, and its data have none; choose another network, such as mlp."
        )
    known = truth.maps[modality.name]
    if known.layers != 2 or known.slope != LEAK:
        raise ConfigError(
            f"Modality {modality.name!r} has the network 'known', which knows maps of two layers "
            f"with slope {LEAK}; those of this world have {known.layers} layers with slope "
            f"{known.slope}; choose another network, such as mlp."
        )
    modality.decoder.load_state_dict(known.state_dict())
