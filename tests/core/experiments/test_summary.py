"""Means, intervals and claims over seeds, against scipy."""

import numpy as np
import pytest
from scipy import stats

from mmvae_core.experiments.grid import Cell
from mmvae_core.experiments.measure import Figure
from mmvae_core.experiments.runner import Row
from mmvae_core.experiments.summary import claims, curves, interval, summarise, verdict, verdicts


@pytest.mark.parametrize("count", [2, 3, 5, 30])
def test_an_interval_is_scipys_t_interval(count: int) -> None:
    values = np.random.default_rng(count).normal(3, 2, count)
    found = interval(list(values))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert found["mean"] == pytest.approx(values.mean(), rel=1e-12)
    assert found["sd"] == pytest.approx(stats.tstd(values), rel=1e-12)
    assert found["seeds"] == count


def test_intervals_hold_the_mean_nineteen_times_in_twenty() -> None:
    draws = np.random.default_rng(0).normal(1, 1, (4_000, 5))
    found = [interval(list(row)) for row in draws]
    held = np.mean([one["low"] <= 1 <= one["high"] for one in found])
    assert held == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 4_000) ** 0.5)


def test_one_value_or_none_has_no_interval() -> None:
    no_spread = {"low": None, "high": None, "sd": None}
    assert interval([2.5]) == {"mean": 2.5, "seeds": 1, "singles": [2.5], **no_spread}
    assert interval([]) == {"mean": None, "seeds": 0, "singles": [], **no_spread}


@pytest.mark.parametrize(
    ("differences", "word"),
    [
        ([1.0, 1.1, 0.9], "holds"),
        ([-1.0, -1.1, -0.9], "reversed"),
        ([1.0, -1.1, 0.2], "open"),
        ([1.0], "open"),
        ([], "open"),
        ([2.0, 2.0], "holds"),
        ([0.0, 0.0], "open"),
    ],
)
def test_a_verdict_is_where_the_interval_of_paired_differences_lies(
    differences: list[float], word: str
) -> None:
    """What the seeds share, here hundreds of nats of their worlds, drops out."""
    worlds = [-100.0 * 3**seed for seed in range(len(differences))]
    better = {
        seed: world + change
        for seed, (world, change) in enumerate(zip(worlds, differences, strict=True))
    }
    found = verdict(better | {77: 1e9}, dict(enumerate(worlds)) | {88: -1e9})
    assert found["verdict"] == word
    assert found["seeds"] == len(differences), "seeds that only one of them has do not count"
    if differences:
        assert found["mean"] == pytest.approx(np.mean(differences))


def rows(
    values: dict[tuple[str, str, str], list[float]],
    figure: str = "log_likelihood",
    given: str = "all",
) -> list[Row]:
    return [
        Row(Cell(*model, seed), Figure(figure, given, value), 1.0, "a")
        for model, seeds in values.items()
        for seed, value in enumerate(seeds)
    ]


WORLD = {
    ("linear", "poe", "masked"): [-10.0, -11.0, -12.0],
    ("linear", "poe", "mixture"): [-13.0, -14.1, -15.0],
    ("linear", "sum_pooling", "masked"): [-11.0, -12.0, -13.1],
    ("missing", "sum_pooling", "masked"): [-5.0, -6.0, -5.0],
    ("missing", "moe", "masked"): [-5.1, -5.9, -5.0],
}


def test_claims_compare_models_of_one_variant_by_their_joint_log_likelihood() -> None:
    noise = rows({key: [1e6] * 3 for key in WORLD}, "log_likelihood", "pairs")
    noise += rows({key: [1e6] * 3 for key in WORLD}, "mcc_weak")
    found = {
        (one["variant"], one["better"], one["worse"]): one for one in claims([*noise, *rows(WORLD)])
    }
    assert set(found) == {
        ("linear", "poe-masked", "poe-mixture"),
        ("linear", "sum_pooling-masked", "poe-masked"),
        ("missing", "sum_pooling-masked", "moe-masked"),
    }
    words = [one["verdict"] for one in found.values()]
    assert sorted(words) == ["holds", "open", "reversed"]
    masked = found["linear", "poe-masked", "poe-mixture"]
    assert masked["claim"] == "masked above mixture"
    expected = stats.ttest_1samp([3.0, 3.1, 3.0], 0).confidence_interval(0.95)
    assert (masked["low"], masked["high"]) == pytest.approx((expected.low, expected.high))
    assert found["linear", "sum_pooling-masked", "poe-masked"]["claim"] == "learned above fixed"
    assert claims(rows(WORLD)[::-1]) == claims(rows(WORLD)), "whatever the order of the rows"


def test_a_summary_has_one_entry_per_model_and_figure() -> None:
    found = summarise([*rows(WORLD), *rows(WORLD, "mcc_weak", "pairs")])
    assert len(found) == 2 * len(WORLD)
    keys = [
        tuple(one[key] for key in ("variant", "aggregator", "objective", "figure", "given"))
        for one in found
    ]
    assert keys == sorted(set(keys))
    entry = found[keys.index(("linear", "poe", "masked", "log_likelihood", "all"))]
    assert (entry["mean"], entry["sd"], entry["seeds"]) == pytest.approx((-11, 1, 3))


def of_world(figures: dict[tuple[str, str], list[float]]) -> dict[str, dict]:
    """The verdicts of one world on its log-likelihoods by model."""
    made = rows({("linear", *model): values for model, values in figures.items()})
    return {one["claim"]: one for one in verdicts(made[::-1])}


MASKED, EMPTY = "masked above mixture", "masked above mixture never empty"
LEARNED = "learned above fixed"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ([0.3, 0.4, 0.35], "holds"),
        ([-0.3, -0.4, -0.35], "does not hold"),
        ([0.3, -0.4, 0.35], "open"),
        ([0.3], "open"),
    ],
)
def test_a_world_has_one_verdict_a_claim_from_the_mean_over_rules(
    changes: list[float], word: str
) -> None:
    """The rules' own differences are +-5 round the change: their spread is none over seeds."""
    worlds = [-100.0 * 3**seed for seed in range(len(changes))]
    pairs = list(zip(worlds, changes, strict=True))
    found = of_world(
        {
            ("poe", "masked"): [world + change + 5 for world, change in pairs],
            ("poe", "mixture"): worlds,
            ("moe", "masked"): [world + change - 5 for world, change in pairs],
            ("moe", "mixture"): worlds,
            ("mopoe", "mixture"): [0.0] * len(changes),  # has no partner
        }
    )
    assert found[MASKED]["verdict"] == word
    assert found[MASKED]["mean"] == pytest.approx(np.mean(changes))
    assert found[MASKED]["against"] == "mean over 2 rules"
    assert EMPTY not in found
    assert LEARNED not in found


def test_learned_rules_are_held_against_the_best_fixed_one_under_the_masked_objective() -> None:
    found = of_world(
        {
            ("poe", "masked"): [-10.0, -20.0, -30.0],
            ("moe", "masked"): [-11.0, -19.5, -31.0],
            ("mopoe", "mixture"): [0.0, 0.0, 0.0],
            ("sum_pooling", "masked"): [-9.0, -19.0, -29.0],
            ("self_attention", "masked"): [-10.0, -20.2, -30.0],
            ("sum_pooling_mixture", "masked"): [50.0, 50.0, 50.0],
            ("self_attention", "mixture"): [50.0, 50.0, 50.0],
        }
    )
    assert found[LEARNED]["against"] == "poe"
    expected = stats.ttest_1samp([0.5, 0.4, 0.5], 0).confidence_interval(0.95)
    assert (found[LEARNED]["low"], found[LEARNED]["high"]) == pytest.approx(
        (expected.low, expected.high)
    )
    assert found[LEARNED]["verdict"] == "holds"


def test_a_seed_that_one_rule_lacks_counts_for_none() -> None:
    found = of_world(
        {
            ("poe", "masked"): [1.0, 1.0, 1.0, 1.0],
            ("poe", "mixture_not_empty"): [0.0, 0.0, 0.0],
            ("moe", "masked"): [1.5, 1.5],
            ("moe", "mixture_not_empty"): [0.0, 0.0, 0.0, 0.0],
        }
    )
    assert found[EMPTY]["seeds"] == 2
    assert found[EMPTY]["singles"] == [1.25, 1.25]


def test_a_truth_is_no_model_and_stands_in_every_world_of_its_items() -> None:
    truth = rows({("bimodal", "truth", "truth"): [0.0, 0.0]})
    made = truth + rows({("bimodal_normal", "poe", "masked"): [-1.0, -1.5]})
    keys = {(one["variant"], one["aggregator"], one["mean"]) for one in summarise(made)}
    assert keys == {
        ("bimodal", "truth", 0.0),
        ("bimodal_normal", "truth", 0.0),
        ("bimodal_normal", "poe", -1.25),
    }
    assert verdicts(made) == claims(made) == []


def test_curves_are_means_over_seeds_and_no_part_of_the_summary() -> None:
    points = {1: [-9.0, -11.0], 8: [-4.0, -4.0], 9: [-3.0, -3.5], 10: [-3.0, -3.25]}
    made = [
        Row(
            Cell("linear", "poe", "masked", seed), Figure("held_out_bound", str(one), value), 1, "a"
        )
        for one, values in points.items()
        for seed, value in enumerate(values)
    ]
    assert summarise(made) == []
    (found,) = curves(made)
    assert found["passes"] == [1, 8, 9, 10]
    assert found["bounds"] == [-10.0, -4.0, -3.25, -3.125]
    assert found["late_gain"] == pytest.approx(0.125)
