"""Aggregators that train side by side: the same seed the same course, bounds below log p(x)."""

import threading
from dataclasses import asdict

import numpy as np
import pytest
import torch

from mmvae_core.data.worlds.toy import WORLDS
from mmvae_core.errors import UsageError
from mmvae_core.explore import toy
from mmvae_core.explore.toy_grounds import AGGREGATORS, CLUSTERS, STEPS, Plan
from mmvae_core.explore.toy_training import Race

TICKS = 3
STANDARD_ERRORS = 4


def course(plan: Plan, ticks: int = TICKS) -> Race:
    race = Race(plan)
    for _ in range(ticks):
        race.advance()
    return race


def numbers(race: Race) -> list[dict]:
    return [
        asdict(figure)
        for tick in race.ticks
        for one in tick.bounds.values()
        for figure in one.values()
    ]


@pytest.fixture(scope="module")
def race() -> Race:
    return course(Plan(seed=3))


def test_the_same_seed_gives_the_same_course_and_another_another(race: Race) -> None:
    torch.manual_seed(99)  # what others drew must not matter
    beside = threading.Thread(target=course, args=(Plan(seed=4), 1))
    beside.start()
    assert numbers(course(Plan(seed=3))) == numbers(race)
    beside.join()
    assert numbers(course(Plan(seed=5), 1)) != numbers(race)[: 2 * 2 * len(AGGREGATORS)]


def test_one_trains_alone_as_beside_the_others(race: Race) -> None:
    alone = course(Plan(seed=3, aggregators=("mopoe",)))
    for one, other in zip(alone.ticks, race.ticks, strict=True):
        assert one.bounds["mopoe"] == other.bounds["mopoe"]


def test_each_trains_the_rule_of_its_name() -> None:
    trainers = Race(Plan(seed=3)).trainers
    rules = {name: type(one.model.aggregator).__name__ for name, one in trainers.items()}
    expected = {
        "poe": "ProductOfExperts",
        "moe": "MixtureOfExperts",
        "mopoe": "MixtureOfProducts",
        "sum_pooling": "SumPooling",
        "self_attention": "SelfAttention",
    }
    assert rules == {name: expected[name] for name in AGGREGATORS}


def test_steps_are_counted_and_terms_add_up_to_the_bound(race: Race) -> None:
    assert [tick.step for tick in race.ticks] == [STEPS * index for index in range(TICKS + 1)]
    truth = float(race.ground.log_p.mean())
    for tick in race.ticks:
        for figures in tick.bounds.values():
            assert set(figures["masked"].terms) == {"shown", "rest", "rate", "cross_rate"}
            assert set(figures["mixture"].terms) == {"shown", "rest", "rate"}
            for figure in figures.values():
                assert figure.value == pytest.approx(truth - figure.below, abs=1e-3)


def test_a_bound_is_below_the_exact_log_likelihood_within_its_error(race: Race) -> None:
    for tick in race.ticks:
        for figures in tick.bounds.values():
            for figure in figures.values():
                assert figure.below > -STANDARD_ERRORS * figure.error


def test_training_brings_the_bound_up(race: Race) -> None:
    for name in AGGREGATORS:
        first, last = (race.ticks[at].bounds[name]["masked"].below for at in (0, -1))
        assert last < first


def test_log_p_is_exact_and_the_decoders_stay_the_worlds_own(race: Race) -> None:
    world = WORLDS["two"]
    items = race.ground.items
    for row in range(5):
        item = [items.data[name][row].double().numpy() for name in world.names]
        stats = toy.statistics(world, item)
        wanted = toy.evidence(stats, torch.ones(len(world.names), dtype=torch.bool))
        assert float(race.ground.log_p[row]) == pytest.approx(float(wanted), abs=1e-9)
    for trainer in race.trainers.values():
        for name, loading in zip(world.names, world.loadings, strict=True):
            decoder = trainer.model.modality(name).decoder
            np.testing.assert_allclose(decoder.body.weight.numpy(), loading, atol=1e-7)


def test_gaps_are_those_of_the_drawn_posteriors_to_the_exact_ones(race: Race) -> None:
    world, items = WORLDS["two"], race.ground.items
    stats = toy.statistics(world, [items.data[name][0].double().numpy() for name in world.names])
    exact, gaps = race.exact_posteriors(), race.gaps()
    assert exact is not None
    assert gaps is not None
    shown = toy.posterior(stats, torch.tensor([False, True]))
    torch.testing.assert_close(exact[world.names[1]].loc, shown.loc)
    torch.testing.assert_close(exact[world.names[1]].covariance_matrix, shown.covariance_matrix)
    q = race.ticks[-1].posteriors["moe"][world.names[1]]
    assert gaps["moe"][world.names[1]] == pytest.approx(toy.gap(q, shown), abs=1e-9)
    assert min(value for one in gaps.values() for value in one.values()) > -1e-9
    assert gaps["poe"]["nothing"] == pytest.approx(0, abs=1e-12)


def test_the_clusters_train_too() -> None:
    plan = Plan(world=CLUSTERS, aggregators=("poe", "sum_pooling"))
    race = course(plan, 1)
    assert race.exact_posteriors() is None
    assert race.gaps() is None
    assert race.ground.log_p_error > 0
    for figures in race.ticks[-1].bounds.values():
        for figure in figures.values():
            assert figure.below > -STANDARD_ERRORS * figure.error


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"world": "flat"}, "There is no world 'flat' to train on"),
        ({"aggregators": ("concatenation",)}, "cannot train here"),
        ({"aggregators": ()}, "cannot train here"),
        ({"objective": "marginal"}, "choose masked or mixture"),
    ],
)
def test_what_is_not_there_is_one_sentence(given: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Plan(**given)
