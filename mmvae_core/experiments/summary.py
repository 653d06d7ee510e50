"""From the figures of many seeds to means with intervals, and to what can be claimed of them.

Intervals are Student's t intervals of the mean over seeds (95 %). A seed draws the world, the
starting weights and the batches, so models of one seed are compared pairwise: a claim's interval
is that of the mean of the seeds' differences. A claim `holds` where the interval is above zero, is
`reversed` where it is below, and is else `open`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

from mmvae_core.experiments.grid import FIXED, LEARNED, OBJECTIVES
from mmvae_core.experiments.runner import Row

LEVEL = 0.95
FIGURE, GIVEN = "log_likelihood", "all"
"""What the claims are about: the joint log-likelihood of test items."""

Seeds = Mapping[int, float]
"""A figure by seed."""


def summarise(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One entry per variant, model and figure: mean, interval, spread and number of seeds."""
    return [
        dict(zip(("variant", "aggregator", "objective", "figure", "given"), key, strict=True))
        | interval(list(seeds.values()))
        for key, seeds in sorted(_by_model(rows).items())
    ]


def claims(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Differences in log-likelihood: masked minus mixture, and learned minus fixed aggregators."""
    found = []
    figures = {
        key[:3]: seeds for key, seeds in _by_model(rows).items() if key[3:] == (FIGURE, GIVEN)
    }
    for variant in sorted({key[0] for key in figures}):
        for claim, better, worse in _pairs(variant, figures):
            found.append(
                {
                    "claim": claim,
                    "variant": variant,
                    "better": "-".join(better[1:]),
                    "worse": "-".join(worse[1:]),
                    **verdict(figures[better], figures[worse]),
                }
            )
    return found


def verdict(better: Seeds, worse: Seeds) -> dict[str, Any]:
    """The paired difference over the seeds that both have, with its interval and a word."""
    both = sorted(better.keys() & worse.keys())
    found = interval([better[seed] - worse[seed] for seed in both])
    low, high = found["low"], found["high"]
    word = "open" if low is None or low <= 0 <= high else "holds" if low > 0 else "reversed"
    return found | {"verdict": word}


def interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean, t interval of the mean, standard deviation, count and the values themselves.

    Interval and deviation are None where one value is all.
    mean -+ t(0.975, n - 1) s / sqrt(n), s the standard deviation with n - 1.
    """
    count = len(values)
    mean = float(np.mean(values)) if count else None
    found = {
        "mean": mean,
        "low": None,
        "high": None,
        "sd": None,
        "seeds": count,
        "singles": [float(f"{value:.6g}") for value in values],
    }
    if mean is None or count < 2:
        return found
    spread = float(np.std(values, ddof=1))
    reach = float(student.ppf((1 + LEVEL) / 2, count - 1)) * spread / count**0.5
    return found | {"low": mean - reach, "high": mean + reach, "sd": spread}


def _pairs(
    variant: str, figures: Iterable[tuple[str, ...]]
) -> Iterable[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """What is compared: (claim, model said to be better, model said to be worse)."""
    known = {key for key in figures if key[0] == variant}
    masked, mixture = OBJECTIVES
    found = [
        (f"{masked} above {mixture}", (variant, name, masked), (variant, name, mixture))
        for name in dict.fromkeys(key[1] for key in sorted(known))
    ]
    found += [
        ("learned above fixed", (variant, learned, objective), (variant, fixed, objective))
        for objective in OBJECTIVES
        for learned in LEARNED
        for fixed in FIXED
    ]
    return [pair for pair in found if pair[1] in known and pair[2] in known]


def _by_model(rows: Sequence[Row]) -> dict[tuple[str, ...], dict[int, float]]:
    found: dict[tuple[str, ...], dict[int, float]] = defaultdict(dict)
    for row in rows:
        cell, figure = row.cell, row.figure
        key = (cell.variant, cell.aggregator, cell.objective, figure.figure, figure.given)
        found[key][cell.seed] = figure.value
    return found
