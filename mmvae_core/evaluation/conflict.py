"""Conflict: some modalities come from one item, the others from another. Who wins, and is it seen?

The first item gives the modalities of S, the second, the rival, those of T. From all of them
together one z ~ q(. | x_S, y_T) is drawn and decoded, and the judges say whether each modality
looks like the first item's class, the rival's, or neither.

The conflict score, in nats, is how far the posterior of everything lies from what each side
believes alone:

    C = KL(q(. | x_S, y_T) || q(. | x_S)) + KL(q(. | x_S, y_T) || q(. | y_T)).

Two sides that agree are both sharpened by the other, two that contradict each other cannot both
be right, so at least one of them finds the joint posterior unlikely. Each term is the cross rate
R_{O|S} of the paper, with O = S and T together, hence defined for every aggregator, and exact for
diagonal posteriors. The KL between the two sides themselves, in both directions, is near
chance wherever one side (a word) leaves much open that the other (a picture) fixes. The pointwise
mutual information log E_{q(z|x_S)}[q(z|y_T) / p(z)] would be the best score of exact posteriors
(Neyman and Pearson), but needs a draw of one side to fall into the other. With private latents
the score is of the shared ones.

Source: Hirt et al. 2024, https://arxiv.org/abs/2309.00380 (cross rates).
"""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.evaluation.all_subsets import ITEMS, Progress, no_progress, parts
from mmvae_core.evaluation.coherence import Judge, judge_latents, share
from mmvae_core.evaluation.rates import Estimate, kl_to_each
from mmvae_core.intervals import Z, wilson
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.probability.private import PrivatePosterior
from mmvae_core.seeding import generator_of
from mmvae_core.store.records import Auroc, Clash, Conflicts, Winners
from mmvae_core.subsets import all_subsets, subset_name

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
AGAINST = " vs "


@torch.no_grad()
def conflict(
    model: MultimodalVAE,
    batch: Batch,
    labels: Tensor,
    judges: Mapping[str, Judge],
    samples: int = 128,
    seed: int = 0,
    each: Progress = no_progress,
) -> Conflicts | None:
    """For each pair of sides: `auroc` of the score, quantiles of the score, and who `won`.

    `matched` scores have both sides from one item, `swapped` ones the second from a rival. Where
    KLs have no formula each is the mean over `samples` draws. Nothing comes back where there are
    not two items and two modalities; a pair is left out where fewer than two items have both sides.
    """
    if min(len(batch), len(model.names)) < 2:
        return None
    features = torch.cat([model.encode(one.data, one.observed) for one in parts(batch, ITEMS)])
    pairs, clashes = sides(len(model.names)), {}
    for row, (first, second) in enumerate(pairs):
        both = (batch.observed | ~(first | second).to(batch.observed.device)).all(-1)
        if int(both.sum()) > 1:
            known = features[both], batch.observed[both]
            clashes[side_names(first, second, model.names)] = _clash(
                model, known, labels[both.cpu()], (first, second), judges, samples, seed
            )
        each("conflict", (row + 1) / len(pairs))
    return Conflicts(items=len(batch), samples=samples, given=clashes) if clashes else None


def _clash(
    model: MultimodalVAE,
    known: tuple[Tensor, Tensor],
    labels: Tensor,
    pair: tuple[Tensor, Tensor],
    judges: Mapping[str, Judge],
    samples: int,
    seed: int,
) -> Clash:
    """One pair of sides, of the features and masks of items that have both."""
    features, observed = known
    one, two = ((features, observed & side.to(observed.device)) for side in pair)
    rival = rivals(labels, seed)
    mine, theirs = _shared(model.posterior(*one)), (two[0][rival], two[1][rival])
    together = [model.posterior(*joined(one, other)) for other in (two, theirs)]
    matched, swapped = (
        _apart(_shared(all_of_it), (mine, _shared(model.posterior(*other))), samples, seed)
        for all_of_it, other in zip(together, (two, theirs), strict=True)
    )
    return Clash(
        auroc=auroc(matched.value.cpu().numpy(), swapped.value.cpu().numpy()),
        exact=swapped.exact,
        matched=_quantiles(matched.value),
        swapped=_quantiles(swapped.value),
        won=_won(model, together[1], labels, labels[rival], judges, seed),
    )


Side = tuple[Tensor, Tensor]
"""Features [batch, modality, feature] and which modalities the side gives [batch, modality]."""


def score(model: MultimodalVAE, first: Side, second: Side, samples: int, seed: int) -> Estimate:
    """The conflict score C [batch]; the error is at most so large (both terms share draws)."""
    together, *alone = (
        _shared(model.posterior(*side)) for side in (joined(first, second), first, second)
    )
    return _apart(together, alone, samples, seed)


def _apart(together: Posterior, alone: Iterable[Posterior], samples: int, seed: int) -> Estimate:
    terms = kl_to_each(together, alone, samples, seed)
    errors = [term.error for term in terms if term.error is not None]
    value = torch.stack([term.value for term in terms]).sum(0)
    return Estimate(value, torch.stack(errors).sum(0) if errors else None)


def joined(first: Side, second: Side) -> Side:
    """Both sides as one input; a modality is given by one side at most."""
    features = torch.where(second[1][..., None], second[0], first[0])
    return features, first[1] | second[1]


def sides(modalities: int) -> list[tuple[Tensor, Tensor]]:
    """Which modalities oppose each other: each two single ones, and each two that are all.

    Masks [modality]; of a pair and its mirror image the one whose first side is smaller or, at
    equal size, comes first.
    """
    every = list(all_subsets(modalities))
    singles = every[1 : modalities + 1]
    pairs = [(one, two) for index, one in enumerate(singles) for two in singles[index + 1 :]]
    for one in every[1:]:
        size = 2 * int(one.sum())
        if modalities > 2 and (size < modalities or (size == modalities and bool(one[0]))):
            pairs.append((one, ~one))
    return pairs


def side_names(first: Tensor, second: Tensor, names: tuple[str, ...]) -> str:
    """How reports name a pair of sides: `word vs handwriting+photo`."""
    return AGAINST.join(subset_name(one, names) for one in (first, second))


def rivals(labels: Tensor, seed: int) -> Tensor:
    """For each of two or more items another one [item], each of another class equally likely.

    Of items that are all of one class, each other item is equally likely. Rivals may repeat.
    """
    if bool((labels == labels[0]).all()):
        labels = torch.arange(len(labels))
    generator = generator_of(seed)
    order = labels.cpu().argsort(stable=True)
    ordered = labels.cpu()[order]
    start = torch.searchsorted(ordered, labels.cpu())
    stop = torch.searchsorted(ordered, labels.cpu(), right=True)
    others = len(labels) - (stop - start)
    draw = torch.rand(len(labels), generator=generator, dtype=torch.float64)
    place = (draw * others).long()
    return order[torch.where(place < start, place, place + stop - start)].to(labels.device)


def auroc(matched: np.ndarray, swapped: np.ndarray) -> Auroc:
    """P(swapped score > matched score), ties counting half, with its 95 % interval.

    Entry i of both belongs to the same item, so the variance is that of the mean of
    V_i + W_i, V_i the share of swapped scores above matched i, W_i of matched ones below
    swapped i. Where nothing varies (0 or 1) the interval is Wilson's. Sources: DeLong, DeLong and
    Clarke-Pearson 1988, https://doi.org/10.2307/2531595; for paired entries Obuchowski 1997,
    https://doi.org/10.2307/2533958.
    """
    above = 1 - _below(matched, swapped)
    below = _below(swapped, matched)
    value, count = float(below.mean()), len(matched)
    reach = Z * float((above + below).std(ddof=1)) / count**0.5 if count > 1 else 1.0
    if reach == 0:
        low, high = wilson(round(value * count), count)
        return Auroc(value=value, low=low, high=high)
    return Auroc(value=value, low=max(0.0, value - reach), high=min(1.0, value + reach))


def _below(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each point the share of the others below it, ties counting half."""
    ranked = np.sort(others)
    both = np.searchsorted(ranked, points, "left") + np.searchsorted(ranked, points, "right")
    return both / (2 * len(others))


def _won(
    model: MultimodalVAE,
    together: Posterior,
    mine: Tensor,
    yours: Tensor,
    judges: Mapping[str, Judge],
    seed: int,
) -> dict[str, Winners]:
    """Per judged modality the shares of generations judged as `first`, `second`, `neither`."""
    generator = generator_of(seed, model.device)
    latent = together.rsample(generator=generator)
    named, _ = judge_latents(model, latent, judges)
    mine, yours, winners = mine.cpu(), yours.cpu(), {}
    for name, labels in named.items():
        hits = labels == mine, labels == yours
        one, two, none = (
            share(int(hit.sum()), len(labels)) for hit in (*hits, ~(hits[0] | hits[1]))
        )
        winners[name] = Winners(first=one, second=two, neither=none)
    return winners


def _quantiles(values: Tensor) -> tuple[float, ...]:
    return tuple(np.quantile(values.double().cpu().numpy(), QUANTILES).tolist())


def _shared(posterior: Posterior) -> Posterior:
    return posterior.shared if isinstance(posterior, PrivatePosterior) else posterior
