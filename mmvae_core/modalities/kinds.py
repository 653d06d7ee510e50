"""Which kind a modality is of: the only place where shape and likelihood decide that."""

from collections.abc import Mapping, Sequence

from mmvae_core.config import ModalityConfig, RunConfig
from mmvae_core.modalities.binary import Binary
from mmvae_core.modalities.categories import Categories
from mmvae_core.modalities.counts import Counts
from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.picture import ColourPicture, GreyPicture
from mmvae_core.modalities.symbols import Symbols
from mmvae_core.modalities.vector import Vector

KINDS: tuple[type[Kind], ...] = (
    Symbols,
    Categories,
    Counts,
    GreyPicture,
    ColourPicture,
    Binary,
    Vector,
)
"""A modality is of the first kind that takes it; `Vector` takes all."""


def kind_of(modality: ModalityConfig, alphabet: Sequence[str] | None = None) -> Kind:
    """A modality's kind, with the signs of its symbols where a study names them."""
    return next(kind for kind in KINDS if kind.takes(modality))(modality, alphabet)


def kinds_of(config: RunConfig, alphabets: Mapping[str, Sequence[str]]) -> dict[str, Kind]:
    """The kinds of a run's modalities by name."""
    return {one.name: kind_of(one, alphabets.get(one.name)) for one in config.modalities}
