"""Configurations: frozen records, validated when built; their files are read in `config_files`.

What a part's `name` may be is known to `build`, a data set's to `sources`; both refuse others.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from mmvae_core.errors import ConfigError

FORMAT = 1
COMPARED = {
    "aggregator.name",
    "aggregator.width",
    "aggregator.heads",
    "aggregator.layers",
    "objective.name",
    "objective.subsets",
    "training.seed",
    "training.precision",
}
"""What compared runs may differ in: what is compared, the seed, and the precision of encoders and
decoders, which moves the bound by less than 0.1 % (it follows the processor at hand)."""

Positive = Annotated[int, Meta(ge=1, le=1_000_000_000)]
NonNegative = Annotated[int, Meta(ge=0, le=1_000_000_000)]
PositiveFloat = Annotated[float, Meta(gt=0, le=1e30)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all configurations: unknown keys and wrong types are errors."""


class LikelihoodConfig(Config, frozen=True):
    """p(x_s | z): the distribution's name and, for Normal and Laplace, its scale.

    A learned scale is one number, or with `per_entry` one for each of the data's entries; that of
    a negative binomial is its overdispersion. `standardise` lets location and scale count in the
    training data's standard deviations. With `library` counts are shares of each item's total.
    """

    name: Name
    scale: PositiveFloat = 1.0
    learn_scale: bool = False
    per_entry: bool = False
    standardise: bool = False
    library: bool = False

    def __post_init__(self) -> None:
        """Check that scales of their own are learned: fixed ones would all be the same."""
        if self.per_entry and not self.learn_scale:
            raise ValueError("per_entry needs learn_scale = true")


class ModalityConfig(Config, frozen=True):
    """One modality. `shape` is (channels, height, width), (features,) or (length, symbols)."""

    name: Name
    shape: Annotated[tuple[Positive, ...], Meta(min_length=1, max_length=3)]
    likelihood: LikelihoodConfig
    network: Name = "mlp"
    width: Positive = 128
    weight: PositiveFloat = 1.0
    """Multiplies the reconstruction in the objective; never enters a reported likelihood."""


class AggregatorConfig(Config, frozen=True):
    """How the features of the shown modalities become one posterior, and of which family.

    `components` above 1 gives the learned aggregators a mixture as their posterior. With
    `residual` a learned aggregator's networks are A x + mlp(x), the second part zero at the start.
    With `prior_product` every posterior is multiplied by p(z), as a product of experts does by its
    rule, so that nothing shown gives the prior exactly. `draws` says how gradients pass through
    draws of a mixture: `implicit` to its weights too, or `pathwise` in the drawn component alone.
    `start_scale` is the scale at which posteriors, before any product, begin. Unless the `head` is
    linear, each modality's 2 x latent features are the location and, behind it, what an expert of
    a formula has its scale of: the logarithm of its variance, or a softmax over the latents.
    """

    name: Name
    width: Positive = 256
    heads: Positive = 4
    layers: Annotated[int, Meta(ge=1, le=64)] = 2
    components: Positive = 1
    family: Literal["normal", "laplace"] = "normal"
    residual: bool = False
    prior_product: bool = False
    draws: Literal["implicit", "pathwise"] = "implicit"
    start_scale: Annotated[float, Meta(gt=0.01, le=100)] = 1.0
    head: Literal["linear", "log_variance", "softmax"] = "linear"

    def __post_init__(self) -> None:
        """Check that the heads share the width evenly."""
        if self.name == "self_attention" and self.width % self.heads:
            raise ValueError(f"width {self.width} cannot be shared by {self.heads} heads")


class PriorConfig(Config, frozen=True):
    """p(z) of the shared latents: the standard normal, or a learned mixture or flow.

    A mixture has `components` of `family`; a flow has `layers` transformations of `width`. With
    `refit` above 0 that share of the passes ends with a fit of the mixture, by EM, to the
    posteriors of training items, and gradients move it only in the passes that follow.
    """

    name: Name = "standard_normal"
    components: Positive = 5
    family: Literal["normal", "laplace"] = "normal"
    width: Annotated[int, Meta(ge=1, le=1024)] = 64
    layers: Annotated[int, Meta(ge=1, le=16)] = 3
    refit: Annotated[float, Meta(ge=0, le=1)] = 0.0

    def __post_init__(self) -> None:
        """Check that what EM shall fit is a mixture of normals."""
        if self.refit and (self.name, self.family) != ("mixture", "normal"):
            raise ValueError(f"refit needs a mixture of normals, got {self.family} {self.name}")


class ObjectiveConfig(Config, frozen=True):
    """Which bound is maximised; `beta` weighs each KL term and is reached linearly.

    `subsets` says how the shown modalities are drawn per sample: each observed one independently
    with `keep_probability`, the same but all of them where that would show nothing, or one of
    them, or all.
    """

    name: Name
    beta: PositiveFloat = 1.0
    warmup_epochs: NonNegative = 0
    samples: Positive = 1
    subsets: Literal["independent", "not_empty", "singletons", "full"] = "independent"
    keep_probability: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    sticking_the_landing: bool = True


class DataConfig(Config, frozen=True):
    """The data set, how many items a pass has, and what else a data set may need.

    `photo` says where the photos of `digits` come from; `seed` which of the made worlds it is.
    `loadings` are those of the linear worlds: columns standard normal, or orthonormal as in the
    paper's code. `folder` is that of the study of people's `own` data, see `data.own`.
    """

    name: Name = "digits"
    folder: Annotated[str, Meta(max_length=1000)] = ""
    photo: Literal["rendered", "svhn"] = "rendered"
    epoch_size: Positive = 60_000
    seed: NonNegative = 0
    loadings: Literal["normal", "orthonormal"] = "normal"


class TrainingConfig(Config, frozen=True):
    """The budget: every run that is compared has the same.

    With `bf16-mixed` encoders and decoders compute in bfloat16 where the processor has it, all
    densities in float32. With `patience` a training ends after so many passes without a better
    validation bound, and the weights are those of its best pass. `restarts` are the passes after
    which a finished run went on, each with a schedule of its own.
    """

    epochs: Positive
    patience: NonNegative = 0
    restarts: tuple[Positive, ...] = ()
    batch: Positive = 128
    learning_rate: PositiveFloat = 1e-3
    seed: NonNegative = 0
    precision: Literal["32-true", "bf16-mixed"] = "32-true"

    def __post_init__(self) -> None:
        """Check that each restart has passes before and after it."""
        bounds = (0, *self.restarts, self.epochs)
        if any(first >= second for first, second in pairwise(bounds)):
            raise ValueError(
                f"restarts must rise and lie before epochs = {self.epochs}, got "
                f"{', '.join(map(str, self.restarts))}"
            )


class RunConfig(Config, frozen=True):
    """Everything that makes a run.

    With `start = "fan_in"` every layer keeps the variance of what it is given, inputs are centred
    and scaled and decoders begin at the data's mean; `torch` is the library's own start. With
    `feature_norm` each encoder ends in a LayerNorm.
    """

    study: Name
    latent: Positive
    features: Positive
    modalities: Annotated[tuple[ModalityConfig, ...], Meta(min_length=1, max_length=16)]
    aggregator: AggregatorConfig
    objective: ObjectiveConfig
    data: DataConfig
    training: TrainingConfig
    prior: PriorConfig = msgspec.field(default_factory=PriorConfig)
    private: NonNegative = 0
    """Latents of each modality's own, beside the `latent` shared ones."""
    start: Literal["torch", "fan_in"] = "torch"
    feature_norm: bool = False
    format: int = FORMAT

    def __post_init__(self) -> None:
        """Check what no single field can tell."""
        names = self.names
        if len(set(names)) < len(names):
            raise ValueError(f"modality names must differ, got {', '.join(names)}")
        if self.format != FORMAT:
            raise ValueError(f"format {self.format} is not known here, expected {FORMAT}")

    @property
    def names(self) -> tuple[str, ...]:
        """Modality names in their order."""
        return tuple(modality.name for modality in self.modalities)

    @property
    def latents(self) -> int:
        """The length of z, shared and private latents together."""
        return self.latent + self.private * len(self.modalities)


def from_dict(data: Any, source: str = "config") -> RunConfig:
    """Build and validate a run's configuration; raises ConfigError in one plain sentence."""
    try:
        return msgspec.convert(data, RunConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source} is not a valid configuration: {error}.") from None


def to_dict(config: Config) -> dict[str, Any]:
    """The configuration as plain numbers, strings, lists and dicts."""
    return msgspec.to_builtins(config)


def changed_training(config: RunConfig, changes: dict[str, Any]) -> RunConfig:
    """The same run with other values in `training`; raises ConfigError in one plain sentence."""
    return from_dict(to_dict(config) | {"training": to_dict(config.training) | changes})


def one_seed(config: RunConfig, seed: int) -> RunConfig:
    """The same configuration of another seed, which draws the world and the training."""
    return replace(
        config, data=replace(config.data, seed=seed), training=replace(config.training, seed=seed)
    )


def unequal(configs: Sequence[RunConfig]) -> dict[str, list[str]]:
    """What the runs differ in that is not compared: a value for each run.

    Keys are named as in a configuration file, `training.epochs`; empty where the comparison is of
    aggregators and objectives alone.
    """
    flat = [_flat(to_dict(config)) for config in configs]
    differences: dict[str, list[str]] = {}
    for key in dict.fromkeys(key for one in flat for key in one):
        values = [str(one.get(key, "-")) for one in flat]
        if len(set(values)) > 1 and key not in COMPARED:
            differences[key] = values
    return differences


def _flat(value: Any, place: str = "") -> dict[str, Any]:
    """Every setting by its place; modalities by their name."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        value = {one["name"]: one for one in value}
    if not isinstance(value, dict):
        return {place: value}
    return {
        key: one
        for name, inner in value.items()
        for key, one in _flat(inner, f"{place}.{name}" if place else name).items()
    }
