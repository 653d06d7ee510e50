"""Every option of every command changes the result; those that `test_cli.py` has are not here."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mmvae_core.cli import main
from mmvae_core.config import from_dict
from mmvae_core.errors import UsageError
from mmvae_core.store.record_files import read_record
from mmvae_core.store.records import PriorsCard
from mmvae_core.store.run import Run
from mmvae_core.store.weights import file_hash
from tests import small

LINEAR = small.settings(
    modalities=[
        {"name": name, "shape": [size], "width": 4, "likelihood": {"name": "normal"}}
        for name, size in (("second", 6), ("first", 7))
    ],
    data={"name": "linear", "epoch_size": 60},
    training={"epochs": 2, "batch": 30},
)


def call(*arguments: object) -> int:
    """The exit code of the command line."""
    try:
        main([str(one) for one in arguments])
    except SystemExit as caught:
        return int(caught.code or 0)
    return 0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "made.json").write_text(json.dumps(LINEAR))
    return tmp_path / "made.json"


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


class TakenError(UsageError):
    """What a command handed on, in place of its doing it."""


def test_a_train_option_changes_the_run(config: Path, tmp_path: Path) -> None:
    def trained(name: str, *more: object) -> Run:
        assert call("train", config, "--out", tmp_path / name, "--threads", 1, *more) == 0
        return Run(tmp_path / name)

    plain = trained("plain")
    longer = trained("longer", "--epochs", 3)
    half = trained("half", "--precision", "bf16-mixed")
    assert [(one.card.epochs, one.config.training.epochs) for one in (plain, longer)] == [
        (2, 2),
        (3, 3),
    ]
    assert [one.config.training.precision for one in (plain, half)] == ["32-true", "bf16-mixed"]
    assert file_hash(plain.weights) != file_hash(longer.weights)


def test_the_device_of_train_is_asked_for(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert call("train", config, "--out", tmp_path / "run", "--device", "cuda") == 2
    assert "this machine has none" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "fit-prior", "evaluate", "study", "opening"])
def test_the_threads_of_a_command_are_those_of_torch(
    command: str,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def take(count: int) -> None:
        raise TakenError(f"{count} threads")

    monkeypatch.setattr(torch, "set_num_threads", take)
    given: dict[str, Sequence[object]] = {
        "train": (config, "--out", tmp_path / "run"),
        "study": ("digits", "--out", tmp_path / "study"),
        "opening": ("digits",),
    }
    assert call(command, *given.get(command, ["digits/poe-masked"]), "--threads", 7) == 2
    assert "7 threads" in capsys.readouterr().err


def test_a_fit_prior_option_changes_the_priors(tmp_path: Path) -> None:
    def fitted(name: str, *more: object) -> tuple[PriorsCard, str]:
        root = tmp_path / name
        run = small.write_run(root / "linear" / "first", from_dict(LINEAR))
        small.write_record(
            root / "linear" / "study.json", small.StudyAbout(title="Linear", classes=())
        )
        options = ("--threads", 1, "--checkpoints", root, *more)
        assert call("fit-prior", "linear/first", *options) == 0
        card = read_record(run.folder / "priors.json", PriorsCard, "")
        return card, file_hash(run.folder / "priors.safetensors")

    two, three, other = (
        fitted(name, "--components", components, "--seed", seed)
        for name, components, seed in (("a", 2, 0), ("b", 3, 0), ("c", 2, 1))
    )
    assert [card.components for card, _ in (two, three, other)] == [2, 3, 2]
    assert [card.seed for card, _ in (two, three, other)] == [0, 0, 1]
    assert two[0].held_out["mixture"] != other[0].held_out["mixture"]
    assert len({weights for _, weights in (two, three, other)}) == 3


def test_an_evaluate_option_changes_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """UMAP takes ten seconds to compile, and `--seed` of the projection is not looked at here."""
    monkeypatch.setattr("mmvae_core.projections.project_umap", lambda means, seed: means[..., :2])
    run = small.write_study(tmp_path, items=40)

    def said(*more: object) -> str:
        capsys.readouterr()
        options = ("--threads", 1, "--checkpoints", tmp_path, *more)
        assert call("evaluate", "small/first", *options) == 0
        return capsys.readouterr().out

    first, other = (json.loads(said("--json", "--seed", seed)) for seed in (0, 1))
    assert (first["seed"], other["seed"]) == (0, 1)
    for part in ("log_likelihood", "distortion"):
        assert first[part] != other[part]
    assert not run.is_measured
    assert not run.is_evaluated
    lines = [line.split() for line in said("--save").splitlines()]
    assert run.report.log_likelihood.joint.mean == first["log_likelihood"]["joint"]["mean"]
    assert run.is_evaluated
    assert lines[1] == ["given", "log-likelihood", "rate", "probe"]
    for name, likelihood, rate, probe in lines[2:]:
        assert likelihood == f"{first['log_likelihood']['marginal'][name]['mean']:.3f}"
        assert rate == f"{first['rate'][name]['mean']:.3f}"
        assert probe == f"{first['probe'][name]:.3f}"
    assert len(lines) == 2 + 7


def test_the_temperature_of_generate_spreads_the_draws(tmp_path: Path) -> None:
    small.write_study(tmp_path / "checkpoints")

    def numbers(*more: object) -> np.ndarray:
        out = ("--out", tmp_path / "out", "--samples", 3, "--checkpoints", tmp_path / "checkpoints")
        assert call("generate", "small/first", "--given", "text=abc", *out, *more) == 0
        return np.loadtxt(tmp_path / "out" / "numbers.csv", delimiter=",")

    still, usual, wide = (numbers("--temperature", one) for one in (0, 1, 2))
    assert (np.ptp(still, axis=0) == 0).all()
    assert (np.ptp(usual, axis=0) > 0).all()
    assert (usual != wide).any()
    assert (numbers() == usual).all()


@pytest.mark.parametrize(
    ("options", "fetched"),
    [
        ((), []),
        (("--download",), ["mnist"]),
        (("--download", "--svhn"), ["mnist", "svhn"]),
        (("--svhn",), []),
    ],
)
def test_data_fetches_what_is_asked_for(
    options: Sequence[str],
    fetched: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places: list[Path] = []
    counts = {"train": ((), (0,) * 5), "test": ((), (0,) * 3)}
    for name in ("mnist", "svhn"):
        monkeypatch.setattr(f"mmvae_core.data.digits.{name}.download_{name}", places.append)
    monkeypatch.setattr("mmvae_core.data.digits.mnist.load_mnist", lambda place: counts)
    assert call("data", "digits", "--data", tmp_path, *options) == 0
    assert places == [tmp_path / name for name in fetched]
    told = f"{tmp_path}: MNIST with 5 training and 3 test images."
    assert told in capsys.readouterr().out


def test_a_study_is_made_as_the_options_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def load(folder: Path, photo: str, workers: int) -> str:
        seen.update(data=folder, loaded=photo, workers=workers)
        return "pools"

    def make(pools: str, photo: str, out: Path, training: Any, each: Any) -> None:
        seen.update(pools=pools, photo=photo, out=out, epochs=training.epochs)
        raise TakenError("taken")

    monkeypatch.setattr("mmvae_core.data.digits.digits.load_digits", load)
    monkeypatch.setattr("mmvae_core.studies.make_digits", make)
    out, data = tmp_path / "study", tmp_path / "data"
    options = ("--photo", "svhn", "--epochs", 9, "--threads", 3, "--data", data)
    assert call("study", "digits", "--out", out, *options) == 2
    assert seen == {
        "data": data, "loaded": "svhn", "workers": 3, "pools": "pools", "photo": "svhn", "out": out,
        "epochs": 9,
    }  # fmt: skip
    assert call("study", "digits", "--out", out) == 2
    assert (seen["loaded"], seen["photo"], seen["epochs"]) == ("rendered", "rendered", 6)


def test_an_experiment_is_made_as_the_options_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def take(*arguments: Any) -> None:
        seen[:] = arguments
        raise TakenError("taken")

    monkeypatch.setattr("mmvae_core.experiments.runner.run_cells", take)

    def asked(*options: object) -> tuple[set[str], set[str], set[int], Path, Any, int]:
        assert call("experiment", "bimodal", "--out", tmp_path, *options) == 2
        cells, table, order, workers, _ = seen
        models = [cell for cell in cells if cell.aggregator != "truth"]
        names = {cell.aggregator for cell in models}, {cell.objective for cell in models}
        return *names, {cell.seed for cell in cells}, table, order, workers

    aggregators, objectives, seeds, table, order, workers = asked()
    assert len(aggregators) > 2 and len(objectives) == 3
    assert (seeds, workers) == (set(range(5)), 2)
    assert table == tmp_path / "bimodal.csv"
    assert (order.quick, order.device, order.keep) == (False, "cpu", None)
    own = ("--aggregator", "moe", "--aggregator", "poe", "--objective", "masked")
    assert asked(*own)[:2] == ({"moe", "poe"}, {"masked"})
    assert asked("--seeds", 3)[2] == {0, 1, 2}
    quick = asked("--quick", "--device", "auto", "--keep", tmp_path / "kept", "--workers", 4)
    assert (quick[2], quick[5]) == ({0, 1}, 4)
    order = quick[4]
    assert (order.quick, order.device, order.keep) == (True, "auto", tmp_path / "kept")


def test_a_toy_option_changes_the_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmvae_core.explore.toy_networks.PASS", 1_024)

    def trained(name: str, *more: object) -> bytes:
        assert call("toy", "--out", tmp_path / name, "--threads", 1, *more) == 0
        return (tmp_path / name).read_bytes()

    first = trained("a", "--epochs", 1)
    assert trained("b", "--epochs", 1) == first
    assert trained("c", "--epochs", 2) != first
    assert trained("d", "--epochs", 1, "--seed", 1) != first
