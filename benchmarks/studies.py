"""Studies with random weights for timings: five modalities, and many items."""

from pathlib import Path

import numpy as np

from mmvae_core.store.study import Samples
from tests import small
from tests.ui.studies import about, vector_items, vectors, write_study

PICTURES, MANY = 500, 10_000


def five_modalities(folder: Path) -> None:
    """Two pictures and three vectors, a 16-D latent, networks as large as those of `digits`."""
    generator = np.random.default_rng(0)
    images = [
        {
            "name": name,
            "shape": list(shape),
            "network": "image",
            "width": 32,
            "likelihood": {"name": "bernoulli"},
        }
        for name, shape in (("grey", (1, 28, 28)), ("colour", (3, 32, 32)))
    ]
    items = vector_items(3, PICTURES)
    pictures = {
        one["name"]: generator.integers(0, 255, (PICTURES, *one["shape"])).astype(np.uint8)
        for one in images
    }
    settings = small.settings(
        modalities=images + vectors(3),
        latent=16,
        features=64,
        aggregator={"name": "sum_pooling", "width": 128},
    )
    write_study(
        folder,
        settings,
        Samples({**pictures, **items.data}, items.labels),
        about("Five"),
        {"sum_pooling": {}},
    )


def many_items(folder: Path) -> None:
    """Two small vectors of each of 10,000 items, a 2-D latent."""
    settings = small.settings(modalities=vectors(2), latent=2)
    write_study(
        folder,
        settings,
        vector_items(2, MANY),
        about("Many"),
        {"poe": {"aggregator": {"name": "poe"}}},
    )
