"""Numbers without a picture: stored as they are, written as CSV."""

import io
import math
import warnings
from pathlib import Path

import numpy as np

from mmvae_core.config import ModalityConfig
from mmvae_core.errors import DataError, one_line
from mmvae_core.files import write_lines
from mmvae_core.modalities.kind import NUMERIC, Kind, content, unit


class Numbers(Kind):
    """Base of what people have as a table: numbers between commas, a line a value."""

    def read(self, given: str | bytes) -> np.ndarray:
        """As many numbers as the shape has, on one line or several."""
        name, shape = self.modality.name, self.modality.shape
        values = _parse(content(given, name), name)
        if values.size != math.prod(shape):
            raise DataError(
                f"The file for {name!r} holds {values.size} numbers, expected "
                f"{math.prod(shape)}; give as many."
            )
        if np.isnan(values).any():
            raise DataError(
                f"The file for {name!r} holds NaN, expected numbers alone; give every number."
            )
        return self.checked(values.reshape(shape))

    def rows(self, means: np.ndarray) -> np.ndarray:
        """Means [n, *shape] as they are written."""
        return self.stored(means)

    def write(self, means: np.ndarray, folder: Path) -> list[Path]:
        """One file, `<name>.csv`, a line each."""
        rows = self.rows(means).reshape(len(means), -1).tolist()
        lines = [",".join(map(_digits, row)) for row in rows]
        return [write_lines(folder / f"{self.modality.name}.csv", lines)]


class Vector(Numbers):
    """Numbers of any shape that is no picture's."""

    title = "a vector"
    gaps = True

    @classmethod
    def takes(cls, modality: ModalityConfig) -> bool:
        """Whatever no other kind takes."""
        return True

    @property
    def networks(self) -> tuple[str, ...]:
        """Convolutions too, where there are channels, height and width."""
        return (*NUMERIC, "image") if len(self.modality.shape) == 3 else NUMERIC

    def plain(self, stored: np.ndarray) -> np.ndarray:
        """float32, bytes in 0..1."""
        return unit(stored)

    def stored(self, values: np.ndarray) -> np.ndarray:
        """float32."""
        return np.asarray(values, np.float32)


def _digits(number: float) -> str:
    """Six digits, of whole numbers all."""
    return str(number) if isinstance(number, int) else f"{number:.6g}"


def _parse(data: bytes, name: str) -> np.ndarray:
    try:
        with warnings.catch_warnings(action="ignore"):  # of an empty file, refused afterwards
            return np.loadtxt(io.StringIO(data.decode()), delimiter=",", dtype=np.float32)
    except ValueError as error:
        raise DataError(
            f"The file for {name!r} cannot be read as numbers ({one_line(error)}); write them "
            "separated by commas."
        ) from None
