"""The study `digits` as a source of batches: fresh pairings in every epoch."""

from collections.abc import Iterator
from pathlib import Path

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
from mmvae_core.errors import ConfigError
from mmvae_core.modalities.kinds import kinds_of

VALIDATION_ITEMS = 2_000


class DigitSource:
    """Fresh pairings in every epoch, fixed ones for validation."""

    def __init__(self, pools: DigitPools, config: RunConfig) -> None:
        self.pools, self.epoch_size = pools, config.data.epoch_size
        self.kinds = kinds_of(config, {})

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """One pass over `epoch_size` triples."""
        yield from self._cut(epoch_pairs(self.pools, "train", seed, epoch, self.epoch_size), size)

    def validation(self, size: int) -> Iterator[Batch]:
        """The first fixed triples of the validation split."""
        yield from self._cut(fixed_triples(self.pools, "validation", VALIDATION_ITEMS), size)

    def _cut(self, pairing: Pairing, size: int) -> Iterator[Batch]:
        for start in range(0, len(pairing), size):
            items = triples(self.pools, pairing[start : start + size])
            data = {name: kind.tensor(items[name]) for name, kind in self.kinds.items()}
            yield Batch(data, torch.ones(len(items["word"]), 3, dtype=torch.bool))


def digits(config: RunConfig, folder: Path | None = None) -> DigitSource:
    """The data set `digits`, read from a folder of downloaded data."""
    check_digits(config)
    pools = load_digits(folder or default_folder(), config.data.photo)
    return DigitSource(pools, config)


def check_digits(config: RunConfig) -> None:
    """Raise ConfigError unless the modalities are those of the study."""
    expected = ("handwriting", "photo", "word")
    if config.names != expected:
        raise ConfigError(
            f"The data set digits has the modalities {', '.join(expected)}, the configuration "
            f"names {', '.join(config.names)}; use these names in this order."
        )
