"""Handwritten digits (MNIST): reading idx files with care, and fetching them.

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", 1998,
http://yann.lecun.com/exdb/mnist/ (the idx format is described there too).
"""

import gzip
import math
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pooch

from mmvae_core.errors import DataError

IMAGE_SHAPE = (28, 28)
CLASSES = 10
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
BASE_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
# SHA-256 of the archives as published. A recompressed copy has other hashes and equal contents.
SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
DOWNLOAD_COMMAND = "python -m mmvae_core data digits --download"

MAX_ITEMS = 1_000_000
_UNSIGNED_BYTE = 0x08
_DEFLATE_LIMIT = 1032  # deflate cannot expand a byte into more than this many bytes


def load_mnist(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read both splits of MNIST from the four idx files, gzipped or plain.

    Returns {"train", "test"} -> (images uint8 [n, 28, 28], labels int64 [n] in 0..9).
    Raises DataError for files that are missing, damaged or not of these shapes.
    """
    names = [name for pair in FILES.values() for name in pair]
    paths = find_files(folder, names, "MNIST", DOWNLOAD_COMMAND)
    return {
        split: _read_split(paths[images], paths[labels])
        for split, (images, labels) in FILES.items()
    }


def download_mnist(folder: Path, base_url: str = BASE_URL) -> None:
    """Fetch the four archives (11 MB in all) into `folder`; files with the right hash stay."""
    fetch_files(base_url, SHA256, folder)


def read_idx(path: Path, item_shape: tuple[int, ...]) -> np.ndarray:
    """Read one idx file of unsigned bytes: uint8 [n, *item_shape], n at most 1,000,000.

    The header is checked before anything of its declared size is read, and no more than the
    declared size + 1 byte is ever inflated. Raises DataError.
    """
    try:
        with _opened(path) as stream:
            shape = _read_header(stream, path, item_shape)
            expected = math.prod(shape)
            _check_possible(path, expected)
            content = stream.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} could not be read ({error}); delete it and download it again."
        ) from error
    if len(content) != expected:
        amount = "more" if len(content) > expected else f"only {len(content)} bytes"
        raise DataError(
            f"{path} declares {expected} bytes of data in its header but holds {amount}; "
            "delete it and download it again."
        )
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def find_files(folder: Path, names: list[str], what: str, command: str) -> dict[str, Path]:
    """The path of each name in `folder`, as `name.gz` or `name`; DataError if one is missing."""
    paths: dict[str, Path] = {}
    for name in names:
        for path in (folder / f"{name}.gz", folder / name):
            if path.is_file():
                paths.setdefault(name, path)
    if len(paths) < len(names):
        raise DataError(
            f"The folder {folder} does not hold all {what} files ({', '.join(names)} expected, "
            f"{', '.join(name for name in names if name not in paths)} missing); "
            f"fetch them with `{command}`."
        )
    return paths


def fetch_files(base_url: str, sha256: Mapping[str, str], folder: Path) -> None:
    """Download every named file that `folder` lacks, atomically, checking its SHA-256 (hex).

    A file arrives under its name only when complete and verified, so an interrupted call is
    taken up again at the first missing file. Raises DataError without network or on a wrong hash.
    """
    downloader = pooch.HTTPDownloader(progressbar=find_spec("tqdm") is not None)
    for name, digest in sha256.items():
        try:
            # pooch's own downloader does not fit the type that pooch declares for it.
            pooch.retrieve(
                base_url + name,
                known_hash=f"sha256:{digest}",
                fname=name,
                path=folder,
                downloader=downloader,  # pyright: ignore[reportArgumentType]
            )
        except (OSError, ValueError) as error:
            raise DataError(
                f"{base_url}{name} could not be fetched into {folder} ({error}); check the "
                "connection and run the same command again, or place the file there by hand."
            ) from error


def check_labels(labels: np.ndarray, images: np.ndarray, source: Path) -> np.ndarray:
    """Labels as int64 [n]; DataError unless there is one per image, each in 0..9."""
    if len(labels) != len(images):
        raise DataError(
            f"{source} has {len(labels)} labels for {len(images)} images, expected one each; "
            "delete the files and download them again."
        )
    if labels.size and not (labels.min() >= 0 and labels.max() < CLASSES):
        raise DataError(
            f"{source} holds labels from {labels.min()} to {labels.max()}, expected digits 0 to 9; "
            "delete the file and download it again."
        )
    return labels.astype(np.int64)


def _read_split(images_path: Path, labels_path: Path) -> tuple[np.ndarray, np.ndarray]:
    images = read_idx(images_path, IMAGE_SHAPE)
    return images, check_labels(read_idx(labels_path, ()), images, labels_path)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path.suffix != ".gz":
        with path.open("rb") as stream:
            yield stream
        return
    with gzip.open(path, "rb") as stream:
        yield cast(BinaryIO, stream)


def _read_header(stream: BinaryIO, path: Path, item_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The declared shape [n, *item_shape], once it is known to be the expected one."""
    axes = 1 + len(item_shape)
    magic = stream.read(4)
    if magic != bytes([0, 0, _UNSIGNED_BYTE, axes]):
        raise DataError(
            f"{path} begins with the bytes '{magic.hex()}', expected '000008{axes:02x}' (an idx "
            f"file of unsigned bytes with {axes} axes); delete it and download it again."
        )
    sizes = stream.read(4 * axes)
    if len(sizes) != 4 * axes:
        raise DataError(
            f"{path} ends inside its header, expected {axes} sizes of 4 bytes; "
            "delete it and download it again."
        )
    shape = tuple(int(size) for size in np.frombuffer(sizes, dtype=">u4"))
    if shape[1:] != item_shape or shape[0] > MAX_ITEMS:
        raise DataError(
            f"{path} declares the shape {shape}, expected at most {MAX_ITEMS} items of shape "
            f"{item_shape}; delete it and download it again."
        )
    return shape


def _check_possible(path: Path, expected: int) -> None:
    """DataError when the file is too small to hold `expected` bytes, however well packed."""
    size = path.stat().st_size
    most = size * _DEFLATE_LIMIT if path.suffix == ".gz" else size
    if expected > most:
        raise DataError(
            f"{path} declares {expected} bytes of data but has only {size} bytes itself; "
            "delete it and download it again."
        )
