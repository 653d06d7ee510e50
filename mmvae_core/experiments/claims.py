"""The paper's two claims: each in one sentence, and what would refute it, written before the runs.

A verdict is about one world. It rests on one number a seed, a difference in the joint
log-likelihood of test items in nats; its interval is Student's t over seeds (95 %), not over items.
The claim `holds` where the interval lies above zero, `does not hold` where it lies below, and is
else `open`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mmvae_core.experiments.grid import EMPTY, FIXED, LEARNED, NOT_EMPTY

MASKED = "masked"
Seeds = Mapping[int, float]
Figures = Mapping[tuple[str, str], Seeds]
"""The log-likelihoods of one world by (aggregator, objective), then by seed."""


@dataclass(frozen=True)
class Claim:
    """A claim, what would refute it, and the number that decides, by seed."""

    name: str
    sentence: str
    refuted: str
    differences: Callable[[Figures], tuple[str, dict[int, float]]]
    """Of a world's figures: what was subtracted, in words, and the difference of each seed."""


def above(opponent: str) -> Callable[[Figures], tuple[str, dict[int, float]]]:
    """Masked minus another objective, each rule with itself, then the mean over rules."""

    def differences(figures: Figures) -> tuple[str, dict[int, float]]:
        rules = [
            name
            for name, objective in figures
            if objective == MASKED and (name, opponent) in figures
        ]
        apart = [_minus(figures[name, MASKED], figures[name, opponent]) for name in rules]
        return f"mean over {len(rules)} rules", _mean(apart)

    return differences


def learned_above_fixed(figures: Figures) -> tuple[str, dict[int, float]]:
    """The mean of the learned rules minus the fixed rule that is best in that world.

    All masked. That the best is chosen by the same figures speaks against the claim, if at all.
    """
    fixed = {name: figures[name, MASKED] for name in FIXED if (name, MASKED) in figures}
    learned = [figures[name, MASKED] for name in LEARNED if (name, MASKED) in figures]
    fixed = {name: seeds for name, seeds in fixed.items() if seeds}
    if not fixed or not learned:
        return "", {}
    best = max(fixed, key=lambda name: sum(fixed[name].values()) / len(fixed[name]))
    return best, _minus(_mean(learned), fixed[best])


CLAIMS = (
    Claim(
        "masked above mixture",
        "A model trained with the masked objective reaches a higher log-likelihood than the same "
        "model trained with the mixture objective as the paper's code draws it, which shows "
        "nothing in one of 2^M draws and then scores all data from the prior.",
        "The mean over rules of masked minus mixture lies below zero.",
        above(EMPTY),
    ),
    Claim(
        "masked above mixture never empty",
        "The same against the mixture objective that shows everything instead of nothing, as "
        "MMVAE and MoPoE do it.",
        "The mean over rules of masked minus that mixture lies below zero.",
        above(NOT_EMPTY),
    ),
    Claim(
        "learned above fixed",
        "Under the masked objective and with posteriors of the same family, learned aggregators "
        "reach a higher log-likelihood than fixed ones.",
        "The mean of sum pooling and self attention minus the best fixed rule of that world lies "
        "below zero.",
        learned_above_fixed,
    ),
)


def _minus(one: Seeds, other: Seeds) -> dict[int, float]:
    return {seed: one[seed] - other[seed] for seed in sorted(one.keys() & other.keys())}


def _mean(parts: Sequence[Seeds]) -> dict[int, float]:
    """The mean of what all parts have; a seed that one lacks, as it diverged, has none."""
    if not parts:
        return {}
    seeds = set.intersection(*(set(part) for part in parts))
    return {seed: sum(part[seed] for part in parts) / len(parts) for seed in sorted(seeds)}
