"""Subsets of modalities as boolean masks: enumeration, names, random draws.

A mask has shape [..., modality]; True means that the modality is in the subset. Two masks have
two names everywhere: `observed` is what the data has, `subset` what the model is shown.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmvae_core.errors import UsageError

EMPTY = "nothing"


def all_subsets(modalities: int) -> Tensor:
    """All 2^M subsets as masks [subset, modality], ordered by size, then by first members.

    >>> all_subsets(2).int().tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    rows = torch.arange(2**modalities)
    masks = (rows[:, None] >> torch.arange(modalities)) & 1
    order = sorted(range(2**modalities), key=lambda i: (int(masks[i].sum()), _members(masks[i])))
    return masks[order].bool()


def subset_name(mask: Tensor | Sequence[bool], names: Sequence[str]) -> str:
    """Names of the members joined by '+'; the empty subset is 'nothing'."""
    return "+".join(name for name, kept in zip(names, mask, strict=True) if kept) or EMPTY


def subset_mask(text: str, names: Sequence[str]) -> Tensor:
    """The mask [modality] of a subset written as `subset_name` writes it."""
    members = [] if text == EMPTY else text.split("+")
    unknown = [member for member in members if member not in names]
    if unknown:
        known = ", ".join(names)
        raise UsageError(f"There is no modality {unknown[0]!r} here; the modalities are {known}.")
    return torch.tensor([name in members for name in names])


def random_subsets(observed: Tensor, keep: float, generator: torch.Generator) -> Tensor:
    """Keep each observed modality of each sample independently with probability `keep`.

    `observed` and the result are masks [batch, modality]. The empty and the full set occur.
    Source: Hirt et al. 2024 (arXiv 2309.00380), the mask distribution of the masked objective.
    """
    draws = torch.rand(observed.shape, generator=generator, device=generator.device)
    return (draws.to(observed.device) < keep) & observed


def random_shown(observed: Tensor, keep: float, generator: torch.Generator) -> Tensor:
    """The same draws, but where they show nothing all that is observed is shown instead.

    A bound that scores every modality from z ~ q(z | x_S) scores all from the prior where S is
    empty, in one of 2^M draws; models of experts alone (MMVAE, MoPoE) never draw that.
    """
    drawn = random_subsets(observed, keep, generator)
    return torch.where(drawn.any(-1, keepdim=True), drawn, observed)


def random_singletons(observed: Tensor, generator: torch.Generator) -> Tensor:
    """One observed modality of each sample, each equally likely; none where none is observed.

    Source: Shi et al. 2019 (arXiv 1911.03393), the experts of a mixture one at a time.
    """
    draws = torch.rand(observed.shape, generator=generator, device=generator.device)
    first = draws.to(observed.device).masked_fill(~observed, -1.0).argmax(-1, keepdim=True)
    return torch.zeros_like(observed).scatter(-1, first, True) & observed


def _members(mask: Tensor) -> list[int]:
    return torch.nonzero(mask)[:, 0].tolist()
