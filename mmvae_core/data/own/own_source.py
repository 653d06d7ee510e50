"""People's own data as a source of batches, read through study.toml where they lie."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.data.own.items import Items, coded, read_items, split
from mmvae_core.data.own.spec import StudySpec, read_spec
from mmvae_core.data.source import Table, TableSource
from mmvae_core.errors import ConfigError
from mmvae_core.modalities.kinds import kind_of
from mmvae_core.places import HOME


class OwnSource(TableSource):
    """A table of which `content` is the hash of all that was read."""

    content: str = ""


def own(config: RunConfig, folder: Path | None = None) -> TableSource:
    """The study whose folder `data.folder` names; `folder` is where its files are instead."""
    if not config.data.folder:
        raise ConfigError("The data set own needs `folder`, that of a study.toml, in [data].")
    place = study_folder(config.data.folder)
    spec = read_spec(place)
    items = read_items(spec, data_folder(spec, place, folder))
    return source_of(spec, items, config)


def study_folder(named: str) -> Path:
    """A study's folder: as it is named, else beside the product."""
    here = Path(named)
    return here if here.is_dir() or here.is_absolute() else HOME / named


def data_folder(spec: StudySpec, place: Path, folder: Path | None) -> Path:
    """Where the files are: what --data names, else what study.toml says, relative to itself."""
    return folder if folder is not None else place / spec.data


def source_of(spec: StudySpec, items: Items, config: RunConfig) -> TableSource:
    """Training, validation and test items as the configuration's modalities take them."""
    for one in config.modalities:
        if one.name not in items.kinds:
            known = ", ".join(items.kinds)
            raise ConfigError(f"The study has no modality {one.name!r}; it has {known}.")
        shape = items.kinds[one.name].modality.shape
        if one.shape != shape:
            raise ConfigError(
                f"Modality {one.name!r} has the shape {list(one.shape)}, the study's is "
                f"{list(shape)}; make the study again, which writes its configurations."
            )
    first = next(iter(items.notes.values()), None)
    labels = np.full(len(items), -1) if first is None else coded(first)[0]
    tables = []
    for index, rows in enumerate(split(spec, items)):
        observed = np.stack([items.observed[name][rows] for name in config.names], 1)
        if index < 2 and spec.split.hide:
            observed = hidden(observed, spec.split.hide, (spec.split.seed, index))
        data = {one.name: _tensor(items, one.name, rows, config) for one in config.modalities}
        batch = Batch(data, torch.from_numpy(observed))
        tables.append(Table(batch, torch.zeros(len(rows), 0), torch.from_numpy(labels[rows])))
    source = OwnSource(*tables, about={})
    object.__setattr__(source, "content", items.content)
    return source


def hidden(observed: np.ndarray, share: float, seed: tuple[int, int]) -> np.ndarray:
    """A share of what is observed hidden at random, but of each item one modality is left."""
    draws = np.random.default_rng(seed).random(observed.shape)
    kept = observed & (draws >= share)
    # Where nothing would be left, the observed one of the largest draw.
    best = np.where(observed, draws, -1).argmax(1)
    lonely = ~kept.any(1) & observed.any(1)
    kept[lonely, best[lonely]] = True
    return kept


def _tensor(items: Items, name: str, rows: np.ndarray, config: RunConfig) -> Tensor:
    """A modality's values; zeros where an item does not have it."""
    one = next(one for one in config.modalities if one.name == name)
    values, has = items.data[name][rows], items.observed[name][rows]
    blank = np.where(has.reshape(-1, *[1] * (values.ndim - 1)), values, 0).astype(values.dtype)
    return kind_of(one).tensor(blank)
