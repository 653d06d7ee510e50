"""The contract of every aggregator, and the heads that read a posterior off a feature vector."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmvae_core.probability.posteriors import (
    IMPLICIT,
    MIN_SCALE,
    Batched,
    Diagonal,
    DiagonalMixture,
    Draws,
    Gaussian,
    Posterior,
)
from mmvae_core.probability.products import times_prior

PRIOR = "prior"
"""What the prior's own part of a fusion is called."""
RHO, CHI = "\N{GREEK SMALL LETTER RHO}", "\N{GREEK SMALL LETTER CHI}"


@dataclass(frozen=True)
class About:
    """What an aggregator is, and says of itself to people."""

    sentence: str
    """How it fuses, and what a part's share is where it has parts."""
    caveat: str = ""
    """What its shares do not tell."""
    fixed: bool = False
    """Whether a formula fuses; else weights that are learned do."""
    ordered: bool = False
    """Whether another order of the modalities is another input."""
    families: tuple[str, ...] = ("normal", "laplace")
    """The families that its posteriors may be of."""


@dataclass(frozen=True)
class Detail:
    """The parts number by number: values [batch, part, latent or width] under a title."""

    title: str
    values: Tensor
    is_share: bool
    """Whether the parts of each column are shares of 1; else they add up to a vector."""


@dataclass(frozen=True)
class Inside:
    """Shares of the parts of one fusion."""

    parts: tuple[str, ...]
    """Modalities, products of them, and the prior."""
    shares: Tensor
    """[batch, part], each row summing to 1; zero for what is not in the subset."""
    detail: Detail | None = None
    attention: Tensor | None = None
    """[layer, batch, head, query, key], of attention alone."""


class Aggregator(nn.Module, ABC):
    """q(z | x_S) from (features [batch, modality, feature], subset [batch, modality]).

    Laws, tested for every member: permuting the (feature, mask) pairs changes nothing, unless
    `about.ordered`; features outside the subset have exactly no effect, be they NaN; the empty
    subset has a posterior. Methods are abstract or final: what one class defines no other changes.
    """

    @property
    @abstractmethod
    def about(self) -> About:
        """What it is, and its sentence on the page that shows its inside."""

    @abstractmethod
    def forward(self, features: Tensor, subset: Tensor, prior: Posterior | None = None) -> Batched:
        """The posterior of every item, batch shape [batch].

        `prior` is p(z), which fixed aggregators build upon; learned ones only for the product.
        """

    @abstractmethod
    def several(
        self, features: Tensor, subsets: Sequence[Tensor], prior: Posterior | None = None
    ) -> list[Batched]:
        """The same posteriors for several masks, what they have in common computed once."""

    @abstractmethod
    def inside(
        self, features: Tensor, subset: Tensor, prior: Posterior, names: tuple[str, ...]
    ) -> Inside | None:
        """What can be shown of the fusion of modalities `names`; None where no parts arise."""


class Fusion(Aggregator):
    """Base: what is not shown is blanked, once for all members, and the rest is fused.

    A member says what is known of each modality alone (`prepare`), how that of the shown ones
    becomes a posterior (`fuse`), and what can be shown of it (`parts`). The latter two get `known`
    [..., modality, width] with zeros outside the subset.
    """

    prior_product = False
    """Whether every posterior is multiplied by the prior, which nothing shown then gives."""
    draws: Draws = IMPLICIT
    """How gradients pass through draws of a mixture, see `DiagonalMixture`."""

    @abstractmethod
    def prepare(self, features: Tensor) -> Tensor:
        """What can be said of each modality alone [batch, modality, width]."""

    @abstractmethod
    def fuse(self, known: Tensor, subset: Tensor, prior: Posterior | None) -> Batched:
        """The posterior; `known` and `subset` may have further axes in front."""

    @abstractmethod
    def parts(
        self, known: Tensor, subset: Tensor, prior: Posterior, names: tuple[str, ...]
    ) -> Inside | None:
        """The parts of the fusion of [batch] items; None where there are none."""

    @final
    def forward(self, features: Tensor, subset: Tensor, prior: Posterior | None = None) -> Batched:
        """The posterior of every item, batch shape [batch]."""
        return self._fused(self._known(features, subset), subset, prior)

    @final
    def several(
        self, features: Tensor, subsets: Sequence[Tensor], prior: Posterior | None = None
    ) -> list[Batched]:
        """The same for several masks, `prepare` called once."""
        masks = torch.stack(list(subsets))
        posterior = self._fused(self._known(features, masks.any(0)), masks, prior)
        return [
            posterior.rebuilt(*(value[row] for value in posterior.parameters()))
            for row in range(len(masks))
        ]

    @final
    def inside(
        self, features: Tensor, subset: Tensor, prior: Posterior, names: tuple[str, ...]
    ) -> Inside | None:
        """The parts of the fusion."""
        known = blanked(self._known(features, subset), subset)
        return self.parts(known, subset, prior, names)

    @final
    def _known(self, features: Tensor, shown: Tensor) -> Tensor:
        return self.prepare(blanked(features, shown))

    @final
    def _fused(self, known: Tensor, subset: Tensor, prior: Posterior | None) -> Batched:
        """The posterior of what `prepare` says of blanks too, which need not be zero."""
        posterior = self.fuse(blanked(known, subset), subset, prior)
        if isinstance(posterior, DiagonalMixture):
            posterior.draws = self.draws
        return posterior


class Learned(Fusion):
    """Base of the aggregators whose networks learn how to fuse."""

    @abstractmethod
    def aggregate(self, known: Tensor, subset: Tensor) -> Batched:
        """The posterior, before any product with the prior."""

    @final
    def fuse(self, known: Tensor, subset: Tensor, prior: Posterior | None) -> Batched:
        """The posterior, times the prior where that is asked for."""
        posterior = self.aggregate(known, subset)
        return times_prior(prior, posterior, subset) if self.prior_product else posterior


def of_sum(
    names: tuple[str, ...], summands: Tensor, title: str = "The vectors that are added"
) -> Inside:
    """The inside of a pooling: vectors [batch, modality, width], and their `pooled_shares`."""
    return Inside(names, pooled_shares(summands), Detail(title, summands, is_share=False))


def pooled_shares(summands: Tensor) -> Tensor:
    """v_s . t / |t|^2 [batch, modality] of vectors [batch, modality, width] with the sum t.

    The length of each along the sum, in units of the sum's; zero where the sum is.
    """
    total = summands.sum(-2, keepdim=True)
    return (summands * total).sum(-1) / total.square().sum(-1).clamp_min(1e-30)


class GaussianHead(nn.Module):
    """A linear read-off of mean and scale: [..., feature] to two tensors [..., latent].

    scale = softplus(s) + 0.001, with s starting near softplus(s) = 1, the prior's width.
    """

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 2 * latent)
        self.start_at(1.0)

    @torch.no_grad()
    def start_at(self, scale: float) -> None:
        """Let scales begin near this one."""
        self.linear.bias[self.linear.out_features // 2 :].fill_(raw_scale(scale))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and scale."""
        loc, raw = self.linear(features).chunk(2, -1)
        return loc, functional.softplus(raw) + MIN_SCALE

    def posterior(self, features: Tensor) -> Diagonal:
        """The same as a distribution."""
        return Gaussian(*self(features))


def raw_scale(scale: float) -> float:
    """s with softplus(s) = scale, about: a head's bias. Of 1 it is what shipped runs began with."""
    return 0.5413 if scale == 1 else math.log(math.expm1(scale))


def blanked(values: Tensor, subset: Tensor) -> Tensor:
    """Values [..., modality, width] with zeros where the modality is not in the subset."""
    return torch.where(subset[..., None], values, 0.0)
