"""What each modality tells about an item: rates of all subsets, gains along edges, shares. Nats.

The subsets form a lattice. A node S has its rate KL(q(z | x_S) || p(z)), an edge S to S + m the
information gained when modality m joins, KL(q(z | x_{S+m}) || q(z | x_S)).
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial

import torch
from torch import Tensor

from mmvae_core.errors import UsageError
from mmvae_core.evaluation.all_subsets import change
from mmvae_core.evaluation.rates import Estimate, kl
from mmvae_core.probability.posteriors import DiagonalMixture, Posterior


@dataclass(frozen=True)
class Edges:
    """Edges S to S + m among some subsets: rows of S, rows of S + m, index of m; each [edge]."""

    lower: Tensor
    upper: Tensor
    modality: Tensor


def edges(masks: Tensor) -> Edges:
    """The pairs of masks [subset, modality] that differ by one modality."""
    inside = (masks[:, None] <= masks[None]).all(-1)
    sizes = masks.sum(-1)
    lower, upper = torch.nonzero(inside & (sizes[None] - sizes[:, None] == 1), as_tuple=True)
    return Edges(lower, upper, (masks[upper] & ~masks[lower]).int().argmax(-1))


@torch.no_grad()
def node_rates(posterior: Posterior, prior: Posterior, samples: int, seed: int) -> Estimate:
    """KL(q(z|x_S) || p(z)) of a posterior of batch shape [subset, ...], in that shape.

    All estimated nodes are drawn in one call, so their errors are independent of each other; an
    error of 0 marks a node that has a formula.
    """
    return _by_formula(
        _has_one_component(posterior), lambda rows: kl(_rows(posterior, rows), prior, samples, seed)
    )


@torch.no_grad()
def gains(posterior: Posterior, between: Edges, samples: int, seed: int) -> Estimate:
    """KL(q(z|x_{S+m}) || q(z|x_S)) of each edge, [edge, ...]; errors as in `node_rates`.

    Its mean over items is zero only if modality m tells nothing that S has not told. It is not the
    difference of two rates, and never below zero but for the noise of an estimate.
    """
    single = _has_one_component(posterior)
    return _by_formula(
        single[between.upper] & single[between.lower],
        lambda rows: kl(
            _rows(posterior, between.upper[rows]),
            _rows(posterior, between.lower[rows]),
            samples,
            seed,
        ),
    )


def shapley_weights(masks: Tensor) -> Tensor:
    """The matrix [modality, subset], float64, that takes values v(S) of all subsets to shares.

    share_m = sum over S without m of |S|! (M - |S| - 1)! / M! (v(S + m) - v(S)). The shares sum to
    v(all) - v(nothing); one may be negative.
    Source: Shapley, "A value for n-person games", 1953, https://doi.org/10.1515/9781400881970-018
    """
    count = masks.shape[1]
    if len(masks) != 2**count:
        raise UsageError(
            f"Shares of {count} modalities were asked of {len(masks)} subsets, expected all "
            f"{2**count}; take the masks from `all_subsets`."
        )
    weights = torch.zeros(count, len(masks), dtype=torch.float64)
    between = edges(masks)
    for lower, upper, modality in zip(between.lower, between.upper, between.modality, strict=True):
        size = int(masks[lower].sum())
        weight = factorial(size) * factorial(count - size - 1) / factorial(count)
        weights[modality, upper] += weight
        weights[modality, lower] -= weight
    return weights


def shares(values: Estimate, masks: Tensor) -> Estimate:
    """Shapley shares [modality, ...] of values [subset, ...] with independent errors."""
    weights = shapley_weights(masks)
    share = torch.tensordot(weights, values.value.double(), 1)
    if values.error is None:
        return Estimate(share)
    variance = torch.tensordot(weights.square(), values.error.double().square(), 1)
    return Estimate(share, variance.sqrt())


def _rows(posterior: Posterior, rows: Tensor) -> Posterior:
    return change(posterior, lambda values: values[rows])


def _has_one_component(posterior: Posterior) -> Tensor:
    """Of each row [subset] whether no item has more than one component with weight."""
    if not isinstance(posterior, DiagonalMixture):
        return torch.ones(posterior.mean.shape[0], dtype=torch.bool)
    alive = posterior.log_weights > -torch.inf
    return (alive.sum(-1) == 1).reshape(len(alive), -1).all(-1)


def _by_formula(single: Tensor, how: Callable[[Tensor], Estimate]) -> Estimate:
    """Rows that may have a formula apart from the others, so that these do not spoil those."""
    parts = [
        (rows, how(rows))
        for rows in (torch.nonzero(single)[:, 0], torch.nonzero(~single)[:, 0])
        if len(rows)
    ]
    order = torch.cat([rows for rows, _ in parts]).argsort()
    value = torch.cat([part.value for _, part in parts])[order]
    if all(part.error is None for _, part in parts):
        return Estimate(value)
    error = torch.cat(
        [torch.zeros_like(part.value) if part.error is None else part.error for _, part in parts]
    )
    return Estimate(value, error[order])
