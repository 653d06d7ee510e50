"""Seeds that are trained together: as one alone, and none has an effect on another."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from msgspec.structs import replace

from mmvae_core.batch import Batch
from mmvae_core.build import build_subsets
from mmvae_core.config import RunConfig
from mmvae_core.data.source import Source, Table, TableSource
from mmvae_core.errors import UsageError
from mmvae_core.experiments import grid
from mmvae_core.experiments.grid import Cell, config_of
from mmvae_core.model import MultimodalVAE
from mmvae_core.seeding import generator_of
from mmvae_core.sources import build_source
from mmvae_core.training.ensemble import Ensemble
from mmvae_core.training.start import start_model
from mmvae_core.training.step import Step
from mmvae_core.training.trainer import Trainer

CPU, FABRIC = torch.device("cpu"), Fabric(accelerator="cpu")
MODELS = [
    (variant, name)
    for variants in grid.EXPERIMENTS.values()
    for variant in variants
    for name in grid.default_aggregators(variant)
]


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    """Stacked and alone are calls of unlike shapes, and Adam divides small gradients by small."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def config(
    seed: int = 0,
    variant: str = "missing",
    aggregator: str = "sum_pooling",
    items: int = 100,
    **training: Any,
) -> RunConfig:
    made = config_of(Cell(variant, aggregator, "masked", seed))
    budget = {"epochs": 2, "batch": 50} | training
    return replace(
        made, training=replace(made.training, **budget), data=replace(made.data, epoch_size=items)
    )


def source_of(made: RunConfig) -> TableSource:
    """Its data, in float64."""
    source = build_source(made)
    assert isinstance(source, TableSource)
    tables = [
        Table(
            Batch(
                {name: values.double() for name, values in one.items.data.items()},
                one.items.observed,
            ),
            one.latents,
            one.labels,
        )
        for one in (source.train, source.held_out, source.test)
    ]
    return TableSource(*tables, source.about, source.truth)


def trained(*configs: RunConfig, sources: list[Source] | None = None) -> Ensemble:
    ensemble = Ensemble(configs, sources or [source_of(one) for one in configs], CPU)
    ensemble.train()
    return ensemble


def assert_same(one: MultimodalVAE, other: MultimodalVAE, tolerance: float = 1e-9) -> None:
    for (name, value), twin in zip(
        one.state_dict().items(), other.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(value, twin, rtol=0, atol=tolerance, msg=name)


def spoiled(source: TableSource, value: float) -> TableSource:
    """The source with the first training item's first modality replaced by a number."""
    data = dict(source.train.items.data)
    name = next(iter(data))
    data[name] = data[name].clone()
    data[name][0] = value
    observed = source.train.items.observed.clone()
    observed[0] = True
    table = Table(Batch(data, observed), source.train.latents, source.train.labels)
    return TableSource(table, source.held_out, source.test, source.about)


@pytest.mark.parametrize("aggregator", ["sum_pooling", "moe"])
def test_one_seed_is_what_the_trainer_makes(aggregator: str) -> None:
    """Weights after four steps and the reported bounds, to rounding."""
    made = config(3, aggregator=aggregator)
    ensemble = trained(made)
    trainer = Trainer(start_model(made, source_of(made)), made, source_of(made), FABRIC)
    expected = list(trainer.epochs())
    assert_same(ensemble.models()[0], trainer.model)
    for one, other in zip(ensemble.reports[0], expected, strict=True):
        assert one.epoch == other.epoch
        for name in ("training_bound", "validation_bound", "rate", "learning_rate"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9)


def test_the_others_have_no_effect_on_a_seed_not_even_a_diverged_one() -> None:
    first, second, third = config(0), config(1), config(2)
    alone = trained(first, second)
    beside = trained(first, third)
    assert_same(alone.models()[0], beside.models()[0])
    broken = trained(
        first, second, sources=[source_of(first), spoiled(source_of(second), torch.inf)]
    )
    assert broken.diverged() == [False, True]
    assert alone.diverged() == [False, False]
    assert_same(broken.models()[0], alone.models()[0])


def test_seeds_have_weights_and_bounds_of_their_own() -> None:
    ensemble = trained(config(0), config(1))
    one, other = ensemble.models()
    assert not torch.allclose(
        one.modality("first").encoder.body[0].weight, other.modality("first").encoder.body[0].weight
    )
    bounds = [reports[-1].validation_bound for reports in ensemble.reports]
    assert bounds[0] != bounds[1]
    start = start_model(config(1), source_of(config(1)))
    moved = [
        float((value - twin).detach().abs().max())
        for value, twin in zip(other.parameters(), start.parameters(), strict=True)
        if value.dim() == 2
    ]
    assert all(0 < change < 0.1 for change in moved)
    assert not any(value.requires_grad for value in one.parameters())


def test_more_than_the_seed_may_not_differ() -> None:
    with pytest.raises(UsageError, match="differ in seeds only"):
        trained(config(0), config(1, epochs=3))


@pytest.mark.parametrize("objective", ["masked", "mixture"])
@pytest.mark.parametrize(("variant", "aggregator"), MODELS, ids=lambda one: one)
def test_stacked_gradients_are_those_of_one_model(
    variant: str, aggregator: str, objective: str
) -> None:
    """Of every model of every experiment, mixtures' weights too, at the same noise."""
    made = config(3, variant, aggregator, items=20, batch=20)
    made = replace(made, objective=replace(made.objective, name=objective))
    source = source_of(made)
    (batch,) = source.batches(0, 0, 20)
    subset = build_subsets(made)(batch.observed, torch.Generator().manual_seed(1))
    step, ensemble = Step(start_model(made, source), made), Ensemble([made], [source], CPU)
    data = {name: values[None] for name, values in batch.data.items()}
    alone, _ = step(batch, subset, 0.7, generator_of(5))
    masks = batch.observed[None], subset[None]
    stacked, _ = ensemble._bounds(
        ensemble.weights, ensemble.buffers, data, *masks, 0.7, generator_of(5)
    )
    torch.testing.assert_close(stacked[0], alone, rtol=1e-10, atol=1e-10)
    alone.backward()
    stacked.sum().backward()
    for name, value in step.named_parameters():
        if value.requires_grad:
            one, other = value.grad, ensemble.weights[name].grad
            assert one is not None and other is not None, name
            torch.testing.assert_close(other[0], one, rtol=1e-8, atol=1e-8, msg=name)
