"""The learned aggregators of toy worlds, trained on random ones so that they fit every world.

Each modality gives them what it tells of the latent, its P = W'W / sigma^2 and h = W'(x - b) /
sigma^2 (see `explore.toy`), five numbers from which log p(x_m | z) is known up to a constant:
h'z - z'Pz / 2. So one network serves worlds whose loadings and noises are moved by hand. What is
trained is a `MultimodalVAE` of five such modalities, with nothing to learn but its aggregator, by
the project's own trainer under the marginal bound, whose gap is KL(q(z | x_S) || p(z | x_S)).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mmvae_core.aggregators.base import Aggregator
from mmvae_core.batch import Batch
from mmvae_core.build import build_aggregator
from mmvae_core.config import LikelihoodConfig, ModalityConfig, RunConfig, from_dict
from mmvae_core.data.worlds.toy import LATENT, MOST_MODALITIES, MOST_NUMBERS, NAMES, NETWORKS
from mmvae_core.errors import UsageError
from mmvae_core.explore.toy import Statistics, as_mixture
from mmvae_core.files import write_atomically
from mmvae_core.modalities.modality import Modality
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.likelihoods import Likelihood
from mmvae_core.probability.posteriors import GaussianMixture
from mmvae_core.probability.priors import StandardNormalPrior
from mmvae_core.seeding import seeded
from mmvae_core.store.history import EpochReport
from mmvae_core.store.weights import read_tensors
from mmvae_core.training.runs import make_fabric
from mmvae_core.training.trainer import Trainer

LEARNED = ("sum_pooling", "self_attention")
TOLD, FEATURES, WIDTH, HEADS, LAYERS = 5, 10, 32, 2, 1
NOISES = (0.3, 2.0)
EPOCHS, PASS = 60, 51_200
"""How long the shipped ones were trained, and how many random worlds a pass has."""
CONFLICT = 0.3
"""This share of training items has modalities of different latents, as a visitor makes them."""


class Told(nn.Module):
    """What a modality tells [..., 5] as features [..., 10], without anything to learn.

    A tenth of it, and the modality's own posterior: mean and covariance of p(z | x_m).
    """

    def forward(self, data: Tensor) -> Tensor:
        """data / 10, then (I + P)^-1 h and the three numbers of (I + P)^-1."""
        a, b, c, u, v = data.unbind(-1)
        a, c = 1 + a, 1 + c
        size = a * c - b * b
        own = [(c * u - b * v) / size, (a * v - b * u) / size, c / size, -b / size, a / size]
        return torch.cat([data / 10, torch.stack(own, -1)], -1)


class ToldLikelihood(Likelihood):
    """log p(x_m | z) without its constant: h'z - z'Pz / 2, data (P_11, P_12, P_22, h_1, h_2)."""

    def log_prob(self, outputs: Tensor, data: Tensor) -> Tensor:
        """In nats [...] at latents [..., 2]."""
        x, y = outputs.unbind(-1)
        a, b, c, u, v = data.unbind(-1)
        return u * x + v * y - 0.5 * (a * x * x + 2 * b * x * y + c * y * y)


class RandomWorlds:
    """Items of random worlds, another world each: a `Source` of what their modalities tell."""

    def __init__(self, items: int) -> None:
        self.items = items

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        """One pass; every pass has new worlds."""
        generator = np.random.default_rng((seed, epoch))
        for _ in range(self.items // size):
            yield random_items(generator, size)

    def validation(self, size: int) -> Iterator[Batch]:
        """Fixed worlds of their own."""
        yield random_items(np.random.default_rng(1), size)


def random_items(generator: np.random.Generator, count: int) -> Batch:
    """What five modalities of `count` random worlds tell [count, 5], all of them observed."""
    z = generator.standard_normal((count, 1, LATENT))
    own = 1.5 * generator.standard_normal((count, MOST_MODALITIES, LATENT))
    apart = generator.random((count, 1, 1)) < CONFLICT
    z = np.where(apart, own, z)
    shape = (count, MOST_MODALITIES, MOST_NUMBERS)
    w = 0.8 * generator.standard_normal((*shape, LATENT))
    w[..., 1:, :] *= (generator.random((*shape[:2], 1, 1)) < [[[[0.7], [0.4]]]]).astype(float)
    low, high = np.log(NOISES)
    noise = np.exp(generator.uniform(low, high, (*shape[:2], 1)))
    x = np.einsum("nmid,nmd->nmi", w, z) + noise * generator.standard_normal(shape)
    precision = np.einsum("nmid,nmie->nmde", w, w) / noise[..., None] ** 2
    shift = np.einsum("nmid,nmi->nmd", w, x) / noise**2
    told = np.concatenate([precision[..., 0, :], precision[..., 1, 1:], shift], -1)
    values = torch.from_numpy(told).float()
    data = {name: values[:, index] for index, name in enumerate(NAMES)}
    return Batch(data, torch.ones(count, MOST_MODALITIES, dtype=torch.bool))


def settings(aggregator: str, epochs: int, seed: int = 0) -> RunConfig:
    """How a learned aggregator of toy worlds is made and trained."""
    if aggregator not in LEARNED:
        raise UsageError(
            f"There is no learned aggregator {aggregator!r} of toy worlds; choose one of "
            f"{', '.join(LEARNED)}."
        )
    like = {"name": "normal"}
    return from_dict(
        {
            "study": "toy",
            "latent": LATENT,
            "features": FEATURES,
            "start": "fan_in",
            "modalities": [{"name": n, "shape": [TOLD], "likelihood": like} for n in NAMES],
            "aggregator": {
                "name": aggregator,
                "width": WIDTH,
                "heads": HEADS,
                "layers": LAYERS,
                "residual": True,
            },
            "objective": {"name": "marginal"},
            "data": {"name": "toy", "epoch_size": PASS},
            "training": {
                "epochs": epochs,
                "batch": 512,
                "learning_rate": 4e-3,
                "seed": seed,
            },
        }
    )


def build(config: RunConfig) -> MultimodalVAE:
    """The model of statistics: encoders and decoders have nothing to learn."""
    with seeded(config.training.seed):
        aggregator = build_aggregator(config)
    return MultimodalVAE(map(_modality, config.modalities), aggregator, StandardNormalPrior(LATENT))


def _modality(config: ModalityConfig) -> Modality:
    likelihood = ToldLikelihood((LATENT,), LikelihoodConfig(name="normal"))
    return Modality(config, Told(), nn.Identity(), likelihood)


def train(
    epochs: int, seed: int = 0, each_epoch: Callable[[str, EpochReport], None] = lambda *_: None
) -> dict[str, Tensor]:
    """The weights of both aggregators, named `sum_pooling.chi...`, in half precision."""
    tensors = {}
    for name in LEARNED:
        config = settings(name, epochs, seed)
        model, source = build(config), RandomWorlds(config.data.epoch_size)
        for report in Trainer(model, config, source, make_fabric("cpu")).epochs():
            each_epoch(name, report)
        weights = model.aggregator.state_dict()
        tensors |= {f"{name}.{key}": value.half().contiguous() for key, value in weights.items()}
    return tensors


def save_networks(weights: dict[str, Tensor], path: Path = NETWORKS) -> None:
    """Write them, atomically."""
    with write_atomically(path) as temporary:
        save_file(weights, temporary)


@lru_cache
def network(aggregator: str, path: Path = NETWORKS) -> Aggregator:
    """A shipped aggregator in float64."""
    fresh = build(settings(aggregator, 1)).aggregator
    expected = {f"{aggregator}.{key}": list(one.shape) for key, one in fresh.state_dict().items()}
    tensors = read_tensors(
        path, expected, f"{aggregator}.", "this version", "make it anew with `mmvae_core toy`"
    )
    fresh.load_state_dict({key.partition(".")[2]: value for key, value in tensors.items()})
    return fresh.double().eval().requires_grad_(False)


@torch.no_grad()
def learned(stats: Statistics, mask: Tensor, aggregator: str) -> GaussianMixture:
    """q(z | x_S) of a shipped learned aggregator for one item, as `toy.approximation` gives it."""
    own = stats.precision
    told = torch.stack(
        [own[:, 0, 0], own[:, 0, 1], own[:, 1, 1], stats.shift[:, 0], stats.shift[:, 1]], -1
    )
    return as_mixture(network(aggregator)(Told()(told)[None], mask[None]))
