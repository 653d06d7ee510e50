"""The study `digits` as a source of batches: fresh pairings in every epoch."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.data.digits.digits import (
    DigitPools,
    Pairing,
    default_folder,
    epoch_pairs,
    fixed_triples,
    load_digits,
    triples,
)
from mmvae_core.data.source import picture
from mmvae_core.errors import ConfigError

VALIDATION_ITEMS = 2_000


class DigitSource:
    """Fresh pairings in every epoch, fixed ones for validation."""

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


def digits(config: RunConfig, folder: Path | None = None) -> DigitSource:
    """The data set `digits`, read from a folder of downloaded data."""
    check_digits(config)
    pools = load_digits(folder or default_folder(), config.data.photo)
    return DigitSource(pools, config.data.epoch_size)


def digit_batch(items: dict[str, np.ndarray]) -> Batch:
    """A complete batch of the three modalities: pictures to [0, 1], words as codes."""
    data = {
        "handwriting": picture(items["handwriting"]),
        "photo": picture(items["photo"]),
        "word": torch.from_numpy(items["word"]).long(),
    }
    return Batch(data, torch.ones(len(items["word"]), 3, dtype=torch.bool))


def check_digits(config: RunConfig) -> None:
    """Raise ConfigError unless the modalities are those of the study."""
    expected = ("handwriting", "photo", "word")
    if config.names != expected:
        raise ConfigError(
            f"The data set digits has the modalities {', '.join(expected)}, the configuration "
            f"names {', '.join(config.names)}; use these names in this order."
        )
