"""Mean and spread of training data, entry by entry, of what is observed."""

from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from mmvae_core.config import RunConfig
from mmvae_core.data.source import Source
from mmvae_core.modalities.kinds import kind_of

ITEMS = 10_000
BATCH = 500


@dataclass(frozen=True)
class Moments:
    """`mean` and `stddev` [*shape] of numbers; of codes each symbol's share [length, symbols]."""

    mean: Tensor
    stddev: Tensor


def moments(config: RunConfig, source: Source) -> dict[str, Moments]:
    """Of each modality, over the first 10,000 training items of the first pass.

    A modality that none of them has gets the mean 0 and the standard deviation 1.
    """
    batches = source.batches(config.training.seed, 0, BATCH)
    sums: dict[str, list[Tensor]] = {name: [] for name in config.names}
    for batch in islice(batches, ITEMS // BATCH):
        for index, one in enumerate(config.modalities):
            values = batch.data[one.name][batch.observed[:, index]]
            numbers = torch.from_numpy(kind_of(one).means(values.numpy())).double()
            count = torch.full_like(numbers[:1], len(numbers)).sum(0)
            sums[one.name].append(torch.stack([count, numbers.sum(0), numbers.square().sum(0)]))
    return {name: _of_sums(torch.stack(parts).sum(0)) for name, parts in sums.items()}


def _of_sums(sums: Tensor) -> Moments:
    """From the sums of ones, of values and of their squares."""
    count, total, squares = sums
    some = count.clamp_min(1)
    mean = total / some
    variance = torch.where(count > 0, squares / some - mean.square(), 1.0)
    return Moments(mean.float(), variance.clamp_min(0).sqrt().float())
