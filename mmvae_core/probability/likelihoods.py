"""Likelihoods p(x_s | z): from a decoder's output to a log-probability, a mean and a sample.

Every likelihood maps decoder outputs [..., *parameters] to one value in nats per item. Data of
shape `shape` carry leading axes [sample, batch]. Values are never rescaled: what `log_prob`
returns is what is reported.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmvae_core.config import LikelihoodConfig
from mmvae_core.errors import ConfigError
from mmvae_core.probability.posteriors import DiagonalLaplace, Gaussian
from mmvae_core.seeding import picked


class Likelihood(nn.Module):
    """Base: `shape` is the data's shape, `outputs` the shape a decoder must give."""

    def __init__(self, shape: tuple[int, ...], config: LikelihoodConfig) -> None:
        super().__init__()
        self.shape = shape
        self.outputs = shape

    def log_prob(self, outputs: Tensor, data: Tensor) -> Tensor:
        """log p(data | outputs) in nats, summed over the data's own axes."""
        raise NotImplementedError

    def mean(self, outputs: Tensor) -> Tensor:
        """E[x | z], for categorical data the probabilities [..., length, symbols]."""
        raise NotImplementedError

    def sample(self, outputs: Tensor, *, generator: torch.Generator) -> Tensor:
        """A draw x ~ p(x | z)."""
        raise NotImplementedError

    def outputs_at(self, mean: Tensor) -> Tensor:
        """Outputs whose mean is `mean`, about: where a decoder begins."""
        return mean

    def _sum(self, values: Tensor) -> Tensor:
        return values.flatten(-len(self.shape)).sum(-1)


class LocationScale(Likelihood):
    """Normal or Laplace around the decoder's output, one scale for the modality or each entry.

    The scale is fixed, or learned (log_scale, a number or [*shape]).
    """

    def __init__(self, shape: tuple[int, ...], config: LikelihoodConfig) -> None:
        super().__init__(shape, config)
        self.family = config.name
        start = torch.full(shape if config.per_entry else (), math.log(config.scale))
        self.log_scale = nn.Parameter(start, requires_grad=config.learn_scale)

    def log_prob(self, outputs: Tensor, data: Tensor) -> Tensor:
        """Normal: -(x-m)^2/2s^2 - log s - log(2 pi)/2; Laplace: -|x-m|/s - log 2s; per entry."""
        error = (data - outputs) / self.log_scale.exp()
        if self.family == "normal":
            per_entry = -0.5 * error.square()
            constant = self.log_scale + 0.5 * math.log(2 * math.pi)
        else:
            per_entry = -error.abs()
            constant = self.log_scale + math.log(2)
        return self._sum(per_entry) - math.prod(self.shape) * constant.mean()

    def mean(self, outputs: Tensor) -> Tensor:
        """The location."""
        return outputs

    def sample(self, outputs: Tensor, *, generator: torch.Generator) -> Tensor:
        """Location plus noise of the modality's scale."""
        family = Gaussian if self.family == "normal" else DiagonalLaplace
        return outputs + self.log_scale.exp() * family.noise(outputs.shape, outputs, generator)


class Bernoulli(Likelihood):
    """Independent Bernoulli pixels, outputs are logits.

    Data in (0, 1) are read as probabilities of a one: x l - softplus(l) is the expectation of
    the log-probability over the binarised picture, so a bound made of it stays a lower bound of
    the binarised picture's expected log-likelihood (the evidence is convex in x).
    """

    def log_prob(self, outputs: Tensor, data: Tensor) -> Tensor:
        """x l - softplus(l) per pixel."""
        return self._sum(data * outputs - functional.softplus(outputs))

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

    def log_prob(self, outputs: Tensor, data: Tensor) -> Tensor:
        """log softmax of the logits at the data's symbols."""
        data = data.long().expand(*outputs.shape[:-1])
        return self._sum(outputs.log_softmax(-1).gather(-1, data[..., None])[..., 0])

    def mean(self, outputs: Tensor) -> Tensor:
        """Probabilities of the symbols."""
        return outputs.softmax(-1)

    def outputs_at(self, mean: Tensor) -> Tensor:
        """Logarithms of the symbols' shares, none below a thousandth."""
        return mean.clamp_min(1e-3).log()

    def sample(self, outputs: Tensor, *, generator: torch.Generator) -> Tensor:
        """Codes [..., length]."""
        return picked(outputs.softmax(-1), (), generator)
