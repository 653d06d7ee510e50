"""What runs' reports say, as the rows of one table. Pure: reports in, rows out."""

from collections.abc import Callable, Mapping, Sequence

from mmvae_core.intervals import Z, wilson
from mmvae_core.store.records import Mean, RunReport, Share
from ui.draw.tables import NOT_MEASURED, Cell, Row, nats, share_text

Reports = Sequence[RunReport | None]
"""One a run; None of a run that was not measured."""


def comparison_rows(reports: Reports, names: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of a comparison by their group, read off the runs' reports."""
    return {
        "Log-likelihood of test items, nats (higher is better)": [
            _row(reports, "joint, all modalities", lambda one: mean_cell(one.log_likelihood.joint)),
            *_means(
                reports,
                lambda one: one.log_likelihood.marginal,
                "marginal, {}",
                skipped="+".join(names),
            ),
        ],
        "Joint coherence: draws of the prior that agree": [
            _row(reports, "all modalities one class", lambda one: share_cell(one.joint_coherence))
        ],
        "Conditional coherence: generated rightly": _coherence(reports, names),
        "Probe: classes read off z by a linear classifier": [
            _row(reports, key, lambda one, key=key: _probe(one.probe.get(key)))
            for key in _keys(reports, lambda one: one.probe)
        ],
        "Rate: nats that z carries about what is shown (neither good nor bad)": _means(
            reports, lambda one: one.rate, higher=None
        ),
        "Distortion: -log p(shown | z) in nats (lower is better)": _means(
            reports, _distortion, higher=False
        ),
    }


def mean_cell(estimate: Mean | None) -> Cell | None:
    """A mean with its 95 % interval, where it has one."""
    if estimate is None:
        return None
    mean, error = estimate.mean, estimate.error
    if error is None:
        return Cell(mean, nats(mean))
    text = f"{nats(mean)} <small>± {Z * error:.1f}</small>"
    return Cell(mean, text, (mean - Z * error, mean + Z * error))


def mean_text(mean: Mean | None) -> str:
    """A mean as a cell's HTML."""
    cell = mean_cell(mean)
    return cell.text if cell else NOT_MEASURED


def share_cell(share: Share | None) -> Cell | None:
    """A share with its interval; of texts also how many are spelt, by which alone they rank."""
    if share is None:
        return None
    if share.spelt is None:
        return Cell(share.share, share_text(share), (share.low, share.high))
    interval = wilson(share.spelt * share.count, share.count)
    return Cell(share.spelt, share_text(share), interval)


def _probe(accuracy: float | None) -> Cell | None:
    return None if accuracy is None else Cell(accuracy, f"{accuracy:.2f}")


def _coherence(reports: Reports, names: Sequence[str]) -> list[Row]:
    """Each judged modality from each subset that it is not in."""
    measured = [one.coherence for one in reports if one is not None]
    return [
        _row(
            reports,
            f"{key} → {target}",
            lambda one, key=key, target=target: share_cell(one.coherence.get(key, {}).get(target)),
        )
        for key in _keys(reports, lambda one: one.coherence)
        for target in names
        if target not in key.split("+") and any(target in one.get(key, {}) for one in measured)
    ]


def _means(
    reports: Reports,
    pick: Callable[[RunReport], Mapping[str, Mean]],
    title: str = "{}",
    higher: bool | None = True,
    skipped: str = "",
) -> list[Row]:
    """Means by subset, one row each."""
    return [
        _row(reports, title.format(key), lambda one, key=key: mean_cell(pick(one).get(key)), higher)
        for key in _keys(reports, pick)
        if key != skipped
    ]


def _distortion(report: RunReport) -> dict[str, Mean]:
    """By subset; of nothing shown it is 0 and says nothing."""
    return {key: one for key, one in report.distortion.items() if one.mean}


def _keys(reports: Reports, pick: Callable[[RunReport], Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(key for one in reports if one is not None for key in pick(one)))


def _row(
    reports: Reports,
    name: str,
    pick: Callable[[RunReport], Cell | None],
    higher: bool | None = True,
) -> Row:
    return Row(name, [None if one is None else pick(one) for one in reports], higher)
