"""Likelihoods of counts: Poisson, and negative binomial, whose variance exceeds its mean.

The decoder's outputs are log rates o. With `library` they are logits of shares instead: the rates
are L softmax(o), L the item's own total, its library size, which enters as a fact and is not
scored; generations have the mean total of the training items, kept with the weights. Of an item
with missing entries L is what its known entries sum to, over the share of the outputs there.
Source: Lopez et al., "Deep generative modeling for single-cell transcriptomics", 2018,
https://doi.org/10.1038/s41592-018-0229-2
"""

import math

import torch
from torch import Tensor, nn

from mmvae_core.config import LikelihoodConfig
from mmvae_core.probability.likelihoods import Likelihood

LEAST = 1e-3
"""No decoder begins at a rate below this."""
MOST_LOG = 30.0
"""No log rate above this: e^30 counts are more than any."""


class Counts(Likelihood):
    """Base: rates from outputs, whatever the law around them."""

    settings = ("library",)
    total: Tensor

    def __init__(self, shape: tuple[int, ...], config: LikelihoodConfig) -> None:
        super().__init__(shape, config)
        self.library = config.library
        if self.library:
            self.register_buffer("total", torch.ones(()))

    def log_prob(self, outputs: Tensor, data: Tensor) -> Tensor:
        """Summed over entries, in nats, given the item's total where `library` counts."""
        return super().log_prob(self._log_rates(outputs, data), data)

    def mean(self, outputs: Tensor) -> Tensor:
        """The rates; with `library` those of an item of the mean total."""
        return self._typical(outputs).exp()

    def outputs_at(self, mean: Tensor) -> Tensor:
        """Logarithms of the rates, none below a thousandth."""
        return mean.clamp_min(LEAST).log()

    @torch.no_grad()
    def start_at(self, mean: Tensor, stddev: Tensor, total: Tensor) -> None:
        """The mean total."""
        if self.library:
            self.total.copy_(total)

    def _log_rates(self, outputs: Tensor, data: Tensor) -> Tensor:
        if not self.library:
            return outputs.clamp_max(MOST_LOG)
        axes = tuple(range(-len(self.shape), 0))
        known = ~data.isnan()
        total = torch.where(known, data, 0.0).sum(axes, keepdim=True).clamp_min(1.0)
        shown = torch.where(known, outputs, -torch.inf)
        return outputs - shown.logsumexp(axes, keepdim=True) + total.log()

    def _typical(self, outputs: Tensor) -> Tensor:
        if not self.library:
            return outputs.clamp_max(MOST_LOG)
        axes = tuple(range(-len(self.shape), 0))
        return outputs - outputs.logsumexp(axes, keepdim=True) + self.total.log()


class Poisson(Counts):
    """Mass r^x e^-r / x! per entry, the outputs being log r."""

    def entries(self, outputs: Tensor, data: Tensor) -> Tensor:
        """x log r - r - log x!."""
        return data * outputs - outputs.exp() - torch.lgamma(data + 1)

    def sample(self, outputs: Tensor, *, generator: torch.Generator) -> Tensor:
        """Counts."""
        rates = self.mean(outputs).to(generator.device)
        return torch.poisson(rates, generator=generator).to(outputs.device)


class NegativeBinomial(Counts):
    """Counts of mean r and variance r + s r^2, s the scale: fixed or learned, one or per entry.

    A Poisson law whose rate is a gamma variable of mean r and shape k = 1 / s.
    """

    settings = ("library", "learn_scale", "per_entry")

    def __init__(self, shape: tuple[int, ...], config: LikelihoodConfig) -> None:
        super().__init__(shape, config)
        start = torch.full(shape if config.per_entry else (), math.log(config.scale))
        self.log_scale = nn.Parameter(start, requires_grad=config.learn_scale)

    def entries(self, outputs: Tensor, data: Tensor) -> Tensor:
        """log G(x+k) - log G(k) - log x! + k log(k/(k+r)) + x log(r/(k+r))."""
        log_shape = -self.log_scale
        shape, both = log_shape.exp(), torch.logaddexp(log_shape, outputs)
        ways = torch.lgamma(data + shape) - torch.lgamma(shape) - torch.lgamma(data + 1)
        return ways + shape * (log_shape - both) + data * (outputs - both)

    def sample(self, outputs: Tensor, *, generator: torch.Generator) -> Tensor:
        """Counts at rates that are drawn from the gamma law."""
        rates = self.mean(outputs).to(generator.device)
        shape = (-self.log_scale).exp().to(rates).expand_as(rates).contiguous()
        # torch's public gamma law takes no generator.
        unit = torch._standard_gamma(shape, generator=generator)  # pyright: ignore[reportPrivateImportUsage]
        drawn = unit * rates / shape
        return torch.poisson(drawn, generator=generator).to(outputs.device)
