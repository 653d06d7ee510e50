"""A small study of which items lack modalities and entries, and of which some have no label."""

from pathlib import Path

import numpy as np

from mmvae_core.config import RunConfig
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import About
from mmvae_core.store.run import Run
from mmvae_core.store.samples import Samples, write_samples
from tests import small

ITEMS = 40
NAMES = ("lab", "genes", "diet", "picture")
MODALITIES = [
    {
        "name": "lab",
        "shape": [5],
        "width": 8,
        "likelihood": {"name": "normal", "standardise": True},
    },
    {"name": "genes", "shape": [6], "width": 8, "likelihood": {"name": "poisson", "library": True}},
    {
        "name": "diet",
        "shape": [1, 3],
        "network": "sequence",
        "width": 8,
        "likelihood": {"name": "categories"},
    },
    {"name": "picture", "shape": [1, 12, 12], "width": 8, "likelihood": {"name": "bernoulli"}},
]


def config(aggregator: str = "sum_pooling") -> RunConfig:
    return small.config(aggregator, modalities=MODALITIES, study="patchy", latent=3)


def samples(labels: str = "some") -> Samples:
    """Items of four kinds; `labels` are of all, of some, or of none."""
    draw = np.random.default_rng(0)
    lab = draw.normal(1000.0, 50.0, (ITEMS, 5)).astype(np.float32)
    lab[:, 1] = draw.random(ITEMS) * 1e-3
    lab[draw.random(lab.shape) < 0.2] = np.nan
    lab[:, 0] = np.nan_to_num(lab[:, 0], nan=1000.0)
    genes = draw.poisson(3.0, (ITEMS, 6)).astype(np.int64)
    genes[::7, 2] = -1
    observed = {name: draw.random(ITEMS) < 0.6 for name in NAMES}
    observed["diet"][:] |= ~np.any([observed[name] for name in NAMES], axis=0)
    observed["lab"][:3], observed["genes"][:3] = (True, False, True), (True, True, False)
    lab[~observed["lab"]], genes[~observed["genes"]] = 0, 0
    data = {
        "lab": lab,
        "genes": genes,
        "diet": draw.integers(0, 3, (ITEMS, 1)),
        "picture": draw.integers(0, 256, (ITEMS, 1, 12, 12)).astype(np.uint8),
    }
    known = draw.integers(0, 2, ITEMS)
    known = {"all": known, "some": np.where(draw.random(ITEMS) < 0.3, -1, known)}.get(
        labels, np.full(ITEMS, -1)
    )
    notes = {"site": draw.integers(-1, 2, ITEMS), "age": draw.normal(40, 10, ITEMS)}
    notes["age"][:4] = np.nan
    units = {"lab": np.stack([np.nanmean(lab, 0), np.nanstd(lab, 0)]).astype(np.float32)}
    ids = tuple(f"mouse {item} <b>" for item in range(ITEMS))
    return Samples(data, known, observed, ids, notes, units)


def write_study(root: Path, labels: str = "some") -> Run:
    """The study `patchy` under a folder with two runs, not yet evaluated; the first run."""
    folder = root / "patchy"
    write_samples(folder / "samples.npz", samples(labels))
    about = About(
        title="Patchy",
        classes=() if labels == "none" else ("wild", "mutant"),
        categories={"diet": ("fish oil", "lard", "<i>")},
        notes={"site": ("north", "south"), "age": ()},
        content="a" * 12,
    )
    write_record(folder / "study.json", about)
    small.write_run(folder / "poe", config("poe"))
    return small.write_run(folder / "sum_pooling", config())
