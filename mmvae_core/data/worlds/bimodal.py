"""The bimodal world: a vector and the label of its cluster, after Khemakhem et al. 2020.

z in R^2 from 5 normal clusters; the first modality is a two-layer injective mixing of z plus
normal noise of 0.1, the second the cluster's label (one symbol of five).
Source: Hirt et al. 2024, https://arxiv.org/abs/2309.00380
"""

from pathlib import Path

import numpy as np
import torch

from mmvae_core.config import RunConfig
from mmvae_core.data.source import Table, TableSource
from mmvae_core.data.truth import truth_of
from mmvae_core.data.worlds.vectors import Clusters, Mixing, complete
from mmvae_core.errors import ConfigError

LATENT, CLUSTERS, NOISE = 2, 5, 0.1
HELD_OUT, TEST = 1_000, 2_000

ABOUT = {
    "title": "Bimodal: a vector and the label of its cluster",
    "classes": ["cluster a", "cluster b", "cluster c", "cluster d", "cluster e"],
    "sources": ["Made from clustered latents by an injective map, seeded; a class is a cluster"],
}


def bimodal(config: RunConfig, folder: Path | None = None) -> TableSource:
    """The world of `data.seed`."""
    ranks = [len(modality.shape) for modality in config.modalities]
    if ranks != [1, 2] or config.modalities[1].shape != (1, CLUSTERS):
        shapes = ", ".join(str(list(modality.shape)) for modality in config.modalities)
        raise ConfigError(
            f"The data set bimodal has a vector and a label of shape [1, {CLUSTERS}], the "
            f"configuration has shapes {shapes}; use configs/experiments/bimodal.toml as a base."
        )
    generator = np.random.default_rng((config.data.seed, 0))
    clusters = Clusters(CLUSTERS, LATENT, generator)
    mixing = Mixing(LATENT, config.modalities[0].shape[0], generator)
    counts = (config.data.epoch_size, HELD_OUT, TEST)
    train, held_out, test = (
        _split(config, clusters, mixing, index, count) for index, count in enumerate(counts)
    )
    about = ABOUT | {"alphabets": {config.names[1]: "abcde"}}
    truth = truth_of(config, clusters, [mixing], NOISE, config.names[1])
    return TableSource(train, held_out, test, about, truth)


def _split(config: RunConfig, clusters: Clusters, mixing: Mixing, split: int, count: int) -> Table:
    generator = np.random.default_rng((config.data.seed, 1, split))
    latents, labels = clusters.draw(count, generator)
    clean = mixing(latents)
    vector = clean + NOISE * generator.standard_normal(clean.shape)
    items = complete(dict(zip(config.names, (vector, labels[:, None]), strict=True)))
    return Table(items, torch.from_numpy(latents), torch.from_numpy(labels))
