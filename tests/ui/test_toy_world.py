"""What the toy world's component is given, and what it refuses in a sentence."""

from typing import Any

import numpy as np
import pytest

from mmvae_core.data.worlds.toy import WORLDS
from mmvae_core.errors import DataError, UsageError
from ui.components import toy_world

PLAIN: dict[str, Any] = {
    "world": "two",
    "item": None,
    "mask": None,
    "aggregators": (),
    "off": (),
    "controls": (),
    "show": ("exact",),
    "prediction": None,
}


def payload(**more: Any) -> dict[str, Any]:
    return toy_world.payload(**(PLAIN | more))


def test_an_item_is_given_as_numbers_as_a_place_or_as_a_seed() -> None:
    world = WORLDS["two"]
    assert payload(item=[[1, 2], [3]])["item"] == [[1.0, 2.0], [3.0]]
    found = payload(item={"latent": [1.0, -1.0]})["item"]
    np.testing.assert_allclose(found[1], world.loadings[1] @ [1.0, -1.0] + world.offsets[1])
    drawn = payload(item={"seed": 3})["item"]
    assert drawn == payload(item={"seed": 3})["item"] != payload(item={"seed": 4})["item"]


def test_masks_are_signs_or_booleans_and_all_is_shown_by_itself() -> None:
    assert payload()["mask"] == [True, True]
    assert payload(mask="01")["mask"] == payload(mask=[False, True])["mask"] == [False, True]
    asked = payload(prediction={"mask": "10", "from": "11"})["prediction"]
    assert asked == {"mask": [True, False], "from": [True, True]}


def test_networks_come_only_where_they_are_asked_for() -> None:
    assert payload(aggregators=("poe",))["networks"] == {}
    assert list(payload(aggregators=("sum_pooling",))["networks"]) == ["sum_pooling"]


def test_the_stamp_changes_with_what_is_drawn() -> None:
    assert payload()["stamp"] == payload()["stamp"]
    assert payload()["stamp"] != payload(mask="01")["stamp"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"world": "flat"}, "There is no toy world 'flat'; choose one of axes"),
        ({"item": [[1.0], [2.0]]}, r"has \[1, 1\] numbers by modality, expected \[2, 1\]"),
        ({"mask": "101"}, "is of 3 modalities, expected 2"),
        ({"aggregators": ("sum",)}, "There is no aggregator 'sum'"),
        ({"off": ("poe",)}, "There is no aggregator to leave off 'poe'"),
        ({"controls": ("noise:2",)}, "There is no control 'noise:2'"),
        ({"show": ("all",)}, "There is no thing to show 'all'"),
        ({"prediction": {"where": 1}}, "There is no key of a prediction 'where'"),
        ({"prediction": {"ask": "colour"}}, "There is no way to ask 'colour'"),
        ({"prediction": {"target": "sum"}}, "There is no target of a prediction 'sum'"),
    ],
)
def test_what_is_not_there_is_named(more: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        payload(**more)


def test_a_described_world_is_checked() -> None:
    with pytest.raises(DataError, match="A toy world needs names"):
        payload(world={"names": ["a", "b"]})
