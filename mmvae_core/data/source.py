"""What training asks of a data set: batches of an epoch, and fixed validation batches."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.data.digits import DigitPools, Pairing, epoch_pairs, fixed_triples, triples
from mmvae_core.errors import ConfigError

VALIDATION_ITEMS = 2_000


class Source(Protocol):
    """Batches of a data set; the same (seed, epoch) gives the same batches."""

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """One pass of training batches."""
        ...

    def validation(self, size: int) -> Iterator[Batch]:
        """Fixed batches never trained on."""
        ...


class DigitSource:
    """The study `digits`: fresh pairings in every epoch, fixed ones for validation."""

    def __init__(self, pools: DigitPools, epoch_size: int) -> None:
        self.pools, self.epoch_size = pools, epoch_size

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """One pass over `epoch_size` triples."""
        yield from self._cut(epoch_pairs(self.pools, "train", seed, epoch, self.epoch_size), size)

    def validation(self, size: int) -> Iterator[Batch]:
        """The first fixed triples of the validation split."""
        yield from self._cut(fixed_triples(self.pools, "validation", VALIDATION_ITEMS), size)

    def _cut(self, pairing: Pairing, size: int) -> Iterator[Batch]:
        for start in range(0, len(pairing), size):
            yield digit_batch(triples(self.pools, pairing[start : start + size]))


def digit_batch(items: dict[str, np.ndarray]) -> Batch:
    """A complete batch of the three modalities: pictures to [0, 1], words as codes."""
    data = {
        "handwriting": picture(items["handwriting"]),
        "photo": picture(items["photo"]),
        "word": torch.from_numpy(items["word"]).long(),
    }
    return Batch(data, torch.ones(len(items["word"]), 3, dtype=torch.bool))


def picture(pixels: np.ndarray) -> torch.Tensor:
    """Bytes [batch, channel, height, width] as floats in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).float() / 255


def check_digits(config: RunConfig) -> None:
    """Raise ConfigError unless the modalities are those of the study."""
    expected = ("handwriting", "photo", "word")
    if config.names != expected:
        raise ConfigError(
            f"The data set digits has the modalities {', '.join(expected)}, the configuration "
            f"names {', '.join(config.names)}; use these names in this order."
        )
