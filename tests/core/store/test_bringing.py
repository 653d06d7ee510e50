"""A run comes in by a zip, or is refused in one sentence before anything is written."""

import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mmvae_core.cli import main
from mmvae_core.errors import MMVAEError
from mmvae_core.store.bringing import bring
from mmvae_core.store.run import Run
from tests import small

Write = Callable[[zipfile.ZipFile], None]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return small.write_study(tmp_path_factory.mktemp("studies"))


def packed(run: Run, more: Write = lambda archive: None) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in run.folder.iterdir():
            archive.write(path, f"mine/{path.name}")
        archive.writestr("__MACOSX/mine/._config.json", b"\0")
        archive.writestr("mine/notes.txt", b"of no use")
        more(archive)
    return file


def test_a_packed_run_opens_and_answers_as_before(run: Run, tmp_path: Path) -> None:
    studies = (run.folder.parents[1],)
    order = ["export", run.id, "--out", str(tmp_path / "sent.zip")]
    with pytest.raises(SystemExit) as ended:
        main([*order, "--checkpoints", str(studies[0])])
    assert ended.value.code == 0
    with (tmp_path / "sent.zip").open("rb") as file:
        found = bring(file, "sent.zip", tmp_path / "runs", studies)
    assert found.folder == tmp_path / "runs" / run.folder.name
    for name, value in run.model().state_dict().items():
        torch.testing.assert_close(found.model().state_dict()[name], value, rtol=0, atol=0)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [run.folder.name]
    with (tmp_path / "sent.zip").open("rb") as file, pytest.raises(MMVAEError, match="already"):
        bring(file, "sent.zip", tmp_path / "runs", studies)


def test_a_study_comes_with_its_runs_and_only_their_files(run: Run, tmp_path: Path) -> None:
    base = shutil.make_archive(str(tmp_path / "all"), "zip", run.folder.parents[1])
    with Path(base).open("rb") as file:
        found = bring(file, "all.zip", tmp_path / "runs", ())
    place = tmp_path / "runs" / run.config.study
    assert found.folder.parent == place and (place / "samples.npz").is_file()
    alone = bring(packed(run), "a.zip", tmp_path / "runs", (tmp_path / "runs",))
    assert {one.name for one in alone.folder.iterdir()} == {
        "config.json",
        "card.json",
        "weights.safetensors",
    }


def link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("mine/latents.npz")
    entry.external_attr = 0o120777 << 16
    archive.writestr(entry, "/etc/passwd")


def other_weights(archive: zipfile.ZipFile) -> None:
    archive.writestr("mine/report.json", b"{}")


HOSTILE: dict[str, tuple[Write, str]] = {
    "up": (lambda one: one.writestr("mine/../../gone.json", b""), "leads outside"),
    "absolute": (lambda one: one.writestr("/tmp/gone.json", b""), "leads outside"),
    "windows": (lambda one: one.writestr("mine\\..\\gone.json", b""), "leads outside"),
    "link": (link, "is a link"),
    "deep": (lambda one: one.writestr("a/" * 20 + "b", b""), "too deep"),
    "bomb": (lambda one: one.writestr("mine/latents.npz", bytes(150_000_000)), "would unpack to"),
    "second": (
        lambda one: [one.writestr(f"b/{x}", b"") for x in ("config.json", "weights.safetensors")],
        "2 runs",
    ),
    "report": (other_weights, "report.json"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_wrong_is_one_sentence_and_nothing_is_kept(
    kind: str, run: Run, tmp_path: Path
) -> None:
    more, said = HOSTILE[kind]
    with pytest.raises(MMVAEError, match=said):
        bring(packed(run, more), "a.zip", tmp_path / "runs", (run.folder.parents[1],))
    assert [*tmp_path.rglob("*.json"), *tmp_path.rglob("mine")] == []


def test_what_is_no_run_is_said(run: Run, tmp_path: Path) -> None:
    def refused(file: io.BytesIO, studies: tuple[Path, ...] = ()) -> str:
        with pytest.raises(MMVAEError) as refusal:
            bring(file, "a.zip", tmp_path / "runs", studies)
        return str(refusal.value)

    assert "cannot be read" in refused(io.BytesIO(b"no zip"))
    assert "is not here; zip the study's folder" in refused(packed(run))
    arrays = io.BytesIO()
    with zipfile.ZipFile(arrays, "w") as archive:
        for name in ("manifest.json", "weights.bin"):
            archive.writestr(name, b"{}")
    assert "plain arrays" in refused(arrays)
    whole = packed(run).getvalue()
    draw = np.random.default_rng(0)
    for place in draw.integers(0, len(whole), 12):  # flipped anywhere: a sentence, or no harm
        bad = bytearray(whole)
        bad[place] ^= 0xFF
        try:
            done = bring(
                io.BytesIO(bytes(bad)), "a.zip", tmp_path / "runs", (run.folder.parents[1],)
            )
            shutil.rmtree(done.folder)
        except MMVAEError:
            pass
