"""What JavaScript makes of an exported run is what the core makes of it, run by run."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from mmvae_core.build import build_model
from mmvae_core.config import from_dict
from mmvae_core.errors import RunError
from mmvae_core.explore.generation import latents, posterior_given
from mmvae_core.explore.inference import tensors
from mmvae_core.export.arrays import of_model, of_run
from mmvae_core.modalities.kinds import kinds_of
from mmvae_core.modalities.strokes import draw
from mmvae_core.model import MultimodalVAE
from mmvae_core.networks.start import Standardise
from mmvae_core.probability.likelihoods import Likelihood
from mmvae_core.probability.posteriors import DiagonalLaplace
from mmvae_core.seeding import generator_of
from mmvae_core.store.study import find_run, find_study, studies
from mmvae_core.subsets import all_subsets
from tests import family, small
from tests.core.export.node import told
from tests.rounding import SLACK

RELATIVE = 1e-4
"""Of the largest number of each array; weights are halves on both sides, sums float32 or better."""
FINE = (Standardise, Likelihood)
SEED, DRAWS, TEMPERATURE = 7, 3, 0.7
SHIPPED = [run.id for study in studies() for run in study.runs()]
BODY = """
const model = readModel(bytesOf(asked.path))
answer(asked.items.map(item => {
  const features = item.map((value, index) => encode(model, index, value))
  return posteriors(model, features, asked.masks).map(posterior => {
    const z = drawn(model, posterior, asked.draws, asked.seed, asked.temperature)
    return { ...moments(model, posterior), features, draws: z, means: decode(model, z) }
  })
}))
"""


def close(found: object, wanted: torch.Tensor, what: str) -> None:
    """Within `RELATIVE` of the largest number."""
    values = wanted.detach().double().numpy().ravel()
    assert_allclose(
        np.ravel(found), values, rtol=0, atol=RELATIVE * abs(values).max(), err_msg=what
    )


@torch.no_grad()
def round_to_halves(model: MultimodalVAE) -> None:
    """All but what is written finely: by what, and into which units, values are scaled."""
    fine = {
        id(one)
        for part in model.modules()
        if isinstance(part, FINE)
        for one in part.buffers(recurse=False)
    }
    for value in (*model.parameters(), *model.buffers()):
        if value.is_floating_point() and id(value) not in fine:
            value.copy_(value.half().float())


def halved(model: MultimodalVAE) -> MultimodalVAE:
    """The model with weights that are halves, as a stored run's are."""
    round_to_halves(model)
    return model.eval()


def member(settings: dict) -> tuple[MultimodalVAE, bytes, list[dict[str, np.ndarray]]]:
    """A small model of the family, what is exported of it, and two items."""
    config = family.run(**settings)
    model = build_model(config)
    family.spread(model, size=0.25 if settings.get("residual") else 0.5)
    draws = np.random.default_rng(3)
    items = [
        {one.name: draws.normal(size=one.shape).astype(np.float32) for one in config.modalities}
        for _ in range(2)
    ]
    return halved(model), of_model(model, kinds_of(config, {})).packed(), items


@torch.no_grad()
def held(
    model: MultimodalVAE, packed: bytes, items: list[Mapping[str, np.ndarray]], tmp: Path
) -> None:
    """Hold features, posteriors, draws and pictures of every subset of items against the core's."""
    (tmp / "model.bin").write_bytes(packed)
    masks = all_subsets(len(model.names))
    found = told(
        BODY,
        {
            "path": str(tmp / "model.bin"),
            "items": [
                [np.ravel(one.numpy()).tolist() for one in tensors(model, item).values()]
                for item in items
            ],
            "masks": masks.tolist(),
            "draws": DRAWS,
            "seed": SEED,
            "temperature": TEMPERATURE,
        },
        tmp,
    )
    for item, rows in zip(items, found, strict=True):
        whole = tensors(model, item)
        features = model.encode(
            {n: v[None] for n, v in whole.items()}, torch.ones(1, len(whole)) > 0
        )
        close(rows[0]["features"], features, "features")
        for mask, row in zip(masks, rows, strict=True):
            shown = {name: whole[name] for name, kept in zip(whole, mask, strict=True) if kept}
            posterior, said = posterior_given(model, shown), " + ".join(shown) or "nothing"
            close(row["mean"], posterior.mean, f"mean of {said}")
            close(row["stddev"], posterior.stddev, f"stddev of {said}")
            z = latents(posterior, DRAWS, TEMPERATURE, generator=generator_of(SEED))[:, 0]
            close(row["draws"], z, f"draws of {said}")
            for name, values in zip(model.names, row["means"], strict=True):
                close(values, model.means(z)[name], f"{name} from {said}")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_run_is_the_same_in_javascript(name: str, tmp_path: Path) -> None:
    run = find_run(name)
    samples = find_study(run).samples_of(run.config)
    items = [{one: samples.item(row)[one] for one in run.config.names} for row in (0, 41)]
    export, model = of_run(run), run.model()
    round_to_halves(model)  # what the export rounds; of weights as they are shipped that is nothing
    held(model, export.packed(), items, tmp_path)


@pytest.mark.parametrize("start", range(0, len(family.EVERY), 12))
def test_every_member_of_the_family_is_the_same_in_javascript(start: int, tmp_path: Path) -> None:
    for label, settings in list(family.EVERY.items())[start : start + 12]:
        try:
            held(*member(settings), tmp_path)
        except AssertionError as error:
            raise AssertionError(f"{label}: {error}") from error


@pytest.mark.parametrize(
    "settings",
    [
        {"network": "image", "shape": [2, 16, 24], "likelihood": {"name": "normal"}},
        {"network": "image", "shape": [3, 32, 32], "likelihood": {"name": "bernoulli"}},
        {"network": "linear", "shape": [7], "likelihood": {"name": "normal"}},
        {"network": "known", "shape": [7], "likelihood": {"name": "laplace"}},
        {"network": "mlp", "shape": [2, 3], "likelihood": {"name": "normal"}},
        {"network": "sequence", "shape": [5, 4], "likelihood": {"name": "categorical"}},
        {"network": "mlp", "shape": [6], "likelihood": {"name": "poisson"}},
        {
            "network": "mlp",
            "shape": [6],
            "likelihood": {"name": "negative_binomial", "library": True},
        },
        {"network": "mlp", "shape": [5], "likelihood": {"name": "normal", "standardise": True}},
        {"network": "relu", "shape": [1, 4, 3], "likelihood": {"name": "bernoulli"}},
    ],
    ids=lambda one: f"{one['network']} {one['shape']} {one['likelihood']['name']}",
)
def test_every_network_is_the_same_in_javascript(settings: dict, tmp_path: Path) -> None:
    modality = {"name": "one", "width": 4} | settings
    config = small.config(
        modalities=[
            modality,
            {"name": "two", "shape": [3], "width": 4, "likelihood": {"name": "normal"}},
        ],
        start="fan_in",
        feature_norm=True,
    )
    model, draws = build_model(config), np.random.default_rng(5)
    family.spread(model, size=0.25)
    for value in model.parts.buffers():
        value.copy_(torch.rand(value.shape, generator=generator_of(6)) + 0.5)
    values = draws.random(settings["shape"], np.float32)
    if settings["network"] == "sequence":
        values = draws.integers(0, 4, 5)
    elif settings["likelihood"]["name"] in ("poisson", "negative_binomial"):
        values = draws.integers(0, 9, settings["shape"]).astype(np.float32)
    item = {"one": values, "two": draws.random(3, np.float32)}
    held(halved(model), of_model(model, kinds_of(config, {})).packed(), [item], tmp_path)


@pytest.mark.parametrize("head", ["log_variance", "softmax"])
def test_experts_that_encoders_give_are_the_same_in_javascript(head: str, tmp_path: Path) -> None:
    rule = {"name": "moe", "family": "laplace"} if head == "softmax" else {"name": "poe"}
    settings = small.settings(aggregator=rule | {"head": head})
    config = from_dict(settings | {"features": 2 * settings["latent"]})
    model, draws = build_model(config), np.random.default_rng(5)
    family.spread(model, size=0.25)
    item = {
        "numbers": draws.random(4, np.float32),
        "picture": draws.random((1, 12, 12), np.float32),
        "text": draws.integers(0, 5, 3),
    }
    held(halved(model), of_model(model, kinds_of(config, {})).packed(), [item], tmp_path)


def test_noise_is_that_of_torch(tmp_path: Path) -> None:
    asked = {"seeds": [0, 1, 2**32 - 1], "counts": [1, 5, 15, 16, 17, 40, 1300]}
    found = told(
        """
        answer(asked.seeds.map(seed => {
          const generator = new Generator(seed)
          return [...asked.counts.map(count => generator.normals(count)), generator.laplaces(50),
            generator.picks([0.1, 0, 0.2, 0.7], 200)]
        }))
        """,
        asked,
        tmp_path,
    )
    like = torch.zeros(())
    for seed, rows in zip(asked["seeds"], found, strict=True):
        generator = generator_of(seed)
        *normals, laplaces, picks = rows
        for count, row in zip(asked["counts"], normals, strict=True):
            close(row, torch.randn(count, generator=generator), f"{count} normal draws")
        close(laplaces, DiagonalLaplace.noise(torch.Size([50]), like, generator), "Laplace draws")
        wanted = torch.multinomial(
            torch.tensor([0.1, 0, 0.2, 0.7]), 200, replacement=True, generator=generator
        )
        assert picks == wanted.tolist()


def test_products_by_four_numbers_at_once_are_those_one_by_one(tmp_path: Path) -> None:
    shapes = [(1, 1, 1), (5, 9, 3), (4, 8, 16), (7, 30, 65), (4_100, 3, 2)]
    draws = np.random.default_rng(0)
    asked = [
        {
            "shape": shape,
            "a": draws.normal(size=m * k).tolist(),
            "b": draws.normal(size=n * k).tolist(),
        }
        for shape in shapes
        for m, n, k in [shape]
    ]
    found = told(
        """answer([Boolean(QUICK), asked.map(({ shape: [m, n, k], a, b }) => {
          const bias = Float32Array.from({ length: n }, (_, i) => i)
          const given = [Float32Array.from(a), Float32Array.from(b), bias, m, n, k]
          return [product(...given), product(...given, null)].map(one => Array.from(one))
        })])""",
        asked,
        tmp_path,
    )
    assert found[0], "this node has WebAssembly with SIMD"
    for (m, n, k), one, (quick, slow) in zip(shapes, asked, found[1], strict=True):
        left, right = np.reshape(one["a"], (m, k)), np.reshape(one["b"], (n, k)).T
        exact, sizes = left @ right + np.arange(n), np.abs(left) @ np.abs(right) + np.arange(n)
        near = float(((k + SLACK) * np.finfo(np.float32).eps * sizes).max())
        np.testing.assert_allclose(np.reshape(quick, (m, n)), exact, rtol=0, atol=near)
        np.testing.assert_allclose(np.reshape(slow, (m, n)), exact, rtol=0, atol=near)


def test_halves_are_read_exactly(tmp_path: Path) -> None:
    every = np.arange(2**16, dtype=np.uint16)
    every = every[np.isfinite(every.view(np.float16))]
    found = told("answer(halfToFloat(Uint16Array.from(asked)))", every.tolist(), tmp_path)
    assert np.array_equal(np.float32(found), every.view(np.float16).astype(np.float32))


def test_a_prior_that_cannot_be_exported_is_named() -> None:
    config = family.run(prior="flow", name="sum_pooling")
    with pytest.raises(RunError, match="FlowPrior, which the export does not know"):
        of_model(build_model(config), kinds_of(config, {}))


def test_a_network_that_cannot_be_exported_is_named() -> None:
    config = family.run(name="sum_pooling")
    model = build_model(config)
    model.modality("m1").decoder = torch.nn.Sequential(torch.nn.Tanh())
    with pytest.raises(RunError, match=r"m1\.decoder\.0 is of the class Tanh"):
        of_model(model, kinds_of(config, {}))


def test_a_strange_convolution_is_named() -> None:
    config = small.config()
    model = build_model(config)
    model.modality("picture").encoder = torch.nn.Sequential(torch.nn.Conv2d(2, 2, 3, dilation=2))
    with pytest.raises(RunError, match=r"convolution picture\.encoder\.0\.0 has groups, dilation"):
        of_model(model, kinds_of(config, {}))


def test_numbers_beyond_half_precision_are_refused() -> None:
    config = family.run(name="sum_pooling")
    model = build_model(config)
    with torch.no_grad():
        model.get_parameter("aggregator.rho.0.weight")[0, 0] = 1e6
    with pytest.raises(RunError, match=r"aggregator\.rho\.0\.weight is not finite in half"):
        of_model(model, kinds_of(config, {}))


def test_strokes_become_the_ink_that_the_core_makes(tmp_path: Path) -> None:
    turns = np.linspace(0, 2 * np.pi, 60)
    ring = [[0.5 + 0.3 * np.cos(one), 0.5 + 0.4 * np.sin(one)] for one in turns]
    seven = [[[0.2, 0.2], [0.8, 0.25], [0.4, 0.8]], [[0.35, 0.5], [0.65, 0.5]]]
    drawings = [seven, [ring], [[[0.5, 0.1], [0.5, 0.9]]], [[[0.4, 0.6]]], []]
    found = told("answer(asked.map(one => ink(one, 28, 28)))", drawings, tmp_path, ("strokes.js",))
    for strokes, values in zip(drawings, found, strict=True):
        wanted = draw([[(x, y) for x, y in one] for one in strokes], 28, 28)[0]
        made, places = (
            np.reshape(values, (28, 28)),
            [(y, x) for y in (0, -1, 1) for x in (0, -1, 1)],
        )
        # Where the centre of mass lies between two pixels the rounding may go the other way.
        away = min((np.abs(np.roll(made, one, (0, 1)) - wanted) for one in places), key=np.mean)
        assert away.mean() < 0.015 and away.max() < 0.25, "the pencils differ at edges alone"


def test_a_missing_entry_is_the_mean(tmp_path: Path) -> None:
    steps = [{"op": "no_gaps"}], [{"op": "one_hot", "symbols": 3}]
    body = """
    const gaps = apply(asked[0], { d: Float32Array.of(1, NaN, -2), s: [1, 3] }).d
    answer([gaps, apply(asked[1], { d: Float32Array.of(2, -1), s: [1, 2] }).d])
    """
    assert told(body, steps, tmp_path) == [[1, 0, -2], [0, 0, 1, 0, 0, 0]]
