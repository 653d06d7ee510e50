"""The masked objective: a bound of log p(x_S) plus an approximation of log p(x_R | x_S)."""

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.model import MultimodalVAE
from mmvae_core.objectives.terms import Terms, score


def masked(
    model: MultimodalVAE,
    batch: Batch,
    subset: Tensor,
    samples: int = 1,
    stick: bool = True,
    *,
    generator: torch.Generator,
) -> Terms:
    """log p(x_S|z_S) + log p(z_S)/q(z_S|x_S) + log p(x_R|z_O) + log q(z_O|x_S)/q(z_O|x_O).

    z_S ~ q(.|x_S), z_O ~ q(.|x_O), O observed, R = O minus S. Each modality is decoded once: a
    shown one from z_S, a held-back one from z_O. `stick` detaches the parameters of q in
    log q(z_S|x_S) and log q(z_O|x_O) (sticking the landing), never in log q(z_O|x_S).
    Both gaps close when q is exact. Source: Hirt et al. 2024, arXiv 2309.00380.
    """
    features = model.encode(batch.data, batch.observed)
    shown, full = model.posteriors(features, subset, batch.observed)
    z_shown = shown.rsample((samples,), generator=generator)
    z_full = full.rsample((samples,), generator=generator)
    log_shown = (shown.detached() if stick else shown).log_prob(z_shown)
    log_full = (full.detached() if stick else full).log_prob(z_full)
    latents = {
        name: torch.where(subset[:, index, None], z_shown, z_full)
        for index, name in enumerate(model.names)
    }
    rates = {
        "rate": log_shown - model.prior().log_prob(z_shown),
        "cross_rate": log_full - shown.log_prob(z_full),
    }
    groups = ((subset, "rate"), (batch.observed & ~subset, "cross_rate"))
    return Terms(score(model, batch, latents), rates, groups)
