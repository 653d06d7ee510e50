"""What the verdicts are not of, in one line that folds its details away."""

from html import escape
from pathlib import Path

from mmvae_core.store.results import Report
from ui.shell import loading, messages

OLDER = "Models of an earlier configuration of the worlds: verdicts may change"
QUICK = "Models of a tenth of the training: verdicts may change"
OUTDATED = """What stands here is what these models gave. They were trained as the worlds, or the
length of training, were then; trained anew, another verdict may come out."""


def caveats(reports: dict[Path, Report]) -> None:
    """In one line what the verdicts are not of: whole trainings, or the worlds as they are now."""
    older = {path: loading.older_models(path) for path, one in reports.items() if not one.quick}
    quick = [report.experiment for report in reports.values() if report.quick]
    said = [
        f"<b>{escape(one)}</b>: of <code>--quick</code>, a tenth of the training, to see that it works."
        for one in quick
    ] + [
        f"<b>{escape(reports[path].experiment)}</b>: {count} of {reports[path].models} models, "
        f"trained anew by <code>python -m mmvae_core experiment {escape(reports[path].experiment)}</code>."
        for path, count in older.items()
        if count
    ]
    if not said:
        return
    title = OLDER if any(older.values()) else QUICK
    items = "".join(f"<li>{one}</li>" for one in said)
    messages.fold(title, f'<div class="source">{OUTDATED}<ul>{items}</ul></div>')
