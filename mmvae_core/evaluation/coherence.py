"""Coherence: whether what is generated belongs together, as judges trained on real data see it.

A judge maps E[x_s | z] [n, ...] of one modality to class labels int64 [n]; pictures are judged by
their means, as the app shows them. Shares come with a Wilson interval (95 %).
Source: Shi et al. 2019, https://arxiv.org/abs/1911.03393
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from mmvae_core.evaluation.all_subsets import one_subset, subset_names
from mmvae_core.intervals import wilson
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.seeding import generator_of
from mmvae_core.store.records import JointShare, Share

ROWS = 500
"""Latents decoded at once."""

Judge = Callable[[Tensor], Tensor]
Fraction = Callable[[float], None]


class SpellingJudge(ABC):
    """A judge of texts, which tells also whether they are spelt without a mistake."""

    @abstractmethod
    def __call__(self, means: Tensor) -> Tensor:
        """Class labels int64 [n] of symbol probabilities [n, length, symbols]."""

    @abstractmethod
    def spelt(self, means: Tensor) -> Tensor:
        """Whether the likeliest symbols together are a correct text: bool [n]."""


@runtime_checkable
class ConfidentJudge(Protocol):
    """A judge that tells also how sure it is."""

    def probabilities(self, means: Tensor, /) -> Tensor:
        """Class probabilities [n, class]."""
        ...


@torch.no_grad()
def conditional_coherence(
    model: MultimodalVAE,
    posterior: Posterior,
    labels: Tensor,
    judges: Mapping[str, Judge],
    seed: int,
    each: Fraction = lambda fraction: None,
    kept: Tensor | None = None,
) -> dict[str, dict[str, Share]]:
    """Share of items judged as their true class, for every non-empty subset and judged modality.

    `posterior` has batch shape [subset, item] (see `all_posteriors`), `labels` are int64 [item]; of
    items of no class, -1, there is no telling. `kept` [subset, item] are the items that count.
    One z ~ q(. | x_S) per item is decoded into all judged modalities, shown ones too. Texts have
    also the share `spelt` exactly.
    """
    names, shares, generator = subset_names(model.names), {}, generator_of(seed, model.device)
    for row in range(1, len(names)):
        latent = one_subset(posterior, row).rsample(generator=generator)
        some = labels >= 0 if kept is None else (labels >= 0) & kept[row].to(labels.device)
        named, spelt = judge_latents(model, latent[some.to(latent.device)], judges)
        shares[names[row]] = {
            name: share(int((named[name] == labels[some]).sum()), int(some.sum()), spelt.get(name))
            for name in named
            if bool(some.any())
        }
        each(row / (len(names) - 1))
    return shares


@torch.no_grad()
def joint_coherence(
    model: MultimodalVAE,
    judges: Mapping[str, Judge],
    seed: int,
    samples: int = 2_000,
    prior: Posterior | None = None,
) -> JointShare | None:
    """Share of prior draws z ~ p(z) whose judged modalities are all named the same class.

    `prior` stands in for the model's own. Nothing where no modality has a judge.
    """
    if not _judged(model, judges):
        return None
    generator = generator_of(seed, model.device)
    latent = (prior or model.prior()).rsample((samples,), generator=generator)
    named = torch.stack(list(judge_latents(model, latent, judges)[0].values()))
    agreed = int((named == named[0]).all(0).sum())
    low, high = wilson(agreed, samples)
    return JointShare(
        right=agreed,
        count=samples,
        share=agreed / samples,
        low=low,
        high=high,
        modalities=tuple(_judged(model, judges)),
    )


def judge_latents(
    model: MultimodalVAE, latent: Tensor, judges: Mapping[str, Judge]
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Labels int64 [n] per judged modality of latents [n, latent]; of texts the share well spelt."""
    names = _judged(model, judges)
    labels: dict[str, list[Tensor]] = {name: [] for name in names}
    spelt: dict[str, list[Tensor]] = {}
    for piece in latent.split(ROWS):
        for name, means in (model.means(piece, names) if names else {}).items():
            judge = judges[name]
            labels[name].append(judge(means).cpu())
            if isinstance(judge, SpellingJudge):
                spelt.setdefault(name, []).append(judge.spelt(means))
    shares = {name: float(torch.cat(flags).double().mean()) for name, flags in spelt.items()}
    return {name: torch.cat(pieces) for name, pieces in labels.items()}, shares


def share(right: int, count: int, spelt: float | None = None) -> Share:
    """A share with its counts and interval; of texts also the share spelt without a mistake."""
    low, high = wilson(right, count)
    return Share(right=right, count=count, share=right / count, low=low, high=high, spelt=spelt)


def _judged(model: MultimodalVAE, judges: Mapping[str, Judge]) -> list[str]:
    return [name for name in model.names if name in judges]
