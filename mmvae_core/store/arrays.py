"""The arrays of a run and of a study: named axes, kinds and finiteness, checked when opened.

Only a file's headers are read before all is known to fit; nothing is ever unpickled.
"""

import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from mmvae_core.errors import RunError
from mmvae_core.files import unreadable, write_atomically

MAX_ARRAY_BYTES = 2_000_000_000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
KINDS = {"f": "real numbers", "i": "whole numbers", "u": "whole numbers", "b": "true or false"}
# Damaged files raise all of these; MemoryError, for a header that claims too much, spends none.
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    MemoryError,
    OverflowError,
    SyntaxError,
    TypeError,
    IndexError,
    struct.error,
    tokenize.TokenError,
    zlib.error,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class Contract:
    """An array's axes by name, and the kinds of numbers that it may hold (numpy's letters).

    An axis that is a number has that length, a last axis `...` stands for any further ones. Real
    numbers must be finite.
    """

    axes: tuple[str, ...]
    kinds: str = "f"
    optional: bool = False

    def __str__(self) -> str:
        return f"[{', '.join(self.axes)}]"


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape)


def read_arrays(
    path: Path,
    contracts: Mapping[str, Contract],
    sizes: Mapping[str, int],
    remedy: str,
    others: Contract | None = None,
) -> dict[str, np.ndarray]:
    """The arrays that `contracts` name, and all further ones where `others` says what they are.

    `sizes` are the lengths of axes that are known beforehand; others must agree within the file.
    RunError in one sentence that ends in `remedy`, before memory is spent.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            headers = _headers(archive)
            wanted = _wanted(path, contracts, headers, others, remedy)
            _check(path, wanted, headers, dict(sizes), remedy)
            found = {name: _read(archive, name) for name in wanted}
    except UNREADABLE as error:
        raise unreadable(path, error, remedy) from None
    for name, values in found.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise RunError(f"{path} holds NaN or infinity in {name}; {remedy}.")
    return found


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a compressed npz file, atomically."""
    with write_atomically(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **dict(arrays))


def _headers(archive: zipfile.ZipFile) -> dict[str, _Header]:
    """Shape and type of each array, by the few bytes at its beginning."""
    found = {}
    for entry in archive.infolist():
        if entry.filename.endswith(".npy"):
            if entry.compress_type not in METHODS:
                raise ValueError(f"{entry.filename} is packed in another way than numpy does")
            with archive.open(entry) as file:
                header = _header(file)
            if min(header.shape, default=0) < 0 or header.bytes > entry.file_size:
                raise ValueError(f"{entry.filename} claims more than there is")
            found[entry.filename.removesuffix(".npy")] = header
    return found


def _header(file: IO[bytes]) -> _Header:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0
    if version != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return _Header(shape, dtype)


def _wanted(
    path: Path,
    contracts: Mapping[str, Contract],
    headers: Mapping[str, _Header],
    others: Contract | None,
    remedy: str,
) -> dict[str, Contract]:
    missing = [name for name, one in contracts.items() if name not in headers and not one.optional]
    if missing:
        raise RunError(f"{path} lacks {', '.join(missing)}; {remedy}.")
    wanted = {name: one for name, one in contracts.items() if name in headers}
    if others is not None:
        wanted |= {name: others for name in headers if name not in contracts}
    return wanted


def _check(
    path: Path,
    wanted: Mapping[str, Contract],
    headers: Mapping[str, _Header],
    sizes: dict[str, int],
    remedy: str,
) -> None:
    """Kinds, shapes and the sum of bytes, by headers alone; `sizes` learns the lengths of axes."""
    total = 0
    for name, contract in wanted.items():
        header = headers[name]
        if header.dtype.kind not in contract.kinds:
            meant = " or ".join(dict.fromkeys(KINDS[kind] for kind in contract.kinds))
            raise RunError(f"{path} holds {name} as {header.dtype}, expected {meant}; {remedy}.")
        expected = _expected(header.shape, contract, sizes)
        if expected is not None:
            raise RunError(
                f"{path} holds {name} of shape {list(header.shape)}, expected {expected}; {remedy}."
            )
        total += header.bytes
    if total > MAX_ARRAY_BYTES:
        raise RunError(
            f"{path} would take {total:,} bytes, expected at most {MAX_ARRAY_BYTES:,}; {remedy}."
        )


def _expected(shape: tuple[int, ...], contract: Contract, sizes: dict[str, int]) -> str | None:
    """Which shape an array should have had, in words; None if it has it."""
    axes = contract.axes
    if axes[-1:] == ("...",):
        axes = axes[:-1]
        fits = len(shape) >= len(axes)
    else:
        fits = len(shape) == len(axes)
    for axis, length in zip(axes, shape, strict=False):
        wanted = int(axis) if axis.isdigit() else sizes.get(axis, length)
        fits = fits and wanted == length
    if not fits:
        known = ", ".join(f"{sizes[axis]:,} for {axis}" for axis in axes if axis in sizes)
        return f"{contract}" + (f" with {known}" if known else "")
    sizes.update(zip(axes, shape, strict=False))
    return None


def _read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)
