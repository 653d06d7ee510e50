"""What `export` writes is the run's weights, and can be read as the guide says."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from mmvae_core.cli import main
from mmvae_core.config import RunConfig, from_dict
from mmvae_core.export.arrays import of_run
from mmvae_core.store.study import Study
from tests import small


def with_prior(name: str) -> RunConfig:
    """The small run, SumPooling, with a prior."""
    return from_dict(small.settings(aggregator={"name": "sum_pooling"}) | {"prior": {"name": name}})


def call(*arguments: object) -> int:
    try:
        main([str(one) for one in arguments])
    except SystemExit as caught:
        return int(caught.code or 0)
    return 0


def read(folder: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """As the guide reads it."""
    manifest = json.loads((folder / "manifest.json").read_text())
    numbers = np.fromfile(folder / "weights.bin", "<f2")
    return manifest, {
        name: numbers[one["at"] :][: int(np.prod(one["shape"]))].reshape(one["shape"])
        for name, one in manifest["arrays"].items()
    }


def test_the_arrays_are_the_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small.write_study(tmp_path, with_prior("mixture"))
    out = tmp_path / "out"
    assert call("export", "small/first", "--out", out, "--checkpoints", tmp_path) == 0
    said = capsys.readouterr().out
    manifest, arrays = read(out)
    weights = {name: one.numpy() for name, one in run.model().state_dict().items()}
    assert all(str(out / name) in said for name in ("manifest.json", "weights.bin"))
    assert sum(one.size for one in arrays.values()) * 2 == (out / "weights.bin").stat().st_size
    own = [one for name, one in arrays.items() if not name.endswith(".rest")]
    assert sum(one.size for one in weights.values()) == sum(one.size for one in own)
    for name, part in (
        ("chi.0.weight", "aggregator"),
        ("rho.2.bias", "aggregator"),
        ("loc", "prior"),
    ):
        assert np.array_equal(arrays[f"{part}.{name}"], weights[f"{part}.{name}"])
    for name in run.config.names:
        kept = weights[f"parts.{name}.decoder.body.0.weight"]
        assert np.array_equal(arrays[f"{name}.decoder.body.0.weight"], kept)
    assert manifest["names"] == list(run.config.names)
    assert manifest["run"] == "small/first" and manifest["weights"] == run.card.weights
    assert manifest["modalities"][2]["alphabet"] == "abcde"
    beside = [path for path in out.iterdir() if path.name != "manifest.json"]
    assert manifest["files"] == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in beside
    }


def test_an_address_is_of_the_content(tmp_path: Path) -> None:
    one, two = (small.write_study(tmp_path / name, small.config()) for name in ("one", "two"))
    other = small.write_study(tmp_path / "other", small.config(training={"seed": 5}))
    addresses = [of_run(run, Study(run.folder.parent)).address for run in (one, two, other)]
    assert addresses[0] == addresses[1] != addresses[2]
    packed = of_run(one).packed()
    assert int.from_bytes(packed[:4], "little") % 4 == 0
    assert json.loads(packed[4 : 4 + int.from_bytes(packed[:4], "little")])["format"] == 1


def test_a_run_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small.write_study(tmp_path, small.config())
    assert call("export", "small/none", "--out", tmp_path / "o", "--checkpoints", tmp_path) == 2
    assert "There is no run 'small/none'" in capsys.readouterr().err


def test_what_cannot_be_exported_leaves_no_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small.write_study(tmp_path, with_prior("flow"))
    assert call("export", "small/first", "--out", tmp_path / "o", "--checkpoints", tmp_path) == 2
    assert "FlowPrior" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
