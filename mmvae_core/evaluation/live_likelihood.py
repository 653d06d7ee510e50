"""log p(x_S) of one item, in nats, with its error: what the app and a notebook ask for.

An importance-weighted lower bound as in `log_likelihood`, of which reports take many items at once.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from mmvae_core.evaluation.rates import Estimate, log_mean
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.seeding import generator_of

ROWS = 1_000
"""Draws decoded at once."""


@torch.no_grad()
def live_likelihood(
    model: MultimodalVAE, given: Mapping[str, Tensor], samples: int, seed: int
) -> Estimate:
    """Of single items [*shape] by name, from `samples` draws of q(z | x_S); of nothing 0.

    Raises UsageError for fewer than two samples, of which no error could be told.
    """
    if not given:
        return Estimate(torch.tensor(0.0))
    subset = torch.tensor([[name in given for name in model.names]])
    posterior = model.infer({name: value[None] for name, value in given.items()}, subset)
    draws = posterior.rsample((samples,), generator=generator_of(seed, model.device))[:, 0]
    pieces = (model.decode(piece, given) for piece in draws.split(ROWS))
    scores = torch.cat([_scores(model, given, outputs) for outputs in pieces])
    return _weighed(model, posterior, draws, scores)


def of_draws(
    model: MultimodalVAE,
    given: Mapping[str, Tensor],
    posterior: Posterior,
    draws: Tensor,
    outputs: Mapping[str, Tensor],
) -> Estimate:
    """The same of draws [sample, latent] of the posterior that are decoded: outputs [sample, ..]."""
    return _weighed(model, posterior, draws, _scores(model, given, outputs))


def _scores(
    model: MultimodalVAE, given: Mapping[str, Tensor], outputs: Mapping[str, Tensor]
) -> Tensor:
    """log p(x_S | z) [sample]."""
    scores = [
        model.modality(name).likelihood.log_prob(outputs[name], value)
        for name, value in given.items()
    ]
    return torch.stack(scores).sum(0)


def _weighed(model: MultimodalVAE, posterior: Posterior, draws: Tensor, scores: Tensor) -> Estimate:
    """log mean_l p(x_S | z_l) p(z_l) / q(z_l | x_S)."""
    ratio = model.prior().log_prob(draws) - posterior.log_prob(draws[:, None])[:, 0]
    return log_mean(scores + ratio)
