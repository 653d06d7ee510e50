"""A linear-Gaussian model whose evidence is known, and small neural ones of every aggregator."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor, nn

from mmvae_core.batch import Batch
from mmvae_core.build import build_likelihood, build_model
from mmvae_core.config import LikelihoodConfig, ModalityConfig, RunConfig, from_dict
from mmvae_core.modalities.modality import Modality
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Gaussian
from mmvae_core.probability.priors import StandardNormalPrior
from tests.small import Written

LATENT, SIZE, MODALITIES = 2, 4, 3


class LinearPosterior(Written):
    """The exact q(z | x_S) of a linear-Gaussian model with orthogonal loadings, or a worse one."""

    def __init__(self, loadings: Tensor, biases: Tensor, scale: float) -> None:
        super().__init__()
        self.loadings, self.biases, self.noise = loadings, biases, scale
        self.shift, self.stretch = 0.0, 1.0

    def aggregate(self, features: Tensor, subset: Tensor) -> Gaussian:
        known = subset[..., None].double()
        precision = 1 + (known * self.loadings.square().sum(1) / self.noise**2).sum(-2)
        centred = features - self.biases
        pull = torch.einsum("bmf,mfd->bmd", centred, self.loadings) / self.noise**2
        mean = (known * pull).sum(-2) / precision
        return Gaussian(mean + self.shift, precision**-0.5 * self.stretch)


@dataclass
class LinearGaussian:
    """x_s = W_s z + b_s + noise, z ~ N(0, I)."""

    model: MultimodalVAE
    aggregator: LinearPosterior
    batch: Batch

    def evidence(self, target: Tensor) -> np.ndarray:
        """log p(x_A) in closed form, [batch]."""
        picked = torch.nonzero(target)[:, 0].tolist()
        loading = torch.cat([self.aggregator.loadings[one] for one in picked]).numpy()
        mean = torch.cat([self.aggregator.biases[one] for one in picked]).numpy()
        data = torch.cat([self.batch.data[self.model.names[one]] for one in picked], -1).numpy()
        covariance = loading @ loading.T + self.aggregator.noise**2 * np.eye(len(mean))
        return np.atleast_1d(multivariate_normal(mean, covariance).logpdf(data))


@pytest.fixture
def linear() -> Callable[[int], LinearGaussian]:
    return make_linear


def make_linear(items: int) -> LinearGaussian:
    random = torch.Generator().manual_seed(3)
    draw = {"generator": random, "dtype": torch.float64}
    bases, _ = torch.linalg.qr(torch.randn(MODALITIES, SIZE, LATENT, **draw))
    loadings = bases * (0.5 + torch.rand(MODALITIES, 1, LATENT, **draw))
    biases, modalities = torch.randn(MODALITIES, SIZE, **draw), []
    for index in range(MODALITIES):
        config = ModalityConfig(
            name=f"m{index}",
            shape=(SIZE,),
            weight=7.0,
            likelihood=LikelihoodConfig(name="normal", scale=0.6),
        )
        decoder = nn.Linear(LATENT, SIZE)
        decoder.weight.data, decoder.bias.data = loadings[index], biases[index]
        likelihood = build_likelihood((SIZE,), config.likelihood)
        modalities.append(Modality(config, nn.Identity(), decoder, likelihood))
    scale = math.exp(float(modalities[0].likelihood.log_scale.detach().double()))
    aggregator = LinearPosterior(loadings, biases, scale)
    model = MultimodalVAE(modalities, aggregator, StandardNormalPrior(LATENT)).double()
    data = {f"m{index}": torch.randn(items, SIZE, **draw) * 1.5 for index in range(MODALITIES)}
    batch = Batch(data, torch.ones(items, MODALITIES, dtype=torch.bool))
    return LinearGaussian(model, aggregator, batch)


AGGREGATORS = ("poe", "moe", "sum_pooling", "self_attention")


@pytest.fixture(params=AGGREGATORS)
def tiny(request: pytest.FixtureRequest) -> MultimodalVAE:
    """In float64, so that calls of unlike shapes agree to its rounding."""
    return make_tiny(request.param).double()


@pytest.fixture
def make_model() -> Callable[[str], MultimodalVAE]:
    return make_tiny


def make_tiny(aggregator: str) -> MultimodalVAE:
    return build_model(tiny_config(aggregator)).eval().requires_grad_(False)


@pytest.fixture
def make_config() -> Callable[[str], RunConfig]:
    return tiny_config


def tiny_config(aggregator: str) -> RunConfig:
    """A vector, a picture and a word, for any aggregator."""
    modalities = [
        {"name": "numbers", "shape": [5], "width": 8, "likelihood": {"name": "normal"}},
        {
            "name": "picture",
            "shape": [1, 12, 12],
            "network": "image",
            "width": 2,
            "likelihood": {"name": "bernoulli"},
        },
        {
            "name": "word",
            "shape": [8, 27],
            "network": "sequence",
            "width": 8,
            "likelihood": {"name": "categorical"},
        },
    ]
    return from_dict(
        {
            "study": "tiny",
            "latent": 3,
            "features": 6,
            "modalities": modalities,
            "aggregator": {"name": aggregator, "width": 8, "heads": 2},
            "data": {},
            "objective": {"name": "masked"},
            "training": {"epochs": 1},
        }
    )


@pytest.fixture
def tiny_batch() -> Batch:
    random = torch.Generator().manual_seed(5)
    data = {
        "numbers": torch.randn(7, 5, generator=random).double(),
        "picture": torch.rand(7, 1, 12, 12, generator=random).double(),
        "word": torch.randint(27, (7, 8), generator=random),
    }
    return Batch(data, torch.ones(7, 3, dtype=torch.bool))
