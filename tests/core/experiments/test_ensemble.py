"""Seeds that are trained together are trained as if each were alone."""

from typing import Any

import pytest
import torch
from msgspec.structs import replace
from torch import Tensor

from mmvae_core.build import build_model, build_source
from mmvae_core.config import RunConfig
from mmvae_core.errors import UsageError
from mmvae_core.experiments.ensemble import Ensemble
from mmvae_core.experiments.grid import Cell, config_of, one_seed
from mmvae_core.probability.posteriors import Gaussian
from mmvae_core.runs import make_fabric
from mmvae_core.training import Trainer

CPU = torch.device("cpu")
AGGREGATORS = ("poe", "moe", "mopoe", "sum_pooling", "self_attention")


def tiny(aggregator: str, seed: int, variant: str = "linear") -> RunConfig:
    made = config_of(Cell(variant, aggregator, "masked", seed))
    return replace(made, data=replace(made.data, epoch_size=60),
                   training=replace(made.training, epochs=2, batch=20))


def trained(configs: list[RunConfig], sources: list[Any] | None = None) -> Ensemble:
    ensemble = Ensemble(configs, sources or [build_source(one) for one in configs], CPU)
    ensemble.train()
    return ensemble


@pytest.fixture
def without_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Latents at the posterior's location, so that two trainings draw the same."""
    def zeros(shape: torch.Size, like: Tensor) -> Tensor:
        return torch.zeros(shape, dtype=like.dtype)

    monkeypatch.setattr(Gaussian, "noise", staticmethod(zeros))


@pytest.mark.parametrize("aggregator", ["poe", "sum_pooling", "self_attention"])
def test_together_is_as_alone(aggregator: str, without_noise: None) -> None:
    configs = [tiny(aggregator, seed) for seed in (0, 1)]
    ensemble = trained(configs)
    for index, config in enumerate(configs):
        alone = Trainer(build_model(config), config, build_source(config),
                        make_fabric(config, "cpu"))
        reports = list(alone.epochs())
        for mine, other in zip(ensemble.reports[index], reports, strict=True):
            assert mine.training_bound == pytest.approx(other.training_bound, rel=1e-4)
            assert mine.validation_bound == pytest.approx(other.validation_bound, rel=1e-4)
            assert mine.learning_rate == pytest.approx(other.learning_rate)
        together = ensemble.models()[index].state_dict()
        for name, value in alone.model.state_dict().items():
            torch.testing.assert_close(together[name], value, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("aggregator", AGGREGATORS)
def test_no_seed_has_an_effect_on_another(aggregator: str) -> None:
    configs = [tiny(aggregator, seed) for seed in (0, 1)]
    sources = [build_source(one) for one in configs]
    first = trained(configs, sources).models()[0]
    other = trained(configs, [sources[0], build_source(one_seed(configs[1], 7))]).models()[0]
    for name, value in first.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, atol=1e-6, rtol=1e-5)


def test_a_seed_that_diverges_is_told_and_leaves_the_others_alone() -> None:
    configs = [tiny("poe", seed) for seed in (0, 1)]
    sources = [build_source(one) for one in configs]
    first = sources[1].train.items
    first.data["first"][:] = 1e30
    ensemble = trained(configs, sources)
    assert ensemble.diverged() == [False, True]
    assert all(value.isfinite().all() for value in ensemble.models()[0].parameters())


def test_only_seeds_may_differ() -> None:
    with pytest.raises(UsageError, match="may differ in seeds only"):
        trained([tiny("poe", 0), tiny("moe", 1)])
