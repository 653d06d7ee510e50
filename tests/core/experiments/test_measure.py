"""What is measured on test items does not depend on the items that were trained on."""

from dataclasses import replace

import pytest

from mmvae_core.batch import Batch
from mmvae_core.build import build_model
from mmvae_core.config import RunConfig, from_dict
from mmvae_core.data.source import Table, TableSource
from mmvae_core.data.worlds.linear import linear
from mmvae_core.experiments import measure as module
from mmvae_core.experiments.measure import measure
from tests import small


def moved(table: Table) -> Table:
    """The same items, far away."""
    data = {name: values + 3 for name, values in table.items.data.items()}
    return replace(table, items=Batch(data, table.items.observed))


def made(network: str) -> RunConfig:
    modalities = [
        {
            "name": name,
            "shape": [size],
            "width": 4,
            "network": network,
            "likelihood": {"name": "normal"},
        }
        for name, size in (("second", 6), ("first", 7))
    ]
    return from_dict(
        small.settings(modalities=modalities, data={"name": "linear", "epoch_size": 60})
    )


@pytest.mark.parametrize("network", ["linear", "mlp"])
def test_only_what_is_named_so_is_measured_on_training_items(
    network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, few in (("SAMPLES", 4), ("KL_ITEMS", 20), ("KL_SAMPLES", 4), ("BOUND_DRAWS", 2)):
        monkeypatch.setattr(module, name, few)
    config = made(network)
    model, source = build_model(config), linear(config)
    small.spread(model)

    def figures(source: TableSource) -> dict[tuple[str, str], float]:
        return {(one.figure, one.given): one.value for one in measure(config, model, source)}

    first = figures(source)
    by_train = figures(replace(source, train=moved(source.train)))
    by_test = figures(replace(source, test=moved(source.test)))
    changed = {key for key in first if first[key] != by_train[key]}
    assert changed == {key for key in first if key[0].endswith("_train")}
    assert len(changed) == (network == "linear")
    kept = {key for key in first if first[key] == by_test[key]}
    assert ("log_likelihood", "all") not in kept
    assert not {key for key in kept if key[0].startswith(("full_gap", "bound_", "variational"))}
