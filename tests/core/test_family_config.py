"""Presets, defaults that keep old configurations as they were, and draws of subsets."""

from pathlib import Path

import pytest
import torch

from mmvae_core.batch import Batch
from mmvae_core.build import build_model, build_objective, build_subsets
from mmvae_core.config import from_dict, to_dict
from mmvae_core.config_files import load_config, preset
from mmvae_core.errors import ConfigError
from mmvae_core.presets import PRESETS
from mmvae_core.seeding import generator_of
from mmvae_core.subsets import random_singletons
from tests import family

NEW = {"aggregator": ("components", "family"), "objective": ("subsets",)}


def old_settings() -> dict:
    """A run as it was written before the family grew."""
    settings = to_dict(family.run(name="sum_pooling"))
    for table, keys in NEW.items():
        for key in keys:
            del settings[table][key]
    del settings["prior"], settings["private"]
    return settings


def test_an_old_configuration_means_what_it_meant() -> None:
    run = from_dict(old_settings())
    assert (run.prior.name, run.private) == ("standard_normal", 0)
    assert (run.aggregator.components, run.aggregator.family) == (1, "normal")
    assert run.objective.subsets == "independent"
    names = list(build_model(run).state_dict())
    assert "aggregator.head.linear.weight" in names
    assert not any(name.startswith("prior") for name in names)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_point_in_the_family(name: str) -> None:
    aggregator, objective = preset(name)
    assert aggregator.name == PRESETS[name]["aggregator"]["name"]
    assert objective.name == PRESETS[name]["objective"]["name"]


TABLES = """
study = "family"
latent = 2
features = 6
[[modalities]]
name = "m0"
shape = [3]
likelihood = { name = "normal" }
[aggregator]
name = "self_attention"
width = 8
[objective]
name = "masked"
warmup_epochs = 3
[data]
[training]
epochs = 1
"""


def test_a_file_wins_over_its_preset_which_wins_over_its_base(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(TABLES)
    (tmp_path / "run.toml").write_text(
        'extends = "base.toml"\npreset = "mmvae"\n[objective]\nbeta = 2.0\nsubsets = "full"\n'
    )
    run = load_config(tmp_path / "run.toml")
    assert (run.aggregator.name, run.aggregator.width) == ("moe", 8)
    assert (run.objective.name, run.objective.subsets) == ("mixture", "full")
    assert (run.objective.beta, run.objective.warmup_epochs) == (2.0, 3)
    assert from_dict(to_dict(run)) == run


@pytest.mark.parametrize("value", ['"mvae2"', "3"])
def test_an_unknown_preset_is_named_with_the_known_ones(value: str, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(f"preset = {value}\n")
    with pytest.raises(ConfigError, match="mopoe"):
        load_config(tmp_path / "run.toml")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("prior", ["standard_normal", "mixture", "flow"])
@pytest.mark.parametrize("private", [0, 1])
def test_every_preset_gives_a_finite_bound_and_gradients(
    name: str, prior: str, private: int
) -> None:
    run = family.run(name="poe", prior=prior, private=private)
    settings = to_dict(run)
    settings["aggregator"] |= PRESETS[name]["aggregator"]
    settings["objective"] |= PRESETS[name]["objective"]
    run = from_dict(settings)
    model = build_model(run)
    sizes = zip(model.names, family.SIZES, strict=True)
    data = {label: torch.randn(6, size) for label, size in sizes}
    observed = torch.ones(6, 3, dtype=torch.bool)
    observed[0, 1] = False
    data["m1"][0] = torch.nan
    subset = build_subsets(run)(observed, torch.Generator().manual_seed(0))
    objective, noise = build_objective(run), generator_of(0)
    terms = objective(model, Batch(data, observed), subset, 2, True, generator=noise)
    bound = terms.bound(torch.ones(3), 1.0)
    assert torch.isfinite(bound).all()
    assert torch.isfinite(terms.rates["rate"]).all()
    bound.mean().backward()
    gradients = {label: one.grad for label, one in model.named_parameters() if one.grad is not None}
    assert all(torch.isfinite(one).all() for one in gradients.values())
    if prior != "standard_normal":
        assert any(label.startswith("prior") for label in gradients)


def test_singletons_are_one_observed_modality_each_equally_often() -> None:
    observed = torch.tensor([[True, True, True], [True, False, True], [False] * 3]).repeat(4_000, 1)
    drawn = random_singletons(observed, torch.Generator().manual_seed(0))
    assert not (drawn & ~observed).any()
    counts = drawn.view(-1, 3, 3).double().mean(0)
    expected = torch.tensor([[1 / 3] * 3, [0.5, 0, 0.5], [0.0] * 3]).double()
    assert float((counts - expected).abs().max()) < 4 * 0.5 / 4_000**0.5
    assert torch.equal(drawn.sum(-1), observed.any(-1).long())
