"""The mixture-based objective: every observed modality is scored from one latent of x_S."""

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.model import MultimodalVAE
from mmvae_core.objectives.terms import Terms, score


def mixture(
    model: MultimodalVAE,
    batch: Batch,
    subset: Tensor,
    samples: int = 1,
    stick: bool = True,
    *,
    generator: torch.Generator,
) -> Terms:
    """log p(x_O|z_S) + log p(z_S)/q(z_S|x_S), z_S ~ q(.|x_S).

    A lower bound of log p(x_O) for any encoder, loose by what x_S does not tell of the rest.
    Sources: Shi et al. 2019, arXiv 1911.03393; Sutter et al. 2021, arXiv 2105.02470.
    """
    features = model.encode(batch.data, batch.observed)
    shown = model.posterior(features, subset)
    latent = shown.rsample((samples,), generator=generator)
    log_shown = (shown.detached() if stick else shown).log_prob(latent)
    rates = {"rate": log_shown - model.prior().log_prob(latent)}
    latents = dict.fromkeys(model.names, latent)
    return Terms(score(model, batch, latents), rates, ((batch.observed, "rate"),))
