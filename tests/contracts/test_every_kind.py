"""Laws that every kind of modality keeps, in the core, on the command line and in the app.

A new kind has values of three numbers unless MODALITIES says more.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mmvae_core.build import build_likelihood, build_modality, build_model
from mmvae_core.config import ModalityConfig, from_dict
from mmvae_core.errors import ConfigError, DataError, RunError
from mmvae_core.explore.exchange import read_given, write_generated
from mmvae_core.explore.inference import generate
from mmvae_core.modalities import kind as kinds
from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.kinds import KINDS, kind_of
from mmvae_core.seeding import generator_of
from mmvae_core.store.study import Study
from tests import small
from ui.kinds.view import CAMERA, DRAW, TABLE, TYPE, UPLOAD
from ui.kinds.views import view_of

MODALITIES: dict[str, dict[str, Any]] = {
    "Symbols": {"shape": [3, 5]},
    "Categories": {"shape": [3, 5]},
    "Binary": {"likelihood": {"name": "bernoulli"}},
    "GreyPicture": {"shape": [1, 28, 28]},
    "ColourPicture": {"shape": [3, 28, 28]},
}
ITEMS = 5

every_kind = pytest.mark.parametrize("cls", KINDS, ids=lambda cls: cls.__name__)


def made(cls: type[Kind], alphabet: str | None = None, **changes: Any) -> Kind:
    """The kind of the modality that MODALITIES has of it, called `own`."""
    (likelihood, *_) = (*cls.likelihoods, "normal")
    settings = {"name": "own", "shape": [3], "likelihood": {"name": likelihood}, "width": 8}
    first = from_dict(small.settings(modalities=[settings | MODALITIES.get(cls.__name__, {})]))
    known = kind_of(first.modalities[0]).networks
    config = small.settings(
        modalities=[
            settings | {"network": known[0]} | MODALITIES.get(cls.__name__, {}) | changes,
            {"name": "other", "shape": [2], "width": 8, "likelihood": {"name": "normal"}},
        ]
    )
    return kind_of(from_dict(config).modalities[0], alphabet)


def ink(item: int) -> np.ndarray:
    """A picture as MNIST's are: ink in 20 of 28 pixels, its centre of mass in the middle."""
    picture, slope = np.zeros((28, 28), np.uint8), np.arange(20)
    picture[5:25, 5:25] = 250 - item - 4 * (slope[:, None] + slope)
    picture[5, 5] = 255
    return picture


def stored(kind: Kind) -> np.ndarray:
    """Items [item, ...] as a study may have them."""
    shape = kind.modality.shape
    if kind.axes[:1] == ("channel",):
        return np.stack([np.stack([ink(item)] * shape[0]) for item in range(ITEMS)])
    likelihood = build_likelihood(shape, kind.modality.likelihood)
    outputs = torch.randn(ITEMS, *likelihood.outputs, generator=generator_of(0))
    return kind.stored(likelihood.sample(outputs, generator=generator_of(1)).numpy())


def given(path: Path) -> str:
    """What the command line is told of a written file: its path, or of texts what stands in it."""
    return path.read_text(encoding="utf-8")[:-1] if path.suffix == ".txt" else str(path)


@every_kind
def test_a_modality_is_of_one_kind_which_has_a_view(cls: type[Kind]) -> None:
    kind = made(cls)
    assert type(kind) is cls
    kind.check()
    assert view_of(kind).kind is kind
    assert set(view_of(kind).ways) <= {DRAW, UPLOAD, CAMERA, TYPE, TABLE}


@every_kind
def test_only_networks_of_the_kind_can_be_built(cls: type[Kind]) -> None:
    for network in ("mlp", "linear", "image", "sequence"):
        kind = made(cls, network=network)
        run = small.config(modalities=[small.SETTINGS["modalities"][0] | {"name": "own"}])
        if network in kind.networks:
            part = build_modality(kind.modality, run)
            data = kind.tensor(stored(kind))
            assert part.encode(data, torch.ones(ITEMS, dtype=torch.bool)).shape == (ITEMS, 6)
        else:
            with pytest.raises(ConfigError, match=f"'own' .* is {kind.title} .*got {network!r}"):
                build_modality(kind.modality, run)


@every_kind
def test_stored_values_are_a_tensor_and_back(cls: type[Kind]) -> None:
    kind = made(cls)
    items = stored(kind)
    assert kind.fault(items) is None
    tensor = kind.tensor(items)
    assert tuple(tensor.shape) == (ITEMS, *kind.item)
    assert tensor.dtype in (torch.float32, torch.int64)
    np.testing.assert_array_equal(kind.stored(tensor.numpy()), items)
    np.testing.assert_array_equal(kind.stored(kind.means(tensor.numpy())), items)
    assert kind.means(tensor.numpy()).shape == (ITEMS, *kind.modality.shape)


@every_kind
def test_what_an_encoder_is_told_of_its_inputs_is_so(cls: type[Kind]) -> None:
    kind = made(cls)
    means = kind.means(kind.plain(stored(kind)))
    if kind.ones is not None:
        assert (np.count_nonzero(means.reshape(ITEMS, -1), axis=1) == kind.ones).all()
    assert (kind.scaled is None) == (kind.ones is not None)
    assert kind.scaled is None or np.broadcast_shapes(kind.scaled, kind.item) == kind.item


@every_kind
@pytest.mark.parametrize("alphabet", [None, "ab <e"])
def test_what_is_written_can_be_read(cls: type[Kind], alphabet: str | None, tmp_path: Path) -> None:
    kind = made(cls, alphabet)
    for index, item in enumerate(stored(kind)):
        means = torch.from_numpy(kind.means(kind.plain(item[None])))
        (path,) = write_generated({"own": means}, {"own": kind}, tmp_path / str(index))
        (again,) = read_given([f"own={given(path)}"], {"own": kind}).values()
        # Text has six digits; all else comes back as it was.
        np.testing.assert_allclose(again, kind.tensor(item), rtol=1e-5, atol=1e-6)
        from_bytes = kind.tensor(kind.read(path.read_bytes()))
        torch.testing.assert_close(from_bytes, again, rtol=0, atol=0)


@every_kind
def test_as_many_values_are_written_as_there_are(cls: type[Kind], tmp_path: Path) -> None:
    kind = made(cls)
    paths = kind.write(kind.means(kind.plain(stored(kind))), tmp_path)
    lines = [path.read_text().splitlines() for path in paths if path.suffix in {".txt", ".csv"}]
    assert len(lines[0] if lines else paths) == ITEMS


@every_kind
def test_files_that_are_too_large_are_refused_unread(
    cls: type[Kind], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "MAX_BYTES", 100)
    (tmp_path / "large").write_bytes(bytes(101))
    for what in (bytes(101), str(tmp_path / "large")):
        with pytest.raises(DataError):
            made(cls).read(what)


@every_kind
@pytest.mark.parametrize("what", [b"", b"\xff\xfe\x00", b"<b>", b"1,2,3,4,5,6,7", b"nan,1,2"])
def test_what_is_none_of_it_is_refused_in_one_sentence(cls: type[Kind], what: bytes) -> None:
    with pytest.raises(DataError) as caught:
        made(cls).read(what)
    said = str(caught.value)
    assert "\n" not in said and said.endswith(".")


def shorter(items: np.ndarray) -> np.ndarray:
    return items[..., 1:]


def not_finite(items: np.ndarray) -> np.ndarray:
    return np.full(items.shape, np.nan, np.float32)


@every_kind
@pytest.mark.parametrize("damage", [shorter, not_finite])
def test_values_that_do_not_fit_are_named_everywhere(
    cls: type[Kind], damage: Callable[[np.ndarray], np.ndarray]
) -> None:
    kind = made(cls)
    wrong = damage(stored(kind))
    fault = kind.fault(wrong)
    assert fault is not None and "expected" in fault
    with pytest.raises(DataError, match="'own' was given values") as caught:
        kind.checked(wrong[0])
    assert fault in str(caught.value)
    config = from_dict(small.settings(modalities=[_plain(kind.modality)]))
    with pytest.raises(DataError, match="'own' was given values"):
        generate(build_model(config), {"own": wrong[0].copy()}, 1, seed=0)
    with pytest.raises(RunError, match="holds own"):
        Study(Path("none"))._check_values(wrong, kind)


def _plain(modality: ModalityConfig) -> dict[str, Any]:
    return {
        "name": modality.name,
        "shape": list(modality.shape),
        "network": modality.network,
        "width": 2,
        "likelihood": {"name": modality.likelihood.name},
    }


@every_kind
def test_every_place_of_the_app_draws_stored_values_and_means_alike(cls: type[Kind]) -> None:
    kind = made(cls)
    items, look = stored(kind), view_of(kind)
    means = kind.means(kind.plain(items))
    draws = np.stack([means] * 4)
    assert look.html(items, 3, "<alt>") == look.html(means, 3, "<alt>")
    assert "<alt>" not in look.html(items, 3, "<alt>")
    assert look.small(items[0], "alt") == look.small(means[0], "alt")
    card, cell = look.card(draws, roomy=True), look.plane(means[:4], 2)
    assert (card["sheet"] is None) == (card["words"] is not None) == look.is_text
    assert cell["name"] == card["name"] == "own"
    assert ("cells" in cell) == look.is_text == ("sprite" not in cell)
    assert look.exact(means[0], means)
    assert look.strip(np.stack([means[0]] * 7), 1.0, "alt").count("alt=") == (
        0 if look.is_text else 1 if look.is_ground else 3
    )
    assert "<img" in look.difference_html(means[0] - means[1], 1.0, "alt")
    assert look.sheet(means, 4).height > 10
    axis = look.axis(items)
    assert axis is None or axis[1].shape == (ITEMS,)


@pytest.mark.parametrize(
    ("shape", "network", "expected"),
    [
        ([3, 8, 8], "mlp", ".png"),
        ([1, 12, 12], "image", ".png"),
        ([2, 12, 12], "image", ".csv"),
        ([5], "mlp", ".csv"),
        ([2, 3], "linear", ".csv"),
    ],
)
def test_the_command_line_and_the_app_agree_on_what_a_modality_is(
    shape: list[int], network: str, expected: str, tmp_path: Path
) -> None:
    one = {"name": "own", "shape": shape, "network": network, "width": 2}
    config = from_dict(small.settings(modalities=[one | {"likelihood": {"name": "normal"}}]))
    made = generate(build_model(config), {}, 2, seed=0).at_draws
    means = {name: torch.from_numpy(values) for name, values in made.items()}
    kind = kind_of(config.modalities[0])
    paths = write_generated(means, {"own": kind}, tmp_path)
    assert {path.suffix for path in paths} == {expected}
    look = view_of(kind)
    assert look.is_ground == (expected == ".png")
    assert (look.ways == (TABLE,)) == (expected == ".csv")
    again = kind.read(str(paths[0])) if expected == ".png" and shape[0] == 3 else None
    assert again is None or again.shape == tuple(shape)
