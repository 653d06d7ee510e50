"""Print the README's tables of the shipped runs from their cards and reports."""

from collections.abc import Callable, Sequence

from mmvae_core.store.records import RunReport, Share
from mmvae_core.store.run import FITTED, Run
from mmvae_core.store.spread import Series, find_series, kept_runs
from mmvae_core.store.study import SHIPPED, studies

PAIRS = (
    ("all -> handwriting", "handwriting+photo+word", "handwriting"),
    ("all -> photo", "handwriting+photo+word", "photo"),
    ("all -> word", "handwriting+photo+word", "word"),
    ("word -> handwriting", "word", "handwriting"),
    ("word -> photo", "word", "photo"),
    ("handwriting -> word", "handwriting", "word"),
    ("handwriting -> photo", "handwriting", "photo"),
    ("photo -> word", "photo", "word"),
    ("photo -> handwriting", "photo", "handwriting"),
)


def table(runs: list[Run]) -> str:
    """One column a run; shares in per cent, the word also as spelt exactly."""
    rows = [["", *(_title(run) for run in runs)]]
    rows.append(["joint log-likelihood, nats", *(_likelihood(run) for run in runs)])
    for title, given, target in PAIRS:
        rows.append([title, *(_share(run, given, target) for run in runs)])
    rows.append(
        [
            "joint coherence",
            *(_percent(run.report.joint_coherence) for run in runs),
        ]
    )
    for prior in FITTED:
        rows.append(
            [f"the same, {prior} fitted afterwards", *(_with_prior(run, prior) for run in runs)]
        )
    rows.append(["passes", *(str(run.card.epochs) for run in runs)])
    rows.append(["parameters", *(f"{run.card.parameters / 1e6:.2f} M" for run in runs)])
    rows.append(["minutes of training", *(f"{run.card.seconds / 60:.0f}" for run in runs)])
    return _lines(rows)


def spread_table(models: Sequence[Series]) -> str:
    """One column a model: the mean over seeds, and in brackets the least and the most."""
    rows = [
        ["", *(_title(one.shipped) for one in models)],
        _over("joint log-likelihood, nats", models, lambda one: one.log_likelihood.joint.mean, 0),
    ]
    for title, given, target in PAIRS:
        rows.append(_over(title, models, lambda one, to=(given, target): _right(one, *to)))
    rows.append(_over("joint coherence", models, _agreeing))
    rows.append(["seeds", *(", ".join(f"{seed:g}" for seed in one.values) for one in models)])
    return _lines(rows)


def _lines(rows: list[list[str]]) -> str:
    rows.insert(1, ["---"] + ["---:"] * (len(rows[0]) - 1))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _title(run: Run) -> str:
    return run.folder.name.replace("_", " ").replace("-", ", ")


def _over(
    title: str, models: Sequence[Series], pick: Callable[[RunReport], float], decimals: int = 1
) -> list[str]:
    """A figure's mean, least and most over the runs of each series."""
    cells = []
    for one in models:
        values = [pick(run.report) for run in one.runs]
        known = (sum(values) / len(values), min(values), max(values))
        cells.append("{} ({} to {})".format(*(f"{value:,.{decimals}f}" for value in known)))
    return [title, *cells]


def _right(report: RunReport, given: str, target: str) -> float:
    return 100 * report.coherence[given][target].share


def _agreeing(report: RunReport) -> float:
    return 100 * report.joint_coherence.share if report.joint_coherence else float("nan")


def _with_prior(run: Run, prior: str) -> str:
    found = run.report.fitted_priors.get(prior)
    return "" if found is None else _percent(found.joint_coherence)


def _percent(found: Share | None) -> str:
    return "" if found is None else f"{100 * found.share:.1f}"


def _likelihood(run: Run) -> str:
    joint = run.report.log_likelihood.joint
    return f"{joint.mean:,.0f} ± {1.96 * (joint.error or 0):.0f}"


def _share(run: Run, given: str, target: str) -> str:
    found = run.report.coherence[given][target]
    spelt = "" if found.spelt is None else f" ({100 * found.spelt:.0f})"
    return _percent(found) + spelt


if __name__ == "__main__":
    for study in studies(SHIPPED):
        if study.judge_cards:
            print(table(study.runs()))
            if found := find_series(study.runs(), kept_runs(study), "training.seed"):
                print(f"\n{spread_table(found)}")
