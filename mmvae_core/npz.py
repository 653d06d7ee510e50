"""What npz files hold, by their headers: shapes and kinds are known before memory is spent.

Nothing is ever unpickled.
"""

import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import numpy as np

MAX_ARRAY_BYTES = 2_000_000_000
FREE_BYTES, MOST_PACKED = 100_000_000, 30
"""Arrays of more than so many bytes in all may take so many times their file: else it is a bomb."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
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
class Header:
    """Shape and type of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def bytes(self) -> int:
        """What its numbers take in memory."""
        return self.dtype.itemsize * math.prod(self.shape)


def headers(archive: zipfile.ZipFile) -> dict[str, Header]:
    """Shape and type of each array, by the few bytes at its beginning."""
    by_name = {}
    for entry in archive.infolist():
        if entry.filename.endswith(".npy"):
            if entry.compress_type not in METHODS:
                raise ValueError(f"{entry.filename} is packed in another way than numpy does")
            with archive.open(entry) as file:
                header = _header(file)
            if min(header.shape, default=0) < 0 or header.bytes > entry.file_size:
                raise ValueError(f"{entry.filename} claims more than there is")
            by_name[entry.filename.removesuffix(".npy")] = header
    return by_name


def most_bytes(packed: int) -> int:
    """So much may be unpacked of a file of `packed` bytes."""
    return min(MAX_ARRAY_BYTES, max(FREE_BYTES, MOST_PACKED * packed))


def total_bytes(wanted: Mapping[str, Header]) -> int:
    """What arrays take in memory together."""
    return sum(one.bytes for one in wanted.values())


def read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """One array's numbers."""
    with archive.open(f"{name}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _header(file: IO[bytes]) -> Header:
    version = np.lib.format.read_magic(file)
    parse = np.lib.format.read_array_header_1_0
    if version != (1, 0):
        parse = np.lib.format.read_array_header_2_0
    shape, _, dtype = parse(file)
    return Header(shape, dtype)
