"""Train and measure every model of an experiment, and keep what is done.

`<experiment>.csv` in the output folder is tidy: one row a figure, with the fingerprint of the
configuration. It is written anew after every model (its seeds are trained together), atomically;
models that it holds already, of the same configuration, are not trained again.
"""

import csv
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import torch

from mmvae_core.config import RunConfig
from mmvae_core.data.source import Source, TableSource
from mmvae_core.errors import RunError, one_line
from mmvae_core.experiments.grid import KEPT, TRUTH, Cell, config_of, fingerprint
from mmvae_core.experiments.measure import Figure, curve, measure, measure_truth
from mmvae_core.files import write_atomically
from mmvae_core.sources import build_source
from mmvae_core.studies import make_table_study
from mmvae_core.tied import spawned
from mmvae_core.training.ensemble import Ensemble
from mmvae_core.training.runs import Course, finish_run, make_fabric

COLUMNS = (
    "variant",
    "aggregator",
    "objective",
    "seed",
    "figure",
    "given",
    "value",
    "seconds",
    "config",
)
DIVERGED = "diverged"


@dataclass(frozen=True)
class Order:
    """How models are trained; `keep` is a folder of studies for the masked runs of seed 0."""

    quick: bool = False
    device: str = "cpu"
    keep: Path | None = None

    def folder(self, cell: Cell) -> Path | None:
        """Where the cell's run is kept, if it is."""
        wanted = cell.seed == 0 and cell.variant in KEPT and cell.objective == "masked"
        if self.keep is None or not wanted:
            return None
        return self.keep / cell.variant / cell.name


@dataclass(frozen=True)
class Row:
    """One figure of one model, as in the table."""

    cell: Cell
    figure: Figure
    seconds: float
    config: str


def run_cells(
    todo: Sequence[Cell],
    table: Path,
    order: Order,
    workers: int,
    each: Callable[[int, int], None] = lambda done, total: None,
) -> list[Row]:
    """Train what the table lacks, `workers` at a time; the rows of all the cells.

    What the table holds of other cells stays there.
    """
    wanted = {cell: fingerprint(config_of(cell, order.quick)) for cell in todo}
    present = read_rows(table)
    others = [row for row in present if row.cell not in wanted]
    rows = [row for row in present if wanted.get(row.cell) == row.config]
    done = {row.cell for row in rows if _is_done(row, order)}
    rows = [row for row in rows if row.cell in done]
    missing = [cell for cell in todo if cell not in done]
    each(len(done), len(todo))
    for new_rows in _trained(missing, order, workers):
        rows += new_rows
        write_rows(table, [*others, *rows])
        done.update(row.cell for row in new_rows)
        each(len(done), len(todo))
    return rows


def run_together(cells: Sequence[Cell], order: Order) -> list[Row]:
    """Train and measure models that differ in seeds only; their figures, or that one diverged."""
    torch.set_num_threads(1)
    configs = [config_of(cell, order.quick) for cell in cells]
    sources = [build_source(config) for config in configs]
    if cells[0].aggregator == TRUTH:
        return _truths(cells, configs, sources)
    device = make_fabric(order.device).device
    ensemble = Ensemble(configs, sources, device)
    ensemble.train()
    rows, models = [], ensemble.models()
    for index, cell in enumerate(cells):
        reports, source = ensemble.reports[index], sources[index]
        assert isinstance(source, TableSource)
        figures = [Figure(DIVERGED, "all", 1.0)]
        if not ensemble.diverged()[index]:
            if (folder := order.folder(cell)) is not None:
                make_table_study(source, configs[index], folder.parent)
                finish_run(configs[index], folder, models[index], reports, Course(device))
            figures = [*measure(configs[index], models[index], source), *curve(reports)]
        seconds = round(sum(report.seconds for report in reports), 1)
        rows += [Row(cell, figure, seconds, fingerprint(configs[index])) for figure in figures]
    return rows


def _truths(
    cells: Sequence[Cell], configs: Sequence[RunConfig], sources: Sequence[Source]
) -> list[Row]:
    """Figures of what is not trained."""
    rows = []
    for cell, config, source in zip(cells, configs, sources, strict=True):
        assert isinstance(source, TableSource)
        figures = measure_truth(config, source)
        rows += [Row(cell, figure, 0.0, fingerprint(config)) for figure in figures]
    return rows


def read_rows(table: Path) -> list[Row]:
    """The rows of a table; none if there is no such file, RunError if it is damaged."""
    if not table.is_file():
        return []
    try:
        with table.open(newline="") as file:
            return [_row(line) for line in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise RunError(
            f"{table} cannot be read ({one_line(error)}); delete it to run the experiment anew."
        ) from None


def write_rows(table: Path, rows: Sequence[Row]) -> None:
    """Write a table, in a fixed order, atomically."""
    lines = sorted(
        (
            [
                row.cell.variant,
                row.cell.aggregator,
                row.cell.objective,
                row.cell.seed,
                row.figure.figure,
                row.figure.given,
                f"{row.figure.value:.6g}",
                row.seconds,
                row.config,
            ]
            for row in rows
        ),
        key=lambda line: line[:6],
    )
    with write_atomically(table) as temporary, temporary.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *lines])


def _trained(missing: Sequence[Cell], order: Order, workers: int) -> Iterator[list[Row]]:
    """The seeds of one model are trained together, `workers` models at a time."""
    groups = [list(group) for _, group in groupby(missing, key=lambda cell: replace(cell, seed=0))]
    if workers == 1:
        yield from (run_together(group, order) for group in groups)
        return
    with spawned(workers) as pool:
        with _alone():
            waiting = [pool.submit(run_together, group, order) for group in groups]
        try:
            for future in as_completed(waiting):
                yield future.result()
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        finally:  # after an error the rest need not be trained first
            pool.shutdown(cancel_futures=True)


@contextmanager
def _alone() -> Iterator[None]:
    """Ctrl-C is for this process alone, and not for those that it begins here."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _is_done(row: Row, order: Order) -> bool:
    """Whether the row's run is where it is to be kept; one that diverged is kept nowhere."""
    folder = order.folder(row.cell)
    return folder is None or row.figure.figure == DIVERGED or (folder / "card.json").is_file()


def _row(line: dict[str, str]) -> Row:
    cell = Cell(line["variant"], line["aggregator"], line["objective"], int(line["seed"]))
    figure = Figure(line["figure"], line["given"], float(line["value"]))
    return Row(cell, figure, float(line["seconds"]), line["config"])
