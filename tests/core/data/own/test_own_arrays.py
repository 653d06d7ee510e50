"""Each way to write a modality gives the values that stand in the file, in their order."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmvae_core.config import LikelihoodConfig
from mmvae_core.data.own.arrays import array_of, read_note, read_view
from mmvae_core.data.own.guess import guess, suggested
from mmvae_core.data.own.spec import KindName, Note, View
from mmvae_core.errors import DataError

PIXELS = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
"""Two colour pictures, 4 high and 5 wide; no two bytes are alike."""


def view(kind: KindName, file: str, **more: object) -> View:
    likelihood = LikelihoodConfig(name="normal")
    return View(name="one", file=file, kind=kind, likelihood=likelihood, **more)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
def test_pictures_of_an_array_keep_rows_and_columns(last: bool, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", PIXELS.transpose(0, 2, 3, 1) if last else PIXELS)
    found = read_view(view("colour", "a.npy"), tmp_path).values
    np.testing.assert_array_equal(found, PIXELS)


def test_pictures_of_0_to_1_are_bytes_of_which_255_is_1(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[[0.0, 0.2], [0.6, 1.0]]]))
    found = read_view(view("grey", "a.npy"), tmp_path).values
    np.testing.assert_array_equal(found, [[[[0, 51], [153, 255]]]])


def test_a_table_of_pixels_is_read_row_by_row_and_top_is_white(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,c,d,e,f\n0,1,2,3,4,5\n5,5,0,0,1,2\n")
    found = read_view(view("grey", "a.csv", size=(2, 3), top=5.0), tmp_path).values
    np.testing.assert_array_equal(found[0, 0], [[0, 51, 102], [153, 204, 255]])


def test_a_folder_of_pictures_is_brought_to_its_size_as_height_and_width(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for name, picture in zip(("b", "a"), PIXELS, strict=True):
        Image.fromarray(picture.transpose(1, 2, 0)).save(tmp_path / "pictures" / f"{name}.png")
    found = read_view(view("colour", "pictures", size=(4, 5)), tmp_path)
    assert found.ids == ("a", "b")
    np.testing.assert_array_equal(found.values, PIXELS[::-1])
    larger = read_view(view("colour", "pictures", size=(8, 12)), tmp_path)
    assert larger.values.shape == (2, 3, 8, 12)


def test_a_code_is_the_answers_place_in_the_list(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "how\nnever\noften\n\nsometimes\nnever\n".replace("\n\n", '\n""\n')
    )
    found = read_view(
        view("categories", "a.csv", answers=("never", "sometimes", "often")), tmp_path
    )
    np.testing.assert_array_equal(found.values[:, 0], [0, 2, -1, 1, 0])


def test_a_one_hot_class_is_the_place_of_its_one(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.array([[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 1, 0]]))
    found = read_note(Note(name="y", file="y.npy"), tmp_path).values
    np.testing.assert_array_equal(found, [2, 0, np.nan, 1])


def test_what_is_left_out_and_the_ids_are_no_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,x,age,y\nu,1,50,2\nv,3,60,4\n")
    found = read_view(view("vector", "a.csv", id="id", leave_out=("age",)), tmp_path)
    np.testing.assert_array_equal(found.values, [[1, 2], [3, 4]])
    assert found.ids == ("u", "v")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([[0, 1], [1, np.nan]], "binary"),
        ([[0, 4], [0, 2]], "counts"),
        ([[3, 4], [5, 2]], "vector"),
        ([[0, 4], [0, 2.5]], "vector"),
        ([[0, -4], [0, 2]], "vector"),
    ],
)
def test_what_numbers_are_taken_for(values: list[list[float]], kind: str) -> None:
    assert suggested(np.array(values))[0] == kind


def hostile(kind: str, path: Path) -> None:
    """A file that is not what it says."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "bomb":
        np.savez_compressed(path, a=np.zeros((30_000, 5_000), np.uint8))
    elif kind == "objects":
        np.savez(path, a=np.array([{}], object))
    else:
        header = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little")
        said = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000, 1000), }"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.npy", header + said.ljust(117) + b"\n")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("pipe", "plain file"),
        ("bomb", "would take 150,000,000 bytes"),
        ("objects", "cannot be read"),
        ("forged", "claims more than there is"),
    ],
)
def test_arrays_of_strangers_are_refused_before_memory_is_spent(
    kind: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.npz"
    hostile(kind, path)
    for read in (lambda: array_of(path, "a"), lambda: guess([path], "mine")):
        with pytest.raises(DataError, match=said):
            read()
