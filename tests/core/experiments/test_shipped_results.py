"""The shipped results are of the committed configurations, and the reports say what they hold."""

import math
from collections import defaultdict
from dataclasses import replace

import pytest

from mmvae_core.experiments.freshness import older_models
from mmvae_core.experiments.grid import EXPERIMENTS, KEPT, LEARNED, TRUTH, Cell, cells
from mmvae_core.experiments.grid import fingerprint as mark
from mmvae_core.experiments.runner import read_rows
from mmvae_core.experiments.summary import claims, curves, summarise, verdicts
from mmvae_core.files import read_json
from mmvae_core.store.run import Run
from mmvae_core.store.study import SHIPPED, Study
from mmvae_core.store.weights import file_hash

RESULTS = SHIPPED / "results"
ROWS = [row for name in EXPERIMENTS for row in read_rows(RESULTS / f"{name}.csv")]
RUNS = [run for name in KEPT for run in Study(SHIPPED / name).runs()]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_table_has_five_seeds_a_model_and_is_of_one_configuration(name: str) -> None:
    """All models of today's configurations, or all of earlier ones, of which the page says so."""
    table = RESULTS / f"{name}.csv"
    seeds: dict[Cell, set[int]] = defaultdict(set)
    for row in read_rows(table):
        seeds[replace(row.cell, seed=0)].add(row.cell.seed)
    assert set(map(frozenset, seeds.values())) == {frozenset(range(5))}
    models = 5 * sum(cell.aggregator != TRUTH for cell in seeds)
    assert older_models(table) in (0, models)
    if older_models(table) == 0:
        assert {replace(cell, seed=0) for cell in cells(name, (), (), 1)} == set(seeds)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_report_follows_from_its_table(name: str) -> None:
    report, rows = read_json(RESULTS / f"{name}.json"), read_rows(RESULTS / f"{name}.csv")
    assert report["quick"] is False
    assert report["models"] == len({row.cell for row in rows})
    said, again = (
        {(one["variant"], one["better"], one["worse"]): one["verdict"] for one in found}
        for found in (report["claims"], claims(rows))
    )
    assert said == again
    assert len(again) > 0
    told, anew = (
        {(one["variant"], one["claim"]): one["verdict"] for one in found}
        for found in (report["verdicts"], verdicts(rows))
    )
    assert told == anew
    assert len(anew) > 0
    assert report["curves"] == curves(rows)
    # Tables have six digits, of which a difference of two figures keeps fewer.
    for mine, other in zip(report["summary"], summarise(rows), strict=True):
        assert mine["mean"] == pytest.approx(other["mean"], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_a_run_of_made_data_is_whole(run: Run) -> None:
    aggregator, objective = run.folder.name.rsplit("-", 1)
    cell = Cell(run.folder.parent.name, aggregator, objective, 0)
    measured = {row.config for row in ROWS if row.cell == cell}
    assert measured == {mark(run.config)}, "the same model as in the results"
    assert run.card.weights == file_hash(run.weights)
    assert run.card.epochs == run.config.training.epochs
    assert math.isfinite(run.report.log_likelihood.joint.mean)
    latents = run.latents()
    assert latents.mean.shape[1] == len(Study(run.folder.parent).samples())
    assert run.model().names == run.config.names


@pytest.mark.parametrize("aggregator", LEARNED)
def test_learned_aggregators_reach_the_maximum_likelihood_of_the_dense_world(
    aggregator: str,
) -> None:
    rows = [
        row
        for row in read_rows(RESULTS / "linear.csv")
        if (row.cell.variant, row.cell.aggregator, row.cell.objective)
        == ("linear", aggregator, "masked")
    ]
    figures = {
        (row.cell.seed, row.figure.figure, row.figure.given): row.figure.value for row in rows
    }
    for seed in range(5):
        assert figures[seed, "relative_shortfall_train", "all"] < 0.01
        assert figures[seed, "kl_to_exact", "all"] < 0.5


def test_one_model_of_the_bimodal_world_finds_its_latents_up_to_an_affine_map() -> None:
    means = {
        (one["aggregator"], one["objective"]): one["mean"]
        for one in read_json(RESULTS / "bimodal.json")["summary"]
        if (one["variant"], one["figure"], one["given"]) == ("bimodal", "mcc_weak", "all")
    }
    assert max(means.values()) >= 0.95
