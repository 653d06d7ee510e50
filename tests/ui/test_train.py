"""The page Train: what is ordered is what is trained, what is under way is told, and by whom."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.config import RunConfig
from mmvae_core.errors import UsageError
from mmvae_core.store.history import EpochReport, write_history
from mmvae_core.store.progress import held, write_progress
from mmvae_core.store.records import Progress
from mmvae_core.store.run import Run
from mmvae_core.training import launch
from tests.ui.conftest import APP

NOW = Progress(
    state="training", process=1, epoch=4, first=2, epochs=20, step=5, steps=10, seconds=50.0
)


@pytest.fixture
def open_train(
    checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AppTest]:
    def opened(*more: str) -> AppTest:
        given = ["--checkpoints", str(checkpoints), "--runs", str(tmp_path / "runs"), *more]
        monkeypatch.setattr(sys, "argv", ["app.py", *given])
        app = AppTest.from_file(APP, default_timeout=30)
        app.query_params["study"] = "digits"
        app.query_params["run"] = "sum_pooling-masked"
        return app.switch_page("pages/train.py").run()

    return opened


def field(kind: Any, label: str) -> Any:
    """The widget of a label."""
    return next(one for one in kind if one.label.startswith(label))


def test_what_is_ordered_is_started(
    open_train: Callable[..., AppTest],
    checkpoints: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[RunConfig, Path, str, tuple[str, ...]]] = []
    monkeypatch.setattr(launch, "start", lambda *given: seen.append(given))
    app = open_train()
    field(app.multiselect, "Aggregators").set_value(["poe"])
    field(app.selectbox, "Objective").set_value("mixture")
    field(app.number_input, "Passes").set_value(7)
    field(app.number_input, "Patience").set_value(2)
    field(app.number_input, "Seed of").set_value(5)
    field(app.text_input, "Name").set_value("first_try")
    field(app.button, "Train").click().run()
    assert not app.exception and not app.error
    [(config, runs, name, options)] = seen
    assert (runs, name) == (tmp_path / "runs", "first_try")
    assert (config.aggregator.name, config.objective.name) == ("poe", "mixture")
    training = config.training
    assert (training.epochs, training.patience, training.seed) == (7, 2, 5)
    plain = Run(checkpoints / "digits" / "poe-mixture").config
    assert (config.modalities, config.data) == (plain.modalities, plain.data)
    assert options == ("--evaluate", "--threads", "1", "--checkpoints", str(checkpoints))


def test_several_rules_are_several_trainings_or_none(
    open_train: Callable[..., AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str, tuple[str, ...]]] = []
    monkeypatch.setattr(
        launch,
        "start",
        lambda config, runs, name, more: seen.append((config.aggregator.name, name, more[-2:])),
    )
    app = open_train()
    field(app.multiselect, "Aggregators").set_value(["poe", "moe"])
    field(app.text_input, "Folder of the data").set_value(str(tmp_path))
    (tmp_path / "runs" / "mine-moe").mkdir(parents=True)
    field(app.button, "Train").click().run()
    assert "already" in app.error[0].value and seen == []
    (tmp_path / "runs" / "mine-moe").rmdir()
    field(app.button, "Train").click().run()
    data = ("--data", str(tmp_path))
    assert seen == [("poe", "mine-poe", data), ("moe", "mine-moe", data)]
    field(app.text_input, "Folder of the data").set_value("/nowhere")
    field(app.button, "Train").click().run()
    assert "no folder '/nowhere'" in app.error[0].value and len(seen) == 2


def test_what_cannot_be_trained_is_one_sentence(open_train: Callable[..., AppTest]) -> None:
    app = open_train()
    field(app.text_input, "Name").set_value("../up")
    field(app.button, "Train").click().run()
    assert "no name for a run" in app.error[0].value


def test_trainings_under_way_are_told(open_train: Callable[..., AppTest], tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for name in ("going", "cut"):
        (runs / name).mkdir(parents=True)
        write_progress(runs / name, NOW)
    write_history(runs / "going" / "history.csv", [EpochReport(1, -9.0, -8.0, 3.0, 2.0, 1e-3)])
    (runs / "broken").mkdir()
    (runs / "broken" / "progress.json").write_text('{"state": "flying"}')
    with held(runs / "going"):
        app = open_train()
        bars = [one.proto.text for one in app.get("progress")]
        labels = [one.label for one in app.button]
    # 2.5 passes took 50 s, so that the 15.5 to come take 310
    assert bars == [
        "cut stopped after 4 of 20 passes",
        "going, pass 5 of 20, about 5 minutes left",
    ]
    assert labels.count("Stop") == labels.count("Go on") == 1
    values = [one.proto.value for one in app.get("progress")]
    assert values == [22, 22]
    said = " ".join(one.proto.body for one in app.get("html"))
    assert "Interrupted without a word" in said
    assert "Training curves over 1 epochs: the bound ends at -9.0" in said
    assert any("broken" in one.value and "flying" in one.value for one in app.error)


def test_going_on_is_asked_of_the_core(
    open_train: Callable[..., AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs" / "cut").mkdir(parents=True)
    write_progress(tmp_path / "runs" / "cut", NOW)
    app = open_train()
    seen: list[Path] = []
    monkeypatch.setattr(launch, "resume", lambda folder, options: seen.append(folder))
    field(app.button, "Go on").click().run()
    assert seen == [tmp_path / "runs" / "cut"]

    def refuse(folder: Path, options: tuple[str, ...]) -> None:
        raise UsageError("It is under way.")

    monkeypatch.setattr(launch, "resume", refuse)
    field(app.button, "Go on").click().run()
    assert [one.value for one in app.error] == ["It is under way."]


def test_a_server_that_lets_others_in_trains_nothing(
    open_train: Callable[..., AppTest], tmp_path: Path
) -> None:
    (tmp_path / "runs" / "cut").mkdir(parents=True)
    write_progress(tmp_path / "runs" / "cut", NOW)
    app = open_train("--no-training")
    labels = [one.label for one in app.button]
    assert "Train" not in labels and "Go on" not in labels
    assert "nothing is trained from its pages" in app.info[0].value
    assert [one.proto.text for one in app.get("progress")] == ["cut stopped after 4 of 20 passes"]
