"""Posterior families: torch distributions over the latent with `detached()`.

Batch shape [..., batch], event shape [latent]. `rsample`, `log_prob` (nats), `mean` and
`stddev` come from torch; mixtures add a reparameterised draw.
"""

from typing import Any, Protocol, Self, runtime_checkable

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal


@runtime_checkable
class Posterior(Protocol):
    """What the model needs of q(z | x_S)."""

    @property
    def mean(self) -> Tensor:
        """E[z], [..., latent]."""
        ...

    @property
    def stddev(self) -> Tensor:
        """Marginal standard deviations, [..., latent]."""
        ...

    def rsample(self, sample_shape: Any = ...) -> Tensor:
        """Reparameterised draws [*sample_shape, ..., latent]."""
        ...

    def log_prob(self, value: Tensor, /) -> Tensor:
        """Log-density in nats, [..., ] without the latent axis."""
        ...

    def detached(self) -> Self:
        """The same distribution with parameters cut from the graph.

        `log q(z)` with detached parameters but attached `z` is the whole sticking-the-landing
        estimator (Roeder et al. 2017, arXiv 1703.09194).
        """
        ...


class Gaussian(Independent):
    """Diagonal normal: `loc` and `scale` [..., latent]."""

    def __init__(self, loc: Tensor, scale: Tensor) -> None:
        super().__init__(Normal(loc, scale, validate_args=False), 1, validate_args=False)

    @property
    def loc(self) -> Tensor:
        """Means [..., latent]."""
        return self.mean

    @property
    def scale(self) -> Tensor:
        """Standard deviations [..., latent]."""
        return self.stddev

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """loc + scale * noise; one `randn` call, so that equal seeds mean equal noise."""
        noise = torch.randn(self._extended_shape(torch.Size(sample_shape)), **_like(self.loc))
        return self.loc + self.scale * noise

    def detached(self) -> "Gaussian":
        """The same distribution with parameters cut from the graph."""
        return Gaussian(self.loc.detach(), self.scale.detach())


class GaussianMixture(MixtureSameFamily):
    """Mixture of diagonal normals.

    `log_weights` [..., component], `loc` and `scale` [..., component, latent]. A weight of exactly
    zero (log weight -inf) is allowed, its component then has no effect.
    """

    def __init__(self, log_weights: Tensor, loc: Tensor, scale: Tensor) -> None:
        self.log_weights, self.loc, self.scale = log_weights, loc, scale
        super().__init__(
            Categorical(logits=log_weights, validate_args=False),
            Gaussian(loc, scale),
            validate_args=False,
        )

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw noise, then a component, then reparameterise inside it.

        The draw carries gradients to means and scales. It carries none to the weights, so it is
        unbiased only where the weights are constants, as in a mixture of experts.
        """
        shape = torch.Size(sample_shape)
        noise = torch.randn(self._extended_shape(shape), **_like(self.loc))
        picked = self.mixture_distribution.sample(shape)
        index = picked[..., None, None].expand(*picked.shape, 1, self.loc.shape[-1])
        loc = self.loc.expand(*shape, *self.loc.shape).gather(-2, index)[..., 0, :]
        scale = self.scale.expand(*shape, *self.scale.shape).gather(-2, index)[..., 0, :]
        return loc + scale * noise

    def detached(self) -> "GaussianMixture":
        """The same distribution with parameters cut from the graph."""
        return GaussianMixture(
            self.log_weights.detach(), self.loc.detach(), self.scale.detach()
        )


def _like(tensor: Tensor) -> dict[str, Any]:
    return {"dtype": tensor.dtype, "device": tensor.device}
