"""How much a figure moves with the seed, and with the weight of the KL. Pure: reports in, rows out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmvae_core.store.records import RunReport, Share
from ui.draw.result_curves import Course
from ui.draw.tables import Cell, Row, nats

JOINT = "joint coherence"


@dataclass(frozen=True)
class Reports:
    """The reports of a model by a setting's values, the least first."""

    title: str
    values: tuple[float, ...]
    reports: tuple[RunReport, ...]


def seed_rows(models: Sequence[Reports], names: Sequence[str]) -> dict[str, list[Row]]:
    """Mean, least and most over seeds, a column a model, by groups of rows.

    The ends take the place of an interval: a model leads where its worst seed is above the best
    seed of every other. Words rank by how many are spelt, by which alone those of a run do.
    """
    return {
        "Log-likelihood of test items, nats (higher is better)": [
            _row("joint, all modalities", models, lambda one: one.log_likelihood.joint.mean, nats)
        ],
        "Draws of the prior that agree": [_row(JOINT, models, coherence(JOINT), _share)],
        "Generated rightly from another modality": [
            _row(name, models, coherence(name), _share, coherence(name, spelt=True))
            for name in pairs(models, names)
        ],
    }


def pairs(models: Sequence[Reports], names: Sequence[str]) -> list[str]:
    """`given → target` of single modalities that have been judged, by all that there are."""
    every = [(given, target) for given in names for target in names if given != target]
    reports = [report for one in models for report in one.reports]
    return [
        f"{given} → {target}"
        for given, target in every
        if any(target in report.coherence.get(given, {}) for report in reports)
    ]


def coherence(name: str, spelt: bool = False) -> Callable[[RunReport], float | None]:
    """What takes a coherence out of a report: the joint one, or that of `given → target`."""

    def pick(report: RunReport) -> float | None:
        given, _, target = name.partition(" → ")
        share: Share | None = (
            report.coherence.get(given, {}).get(target) if target else report.joint_coherence
        )
        return None if share is None else share.spelt if spelt else share.share

    return pick


def trade_courses(models: Sequence[Reports], full: str) -> list[Course]:
    """Rate against distortion of all modalities, in nats, a point for each weight of the KL."""
    return [
        Course(
            one.title,
            tuple(report.rate[full].mean for report in one.reports),
            tuple(report.distortion[full].mean for report in one.reports),
            labels=tuple(f"β {value:g}" for value in one.values),
        )
        for one in models
        if all(full in report.distortion for report in one.reports)
    ]


def coherence_courses(models: Sequence[Reports], name: str) -> list[Course]:
    """A coherence along the weight of the KL."""
    pick = coherence(name)
    pairs = [(one, [pick(report) for report in one.reports]) for one in models]
    return [
        Course(one.title, one.values, tuple(share for share in shares if share is not None))
        for one, shares in pairs
        if None not in shares
    ]


def _row(
    title: str,
    models: Sequence[Reports],
    pick: Callable[[RunReport], float | None],
    write: Callable[[float], str],
    spelt: Callable[[RunReport], float | None] = lambda report: None,
) -> Row:
    return Row(title, [_cell([pick(one) for one in model.reports], write,
                             [spelt(one) for one in model.reports]) for model in models])  # fmt: skip


def _cell(
    values: Sequence[float | None], write: Callable[[float], str], spelt: Sequence[float | None]
) -> Cell | None:
    known = [one for one in values if one is not None]
    if len(known) < len(values):
        return None
    mean, low, high = sum(known) / len(known), min(known), max(known)
    text = f"{write(mean)} <small>{write(low)}&ndash;{write(high)}</small>"
    right = [one for one in spelt if one is not None]
    if right:
        mean, low, high = sum(right) / len(right), min(right), max(right)
        text += f"<small>spelt {_share(mean)}</small>"
    return Cell(mean, text, (low, high))


def _share(value: float) -> str:
    return f"{value:.2f}"
