"""Print the README's table of the shipped runs from their cards and reports."""

from mmvae_core.store.records import Share
from mmvae_core.store.run import FITTED, Run
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
    rows = [["", *(run.folder.name.replace("_", " ").replace("-", ", ") for run in runs)]]
    rows.append(["form", *(form(run) for run in runs)])
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
    rows.insert(1, ["---"] + ["---:"] * len(runs))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def form(run: Run) -> str:
    """By the recipe of `configs/digits/base.toml`, or as the study first had it."""
    return "recipe" if run.config.start == "fan_in" else "first"


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
