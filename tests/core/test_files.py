"""Atomic writing: the old file or the new one, never anything else."""

from pathlib import Path

import pytest

from mmvae_core.errors import UsageError
from mmvae_core.files import UNFINISHED, write_atomically


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_new_file_takes_the_place_of_the_old(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / "report.json"
    for text in ("old", "new"):
        with write_atomically(target) as temporary:
            assert temporary.suffix == ".json", "writers look at the ending"
            assert temporary.parent == target.parent, "renaming works within a file system only"
            temporary.write_text(text)
        assert contents(target.parent) == {"report.json": text}
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_failing_block_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")

    def fail() -> None:
        with write_atomically(target) as temporary:
            temporary.write_text("half of")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert contents(tmp_path) == {"report.json": "old"}


def test_readers_see_the_old_file_until_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    with write_atomically(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_what_a_killed_writer_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    left = tmp_path / f"{UNFINISHED}report-abc.json"
    left.write_text("half of")
    with write_atomically(tmp_path / "one.json") as first:
        assert not left.exists()
        first.write_text("one")
        with write_atomically(tmp_path / "two.json") as second:
            second.write_text("two")
    assert contents(tmp_path) == {"one.json": "one", "two.json": "two"}


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for place in (tmp_path / "file" / "a.json", tmp_path / "file" / "deeper" / "a.json"):
        with (
            pytest.raises(UsageError, match=r"cannot be written .* choose another folder"),
            write_atomically(place),
        ):
            pass
