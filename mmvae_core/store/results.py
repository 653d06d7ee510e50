"""What was measured, read back: a run's headline figures and the reports of experiments.

An experiment leaves `<name>.json` (see `experiments.report`) and `<name>.csv`, the table that it
was made of; the shipped ones lie in `checkpoints/results`.
"""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from mmvae_core.store.record_files import read_record
from mmvae_core.store.records import Number, Record, Text
from mmvae_core.store.run import Run

FOLDER = "results"
MAX_TABLE_BYTES = 20_000_000


class Interval(Record, frozen=True, kw_only=True):
    """A mean over seeds with its interval of confidence; no interval where there is one seed.

    `singles` are the seeds' own values; reports of an earlier version lack them.
    """

    mean: Number
    low: Number | None
    high: Number | None
    seeds: int
    singles: tuple[Number, ...] = ()


class Claim(Interval, frozen=True, kw_only=True):
    """A paired difference `better` minus `worse` in nats per item, and whether it is as claimed."""

    claim: Text
    variant: Text
    better: Text
    worse: Text
    verdict: Literal["holds", "open", "reversed"]


class Verdict(Interval, frozen=True, kw_only=True):
    """What became of a claim in one world; `against` says what was subtracted.

    The claims themselves stand in `experiments.claims`.
    """

    claim: Text
    variant: Text
    against: Text
    verdict: Literal["holds", "open", "does not hold"]


class Curve(Record, frozen=True, kw_only=True):
    """A model's bound on held-out items along the training, the mean over seeds by pass."""

    variant: Text
    aggregator: Text
    objective: Text
    passes: Annotated[tuple[int, ...], Meta(min_length=1, max_length=1000)]
    bounds: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=1000)]
    late_gain: Number

    def __post_init__(self) -> None:
        """Check that there is a bound for each pass."""
        if len(self.passes) != len(self.bounds):
            raise ValueError("a curve needs a bound for each pass")


class Summary(Interval, frozen=True, kw_only=True):
    """A figure of one model; `given` is `all`, or a mean over `pairs` or `singles`."""

    variant: Text
    aggregator: Text
    objective: Text
    figure: Text
    given: Text


class KlBudget(Record, frozen=True, kw_only=True):
    """Over how many items, and draws where there is no formula, a KL is a mean."""

    items: int
    samples: int


class Report(Record, frozen=True, kw_only=True):
    """The report of an experiment, of which `variants` are the worlds."""

    experiment: Text
    variants: tuple[Text, ...]
    quick: bool
    models: int
    seeds: tuple[int, ...]
    diverged: tuple[Text, ...]
    level: Annotated[float, Meta(gt=0, lt=1)]
    likelihood_samples: int
    kl: KlBudget
    seconds: Number
    hardware: Text
    threads: int
    finished: Text
    claims: tuple[Claim, ...]
    summary: tuple[Summary, ...]
    verdicts: tuple[Verdict, ...] = ()
    curves: tuple[Curve, ...] = ()

    def measured(self) -> list[str]:
        """The worlds that have figures."""
        worlds = {one.variant for one in self.summary}
        return [name for name in self.variants if name in worlds]

    def claims_of(self, variant: str) -> list[Claim]:
        """The comparisons in one world."""
        return [one for one in self.claims if one.variant == variant]

    def verdicts_of(self, variant: str) -> list[Verdict]:
        """What became of the claims in one world."""
        return [one for one in self.verdicts if one.variant == variant]

    def curves_of(self, variant: str) -> list[Curve]:
        """The bounds along the training in one world."""
        return [one for one in self.curves if one.variant == variant]

    def summary_of(self, variant: str) -> list[Summary]:
        """The figures of one world."""
        return [one for one in self.summary if one.variant == variant]


def report_files(root: Path) -> list[Path]:
    """The reports below a folder of studies."""
    files = sorted((root / FOLDER).glob("*.json"))
    return [path for path in files if not path.name.startswith(".")]


def read_report(path: Path) -> Report:
    """An experiment's report; RunError in one sentence if it is damaged or of another kind."""
    return read_record(path, Report, "make it anew with `python -m mmvae_core experiment`")


def read_table(report: Path) -> bytes | None:
    """The table beside a report, as it is; None if it is missing or too large to hand on."""
    table = report.with_suffix(".csv")
    is_small = table.is_file() and table.stat().st_size <= MAX_TABLE_BYTES
    return table.read_bytes() if is_small else None


def headline(run: Run) -> dict[str, float]:
    """The few figures of a run's report that a list of runs shows; none where there is none.

    Coherence is among them where the study has judges.
    """
    if not run.is_measured:
        return {}
    report, names = run.report, run.config.names
    full, joint = report.coherence.get("+".join(names), {}), report.joint_coherence
    return {
        "joint_log_likelihood": report.log_likelihood.joint.mean,
        **({"joint_coherence": joint.share} if joint else {}),
        **{f"all_to_{name}": full[name].share for name in names if name in full},
    }
