"""What the JSON files of a run and of a study hold: one record a file, read and written here alone.

A record says which fields there are, of which type and range; what does not fit is one sentence
that names the file, the field, what was found and what was expected. `format` is the version of a
file's form: files without one are of the first, files of a later one are refused.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import msgspec
from msgspec import Meta

from mmvae_core.errors import RunError
from mmvae_core.files import read_json, write_json

FORMAT = 1
Number = Annotated[float, Meta(ge=-1e30, le=1e30)]
"""Finite: NaN is not at least anything."""
Positive = Annotated[float, Meta(ge=0, le=1e30)]
Part = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=10**15)]
Text = Annotated[str, Meta(max_length=500)]
Named = TypeVar("Named", bound="Record")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what a file holds, and of its parts."""


class Mean(Record, frozen=True):
    """A mean over items and its standard error, None of one item alone."""

    mean: Number
    error: Positive | None


class RateMean(Mean, frozen=True):
    """A mean of rates, which are exact or estimates."""

    exact: bool


class Share(Record, frozen=True):
    """A share of a count with its 95 % Wilson interval; of texts also the share spelt exactly."""

    right: Count
    count: Count
    share: Part
    low: Part
    high: Part
    spelt: Part | None = None


class JointShare(Share, frozen=True):
    """The share of the prior's draws whose judged modalities agree."""

    modalities: tuple[Text, ...] = ()


class LogLikelihood(Record, frozen=True):
    """Log-likelihoods in nats: joint, and marginal and conditional by subset."""

    samples: Count
    items: Count
    estimate: Text
    joint: Mean
    marginal: dict[str, Mean]
    conditional: dict[str, Mean]


class WithPrior(Record, frozen=True):
    """What depends on p(z) alone, measured with a prior that was fitted afterwards."""

    log_likelihood: Mean
    joint_coherence: JointShare | None = None


class Auroc(Record, frozen=True):
    """The chance that swapped sides score higher than matched ones, with its 95 % interval."""

    value: Part
    low: Part
    high: Part


class Winners(Record, frozen=True):
    """How often a generated modality is of the first side's class, the second's, of neither's."""

    first: Share
    second: Share
    neither: Share


Five = Annotated[tuple[Number, ...], Meta(min_length=5, max_length=5)]


class Clash(Record, frozen=True):
    """Two sides in conflict: scores' percentiles (5, 25, 50, 75, 95), and who wins where."""

    auroc: Auroc
    exact: bool
    matched: Five
    swapped: Five
    won: dict[str, Winners]


class Conflicts(Record, frozen=True):
    """All measured pairs of sides, by `a vs b`."""

    items: Count
    samples: Count
    given: dict[str, Clash]


class RunReport(Record, frozen=True):
    """`report.json`: what `evaluate` measured; reports of earlier versions lack the last parts."""

    seed: Count
    items: Count
    rate_samples: Count
    log_likelihood: LogLikelihood
    rate: dict[str, RateMean]
    cross_rate: dict[str, RateMean]
    coherence: dict[str, dict[str, Share]]
    probe: dict[str, Part]
    joint_coherence: JointShare | None = None
    distortion_samples: Count | None = None
    distortion: dict[str, Mean] = {}
    fitted_priors: dict[str, WithPrior] = {}
    conflict: Conflicts | None = None
    format: int = FORMAT

    def of_prior(self, kind: str) -> "RunReport | WithPrior | None":
        """Where the figures of a prior stand: the trained one's here, a fitted one's apart."""
        return self if kind == "trained" else self.fitted_priors.get(kind)


class Card(Record, frozen=True):
    """`card.json`: how a run was trained, on what, and the hash of its weights."""

    epochs: Count
    seed: Count
    device: Text
    hardware: Text
    threads: Count
    seconds: Positive
    parameters: Count
    bytes: Count
    weights: Annotated[str, Meta(pattern=r"^[0-9a-f]{12,64}$")]
    finished: Text = ""
    torch: Text = ""
    version: Text = ""
    format: int = FORMAT


class About(Record, frozen=True):
    """`study.json`: what a study is called, its classes, its alphabets by modality, its sources."""

    title: Text
    classes: Annotated[tuple[Text, ...], Meta(max_length=1000)]
    alphabets: dict[str, Annotated[str, Meta(max_length=1000)]] = {}
    sources: tuple[Text, ...] = ()
    format: int = FORMAT


class JudgeCard(Record, frozen=True):
    """One judge of `judge/card.json`: its pictures' shape, its training, how often it is right."""

    shape: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=4096)], ...], Meta(min_length=3, max_length=3)
    ]
    weights: Text = ""
    trained_on: Text = ""
    test_accuracy: Part | None = None
    test_count: Count | None = None


class PriorsCard(Record, frozen=True):
    """`priors.json`: priors fitted to a finished run, and the weights that they belong to."""

    components: Annotated[int, Meta(ge=1, le=1000)]
    width: Annotated[int, Meta(ge=1, le=1024)]
    layers: Annotated[int, Meta(ge=1, le=16)]
    weights: Text
    seed: Count = 0
    items: Count = 0
    held_out_items: Count = 0
    held_out: dict[str, Mean] = {}
    format: int = FORMAT


def read_record(path: Path, kind: type[Named], remedy: str) -> Named:
    """A file's record; RunError in one sentence, which ends in `remedy`, if it is damaged."""
    return as_record(read_json(path), kind, str(path), remedy)


def as_record(data: dict[str, Any], kind: type[Named], source: str, remedy: str) -> Named:
    """The record of what a file holds; parts that say nothing, {}, are None where that is meant."""
    if "format" in kind.__struct_fields__:
        check_format(data, source)
    try:
        return msgspec.convert(_without_empty(data), kind)
    except msgspec.ValidationError as error:
        raise RunError(f"{source} is damaged: {_plainly(str(error))}; {remedy}.") from None


def as_json(record: Record) -> dict[str, Any]:
    """A record as plain numbers, strings, lists and dicts."""
    return msgspec.to_builtins(record)


def write_record(path: Path, record: Record) -> None:
    """Write a record, atomically."""
    write_json(path, as_json(record))


def check_format(data: dict[str, Any], source: str) -> None:
    """RunError for a file of a form that is not known here."""
    found = data.get("format", FORMAT)
    if found != FORMAT:
        raise RunError(
            f"{source} is of format {found!r}, expected {FORMAT}; it was written by another "
            "version, so open it with that one or make it anew with this."
        )


EMPTY_IS_NONE = ("joint_coherence", "conflict")


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    """The same without parts that a study without judges leaves empty."""
    found = {key: value for key, value in data.items() if key not in EMPTY_IS_NONE or value != {}}
    if isinstance(priors := found.get("fitted_priors"), dict):
        found["fitted_priors"] = {
            name: _without_empty(one) if isinstance(one, dict) else one
            for name, one in priors.items()
        }
    return found


def _plainly(message: str) -> str:
    """From msgspec's words to a field, what was found and what was expected."""
    text, _, place = message.partition(" - at `$")
    field = re.sub(r"\[\.\.\.\]", ".", place.rstrip("`")).strip(".") or "its content"
    text = text.replace("`", "")
    return f"at {field}: {text[:1].lower()}{text[1:]}"
