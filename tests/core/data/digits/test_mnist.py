"""MNIST: idx files are read exactly, damaged ones are refused, downloads are verified."""

import gzip
import hashlib
import struct
import threading
import tracemalloc
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from mmvae_core.data.digits import mnist
from mmvae_core.data.digits.mnist import FILES, fetch_files, load_mnist, read_idx
from mmvae_core.errors import DataError


def idx_bytes(array: np.ndarray, dtype_code: int = 0x08, sizes: tuple[int, ...] = ()) -> bytes:
    sizes = sizes or array.shape
    header = bytes([0, 0, dtype_code, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)
    return header + array.tobytes()


def digits(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return images, (np.arange(count) % 10).astype(np.uint8)


def write_mnist(folder: Path, counts: dict[str, int], packed: bool = True) -> None:
    for split, (images_name, labels_name) in FILES.items():
        for name, array in zip((images_name, labels_name), digits(counts[split]), strict=True):
            content = idx_bytes(array)
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)


@pytest.mark.parametrize("packed", [True, False])
def test_both_splits_are_read_exactly(tmp_path: Path, packed: bool) -> None:
    write_mnist(tmp_path, {"train": 30, "test": 12}, packed)
    data = load_mnist(tmp_path)
    assert set(data) == {"train", "test"}
    for split, count in (("train", 30), ("test", 12)):
        images, labels = data[split]
        expected_images, expected_labels = digits(count)
        assert images.dtype == np.uint8 and labels.dtype == np.int64
        np.testing.assert_array_equal(images, expected_images)
        np.testing.assert_array_equal(labels, expected_labels)


def test_missing_files_are_named_with_the_command_that_fetches_them(tmp_path: Path) -> None:
    write_mnist(tmp_path, {"train": 3, "test": 3})
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError) as caught:
        load_mnist(tmp_path)
    message = str(caught.value)
    assert str(tmp_path) in message
    assert "t10k-labels-idx1-ubyte missing" in message
    assert "python -m mmvae_core data digits --download" in message


IMAGES, _ = digits(4)
DAMAGED = {
    "empty": b"",
    "wrong magic": b"\x80\x04" + idx_bytes(IMAGES)[2:],
    "floats": idx_bytes(IMAGES, dtype_code=0x0D),
    "two axes": idx_bytes(IMAGES.reshape(4, 784)),
    "200 axes": bytes([0, 0, 8, 200]),
    "ends in its header": idx_bytes(IMAGES)[:10],
    "wrong image shape": idx_bytes(IMAGES.reshape(4, 14, 56)),
    "too many items": idx_bytes(IMAGES, sizes=(2**32 - 1, 28, 28)),
    "an item too few": idx_bytes(IMAGES, sizes=(5, 28, 28)),
    "an item too many": idx_bytes(IMAGES, sizes=(3, 28, 28)),
    "truncated": idx_bytes(IMAGES)[:-1],
    "a pickled array": b"\x93NUMPY\x01\x00",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
@pytest.mark.parametrize("packed", [True, False])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, packed: bool) -> None:
    path = tmp_path / ("images.gz" if packed else "images")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError, match=r"download it again\.$"):
        read_idx(path, (28, 28))


@pytest.mark.parametrize("cut", [5, 30, 200, -4])
def test_a_cut_or_corrupted_archive_is_refused(tmp_path: Path, cut: int) -> None:
    path, packed = tmp_path / "images.gz", gzip.compress(idx_bytes(IMAGES))
    path.write_bytes(packed[:cut])
    with pytest.raises(DataError):
        read_idx(path, (28, 28))
    changed = bytearray(packed)
    changed[cut] ^= 0xFF
    path.write_bytes(changed)
    if cut != 5:  # byte 5 is the archive's date, which means nothing
        with pytest.raises(DataError):
            read_idx(path, (28, 28))


def test_a_bomb_is_not_inflated(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES) + bytes(64_000_000), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(DataError, match="holds more"):
        read_idx(path, (28, 28))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize("name", ["big", "big.gz"])
def test_no_memory_is_spent_on_a_size_the_file_cannot_hold(tmp_path: Path, name: str) -> None:
    content = idx_bytes(IMAGES, sizes=(1_000_000, 28, 28))
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    tracemalloc.start()
    with pytest.raises(DataError, match="784000000 bytes"):
        read_idx(tmp_path / name, (28, 28))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize("labels", [np.array([0, 1, 10]), np.array([0, 1])])
def test_labels_must_be_one_digit_per_image(tmp_path: Path, labels: np.ndarray) -> None:
    write_mnist(tmp_path, {"train": 3, "test": 3})
    damaged = gzip.compress(idx_bytes(labels.astype(np.uint8)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(damaged)
    with pytest.raises(DataError, match="train-labels"):
        load_mnist(tmp_path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on this machine: its address and the folder it serves."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/", folder
        http.shutdown()


def test_a_download_is_verified_and_kept(tmp_path: Path, server: tuple[str, Path]) -> None:
    url, served = server
    (served / "small.gz").write_bytes(b"content")
    hashes = {"small.gz": hashlib.sha256(b"content").hexdigest()}
    target = tmp_path / "target"
    fetch_files(url, hashes, target)
    assert (target / "small.gz").read_bytes() == b"content"
    (served / "small.gz").unlink()
    fetch_files(url, hashes, target)  # nothing left to fetch, so nothing is asked of the server


def test_a_download_with_a_wrong_hash_leaves_nothing(
    tmp_path: Path, server: tuple[str, Path]
) -> None:
    url, served = server
    (served / "small.gz").write_bytes(b"another content")
    target = tmp_path / "target"
    with pytest.raises(DataError, match="could not be fetched"):
        fetch_files(url, {"small.gz": hashlib.sha256(b"content").hexdigest()}, target)
    assert not list(target.iterdir())


def test_a_file_that_is_not_there_or_no_server(tmp_path: Path, server: tuple[str, Path]) -> None:
    url, _ = server
    for address in (url, "http://127.0.0.1:9/"):
        with pytest.raises(DataError, match="could not be fetched"):
            fetch_files(address, {"absent.gz": "0" * 64}, tmp_path / "target")


def test_download_then_load(
    tmp_path: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, served = server
    write_mnist(served, {"train": 5, "test": 4})
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in served.iterdir()}
    monkeypatch.setattr(mnist, "SHA256", hashes)
    mnist.download_mnist(tmp_path / "target", base_url=url)
    assert len(load_mnist(tmp_path / "target")["train"][1]) == 5
