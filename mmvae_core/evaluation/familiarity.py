"""How likely something given is, among test items: a scribble is not to be taken for a digit."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from mmvae_core.evaluation.live_likelihood import live_likelihood
from mmvae_core.intervals import wilson
from mmvae_core.model import MultimodalVAE

SEED = 0


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


def familiarity(
    model: MultimodalVAE, given: Mapping[str, Tensor], compared: np.ndarray, samples: int
) -> Familiarity:
    """Of single items [*shape] by name, compared with log p(x_S) [item] of the same modalities.

    `samples` are the importance draws, as many as `compared` took: both are lower bounds then.
    A likelihood is high also for what is simple, such as a dot on black; it finds what is strange
    in what there is, not what is lacking.
    """
    value = float(live_likelihood(model, given, samples, SEED).value)
    return Familiarity(value, int((compared <= value).sum()), len(compared))
