"""Whether the order in which the modalities reach the aggregator changes the posterior.

What is permuted are (feature, mask) pairs: every modality keeps its own encoder, and place i of
the aggregator's input gets the features of modality `order[i]`, shown or not as that one is.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.private import PrivatePosterior


@dataclass(frozen=True)
class OrderChange:
    """The largest absolute differences to the order of training, over items and latents."""

    mean: float
    stddev: float
    largest: float
    """The largest mean or standard deviation, in absolute value, in the order of training."""

    @property
    def relative(self) -> float:
        """The larger difference over the largest value; rounding of float32 gives about 1e-7."""
        return max(self.mean, self.stddev) / self.largest


def moments(
    model: MultimodalVAE, features: Tensor, subset: Tensor, order: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation [batch, latent] of the posterior for modalities in an order.

    `features` [batch, modality, feature] and `subset` [batch, modality] are in the model's order,
    `order` [modality] is a permutation. Private latents come back to their modalities' places.
    """
    posterior = model.posterior(features[:, order], subset[:, order])
    if not isinstance(posterior, PrivatePosterior):
        return posterior.mean, posterior.stddev
    shared, back = posterior.shared.mean.shape[-1], order.argsort()
    mean, stddev = (_placed(one, shared, back) for one in (posterior.mean, posterior.stddev))
    return mean, stddev


@torch.no_grad()
def order_change(
    model: MultimodalVAE, features: Tensor, subset: Tensor, order: Tensor
) -> OrderChange:
    """How far the posterior's moments move when the modalities come in another order."""
    trained = moments(model, features, subset, torch.arange(len(order)))
    other = moments(model, features, subset, order)
    mean, stddev = (float((one - two).abs().max()) for one, two in zip(trained, other, strict=True))
    return OrderChange(mean, stddev, max(float(one.abs().max()) for one in trained))


def _placed(latent: Tensor, shared: int, back: Tensor) -> Tensor:
    own = latent[..., shared:].unflatten(-1, (len(back), -1))[..., back, :]
    return torch.cat([latent[..., :shared], own.flatten(-2)], -1)
