"""A training that ends early keeps its best pass; a finished one goes on by a schedule of its own."""

from pathlib import Path

import pytest
import torch

from mmvae_core.config import RunConfig
from mmvae_core.config_files import load_config
from mmvae_core.errors import ConfigError, UsageError
from mmvae_core.store.history import EpochReport, read_history
from mmvae_core.training.loop import FINAL_RATE, WARMUP_STEPS, rate_at
from mmvae_core.training.runs import STATE, go_on, make_fabric, train_run
from mmvae_core.training.start import start_model
from mmvae_core.training.trainer import Trainer
from tests.core.training.test_training import (
    StoppedError,
    Toy,
    curve,
    same,
    settings,
    stop_after,
    weights,
)

STEPS = 1_000


def patient(**training: object) -> RunConfig:
    """A training with a rate so high that its bound soon falls again."""
    return settings(epochs=40, patience=2, learning_rate=1.0, **training)


def test_patience_ends_a_training_and_the_best_pass_is_kept(tmp_path: Path) -> None:
    config = patient()
    run = train_run(config, tmp_path / "run", Toy(), "cpu")
    bounds = [one.validation_bound for one in read_history(run.folder / "history.csv")]
    best = bounds.index(max(bounds)) + 1
    assert run.card.best == best
    assert run.card.epochs == len(bounds) == best + config.training.patience < 40
    one = Trainer(start_model(config, Toy()), config, Toy(), make_fabric("cpu"))
    passes = one.epochs()
    for _ in range(best):
        next(passes)
    expected = one.model.state_dict()
    for name, value in run.model().state_dict().items():
        assert torch.allclose(value, expected[name], rtol=1e-3, atol=1e-4), name  # stored as halves


def test_without_patience_the_last_pass_is_kept(tmp_path: Path) -> None:
    run = train_run(settings(epochs=4, learning_rate=0.4), tmp_path / "run", Toy(), "cpu")
    assert (run.card.epochs, run.card.best) == (4, 0)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupted_patience_ends_with_the_same_bits(after: int, tmp_path: Path) -> None:
    whole = train_run(patient(), tmp_path / "whole", Toy(), "cpu")
    with pytest.raises(StoppedError):
        train_run(patient(), tmp_path / "cut", Toy(), "cpu", stop_after(after))
    cut = train_run(patient(), tmp_path / "cut", Toy(), "cpu")
    assert same(weights(cut), weights(whole))
    assert (cut.card.best, curve(cut)) == (whole.card.best, curve(whole))


def test_a_finished_run_goes_on_from_its_weights(tmp_path: Path) -> None:
    first = train_run(settings(epochs=3), tmp_path / "first", Toy(), "cpu")
    kept = weights(first)
    config = go_on(first, tmp_path / "second", 2)
    assert (config.training.epochs, config.training.restarts) == (5, (3,))
    second = train_run(config, tmp_path / "second", Toy(), "cpu")
    assert second.card.epochs == 5
    assert curve(second)[:3] == curve(first)
    assert same(weights(first), kept), "the run itself stays as it is"
    assert not same(weights(second), kept)
    assert not (second.folder / STATE).exists()
    third = go_on(second, tmp_path / "third", 1)
    assert (third.training.epochs, third.training.restarts) == (6, (3, 5))


def test_going_on_interrupted_ends_with_the_same_bits(tmp_path: Path) -> None:
    first = train_run(settings(epochs=2), tmp_path / "first", Toy(), "cpu")
    whole = train_run(go_on(first, tmp_path / "whole", 3), tmp_path / "whole", Toy(), "cpu")
    with pytest.raises(StoppedError):
        train_run(go_on(first, tmp_path / "cut", 3), tmp_path / "cut", Toy(), "cpu", stop_after(3))
    cut = train_run(go_on(first, tmp_path / "cut", 3), tmp_path / "cut", Toy(), "cpu")
    assert same(weights(cut), weights(whole))
    assert curve(cut) == curve(whole)
    assert load_config(cut.folder / "config.json").training.restarts == (2,)


def test_going_on_by_another_number_of_passes_is_refused(tmp_path: Path) -> None:
    first = train_run(settings(epochs=2), tmp_path / "first", Toy(), "cpu")
    go_on(first, tmp_path / "on", 3)
    with pytest.raises(UsageError, match="begun with another configuration"):
        train_run(go_on(first, tmp_path / "on", 4), tmp_path / "on", Toy(), "cpu")


def test_after_a_restart_the_rate_rises_and_falls_anew() -> None:
    config = settings(epochs=5, restarts=(3,))
    top = config.training.learning_rate
    rates = [rate_at(config, step, STEPS) for step in range(5 * STEPS)]
    plain = [rate_at(settings(epochs=3), step, STEPS) for step in range(3 * STEPS)]
    assert rates[: 3 * STEPS] == plain
    second = [rate_at(settings(epochs=2), step, STEPS) for step in range(2 * STEPS)]
    assert rates[3 * STEPS :] == second
    assert rates[3 * STEPS] == pytest.approx(top / WARMUP_STEPS)
    assert rates[-1] == pytest.approx(FINAL_RATE * top, rel=1e-3)


@pytest.mark.parametrize("restarts", [(3,), (2, 2), (2, 1), (5,)])
def test_restarts_lie_between_passes(restarts: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="restarts must rise and lie before epochs = 3"):
        settings(epochs=3, restarts=restarts)


def test_reports_of_a_patient_training_are_those_of_a_plain_one(tmp_path: Path) -> None:
    seen: list[EpochReport] = []
    run = train_run(patient(), tmp_path / "run", Toy(), "cpu", seen.append)
    assert [one.epoch for one in seen] == list(range(1, run.card.epochs + 1))
