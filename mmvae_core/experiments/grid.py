"""Which models an experiment trains: variants of a world, aggregators, objectives, seeds."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import fields, replace

from mmvae_core.config import AggregatorConfig, Config, RunConfig, load_config, one_seed
from mmvae_core.errors import UsageError

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "experiments"
EXPERIMENTS = {
    "linear": ("linear", "linear_sparse", "linear_private"),
    "bimodal": ("bimodal", "bimodal_normal"),
    "missing": ("missing",),
}
"""The variants of each experiment, which are files of `configs/experiments`."""
KEPT = ("linear", "bimodal", "bimodal_normal", "missing")
"""The variants whose runs the app can open."""
MIXTURE = "_mixture"
COMPONENTS = 5
FIXED = ("poe", "moe", "mopoe")
LEARNED = ("sum_pooling", "self_attention")
OBJECTIVES = ("masked", "mixture")
QUICK_SHARE = 10
"""`--quick` trains so many times fewer passes."""


@dataclass(frozen=True)
class Cell:
    """One model to train and measure."""

    variant: str
    aggregator: str
    objective: str
    seed: int

    @property
    def name(self) -> str:
        """As run folders are called."""
        return f"{self.aggregator}-{self.objective}"


def cells(
    experiment: str, aggregators: Sequence[str], objectives: Sequence[str], seeds: int
) -> list[Cell]:
    """All models of an experiment, the seeds of each one after the other.

    UsageError or ConfigError for names that are not known, before anything is trained.
    """
    if experiment not in EXPERIMENTS:
        known = ", ".join(EXPERIMENTS)
        raise UsageError(f"There is no experiment {experiment!r}; choose one of {known}.")
    models = dict.fromkeys(
        (variant, aggregator, objective)
        for variant in EXPERIMENTS[experiment]
        for aggregator in aggregators or default_aggregators(variant)
        for objective in objectives
    )
    for model in models:
        _check(config_of(Cell(*model, 0)))
    return [Cell(*model, seed) for model in models for seed in range(seeds)]


def default_aggregators(variant: str) -> tuple[str, ...]:
    """Fixed and learned ones; mixture heads too where the prior is a mixture."""
    heads = tuple(name + MIXTURE for name in LEARNED)
    return (*FIXED, *LEARNED, *heads) if variant == "bimodal" else (*FIXED, *LEARNED)


def config_of(cell: Cell, quick: bool = False) -> RunConfig:
    """The variant's committed configuration with the cell's parts; the seed is also the world's."""
    base = load_config(CONFIGS / f"{cell.variant}.toml")
    name = cell.aggregator.removesuffix(MIXTURE)
    components = COMPONENTS if cell.aggregator.endswith(MIXTURE) else 1
    epochs = max(1, base.training.epochs // QUICK_SHARE) if quick else base.training.epochs
    return one_seed(
        replace(
            base,
            aggregator=replace(
                base.aggregator,
                name=name,
                components=components,
                **_sizes(name, base.aggregator.width),
            ),
            objective=replace(base.objective, name=cell.objective),
            training=replace(base.training, epochs=epochs),
        ),
        cell.seed,
    )


def _sizes(name: str, width: int) -> dict[str, int]:
    """The aggregator's size, where it has one: about as many parameters in either learned one."""
    if name not in LEARNED:
        return {"width": AggregatorConfig(name=name).width}
    return (
        {"width": width}
        if name == "sum_pooling"
        else {"width": 3 * width // 4, "heads": 4, "layers": 1}
    )


def fingerprint(config: RunConfig) -> str:
    """Twelve digits that change with any setting that is not a default."""
    text = json.dumps(_settings(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _check(config: RunConfig) -> None:
    from mmvae_core.build import build_objective  # late: who only reads results needs no torch
    from mmvae_core.store.weights import check_size

    build_objective(config)
    check_size(config)


def _settings(value: Any) -> Any:
    """What differs from the defaults, so that a new option does not make old results stale."""
    if isinstance(value, tuple):
        return [_settings(one) for one in value]
    if not isinstance(value, Config):
        return value
    pairs = ((field, getattr(value, field.name)) for field in fields(value))
    return {field.name: _settings(one) for field, one in pairs if one != field.default}
