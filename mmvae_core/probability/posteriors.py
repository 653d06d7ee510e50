"""Posterior families: torch distributions over the latent with `detached()`.

Batch shape [..., batch], event shape [latent]. `log_prob` (nats), `mean` and `stddev`
come from torch, draws do not: torch's own take no generator. Where torch itself may call `rsample`
the generator may be left out, which means torch's global one.
"""

import math
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable

import torch
from torch import Tensor
from torch.distributions import (
    Categorical,
    Distribution,
    Independent,
    Laplace,
    MixtureSameFamily,
    Normal,
)
from torch.func import debug_unwrap

from mmvae_core.probability.implicit import reparameterise
from mmvae_core.seeding import picked, standard_normal, uniform

Draws = Literal["implicit", "pathwise"]
IMPLICIT: Draws = "implicit"
CACHED = 500_000
"""About so many numbers of a temporary still fit a processor's cache; no result depends on it."""
PIECE = 120_000
"""The same of numbers in double precision."""
NOTHING = -60.0
"""What has so small a logarithm beside 1 is nothing beside it, in double precision too."""
MIN_SCALE = 1e-3
"""No learned scale gets below this, so that no density grows without bound."""


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

    def rsample(self, sample_shape: Any = ..., *, generator: torch.Generator) -> Tensor:
        """Reparameterised draws [*sample_shape, ..., latent], all noise from the generator."""
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


@runtime_checkable
class Batched(Posterior, Protocol):
    """A posterior that can be taken apart into tensors with batch axes first, and put together.

    `one.rebuilt(*(how(value) for value in one.parameters()))` is the same family with `how`
    applied to the batch axes.
    """

    def parameters(self) -> tuple[Tensor, ...]:
        """Tensors [..., batch, *own axes]."""
        ...

    def rebuilt(self, *parameters: Tensor) -> Self:
        """The same family with these parameters."""
        ...


class Diagonal(Independent):
    """Base: independent location-scale latents, `loc` and `scale` [..., latent]."""

    kind: ClassVar[type[Normal] | type[Laplace]]

    def __init__(self, loc: Tensor, scale: Tensor) -> None:
        super().__init__(self.kind(loc, scale, validate_args=False), 1, validate_args=False)

    @staticmethod
    def noise(shape: torch.Size, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draws of the family at location 0 and scale 1."""
        raise NotImplementedError

    def score(self, value: Tensor) -> Tensor:
        """d log q(z_d) / d z_d of each latent by itself, [..., latent]."""
        raise NotImplementedError

    @property
    def each(self) -> Normal | Laplace:
        """The distribution of each latent by itself, event shape []."""
        base = self.base_dist
        assert isinstance(base, Normal | Laplace)
        return base

    @property
    def loc(self) -> Tensor:
        """Locations (means) [..., latent]."""
        return self.each.loc

    @property
    def scale(self) -> Tensor:
        """Scales [..., latent]."""
        return self.each.scale

    def rsample(
        self, sample_shape: Any = (), *, generator: torch.Generator | None = None
    ) -> Tensor:
        """loc + scale * noise; one draw of noise, so that equal seeds mean equal noise."""
        shape = self._extended_shape(torch.Size(sample_shape))
        return self.loc + self.scale * self.noise(shape, self.loc, generator)

    def detached(self) -> Self:
        """The same distribution with parameters cut from the graph."""
        return type(self)(self.loc.detach(), self.scale.detach())

    def parameters(self) -> tuple[Tensor, ...]:
        """Location and scale."""
        return self.loc, self.scale

    def rebuilt(self, *parameters: Tensor) -> Self:
        """The same family with another location and scale."""
        return type(self)(*parameters)


class Gaussian(Diagonal):
    """Diagonal normal: `loc` and `scale` (standard deviation) [..., latent]."""

    kind = Normal

    @property
    def scale(self) -> Tensor:
        """Standard deviations [..., latent]."""
        return self.stddev  # not `each.scale`: gradients stay those of the shipped runs, bit by bit

    @staticmethod
    def noise(shape: torch.Size, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Standard normal draws, one `randn` call."""
        return standard_normal(shape, like, generator)

    def score(self, value: Tensor) -> Tensor:
        """-(z - m) / s^2."""
        return (self.loc - value) / self.scale.square()


class DiagonalLaplace(Diagonal):
    """Diagonal Laplace: density exp(-|z - m| / b) / 2b per latent, `loc` m, `scale` b."""

    kind = Laplace

    @staticmethod
    def noise(shape: torch.Size, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Laplace(0, 1) draws: -sign(u) log(1 - |u|), u uniform in (-1, 1)."""
        lowest = torch.finfo(like.dtype).eps - 1
        drawn = (2 * uniform(shape, like, generator) - 1).clamp_min(lowest)
        return -drawn.sign() * torch.log1p(-drawn.abs())

    def score(self, value: Tensor) -> Tensor:
        """-sign(z - m) / b."""
        return (self.loc - value).sign() / self.scale


class DiagonalMixture(MixtureSameFamily):
    """Base of the mixtures of diagonal components.

    `log_weights` [..., component], `loc` and `scale` [..., component, latent]. A weight of exactly
    zero (log weight -inf) is allowed, its component then has no effect.

    `draws` says how gradients pass through `rsample`; the values are the same. `implicit` ones
    (`implicit.reparameterise`) reach weights, locations and scales and are unbiased, but drown in
    noise where many components barely overlap. `pathwise` ones reach location and scale of the
    component that was drawn alone; what moving the weights would change is left out, so that they
    are biased, and the weights learn from densities alone.
    """

    family: ClassVar[type[Diagonal]]
    has_rsample = True
    draws: Draws = IMPLICIT

    def __init__(self, log_weights: Tensor, loc: Tensor, scale: Tensor) -> None:
        self.log_weights, self.loc, self.scale = log_weights, loc, scale
        self.components = self.family(loc, scale)
        categorical: Distribution = Categorical(logits=log_weights, validate_args=False)
        super().__init__(categorical, self.components, validate_args=False)

    def rsample(
        self, sample_shape: Any = (), *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw noise, then a component, then reparameterise.

        Where the weights are constants, as in a mixture of experts, the draw is loc + scale * noise
        of its component. Where they carry gradients the values are the same, and gradients pass as
        `draws` says.
        """
        shape = torch.Size(sample_shape)
        noise = self.family.noise(self._extended_shape(shape), self.loc, generator)
        component = picked(self.mixture_distribution.probs, shape, generator)
        index = component[..., None, None].expand(*component.shape, 1, self.loc.shape[-1])
        loc = self.loc.expand(*shape, *self.loc.shape).gather(-2, index)[..., 0, :]
        scale = self.scale.expand(*shape, *self.scale.shape).gather(-2, index)[..., 0, :]
        draws = loc + scale * noise
        # Where `vmap` wraps a tensor it says that it requires no gradient, so look inside.
        if self.draws != IMPLICIT:
            return draws
        if not (torch.is_grad_enabled() and debug_unwrap(self.log_weights).requires_grad):
            return draws
        return reparameterise(draws, self.log_weights, self.components)

    def detached(self) -> Self:
        """The same distribution with parameters cut from the graph."""
        return self.rebuilt(*(value.detach() for value in self.parameters()))

    def parameters(self) -> tuple[Tensor, ...]:
        """Log weights, locations and scales."""
        return self.log_weights, self.loc, self.scale

    def rebuilt(self, *parameters: Tensor) -> Self:
        """The same family with other parameters."""
        other = type(self)(*parameters)
        other.draws = self.draws
        return other


class GaussianMixture(DiagonalMixture):
    """Mixture of diagonal normals."""

    family = Gaussian

    def log_prob(self, x: Tensor) -> Tensor:
        """log sum_k w_k N(x; m_k, s_k); as torch's, but of many by matrix products."""
        latent = x.shape[-1]
        constant = self.scale.log().sum(-1) + 0.5 * latent * math.log(2 * math.pi)
        parts = self.mixture_distribution.logits - constant, self.loc, self.scale
        shape = torch.broadcast_shapes(x.shape[:-1], self.batch_shape)
        size = math.prod(shape) * self.loc.shape[-2] * latent
        if torch.is_grad_enabled() or size <= CACHED:
            return _log_mixture(x, *parts)
        return _log_mixture_of_many(x.expand(*shape, latent), *parts)


def _log_mixture(x: Tensor, log_weights: Tensor, loc: Tensor, scale: Tensor) -> Tensor:
    """log sum_k w_k exp(-|(x - m_k) / s_k|^2 / 2), the normals' constants being in the weights."""
    errors = (x[..., None, :] - loc) / scale
    return (log_weights - 0.5 * errors.square().sum(-1)).logsumexp(-1)


def _log_mixture_of_many(x: Tensor, log_weights: Tensor, loc: Tensor, scale: Tensor) -> Tensor:
    """The same at x [*draw, *batch, latent] by products of matrices, in pieces that fit a cache.

    -(x - m)^2 / 2 s^2 is taken apart into x m / s^2 - x^2 / 2 s^2 - m^2 / 2 s^2, which loses
    (x / s)^2 roundings, so in double precision.
    """
    count, latent = loc.shape[-2:]
    batch = x.shape[x.dim() + 1 - loc.dim() : -1]
    if loc[..., 0, 0].numel() == 1:  # one mixture for all of x
        batch, log_weights = (), log_weights.reshape(count)
        loc, scale = loc.reshape(count, latent), scale.reshape(count, latent)
    log_weights = log_weights.expand(*batch, count).reshape(-1, count)
    loc, scale = (one.expand(*batch, -1, -1).reshape(-1, count, latent) for one in (loc, scale))
    draws = x.reshape(-1, len(loc), latent).transpose(0, 1)
    rows = min(draws.shape[1], max(1, PIECE // count))
    items = max(1, PIECE // (count * rows))
    densities = []
    for weights, m, s, own in zip(
        *(one.split(items) for one in (log_weights, loc, scale, draws)), strict=True
    ):
        precision = s.double() ** -2
        turn = torch.cat([-0.5 * precision, precision * m], -1).mT
        ends = (weights - 0.5 * (precision * m * m).sum(-1))[:, None]
        pieces = []
        for one in own.double().split(rows, 1):
            terms = torch.baddbmm(ends, torch.cat([one * one, one], -1), turn)
            top = terms.amax(-1, keepdim=True)
            # An exponential that underflows takes ten times as long as another.
            shares = (terms - top).to(x.dtype).clamp_min(NOTHING).exp().sum(-1)
            pieces.append((top[..., 0] + shares.log()).to(x.dtype))
        densities.append(torch.cat(pieces, 1))
    return torch.cat(densities).T.reshape(x.shape[:-1])


class LaplaceMixture(DiagonalMixture):
    """Mixture of diagonal Laplaces."""

    family = DiagonalLaplace
