"""How likely something given is, among test items: a scribble is not to be taken for a digit."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.evaluation.coherence import wilson
from mmvae_core.evaluation.log_likelihood import log_likelihood
from mmvae_core.model import MultimodalVAE

ITEMS, SAMPLES, SEED = 500, 16, 0
"""The first so many items, importance draws for each, and their seed."""


@dataclass(frozen=True)
class Familiarity:
    """Where the marginal log-likelihood of something given lies among test items."""

    value: float
    """log p(x_S) in nats, importance-weighted."""
    below: int
    """So many test items are less likely, or as likely."""
    count: int
    """Test items compared with."""

    @property
    def percentile(self) -> float:
        """Per cent of the test items that are not likelier."""
        return 100 * self.below / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the percentile."""
        low, high = wilson(self.below, self.count)
        return 100 * low, 100 * high


def reference(model: MultimodalVAE, batch: Batch, subset: Tensor) -> Tensor:
    """log p(x_S) [item] in nats of the first test items that have all of S [modality].

    The estimate's bias (a lower bound) is that of `familiarity`, as both take equally many draws.
    """
    rows = (batch.observed | ~subset).all(1).nonzero()[:ITEMS, 0]
    data = {name: values[rows] for name, values in batch.data.items()}
    return log_likelihood(model, Batch(data, batch.observed[rows]), subset, subset, SAMPLES, SEED)


def familiarity(
    model: MultimodalVAE, given: Mapping[str, Tensor], compared: Tensor
) -> Familiarity:
    """Of single items [*shape] by name, compared with the `reference` of the same modalities.

    A likelihood is high also for what is simple, such as a dot on black; it finds what is strange
    in what there is, not what is lacking.
    """
    subset = torch.tensor([name in given for name in model.names])
    batch = Batch({name: value[None] for name, value in given.items()}, subset[None])
    value = float(log_likelihood(model, batch, subset, subset, SAMPLES, SEED)[0])
    return Familiarity(value, int((compared <= value).sum()), len(compared))
