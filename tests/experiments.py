"""Results of an experiment with known values, written as the experiment writes them."""

from pathlib import Path

from mmvae_core.experiments.grid import TRUTH, Cell, config_of, fingerprint
from mmvae_core.experiments.measure import CURVE, Figure
from mmvae_core.experiments.report import write_report
from mmvae_core.experiments.runner import Order, Row, write_rows

MEANS = {
    ("poe", "masked"): (-100.0, 0.0),
    ("poe", "mixture"): (-103.0, 0.0),
    ("moe", "masked"): (-160.0, 4.0),
    ("moe", "mixture"): (-158.0, 4.0),
    ("sum_pooling", "masked"): (-99.0, 1.0),
    ("sum_pooling", "mixture"): (-104.5, 0.5),
    ("sum_pooling", "mixture_not_empty"): (-98.5, 1.0),
}
"""Log-likelihoods: the mean over the seeds 0, 1, 2 and how much a seed adds to either side."""
DIFFERENCES = {
    ("poe-masked", "poe-mixture"): (3.0, "holds"),
    ("moe-masked", "moe-mixture"): (-2.0, "reversed"),
    ("sum_pooling-masked", "poe-masked"): (1.0, "open"),
    ("sum_pooling-mixture", "poe-mixture"): (-1.5, "reversed"),
    ("sum_pooling-masked", "moe-masked"): (61.0, "holds"),
}
"""The mean differences of some pairs and their verdicts: t(0.975, 2) / sqrt(3) is 2.48."""


VERDICTS = {
    "masked above mixture": ("mean over 3 rules", 6.5 / 3, "holds"),
    "masked above mixture never empty": ("mean over 1 rules", -0.5, "does not hold"),
    "learned above fixed": ("poe", 1.0, "open"),
}
"""By claim: what was subtracted, the mean difference and the word."""


def write_results(root: Path) -> Path:
    """`results/linear.json` and `.csv` under `root`, of three seeds in two of its worlds."""
    rows = [
        row
        for variant in ("linear", "linear_sparse")
        for (aggregator, objective), values in MEANS.items()
        for seed in range(3)
        for row in _rows(Cell(variant, aggregator, objective, seed), *values)
    ]
    rows += [
        row
        for variant in ("linear", "linear_sparse")
        for seed in range(3)
        for row in _truth(variant, seed)
    ]
    table = root / "results" / "linear.csv"
    write_rows(table, rows)
    write_report("linear", rows, Order(), table.with_suffix(".json"))
    return table.with_suffix(".json")


def _rows(cell: Cell, mean: float, step: float) -> list[Row]:
    value = mean + step * (cell.seed - 1)
    figures = [
        Figure("log_likelihood", "all", value),
        Figure("variational_gap", "all", 0.5),
        Figure("mcc_strong", "all", 0.5),
        *(Figure("kl_to_exact", given, 0.25) for given in ("all", "pairs", "singles")),
    ]
    figures += [Figure("kl_by_size", str(size), 0.1 * (size + 1)) for size in range(6)]
    figures += [Figure("singular_value", str(rank), 3.0 - rank) for rank in (1, 2)]
    figures += [Figure(CURVE, str(one), value - 5.0 / one) for one in (1, 5, 10)]
    mark = fingerprint(config_of(cell))
    return [Row(cell, figure, 30.0, mark) for figure in figures]


def _truth(variant: str, seed: int) -> list[Row]:
    """What the world was drawn from: seed 0 is one nat better than the mean."""
    cell = Cell(variant, TRUTH, TRUTH, seed)
    figures = [
        Figure("log_likelihood", "all", -97.0 - seed),
        *(Figure("singular_value", str(rank), 3.5 - rank) for rank in (1, 2)),
    ]
    mark = fingerprint(config_of(cell))
    return [Row(cell, figure, 0.0, mark) for figure in figures]
