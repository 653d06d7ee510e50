"""Linear-Gaussian worlds, of which everything is known: x_s = W_s z + e_s, z ~ N(0, I).

The noise e_s is standard normal. `linear` has dense loadings W_s of 5 latents. `linear_sparse` has
5 shared latents and 5 of each modality's own; W_s is zero on the latents of the others. Entries that
are not zero are standard normal; or, with `data.loadings = "orthonormal"` as in the paper's code,
the columns are orthonormal, so that each modality tells of a latent that it sees as much as the
prior does, precision 1 beside 1. The config's modalities say how many numbers each has, `data.seed` which
world it is. Labels are the fifth (quantile of N(0, 1)) in which the first latent lies.
Source: Hirt et al. 2024, https://arxiv.org/abs/2309.00380
"""

from pathlib import Path

import numpy as np
import torch

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.data.source import Table, TableSource
from mmvae_core.data.worlds.vectors import complete, sizes
from mmvae_core.errors import ConfigError

SHARED, PRIVATE = 5, 5
HELD_OUT, TEST = 1_000, 2_000
FIFTHS = np.array([-0.8416, -0.2533, 0.2533, 0.8416])
"""Quantiles of the standard normal at 0.2, 0.4, 0.6, 0.8."""

ABOUT = {
    "title": "Linear: five vectors of one normal latent",
    "classes": ["lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth"],
    "alphabets": {},
    "sources": [
        "Made from normal latents by linear maps, seeded; a class is the fifth in which "
        "the first true latent lies"
    ],
}


def linear(config: RunConfig, folder: Path | None = None) -> TableSource:
    """The world with dense loadings."""
    return _source(config, dense_loadings(config))


def linear_sparse(config: RunConfig, folder: Path | None = None) -> TableSource:
    """The world with shared latents first, then each modality's own."""
    return _source(config, sparse_loadings(config))


def dense_loadings(config: RunConfig) -> list[np.ndarray]:
    """W_s [size, latent]."""
    return [_columns(config, index, (size, SHARED)) for index, size in enumerate(sizes(config))]


def sparse_loadings(config: RunConfig) -> list[np.ndarray]:
    """W_s [size, latent], zero on the latents that s does not see."""
    loadings = []
    for index, size in enumerate(sizes(config)):
        loading = np.zeros((size, SHARED + PRIVATE * len(config.modalities)))
        own = SHARED + PRIVATE * index
        seen = [*range(SHARED), *range(own, own + PRIVATE)]
        loading[:, seen] = _columns(config, index, (size, len(seen)))
        loadings.append(loading)
    return loadings


def _source(config: RunConfig, loadings: list[np.ndarray]) -> TableSource:
    counts = (config.data.epoch_size, HELD_OUT, TEST)
    train, held_out, test = (
        _split(config, loadings, index, count) for index, count in enumerate(counts)
    )
    return TableSource(train, held_out, test, ABOUT)


def _split(config: RunConfig, loadings: list[np.ndarray], split: int, count: int) -> Table:
    generator = np.random.default_rng((config.data.seed, 1, split))
    latents = generator.standard_normal((count, loadings[0].shape[1]))
    data = {
        name: latents @ loading.T + generator.standard_normal((count, len(loading)))
        for name, loading in zip(config.names, loadings, strict=True)
    }
    items: Batch = complete(data)
    labels = torch.from_numpy(np.searchsorted(FIFTHS, latents[:, 0]))
    return Table(items, torch.from_numpy(latents), labels)


def _columns(config: RunConfig, part: int, shape: tuple[int, int]) -> np.ndarray:
    """The columns of the latents that a modality sees [size, seen]."""
    drawn = np.random.default_rng((config.data.seed, 0, part)).standard_normal(shape)
    if config.data.loadings == "normal":
        return drawn
    if shape[0] < shape[1]:
        raise ConfigError(
            f"Modality {config.names[part]!r} has {shape[0]} numbers and sees {shape[1]} latents, "
            f"expected no more latents than numbers; make `shape` at least [{shape[1]}]."
        )
    basis, upper = np.linalg.qr(drawn)
    return basis * np.sign(np.diag(upper))  # uniform over all orthonormal columns
