"""Several aggregators that learn side by side on a small world, a few steps at a time.

On a toy world decoders are the true ones and stay so: what learns are encoders and aggregators,
log p(x) is exact and the same for all, and the posteriors turn towards the exact ones. On the world
of clusters decoders and prior learn too; what stands in place of the exact log p(x) is that of the
world itself, estimated with the true maps. Every aggregator has a core `Trainer` of its own, with
equal data, subsets and noise, and nothing is drawn from torch's global generator: the same plan
gives the same course, whatever trains beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from msgspec.structs import replace
from torch import Tensor
from torch.distributions import MultivariateNormal

from mmvae_core.build import OBJECTIVES, build_subsets
from mmvae_core.config import RunConfig
from mmvae_core.data.worlds.toy import WORLDS, ToyWorld
from mmvae_core.explore.toy import as_mixture, gap
from mmvae_core.explore.toy_grounds import BOUNDS, MEASURED, STEPS, TICKS, Plan, ground
from mmvae_core.model import MultimodalVAE
from mmvae_core.networks.mlp import LinearDecoder
from mmvae_core.objectives.terms import Terms
from mmvae_core.probability.posteriors import GaussianMixture
from mmvae_core.seeding import generator_of
from mmvae_core.subsets import all_subsets, subset_name
from mmvae_core.training.runs import make_fabric
from mmvae_core.training.start import start_model
from mmvae_core.training.trainer import Trainer


@dataclass(frozen=True)
class Figure:
    """A bound's mean over the measured items, its terms, and how far it is below log p(x); nats."""

    terms: Mapping[str, float]
    below: float
    error: float
    """The standard error of `below`."""

    @property
    def value(self) -> float:
        """The bound: the sum of its terms."""
        return sum(self.terms.values())


@dataclass(frozen=True)
class Tick:
    """What was measured after some steps, by aggregator."""

    step: int
    bounds: Mapping[str, Mapping[str, Figure]]
    """Aggregator, then `masked` and `mixture`."""
    posteriors: Mapping[str, Mapping[str, GaussianMixture]]
    """Aggregator, then the subset's name: of the drawn item, no batch axis."""


class Race:
    """The trainings of a plan, which advance together."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.ground = plan, ground(plan)
        config, observed = self.ground.config, self.ground.items.observed
        self.subset = build_subsets(config)(observed, generator_of(MEASURED))
        self.trainers = {name: self._trainer(name) for name in plan.aggregators}
        self._passes = {name: one.epochs() for name, one in self.trainers.items()}
        self.ticks = [self._measure()]

    @property
    def done(self) -> bool:
        """Whether the whole course is over."""
        return len(self.ticks) > TICKS

    def advance(self) -> Tick:
        """`STEPS` steps of every aggregator, and what is measured after them."""
        for passes in self._passes.values():
            next(passes)
        self.ticks.append(self._measure())
        return self.ticks[-1]

    def exact_posteriors(self) -> dict[str, MultivariateNormal] | None:
        """p(z | x_S) of the drawn item under every subset; None where it has no closed form."""
        truth, names = self.ground.exact, self.ground.config.names
        if truth is None:
            return None
        subsets, item = all_subsets(len(names)), self.ground.items.rows(slice(0, 1))
        data = {name: value.expand(len(subsets), -1) for name, value in item.data.items()}
        posterior = truth.posterior(data, subsets)
        return {
            subset_name(one, names): MultivariateNormal(
                posterior.loc[row], posterior.covariance_matrix[row], validate_args=False
            )
            for row, one in enumerate(subsets)
        }

    def gaps(self) -> dict[str, dict[str, float]] | None:
        """KL(q(z | x_S) || p(z | x_S)) of the drawn item at the last tick: aggregator, subset."""
        exact = self.exact_posteriors()
        if exact is None:
            return None
        return {
            name: {subset: gap(q, exact[subset]) for subset, q in beliefs.items()}
            for name, beliefs in self.ticks[-1].posteriors.items()
        }

    def _trainer(self, name: str) -> Trainer:
        config = self.ground.config
        config = replace(config, aggregator=replace(config.aggregator, name=name))
        model = start_model(config, self.ground.source)
        if self.plan.world in WORLDS:
            _know(model, config, WORLDS[self.plan.world])
        return Trainer(model, config, self.ground.source, make_fabric("cpu"))

    @torch.no_grad()
    def _measure(self) -> Tick:
        models = {name: one.model for name, one in self.trainers.items()}
        bounds = {
            name: {bound: self._figure(model, bound) for bound in BOUNDS}
            for name, model in models.items()
        }
        posteriors = {name: self._posteriors(model) for name, model in models.items()}
        step = self.trainers[self.plan.aggregators[0]].done * STEPS
        return Tick(step, bounds, posteriors)

    def _figure(self, model: MultimodalVAE, bound: str) -> Figure:
        """On fixed items, subsets and noise, one draw of each posterior."""
        items = self.ground.items
        terms = OBJECTIVES[bound](model, items, self.subset, generator=generator_of(MEASURED))
        value = terms.bound(torch.ones(len(model.names)), 1.0).double()
        below = self.ground.log_p - value
        return Figure(
            _terms(terms, self.subset, items.observed),
            float(below.mean()),
            (float(below.var()) / len(items) + self.ground.log_p_error**2) ** 0.5,
        )

    def _posteriors(self, model: MultimodalVAE) -> dict[str, GaussianMixture]:
        """q(z | x_S) of the first measured item under every subset."""
        item = self.ground.items.rows(slice(0, 1))
        subsets = all_subsets(len(model.names))
        features = model.encode(item.data, item.observed)
        posteriors = model.posteriors(features, *(one[None] for one in subsets))
        names = (subset_name(one, model.names) for one in subsets)
        return {
            name: as_mixture(q.rebuilt(*(value.double() for value in q.parameters())))
            for name, q in zip(names, posteriors, strict=True)
        }


def _know(model: MultimodalVAE, config: RunConfig, world: ToyWorld) -> None:
    """Give the decoders the world's own maps, and keep them."""
    for name, loading, offset in zip(config.names, world.loadings, world.offsets, strict=True):
        decoder = model.modality(name).decoder
        assert isinstance(decoder, LinearDecoder)
        with torch.no_grad():
            decoder.last.weight.copy_(torch.from_numpy(loading))
            assert decoder.last.bias is not None
            decoder.last.bias.copy_(torch.from_numpy(offset))
        decoder.requires_grad_(False)


def _terms(terms: Terms, subset: Tensor, observed: Tensor) -> dict[str, float]:
    """Means over items: what is shown, what is not, and the rates with their signs."""
    values = torch.stack(list(terms.log_likelihoods.values()), -1)[0].double()
    parts = {
        "shown": torch.where(subset, values, 0.0).sum(-1),
        "rest": torch.where(observed & ~subset, values, 0.0).sum(-1),
        **{name: -rate[0].double() for name, rate in terms.rates.items()},
    }
    return {name: float(value.mean()) for name, value in parts.items()}
