"""Laws that every data set keeps which needs no files; a committed configuration names each."""

import math
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from lightning_fabric import Fabric

from mmvae_core import build
from mmvae_core.batch import Batch
from mmvae_core.build import build_model
from mmvae_core.config import RunConfig
from mmvae_core.config_files import load_config
from mmvae_core.data.source import Source, TableSource
from mmvae_core.evaluation.report import sample_batch
from mmvae_core.sources import DATA, build_source
from mmvae_core.store.study import Study
from mmvae_core.studies import make_table_study
from mmvae_core.training.trainer import Trainer

FILES = {
    "digits": "MNIST is downloaded; tests/core/data/digits/test_digits.py holds its laws",
    "own": "files of the user's; tests/core/data/own holds its laws",
}
COMMITTED = [
    load_config(path)
    for path in sorted((Path(build.__file__).parents[1] / "configs").rglob("*.toml"))
    if path.name not in ("base.toml", "sweep.toml")
]
CONFIGS = {config.data.name: config for config in COMMITTED}
ITEMS, SIZE = 150, 40

every_data_set = pytest.mark.parametrize("name", [name for name in DATA if name not in FILES])


def config(name: str, **data: Any) -> RunConfig:
    made = CONFIGS[name]
    training = msgspec.structs.replace(made.training, epochs=1, batch=SIZE)
    changed = msgspec.structs.replace(made.data, epoch_size=ITEMS, **data)
    return msgspec.structs.replace(made, data=changed, training=training)


def same(one: Batch, other: Batch) -> bool:
    """Equal entry by entry, missing ones too."""
    return torch.equal(one.observed, other.observed) and all(
        torch.equal(values.nan_to_num(nan=-99.0), other.data[name].nan_to_num(nan=-99.0))
        for name, values in one.data.items()
    )


def epoch(source: Source, seed: int = 0, number: int = 0) -> list[Batch]:
    return list(source.batches(seed, number, SIZE))


def test_a_committed_configuration_names_each() -> None:
    assert set(CONFIGS) == set(DATA)


@every_data_set
def test_a_pass_is_the_same_for_a_seed_and_an_epoch_and_else_another(name: str) -> None:
    source, again = build_source(config(name)), build_source(config(name))
    first = epoch(source)
    assert [len(batch) for batch in first] == [SIZE, SIZE, SIZE, ITEMS - 3 * SIZE]
    for other in (epoch(source), epoch(again)):
        assert all(same(one, two) for one, two in zip(first, other, strict=True))
    for other in (epoch(source, 1, 0), epoch(source, 0, 1)):
        assert not same(first[0], other[0])


@every_data_set
def test_another_world_has_other_data(name: str) -> None:
    here, there = (next(build_source(config(name, seed=seed)).validation(SIZE)) for seed in (0, 1))
    assert not same(here, there)


@every_data_set
def test_validation_is_fixed_and_never_trained_on(name: str) -> None:
    source = build_source(config(name))
    first, again = list(source.validation(SIZE)), list(source.validation(SIZE))
    assert sum(map(len, first)) >= SIZE
    assert all(same(one, two) for one, two in zip(first, again, strict=True))
    for modality in config(name).names:
        if first[0].data[modality].is_floating_point():
            new = torch.cat([batch.data[modality] for batch in first]).flatten(1)
            seen = torch.cat([batch.data[modality] for batch in epoch(source)]).flatten(1)
            assert not (new[:, None] == seen).all(-1).any()


@every_data_set
def test_batches_are_what_the_model_takes(name: str) -> None:
    made = config(name)
    model = build_model(made)
    for batch in epoch(build_source(made)):
        assert tuple(batch.data) == made.names
        assert batch.observed.shape == (len(batch), len(made.names))
        assert batch.observed.dtype == torch.bool
        assert batch.observed.any(1).all()
        for index, (modality, values) in enumerate(batch.data.items()):
            assert tuple(values.shape[1:]) == model.modality(modality).likelihood.shape
            assert values.dtype in (torch.float32, torch.int64)
            assert torch.isfinite(values[batch.observed[:, index]]).all()


@every_data_set
def test_a_model_trains_on_it(name: str) -> None:
    made = config(name)
    trainer = Trainer(build_model(made), made, build_source(made), Fabric(accelerator="cpu"))
    (report,) = trainer.epochs()
    assert math.isfinite(report.validation_bound + report.rate)


@every_data_set
def test_it_makes_a_study(name: str, tmp_path: Path) -> None:
    made = config(name)
    source = build_source(made)
    assert isinstance(source, TableSource)
    study = make_table_study(source, made, tmp_path / made.study)
    assert study.about.title and study.about.sources
    samples = Study(study.folder).samples_of(made)
    assert samples.labels.min() >= 0
    assert samples.labels.max() < len(study.about.classes)
    batch = sample_batch(build_model(made), samples)
    assert same(batch, source.test.items.rows(slice(0, len(samples))))


@every_data_set
def test_splits_have_their_own_items_and_truths(name: str) -> None:
    source = build_source(config(name))
    assert isinstance(source, TableSource)
    tables = (source.train, source.held_out, source.test)
    assert len(source.train) == ITEMS
    for table in tables:
        assert len(table.latents) == len(table.labels) == len(table)
        assert torch.isfinite(table.latents).all()
    for one, other in combinations(tables, 2):
        assert not torch.equal(one.latents[:10], other.latents[:10])
