"""The pictures that move by a slider compute what the core does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmvae_core.data.worlds.toy import WORLDS, random_world
from mmvae_core.evaluation.identifiability import strong_mcc
from mmvae_core.explore.claims_of_runs import nearest
from mmvae_core.explore.toy_blur import HIDDEN, expected_bounds
from tests.ui import node
from ui.components.moving_picture import FIGURES

EXACT = 1e-6
CODE = """
console.log(JSON.stringify({
  mcc: asked.turns.map((degrees) => strongMcc(asked.truth, turnedBy(asked.learned, degrees))),
  kept: asked.near.map((near, item) => keptOf(near, nearestTo(asked.learned, item, near.length))),
  agreed: agreedOf(asked.named),
  bounds: asked.worlds.map(({ world, modality, share }) => expectedBounds(world, modality, share, asked.hidden)),
}));
"""
TURNS, COUNT = (-77, 0, 30, 45, 90), 5


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    generator = np.random.default_rng(5)
    truth = generator.standard_normal((61, 2)) * (1, 2)
    learned = turned(truth, 40) + 0.3 * generator.standard_normal(truth.shape)
    space = np.concatenate([learned, generator.standard_normal((61, 3))], 1)
    worlds = [(random_world(generator, 2 + index % 4), index % 2, index / 8) for index in range(9)]
    return {
        "truth": truth,
        "learned": learned,
        "near": nearest(space, COUNT),
        "named": generator.integers(0, 2, (40, 3)),
        "worlds": [*worlds, (WORLDS["own"], 1, 0.5)],
    }


@pytest.fixture(scope="module")
def computed(given: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    asked = {
        **{name: given[name].tolist() for name in ("truth", "learned", "near", "named")},
        "turns": TURNS,
        "hidden": HIDDEN,
        "worlds": [
            {"world": world.to_dict(), "modality": modality, "share": share}
            for world, modality, share in given["worlds"]
        ],
    }
    return node.run(FIGURES, CODE, asked, tmp_path_factory.mktemp("node"))


def test_the_mcc_of_turned_latents(given: dict[str, Any], computed: dict[str, Any]) -> None:
    wanted = [strong_mcc(given["truth"], turned(given["learned"], one)).outside for one in TURNS]
    np.testing.assert_allclose(computed["mcc"], wanted, rtol=EXACT)
    assert max(wanted) > min(wanted) + 0.1


def test_the_neighbours_that_a_map_keeps(given: dict[str, Any], computed: dict[str, Any]) -> None:
    seen = nearest(given["learned"], COUNT)
    wanted = [len({*a} & {*b}) for a, b in zip(given["near"].tolist(), seen.tolist(), strict=True)]
    assert computed["kept"] == wanted
    assert 0 < np.mean(wanted) < COUNT


def test_the_draws_whose_views_agree(given: dict[str, Any], computed: dict[str, Any]) -> None:
    wanted = sum(len(set(labels)) == 1 for labels in given["named"].tolist())
    assert computed["agreed"] == wanted
    assert 0 < wanted < 40


def test_the_bounds_of_a_blurred_decoder(given: dict[str, Any], computed: dict[str, Any]) -> None:
    for (world, modality, share), found in zip(given["worlds"], computed["bounds"], strict=True):
        wanted = expected_bounds(world, modality, share)
        for bound in ("masked", "mixture"):
            assert found[bound] == pytest.approx(wanted[bound], rel=EXACT)


def test_its_scripts_are_one_module(tmp_path: Path) -> None:
    from ui.components import SHARED, moving_picture, toy_world

    toys, own = (Path(one.__file__).parent for one in (toy_world, moving_picture))
    scripts = [*FIGURES, SHARED / "drawing.js", toys / "picture.js"]
    scripts += [own / name for name in ("field.js", "scenes.js", "main.js")]
    assert node.run(scripts, "console.log(JSON.stringify(Object.keys(SCENES)));", {}, tmp_path) == [
        "still", "orders", "blur", "hole", "turn", "neighbours",
    ]  # fmt: skip
