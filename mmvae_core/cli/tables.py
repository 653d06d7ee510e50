"""Tables and figures as the command line prints them."""

from collections.abc import Sequence
from typing import Any

from mmvae_core.store.records import Mean, RunReport


def report_table(report: RunReport) -> str:
    """What judges say of generations; where a study has none, what is known of each subset."""
    likelihood, joint = report.log_likelihood, report.joint_coherence
    head = f"joint log-likelihood >= {mean_text(likelihood.joint)} nats"
    if joint is None:
        rows = [
            [subset, mean.mean, report.rate[subset].mean, report.probe.get(subset)]
            for subset, mean in likelihood.marginal.items()
        ]
        return f"{head}\n" + table(["given", "log-likelihood", "rate", "probe"], rows)
    rows = [
        [
            subset,
            target,
            f"{value.share:.3f}",
            f"{value.low:.3f}-{value.high:.3f}",
            value.count,
        ]
        for subset, targets in report.coherence.items()
        for target, value in targets.items()
    ]
    return f"{head}, joint coherence {joint.share:.3f}\n" + table(
        ["given", "generated", "right", "95 %", "items"], rows
    )


def mean_text(mean: Mean, digits: int = 1) -> str:
    """A mean with its standard error, where more than one item has one."""
    error = "" if mean.error is None else f" +- {mean.error:.{digits}f}"
    return f"{mean.mean:.{digits}f}{error}"


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns under their names, as wide as their widest cell; numbers to three digits."""
    cells = [list(columns), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
