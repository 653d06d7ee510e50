"""What the JSON files of a run and of a study hold: one record a file.

A record says which fields there are, of which type and range; `record_files` reads and writes it.
`format` is the version of a file's form: files without one are of the first, files of a later one
are refused.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FORMAT = 1
# What a type's `description` says, an error expects. NaN is not at least anything, so never a Number.
Number = Annotated[float, Meta(ge=-1e30, le=1e30, description="a finite number")]
Positive = Annotated[float, Meta(ge=0, le=1e30, description="a finite number, 0 or more")]
Part = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]
Count = Annotated[int, Meta(ge=0, le=10**15, description="a whole number, 0 or more")]
Text = Annotated[
    str,
    Meta(
        max_length=1_000,
        pattern=r"^[^\ud800-\udfff]*\Z",  # no half of a character, which nothing can show
        description="a text of at most 1,000 characters",
    ),
]


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what a file holds, and of its parts; what was not measured is left out of the file."""


class Versioned(Record, frozen=True, kw_only=True):
    """A record that is a whole file, of which `format` tells the form."""

    format: int = FORMAT


class Mean(Record, frozen=True, kw_only=True):
    """A mean over items and its standard error, None of one item alone."""

    mean: Number
    error: Positive | None


class RateMean(Mean, frozen=True, kw_only=True):
    """A mean of rates, which are exact or estimates."""

    exact: bool


class Share(Record, frozen=True, kw_only=True):
    """A share of a count with its 95 % Wilson interval; of texts also the share spelt exactly."""

    right: Count
    count: Count
    share: Part
    low: Part
    high: Part
    spelt: Part | None = None


class JointShare(Share, frozen=True, kw_only=True):
    """The share of the prior's draws whose judged modalities agree."""

    modalities: tuple[Text, ...] = ()


class LogLikelihood(Record, frozen=True, kw_only=True):
    """Log-likelihoods in nats: joint, and marginal and conditional by subset."""

    samples: Count
    items: Count
    estimate: Text
    joint: Mean
    marginal: dict[str, Mean]
    conditional: dict[str, Mean]


class WithPrior(Record, frozen=True, kw_only=True):
    """What depends on p(z) alone, measured with a prior that was fitted afterwards."""

    log_likelihood: Mean
    joint_coherence: JointShare | None = None


class Auroc(Record, frozen=True, kw_only=True):
    """The chance that swapped sides score higher than matched ones, with its 95 % interval."""

    value: Part
    low: Part
    high: Part


class Winners(Record, frozen=True, kw_only=True):
    """How often a generated modality is of the first side's class, the second's, of neither's."""

    first: Share
    second: Share
    neither: Share


Five = Annotated[
    tuple[Number, ...], Meta(min_length=5, max_length=5, description="five finite numbers")
]


class Clash(Record, frozen=True, kw_only=True):
    """Two sides in conflict: scores' percentiles (5, 25, 50, 75, 95), and who wins where."""

    auroc: Auroc
    exact: bool
    matched: Five
    swapped: Five
    won: dict[str, Winners]


class Conflicts(Record, frozen=True, kw_only=True):
    """All measured pairs of sides, by `a vs b`."""

    items: Count
    samples: Count
    given: dict[str, Clash]


Hash = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{12,64}\Z", description="12 or more digits of a hash")
]

MaybeHash = Annotated[
    str, Meta(pattern=r"^([0-9a-f]{12,64})?\Z", description="12 or more digits of a hash")
]
"""Empty in files of earlier versions."""


class Measured(Record, frozen=True, kw_only=True):
    """The hashes of the files that a report was measured on, and of the posteriors beside it."""

    weights: Hash
    samples: Hash
    latents: MaybeHash = ""


class RunReport(Versioned, frozen=True, kw_only=True):
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
    observed: dict[str, Count] = {}
    """How many items have all of a subset, where some lack a modality; see `evaluation.report`."""
    conflict: Conflicts | None = None
    measured: Measured | None = None

    def of_prior(self, kind: str) -> "RunReport | WithPrior | None":
        """Where the figures of a prior stand: the trained one's here, a fitted one's apart."""
        return self if kind == "trained" else self.fitted_priors.get(kind)


class Card(Versioned, frozen=True, kw_only=True):
    """`card.json`: how a run was trained, on what, and the hash of its weights."""

    epochs: Count
    best: Count = 0
    """The pass whose weights are kept, where that is not the last; 0: the last one."""
    seed: Count
    device: Text
    hardware: Text
    threads: Count
    seconds: Positive
    parameters: Count
    bytes: Count
    weights: Hash
    finished: Text = ""
    torch: Text = ""
    version: Text = ""
    study: Text = ""
    """The `content` of the study of people's own data on which the run was trained."""


class Progress(Versioned, frozen=True, kw_only=True):
    """`progress.json`: how far a training is, written by it while it runs, gone once it is done."""

    state: Literal["starting", "waiting", "training", "evaluating", "stopped", "failed"]
    process: Count
    """Its number, by which it is asked to stop."""
    epoch: Count = 0
    epochs: Count = 0
    step: Count = 0
    """Batches of the pass under way, of `steps`."""
    steps: Count = 0
    seconds: Positive = 0.0
    """Since this process began to train; `first` is the pass with which it began."""
    first: Count = 0
    said: Text = ""
    """Why it failed, or what to do now that it has stopped: a sentence."""

    @property
    def left(self) -> float | None:
        """Seconds that the rest takes at the pace so far; None before there is one."""
        if not self.steps or (done := self.epoch - self.first + self.step / self.steps) <= 0:
            return None
        return self.seconds / done * (self.epochs - self.epoch - self.step / self.steps)


class Opening(Record, frozen=True, kw_only=True):
    """What a study opens with: a run's folder, an item, and which modalities are shown.

    `masks` are those of pages, by their address, whose question needs another one than `mask`.
    """

    run: Text
    item: Count
    mask: tuple[Text, ...]
    masks: dict[str, tuple[Text, ...]] = {}

    def shown(self, page: str) -> tuple[str, ...]:
        """Which modalities a page opens with."""
        return self.masks.get(page, self.mask)


Names = Annotated[tuple[Text, ...], Meta(max_length=1000)]


class About(Versioned, frozen=True, kw_only=True):
    """`study.json`: what a study is called, its classes, its alphabets by modality, its sources.

    `categories` are the answers' names of modalities that are categories; `notes` the names of
    further annotations' values, none of numbers; `content` is the hash of all items, training ones
    too, of people's own data, `samples` that of samples.npz beside. `opening` is there once `python -m mmvae_core opening` has chosen it.
    """

    title: Text
    classes: Names
    alphabets: dict[str, Text] = {}
    categories: dict[str, Names] = {}
    notes: dict[str, Names] = {}
    sources: tuple[Text, ...] = ()
    content: Text = ""
    samples: MaybeHash = ""
    opening: Opening | None = None

    @property
    def signs(self) -> dict[str, Sequence[str]]:
        """What the symbols, or answers, of modalities are called."""
        return {**self.alphabets, **self.categories}


class JudgeCard(Versioned, frozen=True, kw_only=True):
    """One judge of `judge/card.json`: its pictures' shape, its training, how often it is right."""

    shape: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=1024)], ...],
        Meta(min_length=3, max_length=3, description="three lengths of 1 to 1,024"),
    ]
    weights: Text = ""
    trained_on: Text = ""
    test_accuracy: Part | None = None
    test_count: Count | None = None
    parameters: Count | None = None
    epochs: Count | None = None
    batch: Count | None = None
    learning_rate: Positive | None = None
    seed: Count | None = None
    shift: Count | None = None


class PriorsCard(Versioned, frozen=True, kw_only=True):
    """`priors.json`: priors fitted to a finished run, and the weights that they belong to.

    `priors` is the hash of priors.safetensors beside.
    """

    components: Annotated[int, Meta(ge=1, le=1000)]
    width: Annotated[int, Meta(ge=1, le=1024)]
    layers: Annotated[int, Meta(ge=1, le=16)]
    weights: Text
    priors: MaybeHash = ""
    seed: Count
    items: Count
    held_out_items: Count
    held_out: dict[str, Mean]
