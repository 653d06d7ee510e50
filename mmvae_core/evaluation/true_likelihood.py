"""The log-likelihood that the true model of a made world gives its items, in nats per item.

p(x) = sum_k (1/K) int N(z; m_k, S_k) prod_s N(x_s; f_s(z), noise^2 I) dz, over the modalities that
an item has; a label keeps its own cluster's term alone. Each integral is a mean of importance
weights over draws of a Student t distribution round the integrand's highest point, which
Gauss-Newton steps find from the true latent and from the cluster's centre; its width is that of the
normal which fits there. The estimate is unbiased before the logarithm, so that its error can be
told from the weights.
"""

import math

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.data.source import Table
from mmvae_core.data.truth import Truth
from mmvae_core.evaluation.all_subsets import parts
from mmvae_core.evaluation.rates import Estimate
from mmvae_core.networks.mixing import MixingNetwork

ITEMS, STEPS, FREEDOM, WIDER = 100, 20, 8.0, 1.1
STRIDES = (1.0, 0.5, 0.25, 0.1, 0.02)


@torch.no_grad()
def true_log_likelihood(truth: Truth, table: Table, samples: int, seed: int) -> Estimate:
    """log p(x_O) [item] and its standard error, `samples` draws for each cluster."""
    generator = torch.Generator().manual_seed(seed)
    estimates, start = [], 0
    for part in parts(table.items, ITEMS):
        latents = table.latents[start : start + len(part)].double()
        estimates.append(_of_part(truth, part, latents, samples, generator))
        start += len(part)
    return Estimate(*(torch.cat(values) for values in zip(*estimates, strict=True)))


def _of_part(
    truth: Truth, items: Batch, latents: Tensor, samples: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The estimate of some items: integrals [cluster, item] meet in one logsumexp."""
    data = [
        (truth.maps[name], items.data[name].double(), items.observed[:, index])
        for index, name in enumerate(items.data)
        if name in truth.maps
    ]
    integrals, errors = [], []
    for centre, spread in zip(truth.centres, truth.spreads, strict=True):
        target = _Integrand(data, centre, spread, truth.noise)
        value, error = target.integral(latents, samples, generator)
        integrals.append(value)
        errors.append(error)
    values, spreads = torch.stack(integrals), torch.stack(errors)
    if truth.label is not None:
        label = items.data[truth.label][:, 0]
        told = items.observed[:, list(items.data).index(truth.label)]
        own = torch.arange(len(values))[:, None] == label
        values = torch.where(own | ~told, values, -torch.inf)
    total = values.logsumexp(0)
    shares = (values - total).exp()
    return total - math.log(len(values)), (shares * spreads).square().sum(0).sqrt()


class _Integrand:
    """log N(z; m, S) + sum_s log N(x_s; f_s(z), noise^2 I) of some items."""

    def __init__(
        self,
        data: list[tuple[MixingNetwork, Tensor, Tensor]],
        centre: Tensor,
        spread: Tensor,
        noise: float,
    ) -> None:
        self.data, self.centre, self.spread, self.noise = data, centre, spread, noise

    def __call__(self, latent: Tensor) -> Tensor:
        """The logarithm [..., item] at latents [..., item, latent]."""
        value = _normal(latent - self.centre, self.spread)
        for network, data, seen in self.data:
            error = torch.where(seen[:, None], data, 0.0) - network(latent)
            own = _normal(error, torch.full(data.shape[-1:], self.noise, dtype=torch.float64))
            value = value + torch.where(seen, own, 0.0)
        return value

    def integral(
        self, latents: Tensor, samples: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """log of the integral [item], and its standard error by the weights' spread."""
        mode = self._highest(torch.stack([latents, self.centre.expand_as(latents)]))
        factor = torch.linalg.cholesky(self._curvature(mode)[1])
        draws, log_density = _student(mode, factor, samples, generator)
        log_weights = self(draws) - log_density
        value = log_weights.logsumexp(0) - math.log(samples)
        weights = (log_weights - value).exp()
        return value, weights.std(0) / samples**0.5

    def _highest(self, starts: Tensor) -> Tensor:
        """The best point [item, latent] that damped Gauss-Newton steps reach from the starts."""
        strides = torch.tensor(STRIDES, dtype=torch.float64)[:, None, None]
        reached = []
        for latent in starts:
            for _ in range(STEPS):
                slope, precision = self._curvature(latent)
                step = torch.linalg.solve(precision, slope)
                tried = torch.cat([latent[None], latent + strides * step])
                latent = _best(tried, self(tried))
            reached.append(latent)
        tried = torch.stack(reached)
        return _best(tried, self(tried))

    def _curvature(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Gradient [item, latent] and precision [item, latent, latent] of the fitting normal."""
        slope = (self.centre - latent) / self.spread.square()
        precision = torch.diag(self.spread**-2).expand(len(latent), -1, -1)
        for network, data, seen in self.data:
            clean, jacobian = network.with_jacobian(latent)
            error = torch.where(seen[:, None], data - clean, 0.0) / self.noise**2
            slope = slope + torch.einsum("ixd,ix->id", jacobian, error)
            own = jacobian.mT @ jacobian / self.noise**2
            precision = precision + torch.where(seen[:, None, None], own, 0.0)
        return slope, precision


def _student(
    mode: Tensor, factor: Tensor, samples: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draws [sample, item, latent] round the mode and their log density [sample, item].

    `factor` is the Cholesky factor of the precision.
    """
    count, latent = mode.shape
    normal = torch.randn(samples, count, latent, dtype=torch.float64, generator=generator)
    chi = torch.randn(samples, count, int(FREEDOM), dtype=torch.float64, generator=generator)
    stretch = (FREEDOM / chi.square().sum(-1)).sqrt()[..., None] * WIDER
    offset = torch.linalg.solve_triangular(factor.mT, normal[..., None], upper=True)[..., 0]
    distance = (stretch[..., 0] / WIDER * normal.norm(dim=-1)).square()
    log_volume = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1) - latent * math.log(WIDER)
    constant = (
        math.lgamma((FREEDOM + latent) / 2)
        - math.lgamma(FREEDOM / 2)
        - 0.5 * latent * math.log(FREEDOM * math.pi)
    )
    density = constant + log_volume - 0.5 * (FREEDOM + latent) * torch.log1p(distance / FREEDOM)
    return mode + stretch * offset, density


def _normal(error: Tensor, scale: Tensor) -> Tensor:
    """Log density of a diagonal normal at these errors, summed over the last axis."""
    size = error.shape[-1] * math.log(2 * math.pi)
    return -0.5 * ((error / scale).square().sum(-1) + size) - scale.log().sum()


def _best(tried: Tensor, values: Tensor) -> Tensor:
    """Of the points [trial, item, latent] each item's best."""
    rows = values.argmax(0)
    return tried[rows, torch.arange(tried.shape[1])]
