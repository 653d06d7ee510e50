"""A multi-modal world with missing data: half the modalities of the training items are absent.

z in R^10 from 5 normal clusters; each modality is an injective mixing of z of its own plus normal
noise of 0.5. Each modality of each training and validation item is kept with probability 1/2; of
an item that would have none, one at random is kept. The test items are complete.
Source: Hirt et al. 2024, https://arxiv.org/abs/2309.00380
"""

from pathlib import Path

import numpy as np
import torch

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.data.source import Table, TableSource
from mmvae_core.data.worlds.vectors import Clusters, Mixing, complete, sizes

LATENT, CLUSTERS, NOISE, KEPT = 10, 5, 0.5, 0.5
HELD_OUT, TEST = 1_000, 2_000

ABOUT = {
    "title": "Missing: four vectors, half of them missing in training",
    "classes": ["cluster 1", "cluster 2", "cluster 3", "cluster 4", "cluster 5"],
    "alphabets": {},
    "sources": ["Made from clustered latents by injective maps, seeded; a class is a cluster"],
}


def missing(config: RunConfig, folder: Path | None = None) -> TableSource:
    """The world of `data.seed`."""
    generator = np.random.default_rng((config.data.seed, 0))
    clusters = Clusters(CLUSTERS, LATENT, generator)
    mixings = [Mixing(LATENT, size, generator) for size in sizes(config)]
    counts = (config.data.epoch_size, HELD_OUT, TEST)
    train, held_out, test = (
        _split(config, clusters, mixings, index, count) for index, count in enumerate(counts)
    )
    return TableSource(_thinned(train, config, 0), _thinned(held_out, config, 1), test, ABOUT)


def _split(
    config: RunConfig, clusters: Clusters, mixings: list[Mixing], split: int, count: int
) -> Table:
    generator = np.random.default_rng((config.data.seed, 1, split))
    latents, labels = clusters.draw(count, generator)
    clean = (mixing(latents) for mixing in mixings)
    noisy = [values + NOISE * generator.standard_normal(values.shape) for values in clean]
    items = complete(dict(zip(config.names, noisy, strict=True)))
    return Table(items, torch.from_numpy(latents), torch.from_numpy(labels))


def _thinned(table: Table, config: RunConfig, split: int) -> Table:
    """The same items with modalities missing, as NaN, so that any use of them would show."""
    generator = np.random.default_rng((config.data.seed, 2, split))
    kept = generator.random(table.items.observed.shape) < KEPT
    lonely = ~kept.any(1)
    kept[lonely, generator.integers(0, kept.shape[1], int(lonely.sum()))] = True
    observed = torch.from_numpy(kept)
    data = {
        name: torch.where(observed[:, index, None], values, torch.nan)
        for index, (name, values) in enumerate(table.items.data.items())
    }
    return Table(Batch(data, observed), table.latents, table.labels)
