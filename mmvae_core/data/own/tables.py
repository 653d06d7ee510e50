"""Tables as people write them: CSV, TSV and parquet, to columns of numbers and of texts by item.

Semicolons and tabs, a byte order mark, row names, decimal commas, gzip and the usual words for a
missing cell are understood. Nothing is evaluated.
"""

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mmvae_core.errors import DataError, one_line

MAX_FILE_BYTES = 1_000_000_000
MISSING = frozenset(
    {"", "na", "n/a", "nan", "null", "none", "missing", "?", "-", "--", ".", "#n/a", "<na>", "nil"}
)
ENDINGS = (".csv", ".tsv", ".txt", ".parquet")
UNNAMED = "Unnamed: 0"


@dataclass(frozen=True)
class Table:
    """Columns by name, float64 with NaN or texts with None, and the rows' names if there are any."""

    columns: dict[str, np.ndarray]
    rows: tuple[str, ...] | None
    count: int

    def numbers(self) -> list[str]:
        """The columns of numbers."""
        return [name for name, values in self.columns.items() if values.dtype.kind == "f"]

    def texts(self) -> list[str]:
        """The columns of texts."""
        return [name for name, values in self.columns.items() if values.dtype.kind != "f"]


def read_table(path: Path) -> Table:
    """A table of a file; DataError in one sentence where that cannot be made of it."""
    _check(path)
    frame = _parquet(path) if path.suffix == ".parquet" else _text(path)
    if not len(frame) or not len(frame.columns):
        raise DataError(f"{path} holds no rows of data, expected a table with a header; check it.")
    rows = None
    if not isinstance(frame.index, pd.RangeIndex):
        rows = tuple(map(str, frame.index))
    columns = {str(name): _column(frame.iloc[:, at]) for at, name in enumerate(frame.columns)}
    return Table(columns, rows, len(frame))


def _check(path: Path) -> None:
    if not path.is_file():
        raise DataError(f"There is no file {path}; name the folder of the data with --data.")
    if (size := path.stat().st_size) > MAX_FILE_BYTES:
        raise DataError(
            f"{path} has {size:,} bytes, expected at most {MAX_FILE_BYTES:,}; split it."
        )


def _parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except ImportError:
        raise DataError(
            f"{path} is parquet, which needs pyarrow; `pip install pyarrow`, or save it as CSV."
        ) from None
    except Exception as error:  # pyarrow's errors have no common base
        raise DataError(
            f"{path} cannot be read as parquet ({one_line(error)}); save it anew."
        ) from None


def _text(path: Path) -> pd.DataFrame:
    text = _decoded(path)
    first = text.split("\n", 1)[0]
    sep = max("\t;,", key=first.count)
    header = None if _is_data(first, sep) else 0
    try:
        return pd.read_csv(
            io.StringIO(text), sep=sep, header=header, dtype=str, keep_default_na=False
        )
    except (ValueError, pd.errors.ParserError, OverflowError) as error:
        raise DataError(
            f"{path} cannot be read as a table ({one_line(error)}); save it anew."
        ) from None


def _decoded(path: Path) -> str:
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                data = file.read(MAX_FILE_BYTES + 1)
        else:
            data = path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({one_line(error)}); copy it again.") from None
    if len(data) > MAX_FILE_BYTES:
        raise DataError(f"{path} unpacks to over {MAX_FILE_BYTES:,} bytes; split it.")
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _is_data(first: str, sep: str) -> bool:
    """Whether the first line is numbers that do not simply count the columns: then it is no header."""
    cells = [cell.strip().strip('"') for cell in first.rstrip("\r").split(sep)]
    try:
        values = [float(cell.replace(",", ".")) for cell in cells if cell.lower() not in MISSING]
    except ValueError:
        return False
    counted = values[: max(len(values) - 1, 1)]
    return len(values) > 1 and counted not in (
        [float(one) for one in range(len(counted))],
        [float(one) for one in range(1, len(counted) + 1)],
    )


def _column(given: pd.Series) -> np.ndarray:
    """Numbers if all known cells are, else texts."""
    if given.dtype.kind in "fiub":
        return np.asarray(given, np.float64)
    cells = [
        None if cell is None or cell is pd.NA else str(cell).strip() for cell in given.tolist()
    ]
    cells = [None if cell is None or cell.lower() in MISSING else cell for cell in cells]
    for point in (".", ","):
        try:
            return np.array(
                [np.nan if cell is None else _number(cell, point) for cell in cells], np.float64
            )
        except ValueError:
            continue
    return np.array(cells, object)


def _number(cell: str, point: str) -> float:
    """A finite number, of which `point` is the decimal mark; ValueError if it is none."""
    value = float(cell.replace(point, "."))
    if not np.isfinite(value) or "_" in cell:
        raise ValueError(cell)
    return value
