"""The small worlds on which aggregators train side by side, and what is known of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig, from_dict
from mmvae_core.config_files import load_config
from mmvae_core.data.source import Source, Table, TableSource
from mmvae_core.data.worlds.bimodal import bimodal
from mmvae_core.data.worlds.toy import LATENT, WORLDS, ToyWorld
from mmvae_core.data.worlds.vectors import complete
from mmvae_core.errors import UsageError
from mmvae_core.evaluation.exact_linear import LinearGaussian
from mmvae_core.evaluation.true_likelihood import true_log_likelihood
from mmvae_core.explore.toy import exact
from mmvae_core.places import HOME

AGGREGATORS = ("poe", "moe", "mopoe", "sum_pooling", "self_attention")
CLUSTERS = "clusters"
STEPS, BATCH, TICKS = 10, 64, 200
"""Steps of a tick, items of a step, and the ticks after which a training is over."""
RATE = 1e-2
ITEMS, TRUE_SAMPLES = 400, 200
BOUNDS = ("masked", "mixture")
HELD_OUT, MEASURED = 1, 2
"""Numbers of the draws that are no training items."""


@dataclass(frozen=True)
class Plan:
    """What is trained: the same plan gives the same course."""

    world: str = "two"
    aggregators: tuple[str, ...] = AGGREGATORS
    objective: str = "masked"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the names; UsageError in one plain sentence."""
        if self.world not in (*WORLDS, CLUSTERS):
            known = ", ".join((*WORLDS, CLUSTERS))
            raise UsageError(f"There is no world {self.world!r} to train on; choose from {known}.")
        unknown = [one for one in self.aggregators if one not in AGGREGATORS]
        if unknown or not self.aggregators:
            raise UsageError(
                f"The aggregators {list(self.aggregators)} cannot train here; choose from "
                f"{', '.join(AGGREGATORS)}."
            )
        if self.objective not in BOUNDS:
            raise UsageError(f"There is no {self.objective!r} here; choose masked or mixture.")


class FreshItems:
    """A toy world's data, new ones in every pass: a `Source`."""

    def __init__(self, world: ToyWorld, items: int) -> None:
        self.world, self.items = world, items

    def drawn(self, count: int, *seeds: int) -> Batch:
        """Items of their own."""
        _, *data = self.world.draw(count, np.random.default_rng(seeds))
        return complete(dict(zip(self.world.names, data, strict=True)))

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """One pass."""
        items = self.drawn(self.items, 0, seed, epoch)
        for start in range(0, self.items, size):
            yield items.rows(slice(start, start + size))

    def validation(self, size: int) -> Iterator[Batch]:
        """One fixed batch."""
        yield self.drawn(size, HELD_OUT)


class FewOfMany:
    """A few steps of a table's training items a pass: a `Source`."""

    def __init__(self, table: TableSource, items: int) -> None:
        self.table, self.items = table, items

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """One pass over some of the items."""
        generator = np.random.default_rng((seed, epoch))
        rows = generator.integers(0, len(self.table.train), self.items)
        for part in torch.from_numpy(rows).split(size):
            yield self.table.train.items.rows(part)

    def validation(self, size: int) -> Iterator[Batch]:
        """The first held-out items."""
        yield self.table.held_out.items.rows(slice(0, size))


@dataclass(frozen=True)
class Ground:
    """A world with what is known of it."""

    config: RunConfig
    source: Source
    items: Batch
    """What is measured."""
    log_p: Tensor
    """log p(x) of each of them, nats."""
    log_p_error: float
    """The standard error of its mean, 0 where it is exact."""
    exact: LinearGaussian | None


def ground(plan: Plan) -> Ground:
    """The world of a plan, the items that are measured and their log p(x)."""
    if plan.world == CLUSTERS:
        return _clusters(plan)
    world = WORLDS[plan.world]
    config = _settings(
        plan,
        features=16,
        modalities=[
            {
                "name": name,
                "shape": [len(offset)],
                "network": "linear",
                "width": 24,
                "likelihood": {"name": "normal", "scale": noise},
            }
            for name, offset, noise in zip(world.names, world.offsets, world.noises, strict=True)
        ],
    )
    source, truth = FreshItems(world, config.data.epoch_size), exact(world)
    items = source.drawn(ITEMS, MEASURED)
    return Ground(config, source, items, truth.log_evidence(items.data, items.observed), 0.0, truth)


def _settings(plan: Plan, **more: object) -> RunConfig:
    return from_dict(
        {
            "study": "toy",
            "latent": LATENT,
            "start": "fan_in",
            "aggregator": {"name": "poe", "width": 32, "heads": 2, "layers": 1, "residual": True},
            "objective": {"name": plan.objective},
            "data": {"name": "toy", "epoch_size": STEPS * BATCH},
            "training": {
                "epochs": TICKS,
                "batch": BATCH,
                "learning_rate": RATE,
                "seed": plan.seed,
            },
            **more,
        }
    )


def _clusters(plan: Plan) -> Ground:
    base, (table, items, log_p, error) = _base(), _measured_clusters()
    config = replace(
        base,
        data=replace(base.data, epoch_size=STEPS * BATCH),
        objective=replace(base.objective, name=plan.objective),
        training=replace(
            base.training, epochs=TICKS, batch=BATCH, learning_rate=RATE, seed=plan.seed
        ),
    )
    return Ground(config, FewOfMany(table, STEPS * BATCH), items, log_p, error, None)


def _base() -> RunConfig:
    return load_config(HOME / "configs" / "experiments" / "bimodal.toml")


@lru_cache
def _measured_clusters() -> tuple[TableSource, Batch, Tensor, float]:
    """The data, the items that are measured, their log p(x) and the error of its mean."""
    table = bimodal(_base())
    test, rows = table.test, slice(0, ITEMS)
    few = Table(test.items.rows(rows), test.latents[rows], test.labels[rows])
    assert table.truth is not None
    estimate = true_log_likelihood(table.truth, few, TRUE_SAMPLES, MEASURED)
    assert estimate.error is not None
    return table, few.items, estimate.value, float(estimate.error.square().sum().sqrt()) / len(few)
