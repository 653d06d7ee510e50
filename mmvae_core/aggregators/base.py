"""The contract of every aggregator, and the heads that read a posterior off a feature vector."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmvae_core.probability.posteriors import MIN_SCALE, Batched, Diagonal, Gaussian, Posterior


class Aggregator(nn.Module):
    """q(z | x_S) from (features [batch, modality, feature], subset [batch, modality]).

    Laws, tested for every member: permuting the (feature, mask) pairs changes nothing; features
    outside the subset have exactly no effect, be they NaN; the empty subset has a posterior.
    """

    def forward(
        self, features: Tensor, subset: Tensor, prior: Posterior | None = None
    ) -> Batched:
        """The posterior of every item, batch shape [batch].

        `prior` is p(z), which fixed aggregators build upon and learned ones do not need.
        """
        return self.aggregate(torch.where(subset[..., None], features, 0.0), subset)

    def aggregate(self, features: Tensor, subset: Tensor) -> Batched:
        """What a member defines; features outside the subset are zero here."""
        raise NotImplementedError


class GaussianHead(nn.Module):
    """A linear read-off of mean and scale: [..., feature] to two tensors [..., latent].

    scale = softplus(s) + 0.001, with s starting near softplus(s) = 1, the prior's width.
    """

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 2 * latent)
        with torch.no_grad():
            self.linear.bias[latent:].fill_(0.5413)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and scale."""
        loc, raw = self.linear(features).chunk(2, -1)
        return loc, functional.softplus(raw) + MIN_SCALE

    def posterior(self, features: Tensor) -> Diagonal:
        """The same as a distribution."""
        return Gaussian(*self(features))
