"""Photographed house numbers (SVHN, cropped digits), from the two published MATLAB files.

Only what these files hold is read: plain arrays of numbers. scipy's reader is not used, because
it crashes the interpreter on some damaged headers and reserves whatever size a tag declares.

Sources: Netzer, Wang, Coates, Bissacco, Wu, Ng, "Reading Digits in Natural Images with
Unsupervised Feature Learning", 2011, http://ufldl.stanford.edu/housenumbers/; The MathWorks,
"MAT-File Format", chapter on level 5.
"""

import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from mmvae_core.data.digits.mnist import MAX_ITEMS, check_labels, fetch_files
from mmvae_core.errors import DataError

IMAGE_SHAPE = (32, 32, 3)
FILES = {"train": "train_32x32.mat", "test": "test_32x32.mat"}
BASE_URL = "http://ufldl.stanford.edu/housenumbers/"
SHA256 = {
    "train_32x32.mat": "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
    "test_32x32.mat": "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
}
DOWNLOAD_COMMAND = "python -m mmvae_core data digits --download --photo svhn"

# Numbers that the format gives to element types, array classes and flags.
_ELEMENT_TYPES = {
    1: "<i1",
    2: "<u1",
    3: "<i2",
    4: "<u2",
    5: "<i4",
    6: "<u4",
    7: "<f4",
    9: "<f8",
    12: "<i8",
    13: "<u8",
}
_MATRIX, _COMPRESSED = 14, 15
_UINT8_CLASS, _NUMERIC_CLASSES = 9, range(6, 16)
_COMPLEX = 0x0800
_LEVEL_5 = b"\x00\x01IM"  # the end of the file's header: version and byte order
_HEAD = 1024  # more bytes than the tags, sizes and name of a variable take, packed or not


class _Variable(NamedTuple):
    """What a variable's header declares; its data is `size` bytes, `start` bytes after its tag."""

    name: str
    array_class: int
    is_complex: bool
    shape: tuple[int, ...]
    dtype: str | None
    start: int
    size: int


class _Element(NamedTuple):
    """One tagged piece of a variable: its type number, where its bytes are, what follows."""

    kind: int
    start: int
    size: int
    following: int


def load_svhn(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read both splits: "train", "test" -> (images uint8 [n, 32, 32, 3], labels int64 [n]).

    The files call a zero 10; here it is 0. Raises DataError for files that are missing, damaged
    or hold anything but plain numbers of the published shapes.
    """
    missing = [name for name in FILES.values() if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"The folder {folder} does not hold all SVHN files ({', '.join(FILES.values())} "
            f"expected, {', '.join(missing)} missing); fetch them with `{DOWNLOAD_COMMAND}`."
        )
    return {split: read_mat(folder / name) for split, name in FILES.items()}


def download_svhn(folder: Path, base_url: str = BASE_URL) -> None:
    """Fetch both files (246 MB in all) into `folder`; files with the right hash stay."""
    fetch_files(base_url, SHA256, folder)


def read_mat(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """One level 5 MATLAB file with X [32, 32, 3, n] of bytes and y [n, 1] of numbers 1 to 10.

    Returns images uint8 [n, 32, 32, 3] and labels int64 [n]. Each variable's header is checked
    before its data is read, and no more is inflated than it declares. Raises DataError.
    """
    try:
        arrays = _read_arrays(path)
    except (OSError, ValueError, struct.error, zlib.error) as error:
        raise _damaged(path, f"could not be read ({error})", "a MATLAB file of numbers") from error
    if set(arrays) != {"X", "y"}:
        raise _damaged(path, f"holds {sorted(arrays) or 'no variable'}", "X and y")
    images = np.ascontiguousarray(arrays["X"].transpose(3, 0, 1, 2))
    return images, check_labels(_zero_for_ten(arrays["y"][:, 0], path), images, path)


def _damaged(path: Path, given: str, expected: str) -> DataError:
    return DataError(f"{path} {given}, expected {expected}; delete it and download it again.")


def _zero_for_ten(labels: np.ndarray, path: Path) -> np.ndarray:
    """Labels 1..10 as digits 1..9, 0; DataError for any other value."""
    if not np.isin(labels, np.arange(1, 11)).all():
        given = f"holds labels from {labels.min()} to {labels.max()}"
        raise _damaged(path, given, "whole numbers 1 to 10 (10 for zero)")
    return labels.astype(np.int64) % 10


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Every variable of the file by name; all must be as `_check` wants them."""
    arrays: dict[str, np.ndarray] = {}
    file_size = path.stat().st_size
    with path.open("rb") as stream:
        header = stream.read(128)
        if header[124:] != _LEVEL_5:
            raise _damaged(
                path,
                f"has a header ending in '{header[124:].hex()}'",
                f"'{_LEVEL_5.hex()}' (a little-endian MATLAB file of level 5)",
            )
        while tag := stream.read(8):
            kind, size = struct.unpack("<II", tag)
            if kind not in (_MATRIX, _COMPRESSED) or stream.tell() + size > file_size:
                raise _damaged(
                    path, f"has a piece of type {kind} and {size} bytes", "complete variables only"
                )
            name, array = _read_variable(stream, tag, path)
            if name in arrays:
                raise _damaged(path, f"holds {name} twice", "X and y once each")
            arrays[name] = array
    return arrays


def _read_variable(stream: BinaryIO, tag: bytes, path: Path) -> tuple[str, np.ndarray]:
    """The name and array of the variable whose tag was just read."""
    kind, size = struct.unpack("<II", tag)
    packed = kind == _COMPRESSED
    content = stream.read(min(size, _HEAD))
    head = zlib.decompressobj().decompress(content, _HEAD) if packed else tag + content
    variable = _parse_header(head)
    _check(variable, path)
    end = variable.start + variable.size
    if not packed and len(tag) + size >= end + 8:
        raise _damaged(path, f"has {size} bytes of {variable.name}", f"about {end}")
    content += stream.read(size - len(content))
    whole = _inflate(content, end, path) if packed else tag + content
    if len(whole) < end:
        raise _damaged(path, f"ends inside {variable.name}", f"{variable.size} bytes of it")
    array = np.frombuffer(whole, variable.dtype, math.prod(variable.shape), variable.start)
    return variable.name, array.reshape(variable.shape, order="F")


def _inflate(content: bytes, end: int, path: Path) -> bytes:
    """Inflate `end` bytes and up to 7 of padding; DataError if more follows."""
    inflater = zlib.decompressobj()
    whole = inflater.decompress(content, end + 8)
    if not inflater.eof:
        raise _damaged(path, f"inflates to other than the {end} bytes it declares", "just those")
    return whole


def _parse_header(head: bytes) -> _Variable:
    """Read a variable's class, shape, name and data tag; struct.error where they are cut off."""
    (flags,) = struct.unpack_from("<I", head, 16)
    sizes = _element(head, 24)  # after the tags of the variable and of its flags
    name = _element(head, sizes.following)
    data = _element(head, name.following)
    shape = np.frombuffer(head[sizes.start : sizes.start + sizes.size], "<i4")
    return _Variable(
        name=head[name.start : name.start + name.size].decode("ascii", "replace"),
        array_class=flags & 0xFF,
        is_complex=bool(flags & _COMPLEX),
        shape=tuple(int(size) for size in shape),
        dtype=_ELEMENT_TYPES.get(data.kind),
        start=data.start,
        size=data.size,
    )


def _element(head: bytes, at: int) -> _Element:
    """The element whose tag is at `at`."""
    word, size = struct.unpack_from("<II", head, at)
    if word >> 16:  # a small element: up to four bytes, inside its own tag
        return _Element(word & 0xFFFF, at + 4, word >> 16, at + 8)
    return _Element(word, at + 8, size, at + 8 + -(-size // 8) * 8)


def _check(variable: _Variable, path: Path) -> None:
    """DataError unless this is X, bytes [32, 32, 3, n], or y, real numbers [n, 1]."""
    shape, dtype = variable.shape, variable.dtype
    if variable.name == "X":
        fits = shape[:-1] == IMAGE_SHAPE and variable.array_class == _UINT8_CLASS and dtype == "<u1"
    else:
        fits = variable.name == "y" and len(shape) == 2 and shape[1] == 1
    fits = fits and dtype is not None and variable.array_class in _NUMERIC_CLASSES
    fits = fits and not variable.is_complex and min(shape) > 0 and max(shape) <= MAX_ITEMS
    if not fits or variable.size != math.prod(shape) * np.dtype(dtype).itemsize:
        raise _damaged(
            path,
            f"declares {variable.name!r} of shape {shape} with {variable.size} bytes of data",
            f"X [32, 32, 3, n] of unsigned bytes and y [n, 1] of numbers, n at most {MAX_ITEMS}",
        )
