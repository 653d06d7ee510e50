"""The numbers that cards claim, against closed forms and brute force."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mmvae_core.data.worlds.toy import WORLDS
from mmvae_core.errors import MMVAEError, UsageError
from mmvae_core.evaluation.identifiability import strong_mcc, weak_mcc
from mmvae_core.explore import claims_of_runs
from mmvae_core.explore import toy as exactly
from mmvae_core.explore.claims import QUANTITIES, check, measure
from mmvae_core.store.study import SHIPPED, find_run, find_study

AT = [0.3, -0.7]


def toy(name: str, **given: object) -> float:
    return measure(f"toy.{name}", given, Path("nowhere"))


def moments(world: str, mask: str, item: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of p(z | x_S) by the joint normal of z and x_S, in numpy."""
    found = WORLDS[world]
    kept = [m for m, sign in enumerate(mask) if sign == "1"]
    if not kept:
        return np.zeros(2), np.eye(2)
    loading = np.concatenate([found.loadings[m] for m in kept])
    noise = np.concatenate([np.full(len(found.offsets[m]), found.noises[m] ** 2) for m in kept])
    error = np.concatenate([item[m] - found.offsets[m] for m in kept])
    gain = loading.T @ np.linalg.inv(loading @ loading.T + np.diag(noise))
    return gain @ error, np.eye(2) - gain @ loading


@pytest.mark.parametrize("mask", ["000", "010", "101", "111"])
def test_width_place_and_precision_are_those_of_the_joint_normal(mask: str) -> None:
    item = WORLDS["three"].clean(AT)
    mean, covariance = moments("three", mask, item)
    width = np.sqrt(np.diagonal(covariance)).mean()
    assert toy("width", world="three", mask=mask, at=AT) == pytest.approx(width, abs=1e-12)
    for axis in (0, 1):
        found = toy("place", world="three", mask=mask, axis=axis, at=AT)
        assert found == pytest.approx(mean[axis], abs=1e-12)
        precision = np.linalg.inv(covariance)[axis, axis]
        found = toy("precision", world="three", mask=mask, axis=axis)
        assert found == pytest.approx(precision, rel=1e-12)


def test_an_item_is_its_numbers_or_where_it_comes_from() -> None:
    item = [one.tolist() for one in WORLDS["two"].clean(AT)]
    by_item = toy("log_likelihood", world="two", mask="11", item=item)
    assert by_item == pytest.approx(toy("log_likelihood", world="two", mask="11", at=AT), abs=1e-12)
    fall = toy("fall", world="two", mask="11", at=[0.0, 0.0], item=item)
    middle = toy("log_likelihood", world="two", mask="11")
    assert fall == pytest.approx(middle - by_item, abs=1e-12)


def test_a_product_is_exact_where_each_view_tells_of_an_axis_and_a_mixture_is_not() -> None:
    assert toy("gap", world="axes", mask="11", rule="poe", at=AT) == pytest.approx(0, abs=1e-9)
    assert toy("gap", world="axes", mask="11", rule="moe", at=AT) > 1
    item = WORLDS["axes"].clean(AT)
    (one, first), (other, second) = (moments("axes", mask, item) for mask in ("10", "01"))
    square = (np.diagonal(first) + np.diagonal(second)) / 2 + (one - other) ** 2 / 4
    found = toy("width", world="axes", mask="11", rule="moe", at=AT)
    assert found == pytest.approx(np.sqrt(square).mean(), rel=1e-12)


def test_the_masked_bound_is_tight_and_the_mixture_bound_lacks_what_is_lost() -> None:
    given = {"world": "axes", "mask": "10", "at": AT}
    likelihood = toy("log_likelihood", world="axes", mask="11", at=AT)
    masked = toy("bound", **given, kind="masked", rule="exact")
    mixture = toy("bound", **given, kind="mixture", rule="exact")
    lost = toy("lost", **given)
    assert masked == pytest.approx(likelihood, abs=1e-9)
    assert mixture == pytest.approx(likelihood - lost, abs=1e-9)
    # KL(N(m, s^2) || N(n, t^2)) axis by axis, as both are diagonal here.
    (part, narrow), (whole, all_narrow) = (
        moments("axes", mask, WORLDS["axes"].clean(AT)) for mask in ("10", "11")
    )
    s, t = np.diagonal(narrow), np.diagonal(all_narrow)
    by_hand = 0.5 * (np.log(t / s) + (s + (part - whole) ** 2) / t - 1).sum()
    assert lost == pytest.approx(by_hand, rel=1e-12)
    terms = [
        toy("bound", **given, kind="masked", rule="exact", term=term)
        for term in ("shown", "rest", "rate", "cross_rate")
    ]
    assert sum(terms) == pytest.approx(masked, abs=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_expected_bounds_are_means_over_items_that_have_the_moments_of_all(share: float) -> None:
    """All is quadratic in the items, so 2n of them with the world's moments give the mean exactly."""
    true = WORLDS["own"]
    model = true.blurred(1, share)
    loading = np.concatenate(true.loadings)
    noise = np.diag(np.repeat(true.noises, [1, 3]))
    roots = 6**0.5 * np.concatenate([loading, noise], 1).T  # [latent and noise, number]
    items = [[one[:1], one[1:]] for one in np.concatenate([roots, -roots])]
    part, every = (torch.tensor(one) for one in ([True, False], [True, True]))
    masked, lost = [], []
    for item in items:
        stats = exactly.statistics(model, item)
        masked.append(float(exactly.evidence(stats, every)))
        beliefs = (exactly.posterior(stats, one) for one in (part, every))
        lost.append(float(torch.distributions.kl_divergence(*beliefs)))
    found = {
        kind: toy("expected_bound", world="own", modality=1, share=share, kind=kind)
        for kind in ("masked", "mixture")
    }
    assert found["masked"] == pytest.approx(np.mean(masked), abs=1e-12)
    assert found["mixture"] == pytest.approx(np.mean(masked) - np.mean(lost) / 3, abs=1e-12)


def test_a_blurred_world_keeps_the_spread_of_its_numbers() -> None:
    true, model = WORLDS["own"], WORLDS["own"].blurred(1, 0.3)
    for one in (true, model):
        spread = np.square(one.loadings[1]).sum(-1) + one.noises[1] ** 2
        np.testing.assert_allclose(spread, 1.36)
    np.testing.assert_allclose(model.loadings[0], true.loadings[0])
    assert toy("blur_cost", world="own", modality=1, kind="masked") == 0


def test_every_order_is_tried_from_that_of_training_to_the_reverse() -> None:
    run = "bimodal/poe-masked"
    found = claims_of_runs.reordered(SHIPPED, run, items=20)
    names = find_run(run).config.names
    assert (found[0].order, found[-1].order) == (names, names[::-1])
    assert found[0].change == 0
    stored = find_run(run).latents().mean[-1][:20]
    for one in found:  # a product of experts is a set's: any order gives the stored posterior
        np.testing.assert_allclose(one.mean, stored, atol=2e-3 * np.abs(stored).max())
        assert one.change < 1e-5


def test_views_of_one_point_do_not_correlate_and_those_of_many_do() -> None:
    world, generator = WORLDS["three"], np.random.default_rng(0)
    _, *data = world.draw(200_000, generator)
    drawn = np.corrcoef(data[0][:, 0], data[2][:, 0])[0, 1]
    found = toy("correlation", world="three", first=0, second=2)
    assert found == pytest.approx(drawn, abs=4 / math.sqrt(200_000))
    assert toy("correlation", world="three", first=0, second=2, latent_known=True) == pytest.approx(
        0, abs=1e-12
    )


def test_conflict_moves_the_product_by_widths_and_leaves_its_own() -> None:
    item = [[2.3, -0.5], [-1.5, 0.0]]
    arrays = [np.array(one) for one in item]
    (mean, _), (own, covariance) = (moments("same", mask, arrays) for mask in ("11", "10"))
    far = abs(mean[0] - own[0]) / np.sqrt(covariance[0, 0])
    found = toy("distance", world="same", mask="11", of="10", item=item)
    assert found == pytest.approx(far, rel=1e-12)


def test_a_turn_of_the_latent_changes_no_likelihood_of_all_views() -> None:
    for degrees in (13, 90, 200):
        assert toy("turned", world="three", degrees=degrees, at=AT) == pytest.approx(0, abs=1e-12)


def test_neighbours_and_distances_are_those_of_brute_force() -> None:
    run, count = "bimodal/poe-masked", 5
    found = find_run(run).latents()
    labels = find_study("bimodal").samples().labels
    kept = []
    places = (found.mean[-1].astype(float), found.umap[-1].astype(float))
    some = np.random.default_rng(0).choice(len(labels), 40, replace=False)
    near = []
    for where in places:
        distance = np.linalg.norm(where[some, None] - where[None], axis=-1)
        distance[np.arange(len(some)), some] = np.inf
        near.append(np.argsort(distance, axis=1)[:, :count])
    kept = np.mean([len(set(a) & set(b)) / count for a, b in zip(*near, strict=True)])
    every = measure("run.neighbours_kept", {"run": run, "way": "umap", "count": count}, SHIPPED)
    assert abs(every - kept) < 5 * math.sqrt(0.25 / (40 * count))
    centres = [np.stack([w[labels == k].mean(0) for k in range(5)]) for w in places]
    pairs = [
        [np.linalg.norm(c[i] - c[j]) for i in range(5) for j in range(i + 1, 5)] for c in centres
    ]
    ranks = [np.searchsorted(sorted(one), one) for one in pairs]
    agree = 1 - 6 * np.square(ranks[0] - ranks[1]).sum() / (10 * (10**2 - 1))  # Spearman
    found = measure("run.distances_kept", {"run": run, "way": "umap"}, SHIPPED)
    assert found == pytest.approx(agree, abs=1e-12)


def test_what_a_report_holds_is_read_from_it(tmp_path: Path) -> None:
    run = "digits/sum_pooling_paper-masked"
    report = find_run(run).report
    given = {"run": run}
    assert measure("run.log_likelihood", given, SHIPPED) == report.log_likelihood.joint.mean
    fitted = report.fitted_priors["mixture"].joint_coherence
    assert fitted is not None
    assert measure("run.joint_coherence", given | {"prior": "mixture"}, SHIPPED) == fitted.share
    some = report.coherence["word"]["photo"]
    assert (
        measure("run.coherence", given | {"shown": "word", "made": "photo"}, SHIPPED) == some.share
    )
    shutil.copytree(SHIPPED / "bimodal" / "poe-masked", tmp_path / "bimodal" / "poe-masked")
    shutil.copy(SHIPPED / "bimodal" / "study.json", tmp_path / "bimodal")
    with pytest.raises(UsageError, match="known runs are bimodal/poe-masked"):
        measure("run.log_likelihood", given, tmp_path)


def test_figures_of_runs_are_those_of_their_arrays() -> None:
    run, other = "linear/poe-masked", "linear/moe-masked"
    one, two = find_run(run), find_run(other)
    fall = measure("run.log_likelihood_fall", {"run": run, "other": other}, SHIPPED)
    by_hand = one.report.log_likelihood.joint.mean - two.report.log_likelihood.joint.mean
    assert fall == pytest.approx(by_hand) and fall != 0
    places = one.latents().mean[-1].astype(float)
    spread = np.linalg.eigvalsh(np.cov(places.T))
    explained = measure("run.explained", {"run": run}, SHIPPED)
    assert explained == pytest.approx(spread[-2:].sum() / spread.sum(), rel=1e-3)
    true = find_study("linear").truth()
    assert true is not None
    strong, weak = (measure("run.mcc", {"run": run, "way": w}, SHIPPED) for w in ("strong", "weak"))
    assert strong == strong_mcc(true, places).outside
    assert weak == weak_mcc(true, places).outside
    assert strong < weak


def test_only_what_hears_of_places_changes_with_the_order() -> None:
    given = {"items": 20}
    pooled = measure("run.order_change", {"run": "digits/poe-masked"} | given, SHIPPED)
    placed = measure("run.order_change", {"run": "digits/concatenation-masked"} | given, SHIPPED)
    assert pooled < 1e-4 < 0.1 < placed


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("toy.height", {}, "no quantity 'toy.height'"),
        ("toy.width", {"world": "two"}, "lacks 'mask'"),
        ("toy.width", {"world": "two", "mask": "11", "root": "x"}, "was given 'root'"),
        ("run.mcc", {"run": "a", "way": "strong", "root": "x"}, "was given 'root'"),
        ("toy.width", {"world": "none", "mask": "11"}, "no toy world 'none'"),
        ("toy.width", {"world": "two", "mask": "1"}, "expected 2 signs"),
        (
            "toy.width",
            {"world": "two", "mask": "11", "item": [[1.0]]},
            r"expected lists of \[2, 1\]",
        ),
        ("toy.width", {"world": "two", "mask": 3}, "cannot be had of"),
        ("toy.bound", {"world": "two", "mask": "10", "kind": "x", "rule": "poe"}, "no bound 'x'"),
        (
            "toy.expected_bound",
            {"world": "own", "modality": 2, "share": 1.0, "kind": "masked"},
            "expected shares from 0 to 1 and a modality from 0 to 1",
        ),
        ("run.mcc", {"run": "linear/poe-masked", "way": "x"}, "no MCC 'x'"),
        ("run.mcc", {"run": "digits/poe-masked", "way": "weak"}, "are not known"),
        ("run.explained", {"run": "digits/none"}, "There is no run"),
        ("run.neighbours_kept", {"run": "bimodal/poe-masked", "way": "tsne"}, "no map 'tsne'"),
        ("run.joint_coherence", {"run": "digits/poe-masked", "prior": "x"}, "prior 'x'"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(name: str, given: dict[str, object], told: str) -> None:
    with pytest.raises(MMVAEError, match=told):
        measure(name, given, SHIPPED)


def test_every_quantity_tells_what_it_is() -> None:
    for name, one in QUANTITIES.items():
        assert (one.__doc__ or "").strip(), name
        with pytest.raises(UsageError):
            check(name, {"of no": "kind"})
