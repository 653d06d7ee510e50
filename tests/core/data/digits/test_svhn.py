"""SVHN: the two MATLAB files are read exactly; anything but plain numbers is refused."""

import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from mmvae_core.data.digits.svhn import FILES, load_svhn, read_mat
from mmvae_core.errors import DataError


def photos(count: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(count)
    images = generator.integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
    return images, (np.arange(count, dtype=np.uint8) % 10 + 1)[:, None]


def write_svhn(folder: Path, counts: dict[str, int], packed: bool = True) -> None:
    for split, name in FILES.items():
        images, labels = photos(counts[split])
        savemat(folder / name, {"X": images, "y": labels}, do_compression=packed)


@pytest.mark.parametrize("packed", [True, False])
def test_both_splits_are_read_exactly(tmp_path: Path, packed: bool) -> None:
    write_svhn(tmp_path, {"train": 25, "test": 11}, packed)
    data = load_svhn(tmp_path)
    for split, count in (("train", 25), ("test", 11)):
        images, labels = data[split]
        assert images.shape == (count, 32, 32, 3) and images.dtype == np.uint8
        assert labels.dtype == np.int64
        np.testing.assert_array_equal(images[3], photos(count)[0][..., 3])
        np.testing.assert_array_equal(labels[:11], [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])


def test_missing_files_are_named_with_the_command(tmp_path: Path) -> None:
    write_svhn(tmp_path, {"train": 3, "test": 3})
    (tmp_path / "test_32x32.mat").unlink()
    with pytest.raises(DataError, match=r"test_32x32\.mat missing.*--download --photo svhn"):
        load_svhn(tmp_path)


X, Y = photos(4)
FOREIGN = {
    "no labels": {"X": X},
    "no images": {"y": Y},
    "images of floats": {"X": X.astype(np.float64), "y": Y},
    "complex images": {"X": X.astype(np.complex128), "y": Y},
    "complex labels": {"X": X, "y": Y.astype(np.complex128)},
    "grey images": {"X": X[:, :, 0], "y": Y},
    "larger images": {"X": np.zeros((64, 32, 3, 4), np.uint8), "y": Y},
    "labels of text": {"X": X, "y": np.array(["a", "b", "c", "d"])[:, None]},
    "cells": {"X": X, "y": np.array([1, "two", 3, 4], dtype=object)[:, None]},
    "a struct": {"X": X, "y": {"a": 1}},
    "too few labels": {"X": X, "y": Y[:3]},
    "labels in a row": {"X": X, "y": Y.T},
    "label 0": {"X": X, "y": Y - 1},
    "label 11": {"X": X, "y": Y + 10},
    "half labels": {"X": X, "y": Y + 0.5},
    "no number": {"X": X, "y": Y * np.nan},
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_other_contents_are_refused(tmp_path: Path, content: dict[str, np.ndarray]) -> None:
    savemat(tmp_path / "a.mat", content)
    with pytest.raises(DataError, match=r"download (it|them) again\.$"):
        read_mat(tmp_path / "a.mat")


@pytest.mark.parametrize("packed", [True, False])
def test_a_damaged_file_is_refused(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"X": X, "y": Y}, do_compression=packed)
    whole = path.read_bytes()
    for cut in (0, 3, 100, 128, 133, 150, 180, 1000, len(whole) - 40):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError):
            read_mat(path)
    path.write_bytes(b"\x80\x04\x95 a pickle" * 40)
    with pytest.raises(DataError):
        read_mat(path)


def test_any_changed_byte_of_the_headers_gives_data_or_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"X": X, "y": Y})
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    for at in [*range(120, 220)] * 4:
        changed = bytearray(whole)
        changed[at] = generator.integers(0, 256)
        path.write_bytes(changed)
        try:
            images, labels = read_mat(path)
        except DataError:
            continue
        assert images.shape == (4, 32, 32, 3) and labels.max() <= 9


def _mat_declaring(data_bytes: int, packed: bool, zeros: int) -> bytes:
    """X [32, 32, 3, 4] and y [4, 1], where the tag of X's data declares `data_bytes`."""

    def variable(name: bytes, sizes: tuple[int, ...], declared: int, data: bytes) -> bytes:
        body = struct.pack("<IIII", 6, 8, 9, 0)
        body += struct.pack(f"<II{len(sizes)}i", 5, 4 * len(sizes), *sizes)
        body += struct.pack("<HH4s", 1, len(name), name)
        body += struct.pack("<II", 2, declared) + data
        whole = struct.pack("<II", 14, len(body)) + body
        if not packed:
            return whole
        squeezed = zlib.compress(whole)
        return struct.pack("<II", 15, len(squeezed)) + squeezed

    start = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    images = variable(b"X", (32, 32, 3, 4), data_bytes, bytes(zeros))
    return start + images + variable(b"y", (4, 1), 4, bytes([1, 2, 3, 10, 0, 0, 0, 0]))


@contextmanager
def _little_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize("packed", [True, False])
def test_no_memory_is_spent_on_data_longer_than_its_shape(tmp_path: Path, packed: bool) -> None:
    path, right = tmp_path / "a.mat", 32 * 32 * 3 * 4
    path.write_bytes(_mat_declaring(right, packed, right))
    np.testing.assert_array_equal(read_mat(path)[1], [1, 2, 3, 0])
    path.write_bytes(_mat_declaring(right, packed, 64_000_000))
    with _little_memory(), pytest.raises(DataError, match=r"inflates to other|has 64000"):
        read_mat(path)  # the shape and the tag agree, yet more follows
    path.write_bytes(_mat_declaring(64_000_000, packed, 64_000_000))
    with _little_memory(), pytest.raises(DataError, match="64000000 bytes"):
        read_mat(path)
