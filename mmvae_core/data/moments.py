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
    """`mean` and `stddev` [*shape] of numbers; of codes each symbol's share [length, symbols].

    `seen` are both of log(1 + x), which encoders of counts see; `total` is the mean over items of
    the sum of their entries.
    """

    mean: Tensor
    stddev: Tensor
    seen: tuple[Tensor, Tensor]
    total: Tensor


def moments(config: RunConfig, source: Source) -> dict[str, Moments]:
    """Of each modality, over the first 10,000 training items of the first pass.

    An entry that none of them has gets the mean 0 and the standard deviation 1.
    """
    batches = source.batches(config.training.seed, 0, BATCH)
    sums: dict[str, list[tuple[Tensor, ...]]] = {name: [] for name in config.names}
    for batch in islice(batches, ITEMS // BATCH):
        for index, one in enumerate(config.modalities):
            values = batch.data[one.name][batch.observed[:, index]]
            numbers = torch.from_numpy(kind_of(one).means(values.numpy())).double()
            sums[one.name].append(
                (_sums(numbers), _sums(numbers.clamp_min(0).log1p()), _total(numbers))
            )
    return {name: _of_parts(parts) for name, parts in sums.items()}


def _sums(numbers: Tensor) -> Tensor:
    """Per entry how many are known, their sum and the sum of their squares: [3, *shape]."""
    known = ~numbers.isnan()
    numbers = torch.where(known, numbers, 0.0)
    return torch.stack([known.double().sum(0), numbers.sum(0), numbers.square().sum(0)])


def _total(numbers: Tensor) -> Tensor:
    """How many items, and the sum of all their entries."""
    return torch.stack([torch.tensor(float(len(numbers))).double(), numbers.nansum()])


def _of_parts(parts: list[tuple[Tensor, ...]]) -> Moments:
    plain, seen, (count, total) = (torch.stack(part).sum(0) for part in zip(*parts, strict=True))
    return Moments(*_of_sums(plain), _of_sums(seen), (total / count.clamp_min(1)).float())


def _of_sums(sums: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation from the sums of ones, of values and of their squares."""
    count, total, squares = sums
    some = count.clamp_min(1)
    mean = total / some
    variance = torch.where(count > 0, squares / some - mean.square(), 1.0)
    return mean.float(), variance.clamp_min(0).sqrt().float()
