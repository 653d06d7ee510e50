"""A prior fitted to a finished run: where its posteriors are, not where training left p(z).

A trained prior may have holes: places of high density where no item's posterior is, so that draws
from it decode into nothing in particular. The second stage leaves the model as it is and fits a
mixture (by EM) and a flow (by maximum likelihood) to draws of the aggregate posterior
q(z) = E_x q(z | x_O) of training items. Posteriors are those of the trained prior still; a fitted
prior serves for draws of p(z) and as p(z) in a likelihood.
Sources: Tomczak and Welling, "VAE with a VampPrior", 2018, arXiv 1705.07120, on the aggregate
posterior as the best prior; Dai and Wipf, "Diagnosing and Enhancing VAE Models", 2019,
arXiv 1903.05789, on a second stage.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmvae_core.config import RunConfig
from mmvae_core.data.source import Source
from mmvae_core.evaluation.rates import mean_error
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.em import fit_mixture
from mmvae_core.probability.flow import FlowPrior
from mmvae_core.probability.priors import MixturePrior, PrivatePrior
from mmvae_core.store.fitted_priors import Settings, empty_prior
from mmvae_core.store.records import PriorsCard
from mmvae_core.store.run import TRAINED
from mmvae_core.training.prior_fit import ITEMS, posterior_draws

PASSES, BATCH, LEARNING_RATE = 60, 250, 2e-3
HELD_OUT_SEED = 2
EM_STEPS = 200


def fit_priors(
    model: MultimodalVAE,
    config: RunConfig,
    source: Source,
    settings: Settings,
    each: Callable[[str, float], None] = lambda part, done: None,
) -> tuple[dict[str, nn.Module], PriorsCard]:
    """Both priors, and a card: mean log p(z) of held-out items' draws in nats, for all three.

    Fitted to one z ~ q(z | x_O) of each of the first 10,000 training items; judged on one of each
    validation item.
    """
    seed = settings.seed
    points = posterior_draws(model, source.batches(config.training.seed, 0, 500), seed)
    fresh = posterior_draws(model, source.validation(500), HELD_OUT_SEED + seed)
    mixture = empty_prior(config, "mixture", settings)
    assert isinstance(mixture, MixturePrior)
    mixture.become(fit_mixture(points, settings.components, seed, steps=EM_STEPS))
    each("mixture", 1.0)
    flow = empty_prior(config, "flow", settings)
    assert isinstance(flow, FlowPrior)
    fit_flow(flow, points, seed, lambda done: each("flow", done))
    fitted: dict[str, nn.Module] = {"mixture": mixture, "flow": flow}
    trained = model.prior.shared if isinstance(model.prior, PrivatePrior) else model.prior
    with torch.no_grad():
        held_out = {
            name: mean_error(one().log_prob(fresh))
            for name, one in {TRAINED: trained, **fitted}.items()
        }
    return fitted, PriorsCard(
        items=min(len(points), ITEMS),
        held_out_items=len(fresh),
        held_out=held_out,
        seed=seed,
        components=settings.components,
        width=settings.width,
        layers=settings.layers,
        weights="",  # known when they are saved beside a run
    )


def fit_flow(
    prior: FlowPrior,
    points: Tensor,
    seed: int,
    each: Callable[[float], None] = lambda done: None,
    passes: int = PASSES,
) -> None:
    """Maximise the mean log-density of points [point, latent] by Adam, half a cosine to nothing."""
    prior.standardise(points)
    optimizer = torch.optim.Adam(prior.parameters(), lr=LEARNING_RATE)
    steps = passes * -(-len(points) // BATCH)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(seed)
    for done in range(passes):
        for rows in torch.randperm(len(points), generator=generator).split(BATCH):
            optimizer.zero_grad()
            (-prior().log_prob(points[rows]).mean()).backward()
            nn.utils.clip_grad_norm_(prior.parameters(), 10.0)
            optimizer.step()
            plan.step()
        each((done + 1) / passes)
