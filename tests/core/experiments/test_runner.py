"""Models are trained once, kept, resumed and reported; what goes wrong is said."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec.structs import replace

from mmvae_core.config import RunConfig
from mmvae_core.data.source import TableSource
from mmvae_core.errors import ConfigError, RunError
from mmvae_core.evaluation.maximum_likelihood import structured_maximum
from mmvae_core.experiments import grid, runner
from mmvae_core.experiments.freshness import older_models
from mmvae_core.experiments.grid import Cell, fingerprint
from mmvae_core.experiments.measure import Figure
from mmvae_core.experiments.report import print_claims, write_report
from mmvae_core.experiments.runner import (
    COLUMNS,
    DIVERGED,
    Order,
    Row,
    read_rows,
    run_cells,
    run_together,
    write_rows,
)
from mmvae_core.sources import build_source
from mmvae_core.store.study import Study
from mmvae_core.training.ensemble import Ensemble
from mmvae_core.training.start import start_model

POE, MOE = (Cell("linear", name, "masked", 0) for name in ("poe", "moe"))
LATER = Cell("linear", "poe", "masked", 1)


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The training's settings of all cells: as little as can be; a test may change them."""
    settings: dict[str, Any] = {"epochs": 1, "batch": 50}

    def config_of(cell: Cell, quick: bool = False) -> RunConfig:
        made = grid.config_of(cell, quick)
        return replace(
            made,
            training=replace(made.training, **settings),
            data=replace(made.data, epoch_size=100),
        )

    monkeypatch.setattr(runner, "config_of", config_of)
    monkeypatch.setattr("mmvae_core.experiments.measure.KL_ITEMS", 20)
    monkeypatch.setattr("mmvae_core.experiments.measure.BOUND_DRAWS", 2)
    monkeypatch.setattr("mmvae_core.experiments.measure.SAMPLES", 4)
    return settings


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, budget: dict[str, Any]) -> Counter[Cell]:
    """How often each cell was trained; its one figure is that."""
    counts: Counter[Cell] = Counter()

    def fake(cells: Sequence[Cell], order: Order) -> list[Row]:
        counts.update(cells)
        marks = [fingerprint(runner.config_of(cell, order.quick)) for cell in cells]
        return [
            Row(cell, Figure("log_likelihood", "all", counts[cell]), 1.0, mark)
            for cell, mark in zip(cells, marks, strict=True)
        ]

    monkeypatch.setattr(runner, "run_together", fake)
    return counts


def test_a_model_is_trained_and_measured(budget: dict[str, Any]) -> None:
    rows = run_together([POE], Order())
    found = {(row.figure.figure, row.figure.given): row.figure.value for row in rows}
    assert {row.cell for row in rows} == {POE}
    assert {row.config for row in rows} == {fingerprint(runner.config_of(POE))}
    assert {
        "log_likelihood",
        "full_gap",
        "bound_shown_nothing",
        "variational_gap",
        "kl_to_exact",
        "mcc_strong",
        "mcc_weak",
    } <= {figure for figure, _ in found}
    assert found["variational_gap", "all"] > 0
    # The gap with all shown is the mean KL from the exact posterior, here over fewer items.
    assert found["full_gap", "all"] == pytest.approx(found["kl_to_exact", "all"], rel=0.2)
    assert found["kl_by_size", "5"] == found["kl_to_exact", "all"]
    assert found["kl_by_size", "2"] == found["kl_to_exact", "pairs"]
    assert found["kl_by_size", "0"] == pytest.approx(0, abs=1e-4), "PoE: nothing shown, the prior"
    values = [found["singular_value", str(rank)] for rank in range(1, 6)]
    assert values == sorted(values, reverse=True)
    assert ("held_out_bound", "1") in found
    for given in ("all", "pairs", "singles"):
        assert found["kl_to_exact", given] > 0
        assert 0 <= found["mcc_strong", given] <= 1
    again = {
        (row.figure.figure, row.figure.given): row.figure.value
        for row in run_together([POE], Order())
    }
    assert again == found, "the same seed, the same figures"


@pytest.mark.parametrize("variant", ["linear", "linear_sparse", "linear_private"])
def test_a_linear_worlds_truth_is_the_model_that_no_other_beats_on_the_training_items(
    variant: str, budget: dict[str, Any]
) -> None:
    truth, poe = (
        {
            (row.figure.figure, row.figure.given): row.figure.value
            for row in run_together([Cell(variant, *model, 0)], Order())
        }
        for model in (("truth", "truth"), ("poe", "masked"))
    )
    assert truth["log_likelihood_train", "all"] > poe["log_likelihood_train", "all"]
    assert ("singular_value", "1") in truth or variant == "linear_private"
    if variant != "linear_private":
        assert truth["singular_value", "1"] == pytest.approx(5**0.5), "five orthonormal columns"


@pytest.mark.parametrize("variant", ["bimodal", "missing", "missing_deep"])
def test_a_drawn_worlds_truth_beats_an_untrained_model(
    variant: str, budget: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmvae_core.experiments.measure.TRUTH_SAMPLES", 10)
    monkeypatch.setattr("mmvae_core.data.worlds.missing.TEST", 60)
    monkeypatch.setattr("mmvae_core.data.worlds.bimodal.TEST", 60)
    truth, poe = (
        {
            (row.figure.figure, row.figure.given): row.figure.value
            for row in run_together([Cell(variant, *model, 0)], Order())
        }
        for model in (("truth", "truth"), ("poe", "masked"))
    )
    givens = {"all"} if variant == "bimodal" else {"all", "thinned"}
    assert {given for figure, given in truth if figure == "log_likelihood"} == givens
    for given in givens:
        assert truth["log_likelihood", given] > poe["log_likelihood", given]
        assert 0 < truth["error", given] < 0.2


def test_a_known_decoder_is_the_true_map_and_stays_so(budget: dict[str, Any]) -> None:
    config = runner.config_of(Cell("missing_known", "poe", "masked", 0))
    source = build_source(config)
    assert isinstance(source, TableSource)
    assert source.truth is not None
    ensemble = Ensemble([config], [source], torch.device("cpu"))
    ensemble.train()
    (model,) = ensemble.models()
    latents = source.test.latents[:5]
    for name, known in source.truth.maps.items():
        decoder = model.modality(name).decoder
        assert list(decoder.parameters()) == []
        torch.testing.assert_close(
            decoder(latents.float()).double(), known(latents), atol=1e-5, rtol=0
        )


@pytest.mark.parametrize("name", ["missing_deep", "linear"])
def test_a_map_that_is_not_there_or_of_another_depth_is_refused(name: str) -> None:
    config = grid.config_of(Cell("missing_known", "poe", "masked", 0))
    config = replace(config, data=replace(config.data, name=name, epoch_size=100))
    with pytest.raises(ConfigError, match=r"'known'.*choose another network"):
        start_model(config, build_source(config))


@pytest.mark.parametrize("variant", ["linear_private", "bimodal", "missing"])
def test_every_world_has_the_figures_that_it_has_a_truth_for(
    variant: str, budget: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    short = partial(structured_maximum, steps=3)
    monkeypatch.setattr("mmvae_core.experiments.measure.structured_maximum", short)
    rows = run_together([Cell(variant, "sum_pooling", "masked", 0)], Order())
    figures = {(row.figure.figure, row.figure.given) for row in rows}
    assert ("log_likelihood", "all") in figures
    assert ("kl_to_exact", "singles") in figures or variant in ("bimodal", "missing")
    assert (("mcc_weak", "pairs") in figures) == (variant != "bimodal"), "two have one pair, all"


def test_what_is_done_is_not_trained_again(trained: Counter[Cell], tmp_path: Path) -> None:
    table = tmp_path / "linear.csv"
    told: list[tuple[int, int]] = []
    rows = run_cells([POE, MOE], table, Order(), 1, lambda *count: told.append(count))
    assert told == [(0, 2), (1, 2), (2, 2)]
    again = run_cells([POE, MOE, LATER], table, Order(), 1)
    assert trained == {POE: 1, MOE: 1, LATER: 1}
    assert {row.cell for row in rows} == {POE, MOE}
    assert set(again) == set(read_rows(table))
    assert len(again) == 3


def test_another_configuration_is_trained_anew_and_replaces(
    trained: Counter[Cell], budget: dict[str, Any], tmp_path: Path
) -> None:
    table = tmp_path / "linear.csv"
    run_cells([POE, MOE], table, Order(), 1)
    budget["epochs"] = 2
    rows = run_cells([POE], table, Order(), 1)
    assert trained == {POE: 2, MOE: 1}
    assert [row.figure.value for row in rows] == [2]
    assert len(read_rows(table)) == 2, "the other model's row stays, the stale one is gone"
    budget["epochs"] = 1
    run_cells([POE, MOE], table, Order(), 1)
    assert trained == {POE: 3, MOE: 1}


def test_an_interruption_loses_one_model(
    trained: Counter[Cell], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table, whole = tmp_path / "linear.csv", runner.run_together

    def stopped(cells: Sequence[Cell], order: Order) -> list[Row]:
        if MOE in cells:
            raise KeyboardInterrupt
        return whole(cells, order)

    monkeypatch.setattr(runner, "run_together", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_cells([POE, MOE, LATER], table, Order(), 1)
    assert [row.cell for row in read_rows(table)] == [POE]
    monkeypatch.setattr(runner, "run_together", whole)
    assert len(run_cells([POE, MOE, LATER], table, Order(), 1)) == 3
    assert trained == {POE: 1, MOE: 1, LATER: 1}


def test_runs_of_the_first_seed_are_kept_where_asked(
    budget: dict[str, Any], tmp_path: Path
) -> None:
    order, table = Order(keep=tmp_path / "kept"), tmp_path / "linear.csv"
    sparse = Cell("linear_sparse", "poe", "masked", 0)
    assert order.folder(Cell("linear", "poe", "mixture", 0)) is None
    assert order.folder(LATER) is None
    assert order.folder(sparse) is None
    assert Order().folder(POE) is None
    run_cells([POE], table, Order(), 1)
    run_cells([POE], table, order, 1)
    study = Study(tmp_path / "kept" / "linear")
    (run,) = study.runs()
    assert run.folder == order.folder(POE)
    assert run.model().names == run.config.names
    assert study.about.classes
    assert len(study.samples()) == 500


def test_a_diverged_model_is_recorded_and_not_tried_again(
    budget: dict[str, Any], tmp_path: Path
) -> None:
    budget["learning_rate"] = 1e25
    order, table = Order(keep=tmp_path / "kept"), tmp_path / "linear.csv"
    (row,) = run_cells([POE], table, order, 1)
    assert (row.figure.figure, row.figure.value) == (DIVERGED, 1)
    again = run_cells([POE], table, order, 1)
    assert again == read_rows(table) == [row]
    report = write_report("linear", again, order, tmp_path / "linear.json")
    assert report["diverged"] == ["linear/poe-masked, seed 0"]
    assert list(print_claims(report))[-1] == "diverged: linear/poe-masked, seed 0"


def test_results_of_an_earlier_configuration_are_counted(tmp_path: Path) -> None:
    """A truth is no model, and a world that is gone is older than all."""
    table = tmp_path / "linear.csv"
    assert older_models(table) == 0
    figure, now = Figure("log_likelihood", "all", -1.0), fingerprint(grid.config_of(POE))
    cells = [POE, LATER, MOE, Cell("linear", "truth", "truth", 0), Cell("gone", "poe", "masked", 0)]
    marks = [now, now, "0123456789ab", "0123456789ab", now]
    write_rows(
        table, [Row(cell, figure, 1.0, mark) for cell, mark in zip(cells, marks, strict=True)]
    )
    assert older_models(table) == 3, "the other seed's mark is its own"
    table.write_text("variant,seed\nlinear,x\n")
    with pytest.raises(RunError, match="delete it"):
        older_models(table)


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    rows = [
        Row(cell, Figure(name, "all", value), 2.5, "0123456789ab")
        for cell, value in ((MOE, -301.25), (POE, 0.5), (LATER, 1e-7))
        for name in ("log_likelihood", "mcc_weak")
    ]
    write_rows(tmp_path / "a" / "linear.csv", rows)
    found = read_rows(tmp_path / "a" / "linear.csv")
    assert set(found) == set(rows)
    write_rows(tmp_path / "b.csv", rows[::-1])
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a" / "linear.csv").read_bytes()
    lines = (tmp_path / "b.csv").read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert read_rows(tmp_path / "none.csv") == []


@pytest.mark.parametrize(
    "content",
    [
        b"variant,aggregator\nlinear,poe\n",
        b"\xff\xfe\x00",
        b"no table\nat all\n",
        b",".join(name.encode() for name in COLUMNS) + b"\nlinear,poe,masked,zero,a,all,1,1,x\n",
        b",".join(name.encode() for name in COLUMNS) + b"\nlinear,poe,masked,0,a,all,one,1,x\n",
        b",".join(name.encode() for name in COLUMNS) + b"\nlinear,poe\n",
        b"variant\n" + b"a" * 200_000,
    ],
    ids=["columns", "no text", "no table", "seed", "value", "short", "long"],
)
def test_a_damaged_table_is_named_in_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "linear.csv").write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_rows(tmp_path / "linear.csv")
    assert "linear.csv cannot be read" in str(caught.value)
    assert str(caught.value).endswith("delete it to run the experiment anew.")
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_an_error_in_a_process_of_its_own_reaches_the_caller(tmp_path: Path) -> None:
    bad = [Cell("linear", "nonsense", "masked", seed) for seed in range(2)]
    with pytest.raises(ConfigError, match="no aggregator 'nonsense'"):
        run_cells(bad, tmp_path / "linear.csv", Order(quick=True), 2)
    assert not (tmp_path / "linear.csv").exists()


def test_the_report_says_how_it_was_made(tmp_path: Path) -> None:
    rows = [
        Row(
            Cell("linear", name, objective, seed),
            Figure("log_likelihood", "all", -300.0 - seed - penalty),
            10.0,
            "a",
        )
        for name in ("poe", "sum_pooling")
        for seed in range(3)
        for objective, penalty in (("masked", 0.0), ("mixture", 5.0 + 0.1 * seed))
    ]
    report = write_report("linear", rows, Order(quick=True), tmp_path / "linear.json")
    assert json.loads((tmp_path / "linear.json").read_text()) == report
    assert (report["models"], report["seeds"], report["seconds"]) == (12, [0, 1, 2], 120)
    assert (report["quick"], report["diverged"], report["level"]) == (True, [], 0.95)
    lines = list(print_claims(report))
    assert lines[0].startswith("12 models, seeds [0, 1, 2]")
    assert sum("holds" in line for line in lines) == 3, "the verdict and its two rules"
    assert all("[+" in line for line in lines if "holds" in line)
