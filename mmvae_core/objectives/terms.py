"""The named terms of a bound; rates and distortions are read off them without a second pass."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.model import MultimodalVAE


@dataclass(frozen=True)
class Terms:
    """One bound, taken apart. All values are nats, [sample, batch].

    `log_likelihoods`: log p(x_s | z) of each modality, zero where it is not observed.
    `rates`: log-ratios whose expectations are the KL terms, by name.
    `groups`: the independent log-weights of the bound; each names its modalities' masks
    [batch, modality] and its rates. The bound is their sum, each group under its own
    log-mean-exp over the samples.
    """

    log_likelihoods: Mapping[str, Tensor]
    rates: Mapping[str, Tensor]
    groups: tuple[tuple[Tensor, str], ...]

    def bound(self, weights: Tensor, beta: float) -> Tensor:
        """The bound per item [batch], in nats where all weights and beta are 1."""
        values = torch.stack(list(self.log_likelihoods.values()), -1) * weights
        total = torch.zeros_like(values[0, :, 0])
        for mask, rate in self.groups:
            log_weight = torch.where(mask, values, 0.0).sum(-1) - beta * self.rates[rate]
            total = total + log_weight.logsumexp(0) - math.log(len(log_weight))
        return total


class Objective(Protocol):
    """A bound of a batch of which the subsets [batch, modality] are shown; noise of `generator`."""

    def __call__(
        self,
        model: MultimodalVAE,
        batch: Batch,
        subset: Tensor,
        samples: int = 1,
        stick: bool = True,
        *,
        generator: torch.Generator,
    ) -> Terms:
        """Its terms [sample, batch]; `stick` is sticking the landing."""
        ...


def score(model: MultimodalVAE, batch: Batch, latents: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """log p(x_s | z) [sample, batch] of each modality at its own latents, zero where unobserved."""
    return {
        name: model.modality(name).log_prob(
            latents[name], batch.data[name], batch.observed[:, index]
        )
        for index, name in enumerate(model.names)
    }
