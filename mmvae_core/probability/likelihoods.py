"""Likelihoods p(x_s | z): from a decoder's output to a log-probability, a mean and a sample.

Every likelihood maps decoder outputs [..., *parameters] to one value in nats per item. Data of
shape `shape` carry leading axes [sample, batch]. Values are never rescaled: what `log_prob`
returns is what is reported. A single entry may be missing: NaN among numbers, a negative code.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmvae_core.config import LikelihoodConfig
from mmvae_core.errors import ConfigError
from mmvae_core.probability.posteriors import DiagonalLaplace, Gaussian
from mmvae_core.seeding import picked

SWITCHES = ("learn_scale", "per_entry", "standardise", "library")
"""What a likelihood's configuration may switch on."""
MIN_STDDEV = 1e-6


class Likelihood(nn.Module):
    """Base: `shape` is the data's shape, `outputs` the shape a decoder must give."""

    settings: ClassVar[tuple[str, ...]] = ()
    """Which of the configuration's switches mean something here."""

    def __init__(self, shape: tuple[int, ...], config: LikelihoodConfig) -> None:
        super().__init__()
        self.shape = shape
        self.outputs = shape
        for name in SWITCHES:
            if getattr(config, name) and name not in self.settings:
                raise ConfigError(
                    f"The likelihood {config.name!r} was given {name} = true, which it does not "
                    "know; remove that line."
                )

    def log_prob(self, outputs: Tensor, data: Tensor) -> Tensor:
        """log p(data | outputs) in nats, summed over the data's own axes; 0 of a missing entry."""
        known = ~data.isnan() if data.is_floating_point() else data >= 0
        blank = torch.zeros((), dtype=data.dtype, device=data.device)
        values = self.entries(outputs, torch.where(known, data, blank))
        values = torch.where(known, values, torch.zeros((), dtype=values.dtype))
        return values.flatten(-len(self.shape)).sum(-1)

    def entries(self, outputs: Tensor, data: Tensor) -> Tensor:
        """log p of each entry of the data [..., *shape] in nats, none of them missing."""
        raise NotImplementedError

    def start_at(self, mean: Tensor, stddev: Tensor, total: Tensor) -> None:
        """Learn the units of the training data: mean and deviation [*shape], an item's mean sum."""

    def mean(self, outputs: Tensor) -> Tensor:
        """E[x | z], for categorical data the probabilities [..., length, symbols]."""
        raise NotImplementedError

    def sample(self, outputs: Tensor, *, generator: torch.Generator) -> Tensor:
        """A draw x ~ p(x | z)."""
        raise NotImplementedError

    def outputs_at(self, mean: Tensor) -> Tensor:
        """Outputs whose mean is `mean`, about: where a decoder begins."""
        return mean


class LocationScale(Likelihood):
    """Normal or Laplace around the decoder's output, one scale for the modality or each entry.

    The scale is fixed, or learned (log_scale, a number or [*shape]). With `standardise` location
    and scale count in the training data's standard deviations from their mean, entry by entry, both
    kept with the weights; data, means, draws and nats stay in the data's own units.
    """

    settings = ("learn_scale", "per_entry", "standardise")
    centre: Tensor
    spread: Tensor

    def __init__(self, shape: tuple[int, ...], config: LikelihoodConfig) -> None:
        super().__init__(shape, config)
        self.family, self.standardise = config.name, config.standardise
        if self.standardise:
            self.register_buffer("centre", torch.zeros(shape))
            self.register_buffer("spread", torch.ones(shape))
        start = torch.full(shape if config.per_entry else (), math.log(config.scale))
        self.log_scale = nn.Parameter(start, requires_grad=config.learn_scale)

    def entries(self, outputs: Tensor, data: Tensor) -> Tensor:
        """Normal: -(x-m)^2/2s^2 - log s - log(2 pi)/2; Laplace: -|x-m|/s - log 2s."""
        if self.standardise:
            data = (data - self.centre) / self.spread
        error = (data - outputs) / self.log_scale.exp()
        if self.family == "normal":
            values = -0.5 * error.square() - (self.log_scale + 0.5 * math.log(2 * math.pi))
        else:
            values = -error.abs() - (self.log_scale + math.log(2))
        return values - self.spread.log() if self.standardise else values

    def mean(self, outputs: Tensor) -> Tensor:
        """The location."""
        return self._in_units(outputs)

    def sample(self, outputs: Tensor, *, generator: torch.Generator) -> Tensor:
        """Location plus noise of the modality's scale."""
        family = Gaussian if self.family == "normal" else DiagonalLaplace
        noise = family.noise(outputs.shape, outputs, generator)
        return self._in_units(outputs + self.log_scale.exp() * noise)

    def outputs_at(self, mean: Tensor) -> Tensor:
        """The mean, in standard deviations where those count."""
        return (mean - self.centre) / self.spread if self.standardise else mean

    @torch.no_grad()
    def start_at(self, mean: Tensor, stddev: Tensor, total: Tensor) -> None:
        """Mean and standard deviation; 1 of what never changes."""
        if self.standardise:
            self.centre.copy_(mean)
            self.spread.copy_(torch.where(stddev > MIN_STDDEV, stddev, 1.0))

    def _in_units(self, values: Tensor) -> Tensor:
        return self.centre + self.spread * values if self.standardise else values


class Bernoulli(Likelihood):
    """Independent Bernoulli pixels, outputs are logits.

    Data in (0, 1) are read as probabilities of a one: x l - softplus(l) is the expectation of
    the log-probability over the binarised picture, so a bound made of it stays a lower bound of
    the binarised picture's expected log-likelihood (the evidence is convex in x).
    """

    def entries(self, outputs: Tensor, data: Tensor) -> Tensor:
        """x l - softplus(l)."""
        return data * outputs - functional.softplus(outputs)

    def mean(self, outputs: Tensor) -> Tensor:
        """Sigmoid of the logits."""
        return outputs.sigmoid()

    def outputs_at(self, mean: Tensor) -> Tensor:
        """Logits of the mean, kept away from 0 and 1."""
        return mean.clamp(0.02, 0.98).logit()

    def sample(self, outputs: Tensor, *, generator: torch.Generator) -> Tensor:
        """Zeros and ones."""
        ones = outputs.sigmoid().to(generator.device)
        return torch.bernoulli(ones, generator=generator).to(outputs.device)


class Categorical(Likelihood):
    """One symbol per position: codes [..., length], outputs logits [..., length, symbols]."""

    def __init__(self, shape: tuple[int, ...], config: LikelihoodConfig) -> None:
        super().__init__(shape[:1], config)
        if len(shape) != 2:
            raise ConfigError(
                f"A categorical modality needs the shape (length, symbols), got {shape}; mend "
                "`shape`."
            )
        self.outputs = shape

    def entries(self, outputs: Tensor, data: Tensor) -> Tensor:
        """log softmax of the logits at the data's symbols."""
        data = data.long().expand(*outputs.shape[:-1])
        return outputs.log_softmax(-1).gather(-1, data[..., None])[..., 0]

    def mean(self, outputs: Tensor) -> Tensor:
        """Probabilities of the symbols."""
        return outputs.softmax(-1)

    def outputs_at(self, mean: Tensor) -> Tensor:
        """Logarithms of the symbols' shares, none below a thousandth."""
        return mean.clamp_min(1e-3).log()

    def sample(self, outputs: Tensor, *, generator: torch.Generator) -> Tensor:
        """Codes [..., length]."""
        return picked(outputs.softmax(-1), (), generator)
