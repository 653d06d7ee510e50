"""Log-likelihoods by importance sampling, in nats per item, never weighted.

log p(x_A) is estimated by log (1/L) sum_l p(x_A | z_l) p(z_l) / q(z_l | x_S), z_l ~ q(. | x_S).
Its expectation is a lower bound that rises with L to log p(x_A); if q is the exact posterior of
x_A, each single sample gives log p(x_A). Source: Burda, Grosse, Salakhutdinov, "Importance
Weighted Autoencoders", 2016, https://arxiv.org/abs/1509.00519

Items are taken `ITEMS` at a time; their latents are drawn at once and about `rows` of them decoded
at once. So memory does not grow with the number of items, and `rows` changes no draw.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.errors import UsageError
from mmvae_core.evaluation.all_subsets import (
    ITEMS,
    alive,
    one_subset,
    parts,
    posterior_all_subsets,
)
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.seeding import generator_of
from mmvae_core.subsets import all_subsets

ROWS = 200


@torch.no_grad()
def log_likelihood(
    model: MultimodalVAE,
    batch: Batch,
    target: Tensor,
    subset: Tensor,
    samples: int,
    seed: int,
    rows: int = ROWS,
    prior: Posterior | None = None,
) -> Tensor:
    """log p(x_A) [batch] with z ~ q(. | x_S); `target` (A) and `subset` (S) are masks [modality].

    A and S are cut to what each item has. `prior` stands in for the model's own p(z).
    """
    _check(model, samples, target, subset)
    generator, values = generator_of(seed, model.device), []
    for part in parts(batch, ITEMS):
        posterior = alive(model.infer(part.data, part.observed & subset.to(part.observed.device)))
        latent = posterior.rsample((samples,), generator=generator)
        values.append(_importance(model, part, posterior, target, latent, rows, prior))
    return torch.cat(values)


@torch.no_grad()
def log_likelihoods(
    model: MultimodalVAE,
    batch: Batch,
    samples: int,
    seed: int,
    rows: int = ROWS,
    each: Callable[[float], None] = lambda fraction: None,
) -> Tensor:
    """log p(x_S) of every subset, z ~ q(. | x_S): [subset, batch], ordered as `all_subsets`.

    The last row is the joint log p(x_O), the first (of nothing) is exactly 0, so that the
    conditional log p(x_R | x_S) = log p(x_O) - log p(x_S) is `values[-1] - values`: a difference of
    two lower bounds, hence no bound itself. Only the members of S are decoded, once per sample.
    """
    masks = all_subsets(len(model.names))
    _check(model, samples, masks[-1])
    generator, values, done = generator_of(seed, model.device), [], 0
    for part in parts(batch, ITEMS):
        posterior, estimates = posterior_all_subsets(model, part), []
        for row in range(1, len(masks)):
            shown = alive(one_subset(posterior, row))
            latent = shown.rsample((samples,), generator=generator)
            estimates.append(_importance(model, part, shown, masks[row], latent, rows))
            each((done + len(part) * row / (len(masks) - 1)) / len(batch))
        values.append(torch.stack([torch.zeros_like(estimates[0]), *estimates]))
        done += len(part)
    return torch.cat(values, 1)


def _importance(
    model: MultimodalVAE,
    part: Batch,
    posterior: Posterior,
    target: Tensor,
    latent: Tensor,
    rows: int,
    prior: Posterior | None = None,
) -> Tensor:
    """The estimate of each item [batch] from draws of its posterior [sample, batch, latent].

    Their log-weights [sample, batch] meet in one logsumexp.
    """
    log_ratio = (prior or model.prior()).log_prob(latent) - posterior.log_prob(latent)
    pieces = latent.split(max(1, rows // len(part)))
    scores = torch.cat([score(model, part, target, piece) for piece in pieces])
    return (scores + log_ratio).logsumexp(0) - math.log(len(latent))


def score(model: MultimodalVAE, part: Batch, target: Tensor, latent: Tensor) -> Tensor:
    """log p(x_A | z) [sample, batch], summed over the observed target modalities."""
    total = torch.zeros_like(latent[..., 0])
    for index, name in enumerate(model.names):
        if target[index]:
            seen = part.observed[:, index]
            total = total + model.modality(name).log_prob(latent, part.data[name], seen)
    return total


def _check(model: MultimodalVAE, samples: int, *masks: Tensor) -> None:
    if samples < 1:
        raise UsageError(f"{samples} importance samples were asked for, expected 1 or more.")
    for mask in masks:
        if mask.shape != (len(model.names),) or mask.dtype != torch.bool:
            raise UsageError(
                f"A mask of shape {tuple(mask.shape)} and type {mask.dtype} was given, expected "
                f"{len(model.names)} booleans, one per modality; make it with `subset_mask`."
            )
