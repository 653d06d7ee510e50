"""The total-correlation objective: what all modalities tell must be what a subset could tell."""

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.model import MultimodalVAE
from mmvae_core.objectives.terms import Terms, score


def total_correlation(
    model: MultimodalVAE,
    batch: Batch,
    subset: Tensor,
    samples: int = 1,
    stick: bool = True,
    *,
    generator: torch.Generator,
) -> Terms:
    """log p(x_O|z_O) + log q(z_O|x_S)/q(z_O|x_O), z_O ~ q(.|x_O), O observed.

    Where S is empty q(z|x_S) is the prior p(z), and the value a lower bound of log p(x_O); where it
    is not, the value may be above log p(x_O), by what x_S tells of z. `stick` detaches the
    parameters of q in log q(z_O|x_O), never in log q(z_O|x_S). The rate log q(z_O|x_O)/p(z_O) is
    reported and no part of the bound. MVTCAE weighs the prior and all single modalities in every
    step; here they are random subsets. Source: Hwang et al., "Multi-View Representation Learning
    via Total Correlation Objective", NeurIPS 2021
    """
    features = model.encode(batch.data, batch.observed)
    shown, full = model.posteriors(features, subset, batch.observed)
    latent = full.rsample((samples,), generator=generator)
    log_full = (full.detached() if stick else full).log_prob(latent)
    log_prior, empty = model.prior().log_prob(latent), ~subset.any(-1)
    log_shown = torch.where(empty, log_prior, shown.log_prob(latent))
    rates = {"rate": log_full - log_prior, "cross_rate": log_full - log_shown}
    scores = score(model, batch, dict.fromkeys(model.names, latent))
    return Terms(scores, rates, ((batch.observed, "cross_rate"),))
