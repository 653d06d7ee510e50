"""The report of an experiment: how it was made, the means with intervals, the claims."""

import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from mmvae_core import __version__
from mmvae_core.experiments.grid import EXPERIMENTS, TRUTH
from mmvae_core.experiments.measure import KL_ITEMS, KL_SAMPLES, SAMPLES
from mmvae_core.experiments.runner import DIVERGED, Order, Row
from mmvae_core.experiments.summary import LEVEL, claims, curves, summarise, verdicts
from mmvae_core.files import write_json
from mmvae_core.training.runs import hardware


def write_report(name: str, rows: Sequence[Row], order: Order, path: Path) -> dict[str, Any]:
    """Write the report of an experiment's rows and return it."""
    cells = {row.cell: row.seconds for row in rows if row.cell.aggregator != TRUTH}
    is_fast = order.device != "cpu" and torch.cuda.is_available()
    device = torch.device("cuda" if is_fast else "cpu")
    report = {
        "experiment": name,
        "variants": list(EXPERIMENTS[name]),
        "quick": order.quick,
        "models": len(cells),
        "seeds": sorted({cell.seed for cell in cells}),
        "diverged": sorted(
            f"{row.cell.variant}/{row.cell.name}, seed {row.cell.seed}"
            for row in rows
            if row.figure.figure == DIVERGED
        ),
        "level": LEVEL,
        "likelihood_samples": SAMPLES,
        "kl": {"items": KL_ITEMS, "samples": KL_SAMPLES},
        "seconds": round(sum(cells.values())),
        "device": device.type,
        "hardware": hardware(device),
        "threads": 1,
        "finished": time.strftime("%Y-%m-%d", time.gmtime()),
        "torch": version("torch"),
        "version": __version__,
        "verdicts": verdicts(rows),
        "claims": claims(rows),
        "curves": curves(rows),
        "summary": summarise(rows),
    }
    write_json(path, report)
    return report


def print_claims(report: Mapping[str, Any]) -> Iterator[str]:
    """The verdicts as lines of text, then the differences behind them."""
    yield f"{report['models']} models, seeds {report['seeds']}, differences in nats per item:"
    for one in report["verdicts"]:
        yield f"{one['variant']:16} {one['claim']:34} {_span(one)} {one['verdict']}"
    for one in report["claims"]:
        yield (
            f"{one['variant']:16} {one['better']:28} above {one['worse']:36} {_span(one)} "
            f"{one['verdict']}"
        )
    yield from (f"diverged: {name}" for name in report["diverged"])


def _span(one: Mapping[str, Any]) -> str:
    if one["low"] is None:
        return f"{one['mean']:+.3f} [one seed]"
    return f"{one['mean']:+.3f} [{one['low']:+.3f}, {one['high']:+.3f}]"
