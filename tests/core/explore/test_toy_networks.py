"""The learned aggregators of toy worlds: what they are given, and how near the exact they come."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from mmvae_core.data.worlds.toy import WORLDS, random_world
from mmvae_core.errors import RunError, UsageError
from mmvae_core.explore import toy, toy_networks

ITEMS = 30


def test_what_is_told_gives_the_likelihood_up_to_its_constant() -> None:
    generator = np.random.default_rng(0)
    world = random_world(generator, 3)
    _, *data = world.draw(1, generator)
    item = [one[0] for one in data]
    stats, latent = toy.statistics(world, item), torch.tensor([0.3, -1.1], dtype=torch.float64)
    likelihood = (
        toy_networks.build(toy_networks.settings("sum_pooling", 1)).modality("sight").likelihood
    )
    for m in range(3):
        own = stats.precision[m]
        told = torch.stack([own[0, 0], own[0, 1], own[1, 1], *stats.shift[m]])
        mean = torch.from_numpy(world.loadings[m] @ latent.numpy() + world.offsets[m])
        wanted = Normal(mean, world.noises[m]).log_prob(torch.from_numpy(item[m])).sum()
        found = likelihood.log_prob(latent, told) + stats.constant[m]
        assert float(found) == pytest.approx(float(wanted), abs=1e-9)


def test_features_hold_each_modalitys_own_posterior() -> None:
    world = WORLDS["two"]
    stats = toy.statistics(world, [np.array([1.0, 0.2]), np.array([-0.7])])
    own = toy.posterior(stats, torch.tensor([False, True]))
    shift, p = stats.shift[1], stats.precision[1]
    found = toy_networks.Told()(torch.stack([p[0, 0], p[0, 1], p[1, 1], *shift]))
    torch.testing.assert_close(found[5:7], own.loc)
    torch.testing.assert_close(found[7:], own.covariance_matrix[[0, 0, 1], [0, 1, 1]])


@pytest.mark.parametrize("name", toy_networks.LEARNED)
@pytest.mark.parametrize("world", ["three", "five"])
def test_a_learned_rule_is_nearer_than_fixed_ones_where_axes_are_mixed(
    name: str, world: str
) -> None:
    found, generator = WORLDS[world], np.random.default_rng(5)
    _, *data = found.draw(ITEMS, generator)
    everything = torch.ones(len(found.names), dtype=torch.bool)
    gaps = {rule: [] for rule in (name, "poe", "moe", "mopoe")}
    for row in range(ITEMS):
        stats = toy.statistics(found, [one[row] for one in data])
        exact = toy.posterior(stats, everything)
        for rule, values in gaps.items():
            make = toy_networks.learned if rule == name else toy.approximation
            values.append(toy.gap(make(stats, everything, rule), exact))
    mean = {rule: np.mean(values) for rule, values in gaps.items()}
    assert mean[name] < min(mean["poe"], mean["moe"], mean["mopoe"])
    assert min(gaps[name]) > 0


def test_the_order_of_modalities_does_not_matter_and_what_is_hidden_has_no_effect() -> None:
    world = WORLDS["three"]
    stats = toy.statistics(world, world.clean((0.4, -1.0)))
    turned = toy.Statistics(
        *(value.flip(0) for value in (stats.precision, stats.shift, stats.constant))
    )
    mask = torch.tensor([True, False, True])
    for name in toy_networks.LEARNED:
        q, other = toy_networks.learned(stats, mask, name), toy_networks.learned(turned, mask, name)
        torch.testing.assert_close(q.loc, other.loc)
        stats.shift[1] = 50.0
        torch.testing.assert_close(toy_networks.learned(stats, mask, name).loc, q.loc)


def test_a_wrong_name_or_file_is_one_sentence(tmp_path) -> None:
    with pytest.raises(UsageError, match="no learned aggregator 'poe'"):
        toy_networks.settings("poe", 1)
    with pytest.raises(RunError, match="mmvae_core toy"):
        toy_networks.network("sum_pooling", tmp_path / "none.safetensors")
