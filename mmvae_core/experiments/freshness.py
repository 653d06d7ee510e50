"""Whether results are of the worlds as their configurations describe them now. Needs no torch."""

import csv
from pathlib import Path

from mmvae_core.errors import MMVAEError, RunError, one_line
from mmvae_core.experiments.grid import TRUTH, Cell, config_of, fingerprint
from mmvae_core.files import check_file
from mmvae_core.store.results import MAX_TABLE_BYTES


def older_models(table: Path) -> int:
    """How many models of a results table were trained by another configuration than today's.

    0 where there is no table; RunError in one sentence if it cannot be read.
    """
    if not table.is_file():
        return 0
    check_file(table, MAX_TABLE_BYTES, "delete it to run the experiment anew")
    try:
        with table.open(newline="") as file:
            marks = {
                (line["variant"], line["aggregator"], line["objective"], int(line["seed"])): line[
                    "config"
                ]
                for line in csv.DictReader(file)
            }
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise RunError(
            f"{table} cannot be read ({one_line(error)}); delete it to run the experiment anew."
        ) from None
    return sum(_is_older(Cell(*key), mark) for key, mark in marks.items() if key[1] != TRUTH)


def _is_older(cell: Cell, mark: str) -> bool:
    try:
        return fingerprint(config_of(cell)) != mark
    except MMVAEError:  # a world that is no longer there
        return True
