"""The marginal objective: the evidence lower bound of what is shown, and of nothing else."""

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.model import MultimodalVAE
from mmvae_core.objectives.terms import Terms, score


def marginal(
    model: MultimodalVAE,
    batch: Batch,
    subset: Tensor,
    samples: int = 1,
    stick: bool = True,
    *,
    generator: torch.Generator,
) -> Terms:
    """log p(x_S|z_S) + log p(z_S)/q(z_S|x_S), z_S ~ q(.|x_S).

    A lower bound of log p(x_S) for any encoder, tight when q is exact. Over random subsets this is
    MVAE's sub-sampled training. Source: Wu and Goodman 2018, arXiv 1802.05335.
    """
    features = model.encode(batch.data, subset)
    shown = model.posterior(features, subset)
    latent = shown.rsample((samples,), generator=generator)
    log_shown = (shown.detached() if stick else shown).log_prob(latent)
    rates = {"rate": log_shown - model.prior().log_prob(latent)}
    seen = Batch(batch.data, subset)
    scores = score(model, seen, dict.fromkeys(model.names, latent))
    return Terms(scores, rates, ((subset, "rate"),))
