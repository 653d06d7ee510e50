"""Conflict: closed forms of the score, its AUROC against scikit-learn and a bootstrap, rivals."""

import numpy as np
import pytest
import torch
from msgspec.structs import asdict
from sklearn.metrics import roc_auc_score
from torch.distributions import Normal, kl_divergence

from mmvae_core.batch import Batch
from mmvae_core.build import build_model
from mmvae_core.evaluation.conflict import auroc, conflict, joined, rivals, score, side_names, sides
from mmvae_core.probability.posteriors import Diagonal
from tests import family

HALVES = torch.tensor([True, False, False]), torch.tensor([False, True, True])


@pytest.mark.parametrize(("modalities", "count"), [(2, 1), (3, 6), (4, 13), (5, 25)])
def test_sides_are_each_pair_and_each_split_once(modalities: int, count: int) -> None:
    found = sides(modalities)
    unordered = {frozenset((tuple(one.tolist()), tuple(two.tolist()))) for one, two in found}
    assert len(found) == len(unordered) == count
    for one, two in found:
        assert one.any() and two.any() and not (one & two).any()
        assert (one | two).all() or int(one.sum()) == int(two.sum()) == 1
    names = tuple("abcde"[:modalities])
    assert side_names(*found[0], names) == "a vs b"


def test_rivals_are_of_another_class_each_equally_often() -> None:
    labels = torch.tensor([0, 1, 0, 2, 1, 0])
    counts, rounds = np.zeros((6, 6)), 4_000
    for seed in range(rounds):
        counts[np.arange(6), rivals(labels, seed).numpy()] += 1
    allowed = (labels[:, None] != labels).numpy()
    assert (counts[~allowed] == 0).all()
    expected = allowed / allowed.sum(1, keepdims=True)
    error = (expected * (1 - expected) / rounds) ** 0.5
    assert (abs(counts / rounds - expected) <= 4.5 * error).all()
    assert torch.equal(rivals(labels, 7), rivals(labels, 7))


def test_of_one_class_the_rival_is_any_other_item() -> None:
    found = torch.stack([rivals(torch.zeros(5).long(), seed) for seed in range(200)])
    assert (found != torch.arange(5)).all()
    assert all(len(found[:, item].unique()) == 4 for item in range(5))


def test_auroc_is_that_of_scikit_learn_with_ties() -> None:
    random = np.random.default_rng(0)
    matched, swapped = random.integers(0, 9, 80), random.integers(3, 12, 80)
    truth = np.repeat([0, 1], 80)
    expected = roc_auc_score(truth, np.concatenate([matched, swapped]))
    found = auroc(matched.astype(float), swapped.astype(float))
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert auroc(swapped.astype(float), matched.astype(float)).value == pytest.approx(
        1 - expected, abs=1e-12
    )


@pytest.mark.parametrize("together", [0.0, 0.9])
def test_the_interval_is_that_of_a_bootstrap_over_items(together: float) -> None:
    random = np.random.default_rng(1)
    common = random.standard_normal(400)
    matched, swapped = (
        together * common + (1 - together**2) ** 0.5 * random.standard_normal(400) + shift
        for shift in (0.0, 0.8)
    )
    found, drawn = auroc(matched, swapped), []
    for _ in range(1_000):
        rows = random.integers(0, 400, 400)
        drawn.append(auroc(matched[rows], swapped[rows]).value)
    half = (found.high - found.low) / 2
    assert half == pytest.approx(1.96 * np.std(drawn), rel=0.1)


def test_a_perfect_score_still_has_an_interval() -> None:
    found = auroc(np.arange(50.0), np.arange(50.0) + 100)
    assert (found.value, found.high) == (1, 1)
    assert 0.9 < found.low < 0.95
    assert auroc(np.zeros(9), np.zeros(9)).value == 0.5


def test_the_score_of_normals_is_two_closed_forms() -> None:
    features = torch.randn(6, 3, family.FEATURES, dtype=torch.float64)
    model = build_model(family.run(name="sum_pooling")).double()
    family.spread(model)
    mine, yours = (features, HALVES[0].expand(6, 3)), (features.flip(0), HALVES[1].expand(6, 3))
    found = score(model, mine, yours, 2, 0)
    assert found.exact
    q, one, two = (model.posterior(*side) for side in (joined(mine, yours), mine, yours))
    normals = [Normal(side.mean, side.stddev) for side in (q, one, two)]
    expected = sum(kl_divergence(normals[0], side).sum(-1) for side in normals[1:])
    torch.testing.assert_close(found.value, expected, rtol=1e-10, atol=1e-10)
    mirrored = score(model, yours, mine, 2, 0)
    torch.testing.assert_close(mirrored.value, found.value, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("settings", family.EVERY.values(), ids=family.EVERY)
def test_every_member_has_a_score_of_its_shared_latents(settings: dict) -> None:
    model = build_model(family.run(**settings))
    family.spread(model)
    features = torch.randn(4, 3, family.FEATURES, generator=torch.Generator().manual_seed(0))
    mine, yours = ((features, half.expand(4, 3)) for half in HALVES)
    found = score(model, mine, yours, 8, 0)
    assert torch.isfinite(found.value).all()
    posterior = model.posterior(features, torch.ones(4, 3).bool())
    shared = getattr(posterior, "shared", posterior)
    assert found.exact == isinstance(shared, Diagonal)


def small_world(items: int = 40) -> tuple:
    model = build_model(family.run(name="poe"))
    family.spread(model)
    data = {f"m{index}": torch.randn(items, size) for index, size in enumerate(family.SIZES)}
    batch = Batch(data, torch.ones(items, 3, dtype=torch.bool))
    return model, batch, torch.arange(items) % 3


def test_who_wins_is_counted_by_the_judges() -> None:
    model, batch, labels = small_world()
    rival = labels[rivals(labels, 0)]
    judges = {
        "m0": lambda means: labels,
        "m1": lambda means: rival,
        "m2": lambda means: torch.full((40,), 7),
    }
    found = conflict(model, batch, labels, judges)
    assert found is not None
    assert list(found.given) == [
        "m0 vs m1",
        "m0 vs m2",
        "m1 vs m2",
        "m0 vs m1+m2",
        "m1 vs m0+m2",
        "m2 vs m0+m1",
    ]
    for one in found.given.values():
        for name, winner in (("m0", "first"), ("m1", "second"), ("m2", "neither")):
            shares = {key: value.share for key, value in asdict(one.won[name]).items()}
            assert shares == {"first": 0, "second": 0, "neither": 0} | {winner: 1}
        assert one.exact
        assert list(one.matched) == sorted(one.matched)


def test_equal_seeds_give_equal_figures_and_no_judge_none_won() -> None:
    model, batch, labels = small_world()
    found = conflict(model, batch, labels, {}, seed=3)
    assert found == conflict(model, batch, labels, {}, seed=3)
    assert found != conflict(model, batch, labels, {}, seed=4)
    assert found is not None
    assert all(one.won == {} for one in found.given.values())


def test_of_exact_posteriors_the_mean_score_is_mutual_information(exact, exact_model) -> None:
    """E[KL(p(z|x_O) || p(z|x_S))] = I(z; x_T | x_S) = (log det V_S - log det V_O) / 2."""
    batch = exact.draw(2_000)
    features = exact_model.encode(batch.data, batch.observed)
    mine, yours = ((features, half.expand(2_000, 3)) for half in HALVES)
    found = score(exact_model, mine, yours, 2, 0).value.detach().numpy()
    whole, one, two = (
        exact_model.posterior(*side).covariance_matrix[0].logdet()
        for side in (joined(mine, yours), mine, yours)
    )
    expected = float(((one + two) / 2 - whole).detach())
    assert found.mean() == pytest.approx(expected, abs=4 * found.std() / 2_000**0.5)


def test_exact_posteriors_tell_matched_from_swapped(exact, exact_model) -> None:
    found = conflict(exact_model, exact.draw(500), torch.zeros(500), {})
    assert found is not None
    assert all(one.auroc.low > 0.5 for one in found.given.values())
    assert all(one.exact for one in found.given.values())


def test_one_item_cannot_be_in_conflict() -> None:
    model, batch, labels = small_world(1)
    assert conflict(model, batch, labels, {}) is None
