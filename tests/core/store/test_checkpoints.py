"""Runs on disk: what is saved comes back, and nothing damaged or hostile is trusted."""

import io
import json
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mmvae_core import files, npz
from mmvae_core.build import AGGREGATORS, build_model
from mmvae_core.config import from_dict, to_dict
from mmvae_core.errors import MMVAEError, RunError, UsageError
from mmvae_core.evaluation.judge import picture_judges
from mmvae_core.files import read_json, write_json
from mmvae_core.store.arrays import Contract, read_arrays, write_arrays
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import RunReport
from mmvae_core.store.results import headline
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study, find_run, find_study, studies
from mmvae_core.store.weights import check_size, file_hash, save_weights
from tests import small
from tests.small import made_report


def refusal(make: Callable[[], Any], kind: type[MMVAEError] = RunError) -> str:
    """The message of an error, which must be one plain sentence."""
    with pytest.raises(kind) as caught:
        make()
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


class Trap:
    """Unpickled, it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return small.write_study(tmp_path)


@pytest.mark.parametrize("aggregator", AGGREGATORS)
def test_loaded_weights_are_the_halves_that_were_saved(aggregator: str, tmp_path: Path) -> None:
    made = small.config(aggregator)
    model = build_model(made)
    small.spread(model)
    run = small.write_run(tmp_path / "run", made)
    loaded = run.model()
    assert run.config == made
    assert not loaded.training
    for name, value in model.state_dict().items():
        other = loaded.state_dict()[name]
        assert other.dtype == torch.float32
        assert torch.equal(other, value.half().float())
    assert not any(value.requires_grad for value in loaded.parameters())


def test_saving_what_was_loaded_changes_no_byte(run: Run, tmp_path: Path) -> None:
    save_weights(run.model(), tmp_path / "again.safetensors")
    assert file_hash(tmp_path / "again.safetensors") == file_hash(run.weights)
    assert file_hash(run.weights) == run.card.weights


def test_loaded_models_answer_alike(run: Run) -> None:
    data, subset = small.data(5), torch.ones(5, 3, dtype=torch.bool)
    one, other = run.model().infer(data, subset), Run(run.folder).model().infer(data, subset)
    assert torch.equal(one.mean, other.mean)
    assert torch.equal(one.stddev, other.stddev)


def test_a_study_finds_its_runs_and_a_run_its_study(run: Run, tmp_path: Path) -> None:
    (study,) = studies(tmp_path)
    assert run.id == "small/first"
    assert [one.folder for one in study.runs()] == [run.folder]
    assert find_run("small/first", tmp_path).folder == run.folder
    assert find_run(str(run.folder), tmp_path / "nowhere").folder == run.folder
    assert find_study(run, tmp_path).folder == study.folder == find_study(run, Path("x")).folder


def test_unfinished_runs_are_not_listed(run: Run, tmp_path: Path) -> None:
    write_json(run.folder.parent / "begun" / "config.json", to_dict(small.config()))
    save_weights(run.model(), run.folder.parent / "lost" / "weights.safetensors")
    assert [one.id for one in Study(tmp_path / "small").runs()] == ["small/first"]


def test_a_run_apart_from_its_study_finds_the_one_of_its_name(run: Run, tmp_path: Path) -> None:
    moved = small.write_run(tmp_path / "elsewhere" / "run")
    assert find_study(moved, tmp_path).name == "small"
    assert "study.json" in refusal(lambda: find_study(moved, tmp_path / "elsewhere"))


def test_a_missing_run_is_answered_with_the_known_ones(run: Run, tmp_path: Path) -> None:
    said = refusal(lambda: find_run("small/second", tmp_path), UsageError)
    assert "'small/second'" in said
    assert "small/first" in said
    nowhere = refusal(lambda: find_run("x", tmp_path / "nowhere"), UsageError)
    assert "nowhere" in nowhere and "--checkpoints FOLDER" in nowhere


def test_samples_and_cards_come_back(run: Run, tmp_path: Path) -> None:
    study, data = Study(tmp_path / "small"), small.data(4)
    samples = study.samples()
    assert samples.labels.tolist() == [0, 1, 2, 3]
    for name, values in data.items():
        np.testing.assert_array_equal(samples.data[name], values.numpy())
    assert study.about.alphabets == {"text": "abcde"}
    assert picture_judges(study) == {}


def test_samples_without_labels_are_refused(run: Run, tmp_path: Path) -> None:
    write_arrays(tmp_path / "small" / "samples.npz", {"numbers": np.zeros((2, 4))})
    assert "labels" in refusal(Study(tmp_path / "small").samples)


def write_report(run: Run, **changes: Any) -> RunReport:
    made = made_report(run.config.names, 0)
    write_record(run.folder / "report.json", made := msgspec.structs.replace(made, **changes))
    return made


def test_the_headline_is_read_off_the_report(run: Run) -> None:
    assert headline(run) == {}
    made = write_report(run)
    joint = made.joint_coherence
    assert joint is not None
    full = made.coherence["+".join(run.config.names)]
    assert headline(run) == {
        "joint_log_likelihood": made.log_likelihood.joint.mean,
        "joint_coherence": joint.share,
        **{f"all_to_{name}": full[name].share for name in run.config.names},
    }


def test_a_headline_has_no_coherence_where_nothing_judges(run: Run) -> None:
    made = write_report(run, coherence={"numbers": {}}, joint_coherence=None)
    assert headline(run) == {"joint_log_likelihood": made.log_likelihood.joint.mean}


def test_reports_of_an_earlier_version_come_back_without_what_they_lack(run: Run) -> None:
    write_report(run)
    path = run.folder / "report.json"
    old = read_json(path) | {"joint_coherence": {}}
    for key in ("format", "distortion", "distortion_samples", "conflict"):
        del old[key]
    write_json(path, old)
    report = Run(run.folder).report
    assert report.joint_coherence is report.conflict is report.distortion_samples is None
    assert report.distortion == report.fitted_priors == {}


# What does not fit


def test_weights_of_another_shape_are_named(run: Run) -> None:
    write_json(run.folder / "config.json", to_dict(small.config(latent=4)))
    said = refusal(lambda: Run(run.folder).model())
    assert "does not fit its config.json" in said
    assert "expected" in said


def write_weights(run: Run, weights: dict[str, torch.Tensor]) -> None:
    """Other weights, of which the card tells the hash."""
    save_file(weights, run.weights)
    card = read_json(run.folder / "card.json") | {"weights": file_hash(run.weights)}
    write_json(run.folder / "card.json", card)


def test_weights_too_many_and_too_few_are_named(run: Run) -> None:
    weights = load_file(run.weights)
    write_weights(run, weights | {"extra": torch.zeros(1)})
    assert "extra" in refusal(run.model)
    name, value = weights.popitem()
    write_weights(run, weights)
    assert f"{name} has shape None, expected {list(value.shape)}" in refusal(Run(run.folder).model)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_refused(run: Run, value: float) -> None:
    weights = load_file(run.weights)
    name = sorted(weights)[3]
    weights[name].view(-1)[0] = value
    write_weights(run, weights)
    assert name in refusal(run.model)


# What is damaged or hostile


def header(**tensors: Any) -> bytes:
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text


DAMAGED = {
    "empty": lambda good: b"",
    "cut in the header": lambda good: good[:50],
    "cut in the data": lambda good: good[:-7],
    "header of 2^60 bytes": lambda good: struct.pack("<Q", 2**60) + good[8:],
    "header is no JSON": lambda good: struct.pack("<Q", 4) + b"{{{{",
    "deep header": lambda good: struct.pack("<Q", 90_000) + b'{"a":' * 18_000,
    "2^33 elements": lambda good: (
        header(a={"dtype": "F32", "shape": [2**33], "data_offsets": [0, 2**35]}) + bytes(64)
    ),
    "overflowing shape": lambda good: (
        header(a={"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 64]}) + bytes(64)
    ),
    "negative shape": lambda good: (
        header(a={"dtype": "F32", "shape": [-1], "data_offsets": [0, 64]}) + bytes(64)
    ),
    "unknown type": lambda good: (
        header(a={"dtype": "O8", "shape": [16], "data_offsets": [0, 64]}) + bytes(64)
    ),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_damaged_weights_are_refused_without_spending_memory(run: Run, how: str) -> None:
    run.weights.write_bytes(DAMAGED[how](run.weights.read_bytes()))
    tracemalloc.start()
    said = refusal(run.model)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(run.weights) in said
    assert peak < 20_000_000


def test_a_missing_weights_file_is_refused(run: Run) -> None:
    run.weights.unlink()
    assert "weights.safetensors" in refusal(run.model)


def test_a_pickle_is_never_opened(run: Run, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = pickle.dumps(Trap(sprung))
    run.weights.write_bytes(trap)
    refusal(run.model)
    for name in ("samples.npz", "latents.npz"):
        (tmp_path / name).write_bytes(trap)
        refusal(lambda name=name: every_array(tmp_path / name))
    torch.save({"weight": Trap(sprung)}, run.weights)
    refusal(run.model)
    np.savez(tmp_path / "objects.npz", a=np.array([Trap(sprung)], dtype=object))
    refusal(lambda: every_array(tmp_path / "objects.npz"))
    np.save(tmp_path / "single.npy", np.array([Trap(sprung)], dtype=object))
    refusal(lambda: every_array((tmp_path / "single.npy").rename(tmp_path / "single.npz")))
    (tmp_path / "trap.json").write_bytes(trap)
    refusal(lambda: read_json(tmp_path / "trap.json"))
    assert not sprung.exists()
    pickle.loads(trap)
    assert sprung.exists(), "the trap works"


def every_array(path: Path) -> dict[str, np.ndarray]:
    """Whatever is in a file that is no object."""
    return read_arrays(path, {}, {}, "make it anew", Contract(("...",), "fiub"))


def npy(shape: tuple[int, ...], content: bytes = bytes(64)) -> bytes:
    """A .npy file whose header claims a shape, whatever follows."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    return stream.getvalue() + content


def zipped(path: Path, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.npy", content)
    return path


@pytest.mark.parametrize("shape", [(2**33,), (2**45,), (2**62, 2**62), (10**30,), (-5,)], ids=str)
def test_arrays_that_claim_more_than_there_is_are_refused(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    path = zipped(tmp_path / "a.npz", npy(shape))
    assert "a.npz" in refusal(lambda: every_array(path))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "MAX_ARRAY_BYTES", 1_000_000)
    path = zipped(tmp_path / "a.npz", npy((500_000,), bytes(4_000_000)))
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(npz, "read", lambda *given: pytest.fail("unpacked"))
    said = refusal(lambda: every_array(path))
    assert "would take 4,000,000 bytes, expected at most 1,000,000" in said


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_arrays_packed_as_numpy_never_does_are_refused(tmp_path: Path, method: int) -> None:
    path = zipped(tmp_path / "a.npz", npy((8,)), method)
    assert "packed in another way" in refusal(lambda: every_array(path))


def test_a_zip_that_lies_about_its_size_is_cut_short(tmp_path: Path) -> None:
    """The declared size, which was checked, is also the most that is ever unpacked."""
    path = zipped(tmp_path / "a.npz", npy((500_000,), bytes(4_000_000)))
    content = path.read_bytes()
    true_size = struct.pack("<I", len(npy((500_000,), bytes(4_000_000))))
    assert content.count(true_size) == 2
    path.write_bytes(content.replace(true_size, struct.pack("<I", 1_000)))
    refusal(lambda: every_array(path))


@pytest.mark.parametrize("flip", [0xFF, 0x01])
def test_a_damaged_byte_gives_the_arrays_or_a_refusal(tmp_path: Path, flip: int) -> None:
    path, values = tmp_path / "a.npz", np.random.default_rng(0).normal(size=20)
    write_arrays(path, {"a": values})
    good, refused = path.read_bytes(), 0
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :])
        try:
            found = every_array(path)
        except RunError:
            refused += 1
        else:
            assert all(np.array_equal(one, values) for one in found.values())
    assert refused > len(good) / 2


def test_arrays_cut_anywhere_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {"a": np.arange(100.0)})
    content = path.read_bytes()
    for length in range(0, len(content), 23):
        path.write_bytes(content[:length])
        refusal(lambda: every_array(path))


def test_arrays_come_back(tmp_path: Path) -> None:
    given = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([True, False]), "c": np.zeros(0)}
    write_arrays(tmp_path / "a.npz", given)
    found = every_array(tmp_path / "a.npz")
    assert set(found) == set(given)
    for name, value in given.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b"3",
        b"\xff\xfe",
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
    ids=["empty", "open", "list", "number", "no text", "deep object", "deep list", "long number"],
)
def test_damaged_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "card.json").write_bytes(content)
    assert "card.json" in refusal(lambda: read_json(tmp_path / "card.json"))


def test_json_that_is_missing_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal(lambda: read_json(tmp_path / "card.json"))
    refusal(lambda: read_json(tmp_path))
    monkeypatch.setattr(files, "MAX_JSON_BYTES", 100)
    (tmp_path / "card.json").write_text(json.dumps({"a": "b" * 100}))
    assert "bytes, expected at most 100" in refusal(lambda: read_json(tmp_path / "card.json"))


@pytest.mark.parametrize(
    "change",
    [
        {"features": 10**6},
        {"latent": 10**9},
        {"features": 10**9, "latent": 10**9},
        {"aggregator": {"name": "self_attention", "width": 10**9, "layers": 64, "heads": 1}},
        {
            "modalities": [
                {
                    "name": "p",
                    "shape": [3, 2**28, 2**28],
                    "network": "image",
                    "width": 10**9,
                    "likelihood": {"name": "normal"},
                }
            ]
        },
        {
            "modalities": [
                {
                    "name": "t",
                    "shape": [10**9, 10**9],
                    "network": "sequence",
                    "likelihood": {"name": "categorical"},
                }
            ]
        },
    ],
    ids=["features", "latent", "both", "attention", "picture", "text"],
)
def test_models_of_billions_of_weights_are_refused_without_building_them(
    run: Run, change: dict[str, Any]
) -> None:
    made = from_dict(small.settings(**change))
    assert "The configuration describes" in refusal(lambda: check_size(made))
    write_json(run.folder / "config.json", to_dict(made))
    refusal(lambda: Run(run.folder).model())


def test_the_size_counted_is_that_of_the_model() -> None:
    for name in AGGREGATORS:
        made = small.config(name)
        expected = sum(value.numel() for value in build_model(made).parameters())
        assert check_size(made) == expected
    grown = msgspec.structs.replace(made, latent=made.latent + 1)
    assert check_size(grown) > check_size(made)
