"""The shipped results are of the committed configurations, and the reports say what they hold."""

import math
from dataclasses import replace

import pytest

from mmvae_core.checkpoints import SHIPPED, Run, Study, file_hash, read_json
from mmvae_core.experiments.grid import EXPERIMENTS, KEPT, OBJECTIVES, Cell, cells, config_of
from mmvae_core.experiments.grid import fingerprint as mark
from mmvae_core.experiments.runner import read_rows
from mmvae_core.experiments.summary import claims, summarise

RESULTS = SHIPPED / "results"
RUNS = [run for name in KEPT for run in Study(SHIPPED / name).runs()]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_model_has_five_seeds_of_its_committed_configuration(name: str) -> None:
    found = {row.cell: row.config for row in read_rows(RESULTS / f"{name}.csv")}
    assert found.keys() <= set(cells(name, (), OBJECTIVES, 5))
    for cell, config in found.items():
        assert mark(config_of(cell)) == config
        assert {replace(cell, seed=seed) for seed in range(5)} <= found.keys()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_report_follows_from_its_table(name: str) -> None:
    report, rows = read_json(RESULTS / f"{name}.json"), read_rows(RESULTS / f"{name}.csv")
    assert report["quick"] is False
    assert report["models"] == len({row.cell for row in rows})
    said, again = ({(one["variant"], one["better"], one["worse"]): one["verdict"] for one in found}
                   for found in (report["claims"], claims(rows)))
    assert said == again
    assert len(again) > 0
    for mine, other in zip(report["summary"], summarise(rows), strict=True):
        assert mine["mean"] == pytest.approx(other["mean"], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_a_run_of_made_data_is_whole(run: Run) -> None:
    aggregator, objective = run.folder.name.rsplit("-", 1)
    assert run.config == config_of(Cell(run.folder.parent.name, aggregator, objective, 0))
    assert run.card["weights"] == file_hash(run.weights)
    assert run.card["epochs"] == run.config.training.epochs
    assert math.isfinite(run.report["log_likelihood"]["joint"]["mean"])
    latents = run.latents()
    assert latents.mean.shape[1] == len(Study(run.folder.parent).samples())
    assert run.model().names == run.config.names
