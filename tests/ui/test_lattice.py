"""The lattice of every kind of run: nodes, shares, outlines, and what the component is given."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mmvae_core.evaluation.exact_linear import exact_linear, kl_from_exact
from mmvae_core.explore.inference import generate
from mmvae_core.explore.lattice import Lattice, error_of, make_lattice, masks_near, plane_of
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import GaussianMixture
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from tests.ui.studies import FIVE_RUNS, PAIR_RUNS, RUNS, float64
from ui.kinds.views import view_of
from ui.shared import lattice_cards

DRAWS, SEED, ITEM = 8, 3, 5
EVERY = [
    *(f"digits/{name}" for name in RUNS),
    *(f"small/{name}" for name in RUNS),
    *(f"five/{name}" for name in FIVE_RUNS),
    *(f"pair/{name}" for name in PAIR_RUNS),
]


class Made:
    """A run's lattice and what it was made of."""

    def __init__(self, folder: Path) -> None:
        self.run, self.study = Run(folder), Study(folder.parent)
        self.model = self.run.model()
        self.names = self.run.config.names
        items = self.study.samples()
        self.values = {name: items.data[name][ITEM] for name in self.names}
        self.masks = np.array(masks_near((True,) * len(self.names)))
        self.plane = plane_of(self.model, self.run.latents().mean[-1])

    def lattice(self) -> Lattice:
        return make_lattice(self.model, self.values, self.masks, DRAWS, SEED, self.plane)

    def given(self, row: int) -> dict[str, np.ndarray]:
        return {
            name: self.values[name]
            for name, kept in zip(self.names, self.masks[row], strict=True)
            if kept
        }


@pytest.fixture(params=EVERY)
def made(request: pytest.FixtureRequest, checkpoints: Path) -> Made:
    return Made(checkpoints / request.param)


def test_masks_are_in_the_order_of_all_subsets(made: Made) -> None:
    assert np.array_equal(made.masks, made.run.latents().masks)


@pytest.fixture
def exact(made: Made, monkeypatch: pytest.MonkeyPatch) -> Made:
    """All in float64, for a node among others and alone are calls of unlike shapes."""
    float64(made.model)
    monkeypatch.setattr(
        "mmvae_core.explore.lattice.decoded",
        lambda model, latents: {
            name: value.numpy() for name, value in model.means(latents).items()
        },
    )
    return made


def test_nodes_equal_calling_the_model_mask_by_mask(exact: Made) -> None:
    made, found = exact, exact.lattice()
    # Untrained decoders give outputs of many thousands.
    latents = torch.from_numpy(made.run.latents().mean).double()
    outputs = {
        name: float(value.abs().max())
        for name, value in made.model.decode(latents.reshape(-1, made.run.config.latents)).items()
    }
    for row in range(len(made.masks)):
        node = found.node(row)
        alone = generate(made.model, made.given(row), DRAWS, SEED)
        for name in made.names:
            near = 1e-11 * max(1.0, outputs[name])
            assert np.allclose(node.at_draws[name], alone.at_draws[name], rtol=0, atol=near)
            assert np.allclose(node.at_mean[name], alone.at_mean[name], rtol=0, atol=near)
        assert node.width == pytest.approx(alone.width, rel=1e-11)
        if node.rate_error is None:
            assert not alone.rate_error
            assert node.rate == pytest.approx(alone.rate, rel=1e-11, abs=1e-11)
        else:
            assert alone.rate_error is not None
            apart = (node.rate_error**2 + alone.rate_error**2) ** 0.5
            assert abs(node.rate - alone.rate) < 5 * apart + 1e-3


def calls(model: MultimodalVAE) -> list[str]:
    """Fills up with the names of parts as they are called."""
    seen: list[str] = []
    model.aggregator.register_forward_hook(lambda *_: seen.append("aggregator"))
    for name in model.names:
        part = model.modality(name)
        part.encoder.register_forward_hook(lambda *_, name=name: seen.append(f"encode {name}"))
        part.decoder.register_forward_hook(lambda *_, name=name: seen.append(f"decode {name}"))
    return seen


def test_the_model_is_called_once_for_all_nodes(made: Made) -> None:
    seen = calls(made.model)
    made.lattice()
    assert sorted(seen) == sorted(
        [
            "aggregator",
            *(f"encode {name}" for name in made.names),
            *(f"decode {name}" for name in made.names),
        ]
    )


def test_shares_sum_to_the_full_rate_less_nothing(made: Made) -> None:
    found = made.lattice()
    assert found.share is not None
    rate = found.rate.value.double()
    total, whole = float(found.share.value.sum()), float(rate[-1] - rate[0])
    assert total == pytest.approx(whole, rel=1e-10, abs=1e-10)


def test_only_normals_are_ellipses(made: Made) -> None:
    found = made.lattice()
    assert len(found.outlines) == len(made.masks)
    settings = made.run.config
    plain = (
        settings.aggregator.name not in ("moe", "mopoe")
        and not settings.private
        and settings.aggregator.components == 1
        and settings.aggregator.family == "normal"
        and settings.prior.name == "standard_normal"
    )
    assert found.normal == plain
    if settings.aggregator.components > 1:
        assert all(one.outer.ndim == 3 for one in found.outlines)
    for one in found.outlines:
        assert np.isfinite(one.outer).all()
        assert len(one.inner) > 10


def test_the_exact_posterior_is_there_where_the_model_is_linear(exact: Made) -> None:
    made, found, known = exact, exact.lattice(), exact_linear(exact.model)
    assert (found.gap is None) == (known is None) == (not found.exact_outlines)
    assert (made.study.name == "five" and made.run.folder.name != "mopoe") == (known is not None)
    if known is None or found.gap is None:
        return
    row = 9
    data = {
        name: made.model.modality(name).kind.tensor(value)[None]
        for name, value in made.values.items()
    }
    subset = torch.from_numpy(made.masks[row])[None]
    alone = kl_from_exact(made.model.infer(data, subset), known.posterior(data, subset), 4_096, 0)
    error = sum(one or 0.0 for one in (error_of(found.gap, row), error_of(alone, 0)))
    assert float(found.gap.value[row]) == pytest.approx(
        float(alone.value[0]), rel=1e-10, abs=5 * error
    )
    assert (
        float(found.gap.value[0]) == pytest.approx(0, abs=5 * (error_of(found.gap, 0) or 1e-11))
        or made.run.folder.name == "private"
    )


def test_equal_seeds_give_equal_lattices(made: Made) -> None:
    first, second = (made.lattice() for _ in range(2))
    assert torch.equal(first.rate.value, second.rate.value)
    assert torch.equal(first.gain.value, second.gain.value)
    for one, other in zip(first.outlines, second.outlines, strict=True):
        assert np.array_equal(one.outer, other.outer)


def test_the_component_is_given_every_number(made: Made) -> None:
    looks = [view_of(kind) for kind in made.study.kinds(made.run.config).values()]
    found, about = made.lattice(), lattice_cards.About(looks, {}, made.plane)
    subsets = ["+".join(made.given(row)) or "nothing" for row in range(len(made.masks))]
    payload = json.loads(json.dumps(lattice_cards.payload(found, subsets, about)))
    assert len(payload["nodes"]) == len(made.masks) == len(payload["plane"]["nodes"])
    assert len(payload["edges"]) == len(made.names) * 2 ** (len(made.names) - 1)
    for node, subset, rate in zip(payload["nodes"], subsets, found.rate.value, strict=True):
        assert node["label"].startswith(f"{subset}: rate {node['rate']} nats, width")
        shown = float(node["rate"].split(" ± ")[0].replace(",", ""))
        assert shown == pytest.approx(float(rate), abs=0.051)  # to one digit
        for words, part in zip(node["words"], payload["parts"], strict=True):
            assert (
                (words is None) == part["sheet"].startswith("data:image/png")
                if part["sheet"]
                else words
            )
    assert len(json.dumps(payload)) < 900_000


def test_of_many_modalities_the_nearest_masks_are_shown() -> None:
    mask = (True, False, True, False, False, False)
    found = masks_near(mask)
    assert mask in found
    assert len(found) == 7
    assert all(sum(a != b for a, b in zip(one, mask, strict=True)) <= 1 for one in found)
    assert [sum(one) for one in found] == sorted(sum(one) for one in found)


def test_two_axes_are_taken_as_they_are_and_more_after_scaling(checkpoints: Path) -> None:
    pair, five = Made(checkpoints / "pair" / "mixture"), Made(checkpoints / "five" / "mopoe")
    assert np.array_equal(pair.plane.axes, np.eye(2))
    assert isinstance(five.model.prior(), GaussianMixture)
    scale = five.model.prior().stddev.numpy()
    axes = five.plane.axes * scale
    assert np.allclose(axes @ axes.T, np.eye(2), atol=1e-10)
    placed = five.plane.points(five.run.latents().mean[-1].astype(float))
    assert np.allclose(placed.mean(0), 0, atol=1e-10 * np.abs(placed).max())
    assert np.abs(np.corrcoef(placed.T)[0, 1]) < 1e-10
