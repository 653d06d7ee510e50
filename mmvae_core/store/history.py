"""history.csv: what each pass of a training came to."""

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from mmvae_core.errors import RunError
from mmvae_core.files import check_file, unreadable, write_atomically
from mmvae_core.store.record_files import shortened

MAX_HISTORY_BYTES = 5_000_000
REMEDY = "delete the run's folder and train anew with `python -m mmvae_core train`"


@dataclass(frozen=True)
class EpochReport:
    """One row of history.csv; bounds are weighted (`weights`, beta), in weighted nats per item."""

    epoch: int
    training_bound: float
    validation_bound: float
    rate: float
    seconds: float
    learning_rate: float


COLUMNS = [field.name for field in fields(EpochReport)]


def write_history(path: Path, reports: Sequence[EpochReport]) -> None:
    """history.csv, one row an epoch."""
    with write_atomically(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({k: round(v, 6) for k, v in asdict(report).items()} for report in reports)


def read_history(path: Path) -> list[EpochReport]:
    """The rows of history.csv; RunError if it is missing or damaged, or a number is not finite."""
    check_file(path, MAX_HISTORY_BYTES, REMEDY)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            head, *rows = [*csv.reader(file)] or [[]]
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(path, error, REMEDY) from None
    if head != COLUMNS:
        raise RunError(
            f"{path} holds the columns {shortened(head)}, expected {', '.join(COLUMNS)}; {REMEDY}."
        )
    return [_row(path, epoch, row) for epoch, row in enumerate(rows, 1)]


def _row(path: Path, epoch: int, row: list[str]) -> EpochReport:
    if len(row) != len(COLUMNS):
        raise RunError(
            f"{path} holds {len(row)} values as epoch {epoch}, expected {len(COLUMNS)}; {REMEDY}."
        )
    if row[0] != str(epoch):
        raise RunError(
            f"{path} holds {shortened(row[0])} as epoch in row {epoch}, expected {epoch}; {REMEDY}."
        )
    values = [_number(path, epoch, *one) for one in zip(COLUMNS[1:], row[1:], strict=True)]
    return EpochReport(epoch, *values)


def _number(path: Path, epoch: int, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RunError(
            f"{path} holds {shortened(text)} as {column} of epoch {epoch}, expected a finite "
            f"number; {REMEDY}."
        )
    return value
