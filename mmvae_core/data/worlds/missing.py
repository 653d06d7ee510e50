"""A multi-modal world with missing data: half the modalities of the training items are absent.

z in R^10 from 5 normal clusters; each modality is an injective mixing of z of its own plus normal
noise of 0.5. Each modality of each training and validation item is kept with probability 1/2; of
an item that would have none, one at random is kept. The test items are complete, and there are the
same ones thinned as the training items are. `missing` has maps of two layers, slope 0.2, and scaled
latents; `missing_deep`, as the paper's code has it, three layers of slope 0.1 and latents as drawn.
Source: Hirt et al. 2024, https://arxiv.org/abs/2309.00380
"""

from pathlib import Path

import numpy as np
import torch

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.data.source import Table, TableSource
from mmvae_core.data.truth import truth_of
from mmvae_core.data.worlds.vectors import Clusters, Mixing, complete, sizes
from mmvae_core.networks.mixing import LEAK

LATENT, CLUSTERS, NOISE, KEPT = 10, 5, 0.5, 0.5
HELD_OUT, TEST = 1_000, 2_000
DEEP_LEAK = 0.1

ABOUT = {
    "title": "Missing: four vectors, half of them missing in training",
    "classes": ["cluster 1", "cluster 2", "cluster 3", "cluster 4", "cluster 5"],
    "alphabets": {},
    "sources": ["Made from clustered latents by injective maps, seeded; a class is a cluster"],
}


def missing(config: RunConfig, folder: Path | None = None) -> TableSource:
    """The world of `data.seed`."""
    return _world(config, layers=2, slope=LEAK, scaled=True)


def missing_deep(config: RunConfig, folder: Path | None = None) -> TableSource:
    """The world of deeper maps and latents as drawn."""
    return _world(config, layers=3, slope=DEEP_LEAK, scaled=False)


def _world(config: RunConfig, layers: int, slope: float, scaled: bool) -> TableSource:
    generator = np.random.default_rng((config.data.seed, 0))
    clusters = Clusters(CLUSTERS, LATENT, generator, scaled)
    mixings = [Mixing(LATENT, size, generator, layers, slope) for size in sizes(config)]
    counts = (config.data.epoch_size, HELD_OUT, TEST)
    train, held_out, test = (
        _split(config, clusters, mixings, index, count) for index, count in enumerate(counts)
    )
    thinned = (_thinned(one, config, index) for index, one in enumerate((train, held_out, test)))
    truth = truth_of(config, clusters, mixings, NOISE)
    train, held_out, fewer = thinned
    return TableSource(train, held_out, test, ABOUT, truth, fewer)


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
