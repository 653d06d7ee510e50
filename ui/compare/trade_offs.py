"""Two measured figures that pull against each other, off the runs' reports. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from mmvae_core.store.records import Mean, RunReport, Share
from ui.draw.compare_plots import RunPoint, Span, letter
from ui.draw.tables import Z


@dataclass(frozen=True)
class TradeOff:
    """Two figures of a report that pull against each other."""

    x: str
    y: str
    pick: Callable[[RunReport, str], tuple[Span, Span] | None]
    """Takes both spans out of a report, given the name of the full subset."""
    needs: str
    """Why a run may lack them."""
    source: Callable[[RunReport], str]
    """Where they come from, as a report tells."""


def trade_offs() -> tuple[TradeOff, TradeOff]:
    """Likelihood against coherence, and rate against distortion."""
    return (
        TradeOff(
            "joint log-likelihood, nats (more is better →)",
            "joint coherence (more is better →)",
            lambda one, full: _both(_mean(one.log_likelihood.joint), _share(one.joint_coherence)),
            "coherence needs judges, and the runs must have been evaluated",
            _likelihood_source,
        ),
        TradeOff(
            "rate of all modalities, nats",
            "distortion, nats (← less is better)",
            lambda one, full: _both(_mean(one.rate.get(full)), _mean(one.distortion.get(full))),
            "the runs must have been evaluated by this version",
            lambda one: (
                f"rate KL(q(z | all) ‖ p(z)); distortion -E log p(all | z), unweighted, "
                f"{one.distortion_samples} draws; {one.items} items, seed {one.seed}"
            ),
        ),
    )


def run_points(
    kind: TradeOff, reports: Mapping[str, RunReport | None], full: str, chosen: Sequence[str]
) -> list[RunPoint]:
    """The runs that have both figures, whether chosen or not."""
    points = []
    for name, report in reports.items():
        spans = None if report is None else kind.pick(report, full)
        if spans is not None:
            mark = letter(chosen.index(name)) if name in chosen else ""
            points.append(RunPoint(name, *spans, mark))
    return points


def _likelihood_source(report: RunReport) -> str:
    told, joint = report.log_likelihood, report.joint_coherence
    draws = "?" if joint is None else joint.count
    return (
        f"{escape(told.estimate)}, {told.samples} draws for each of {told.items} items; {draws} draws of "
        f"the prior, seed {report.seed}"
    )


def _both(x: Span | None, y: Span | None) -> tuple[Span, Span] | None:
    return None if x is None or y is None else (x, y)


def _mean(mean: Mean | None) -> Span | None:
    if mean is None:
        return None
    reach = Z * (mean.error or 0.0)
    return mean.mean, mean.mean - reach, mean.mean + reach


def _share(share: Share | None) -> Span | None:
    return None if share is None else (share.share, share.low, share.high)
