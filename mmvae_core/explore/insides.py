"""What goes on inside an aggregator, for the pages. Imported late: has torch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmvae_core.evaluation import conflict, fusion
from mmvae_core.evaluation.invariance import OrderChange, moments, order_change
from mmvae_core.model import MultimodalVAE

SCORE_DRAWS = 512

Given = Mapping[str, np.ndarray]
"""The shown modalities of one item, as stored."""


@dataclass(frozen=True)
class Detail:
    """As `Detail` of an aggregator: values [part, latent or width]."""

    title: str
    values: np.ndarray
    is_share: bool


@dataclass(frozen=True)
class Parts:
    """As `fusion.Inside`, of one item and as arrays."""

    names: tuple[str, ...]
    shares: np.ndarray
    """[part]"""
    detail: Detail | None
    attention: np.ndarray | None
    """[layer, head, query, key]"""


@dataclass(frozen=True)
class Reordered:
    """What another order changes, and E[x | z] at the mean of z before and after."""

    change: OrderChange
    before: Given
    after: Given


def parts(model: MultimodalVAE, given: Given) -> Parts | None:
    """The parts of the fusion of what is given; None where none arise."""
    inside = fusion.inside(model, *_encoded(model, given))
    if inside is None:
        return None
    detail = inside.detail and Detail(
        inside.detail.title, inside.detail.values[0].numpy(), inside.detail.is_share
    )
    attention = None if inside.attention is None else inside.attention[:, 0].numpy()
    return Parts(inside.parts, inside.shares[0].numpy(), detail, attention)


@torch.no_grad()
def reordered(model: MultimodalVAE, given: Given, order: tuple[int, ...]) -> Reordered:
    """Place i of the aggregator's input gets modality `order[i]`, shown or not as that one is."""
    features, subset = _encoded(model, given)
    orders = torch.arange(len(order)), torch.tensor(order)
    before, after = (model.means(moments(model, features, subset, one)[0]) for one in orders)
    return Reordered(
        order_change(model, features, subset, orders[1]),
        *({name: values[0].numpy() for name, values in one.items()} for one in (before, after)),
    )


@torch.no_grad()
def conflict_score(
    model: MultimodalVAE, first: Given, second: Given, seed: int
) -> tuple[float, float | None]:
    """The score of two sides in nats, and its largest error (None: exact)."""
    sides = _encoded(model, first), _encoded(model, second)
    score = conflict.score(model, *sides, SCORE_DRAWS, seed)
    return float(score.value[0]), None if score.error is None else float(score.error[0])


@torch.no_grad()
def _encoded(model: MultimodalVAE, given: Given) -> tuple[Tensor, Tensor]:
    """Features [1, modality, feature] and the mask [1, modality]; of nothing those of a blank."""
    subset = torch.tensor([[name in given for name in model.names]])
    data = {name: model.modality(name).kind.tensor(values)[None] for name, values in given.items()}
    if not given:
        first = model.modality(model.names[0])
        data = {first.name: torch.zeros(1, *first.likelihood.shape)}
    return model.encode(data, subset), subset
