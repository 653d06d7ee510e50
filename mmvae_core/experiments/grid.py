"""Which models an experiment trains: variants of a world, aggregators, objectives, seeds."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import fields, replace

from mmvae_core.config import AggregatorConfig, Config, RunConfig, one_seed
from mmvae_core.config_files import load_config
from mmvae_core.errors import UsageError
from mmvae_core.places import HOME

CONFIGS = HOME / "configs" / "experiments"
EXPERIMENTS = {
    "linear": ("linear", "linear_sparse", "linear_private"),
    "bimodal": ("bimodal", "bimodal_normal"),
    "missing": (
        "missing",
        "missing_normal",
        "missing_laplace",
        "missing_known",
        "missing_deep",
    ),
}
"""The variants of each experiment, which are files of `configs/experiments`."""
KEPT = ("linear", "bimodal", "bimodal_normal", "missing")
"""The variants whose runs the app can open."""
MIXTURE = "_mixture"
COMPONENTS = 5
WITH_HEADS = ("bimodal", "missing")
FIXED = ("poe", "moe", "mopoe")
LEARNED = ("sum_pooling", "self_attention")
EMPTY, NOT_EMPTY = "mixture", "mixture_not_empty"
OBJECTIVES = ("masked", EMPTY, NOT_EMPTY)
"""`mixture` shows nothing in one of 2^M draws, as the paper's code does; `mixture_not_empty` then
shows all, as MMVAE and MoPoE do it. Under `masked` nothing shown is a term as any other."""
SIDE = {
    "missing_normal": ((*FIXED, *LEARNED), ("masked", NOT_EMPTY)),
    "missing_laplace": (("moe", *LEARNED), ("masked",)),
    "missing_known": (("poe", *LEARNED), ("masked",)),
    "missing_deep": (("poe", *LEARNED), ("masked", NOT_EMPTY)),
}
"""Worlds beside the main ones: which rules and objectives are trained in them."""
NO_PRODUCT = {"missing_laplace": ("poe", "mopoe")}
"""Rules that a world cannot have: a product of Laplaces has no closed form."""
SAME_ITEMS = {
    "bimodal_normal": "bimodal",
    "missing_normal": "missing",
    "missing_laplace": "missing",
    "missing_known": "missing",
}
"""Worlds whose items are those of another one, so that its truth is theirs."""
TRUTH = "truth"
"""The aggregator of the cell that is not trained: what the world's data were drawn from, or where
all is linear the model of highest training likelihood."""
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
    """The truths and all models of an experiment, the seeds of each one after the other.

    UsageError or ConfigError for names that are not known, before anything is trained.
    """
    if experiment not in EXPERIMENTS:
        known = ", ".join(EXPERIMENTS)
        raise UsageError(f"There is no experiment {experiment!r}; choose one of {known}.")
    models = dict.fromkeys(
        (variant, aggregator, objective)
        for variant in EXPERIMENTS[experiment]
        for aggregator in aggregators or default_aggregators(variant)
        for objective in objectives or default_objectives(variant)
        if aggregator not in NO_PRODUCT.get(variant, ())
    )
    for model in models:
        _check(config_of(Cell(*model, 0)))
    own = [variant for variant in EXPERIMENTS[experiment] if variant not in SAME_ITEMS]
    truths = [(variant, TRUTH, TRUTH) for variant in own]
    return [Cell(*model, seed) for model in (*truths, *models) for seed in range(seeds)]


def default_aggregators(variant: str) -> tuple[str, ...]:
    """Fixed and learned ones; in two worlds mixture heads, without the product, beside them."""
    if variant in SIDE:
        return SIDE[variant][0]
    heads = tuple(name + MIXTURE for name in LEARNED) if variant in WITH_HEADS else ()
    return (*FIXED, *LEARNED, *heads)


def default_objectives(variant: str) -> tuple[str, ...]:
    """All three; in the worlds beside the main ones fewer."""
    return SIDE[variant][1] if variant in SIDE else OBJECTIVES


def config_of(cell: Cell, quick: bool = False) -> RunConfig:
    """The variant's committed configuration with the cell's parts; the seed is also the world's.

    A truth's is the variant's own, of one pass: it is not trained.
    """
    base = load_config(CONFIGS / f"{cell.variant}.toml")
    if cell.aggregator == TRUTH:
        return one_seed(replace(base, training=replace(base.training, epochs=1)), cell.seed)
    name = cell.aggregator.removesuffix(MIXTURE)
    has_heads = cell.aggregator.endswith(MIXTURE)
    subsets = "not_empty" if cell.objective == NOT_EMPTY else base.objective.subsets
    epochs = max(1, base.training.epochs // QUICK_SHARE) if quick else base.training.epochs
    return one_seed(
        replace(
            base,
            aggregator=replace(
                base.aggregator,
                name=name,
                components=COMPONENTS if has_heads else 1,
                prior_product=base.aggregator.prior_product and not has_heads,
                **_sizes(name, base.aggregator.width),
            ),
            objective=replace(
                base.objective, name=cell.objective.removesuffix("_not_empty"), subsets=subsets
            ),
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
