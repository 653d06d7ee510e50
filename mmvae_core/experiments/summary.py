"""From the figures of many seeds to means with intervals, and to what can be claimed of them.

One verdict a world on each of the paper's claims (see `experiments.claims`), and behind it the
differences of all pairs of models. Intervals are Student's t intervals of the mean over seeds (95 %). A seed draws the world, the
starting weights and the batches, so models of one seed are compared pairwise: the interval is that
of the mean of the seeds' differences. A difference `holds` where the interval is above zero, is
`reversed` where it is below, and is else `open`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import t as student

from mmvae_core.experiments.claims import CLAIMS, MASKED, Figures
from mmvae_core.experiments.grid import (
    FIXED,
    LEARNED,
    NOT_EMPTY,
    OBJECTIVES,
    SAME_ITEMS,
    TRUTH,
)
from mmvae_core.experiments.measure import CURVE
from mmvae_core.experiments.runner import Row

LEVEL = 0.95
FIGURE, GIVEN = "log_likelihood", "all"
"""What the claims are about: the joint log-likelihood of test items."""

Seeds = Mapping[int, float]
"""A figure by seed."""


def with_truths(rows: Sequence[Row]) -> list[Row]:
    """The rows, and a truth's again for each world that has the same items."""
    return [
        *rows,
        *(
            replace(row, cell=replace(row.cell, variant=variant))
            for variant, other in SAME_ITEMS.items()
            for row in rows
            if row.cell.aggregator == TRUTH and row.cell.variant == other
        ),
    ]


def summarise(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One entry per variant, model and figure: mean, interval, spread and number of seeds.

    Without the curves, see `curves`; a truth stands in every world that has its items.
    """
    return [
        dict(zip(("variant", "aggregator", "objective", "figure", "given"), key, strict=True))
        | interval(list(seeds.values()))
        for key, seeds in sorted(_by_model(with_truths(rows)).items())
        if key[3] != CURVE
    ]


def curves(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The held-out bound along the training, one entry per model: the mean over seeds by pass.

    `late_gain` is what the mean rose by in the last tenth of the passes.
    """
    points_by_model: dict[tuple[str, ...], dict[int, float]] = defaultdict(dict)
    for key, seeds in _by_model(rows).items():
        if key[3] == CURVE:
            points_by_model[key[:3]][int(key[4])] = float(np.mean(list(seeds.values())))
    courses = []
    for key, points in sorted(points_by_model.items()):
        passes = sorted(points)
        before = max((one for one in passes if one <= 0.9 * passes[-1]), default=passes[0])
        courses.append(
            dict(zip(("variant", "aggregator", "objective"), key, strict=True))
            | {
                "passes": passes,
                "bounds": [float(f"{points[one]:.6g}") for one in passes],
                "late_gain": points[passes[-1]] - points[before],
            }
        )
    return courses


def verdicts(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One per world and claim: what was subtracted, the mean difference, its interval, a word."""
    entries = []
    for variant, figures in _likelihoods(rows).items():
        for claim in CLAIMS:
            against, apart = claim.differences(figures)
            if apart:
                own = interval(list(apart.values()))
                entries.append(
                    {"claim": claim.name, "variant": variant, "against": against}
                    | own
                    | {"verdict": _word(own["low"], own["high"], "does not hold")}
                )
    return entries


def claims(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Differences in log-likelihood: masked minus mixture, and learned minus fixed aggregators."""
    entries = []
    figures: dict[tuple[str, ...], Seeds] = {
        (variant, *model): seeds
        for variant, models in _likelihoods(rows).items()
        for model, seeds in models.items()
    }
    for variant in sorted({key[0] for key in figures}):
        for claim, better, worse in _pairs(variant, figures):
            entries.append(
                {
                    "claim": claim,
                    "variant": variant,
                    "better": "-".join(better[1:]),
                    "worse": "-".join(worse[1:]),
                    **verdict(figures[better], figures[worse]),
                }
            )
    return entries


def verdict(better: Seeds, worse: Seeds) -> dict[str, Any]:
    """The paired difference over the seeds that both have, with its interval and a word."""
    both = sorted(better.keys() & worse.keys())
    difference = interval([better[seed] - worse[seed] for seed in both])
    return difference | {"verdict": _word(difference["low"], difference["high"], "reversed")}


def _word(low: float | None, high: float | None, against: str) -> str:
    """Where an interval lies; one seed alone leaves all open."""
    if low is None or high is None or low <= 0 <= high:
        return "open"
    return "holds" if low > 0 else against


def interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean, t interval of the mean, standard deviation, count and the values themselves.

    Interval and deviation are None where one value is all.
    mean -+ t(0.975, n - 1) s / sqrt(n), s the standard deviation with n - 1.
    """
    count = len(values)
    mean = float(np.mean(values)) if count else None
    summary = {
        "mean": mean,
        "low": None,
        "high": None,
        "sd": None,
        "seeds": count,
        "singles": [float(f"{value:.6g}") for value in values],
    }
    if mean is None or count < 2:
        return summary
    spread = float(np.std(values, ddof=1))
    reach = float(student.ppf((1 + LEVEL) / 2, count - 1)) * spread / count**0.5
    return summary | {"low": mean - reach, "high": mean + reach, "sd": spread}


def _pairs(
    variant: str, figures: Iterable[tuple[str, ...]]
) -> Iterable[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """What is compared: (claim, model said to be better, model said to be worse)."""
    known = {key for key in figures if key[0] == variant}
    pairs = [
        (f"{MASKED} above {_said(other)}", (variant, name, MASKED), (variant, name, other))
        for other in OBJECTIVES
        if other != MASKED
        for name in dict.fromkeys(key[1] for key in sorted(known))
    ]
    pairs += [
        ("learned above fixed", (variant, learned, objective), (variant, fixed, objective))
        for objective in OBJECTIVES
        for learned in LEARNED
        for fixed in FIXED
    ]
    return [pair for pair in pairs if pair[1] in known and pair[2] in known]


def _said(objective: str) -> str:
    return "mixture never empty" if objective == NOT_EMPTY else objective


def _likelihoods(rows: Sequence[Row]) -> dict[str, Figures]:
    """The joint log-likelihoods of trained models by world, model and seed."""
    by_world: dict[str, dict[tuple[str, str], Seeds]] = defaultdict(dict)
    for (variant, aggregator, objective, *rest), seeds in sorted(_by_model(rows).items()):
        if rest == [FIGURE, GIVEN] and aggregator != TRUTH:
            by_world[variant][aggregator, objective] = seeds
    return dict(by_world)


def _by_model(rows: Sequence[Row]) -> dict[tuple[str, ...], dict[int, float]]:
    by_model: dict[tuple[str, ...], dict[int, float]] = defaultdict(dict)
    for row in rows:
        cell, figure = row.cell, row.figure
        key = (cell.variant, cell.aggregator, cell.objective, figure.figure, figure.given)
        by_model[key][cell.seed] = figure.value
    return by_model
