"""The arrays of a run and of a study: named axes, kinds and finiteness, checked when opened.

Only a file's headers are read before all is known to fit; nothing is ever unpickled.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from mmvae_core import npz
from mmvae_core.errors import RunError
from mmvae_core.files import check_file, unreadable, write_atomically
from mmvae_core.npz import MAX_ARRAY_BYTES, UNREADABLE, Header

KINDS = {"f": "real numbers", "i": "whole numbers", "u": "whole numbers", "b": "true or false"}


@dataclass(frozen=True)
class Contract:
    """An array's axes by name, and the kinds of numbers that it may hold (numpy's letters).

    An axis that is a number has that length, a last axis `...` stands for any further ones. Real
    numbers must be finite, but that with `gaps` NaN stands for what is missing.
    """

    axes: tuple[str, ...]
    kinds: str = "f"
    optional: bool = False
    gaps: bool = False

    def __str__(self) -> str:
        return f"[{', '.join(self.axes)}]"


def read_arrays(
    path: Path,
    contracts: Mapping[str, Contract],
    sizes: Mapping[str, int],
    remedy: str,
    others: Contract | None = None,
    apart: Mapping[str, Contract] = MappingProxyType({}),
) -> dict[str, np.ndarray]:
    """The arrays that `contracts` name, and all further ones where `others` says what they are.

    Of those that start with a name of `apart` it is that which says so.

    `sizes` are the lengths of axes that are known beforehand; others must agree within the file.
    RunError in one sentence that ends in `remedy`, before memory is spent.
    """
    check_file(path, MAX_ARRAY_BYTES, remedy)
    try:
        with zipfile.ZipFile(path) as archive:
            headers = npz.headers(archive)
            wanted = _wanted(path, contracts, headers, others, remedy)
            wanted |= {
                name: contract
                for name in wanted
                for start, contract in apart.items()
                if name.startswith(start)
            }
            _check(path, wanted, headers, dict(sizes), remedy)
            arrays = {name: npz.read(archive, name) for name in wanted}
    except UNREADABLE as error:
        raise unreadable(path, error, remedy) from None
    for name, values in arrays.items():
        bad = np.isinf if wanted[name].gaps else lambda numbers: ~np.isfinite(numbers)
        if values.dtype.kind == "f" and bad(values).any():
            raise RunError(f"{path} holds NaN or infinity in {name}; {remedy}.")
    return arrays


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a compressed npz file, atomically."""
    with write_atomically(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **dict(arrays))


def _wanted(
    path: Path,
    contracts: Mapping[str, Contract],
    headers: Mapping[str, Header],
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
    headers: Mapping[str, Header],
    sizes: dict[str, int],
    remedy: str,
) -> None:
    """Kinds, shapes and the sum of bytes, by headers alone; `sizes` learns the lengths of axes."""
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
    total = npz.total_bytes({name: headers[name] for name in wanted})
    if total > (most := npz.most_bytes(path.stat().st_size)):
        raise RunError(f"{path} would take {total:,} bytes, expected at most {most:,}; {remedy}.")


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
