"""What training asks of a data set: batches of an epoch, and fixed validation batches.

A data set is one function `(config, folder) -> Source`, named in `sources.DATA`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.data.truth import Truth


class Source(Protocol):
    """Batches of a data set; the same (seed, epoch) gives the same batches."""

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """One pass of training batches."""
        ...

    def validation(self, size: int) -> Iterator[Batch]:
        """Fixed batches never trained on."""
        ...


def batches_in_a_pass(source: Source, config: RunConfig) -> int:
    """How many batches a pass has: of the items that the source has, where it says how many."""
    items = getattr(source, "items", config.data.epoch_size)
    return math.ceil(items / config.training.batch)


@dataclass(frozen=True)
class Table:
    """A split that fits in memory: items, their true latents [item, latent], labels [item]."""

    items: Batch
    latents: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class TableSource:
    """Made data with known latents: the training items in a new order in every epoch.

    `about` tells a study of them: title, classes (names of the labels), alphabets, sources.
    `truth` is what they were drawn from, `thinned` the test items with modalities missing; None
    where a world has no such thing.
    """

    train: Table
    held_out: Table
    test: Table
    about: Mapping[str, Any]
    truth: Truth | None = None
    thinned: Table | None = None

    @property
    def items(self) -> int:
        """Training items, whatever the configuration says of a pass."""
        return len(self.train)

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """One pass over all training items."""
        generator = np.random.default_rng((seed, epoch))
        order = torch.from_numpy(generator.permutation(len(self.train)))
        for rows in order.split(size):
            yield self.train.items.rows(rows)

    def validation(self, size: int) -> Iterator[Batch]:
        """The held-out items."""
        for start in range(0, len(self.held_out), size):
            yield self.held_out.items.rows(slice(start, start + size))
