"""Embeddings made elsewhere become a study of runs without a model, as they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mmvae_core.cli import main
from mmvae_core.errors import DataError, RunError, UsageError
from mmvae_core.explore import embeddings
from mmvae_core.explore.embeddings import embed
from mmvae_core.store.study import Study

ITEMS, LATENT = 30, 3


def arrays(**changes: Any) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    made = {
        f"{kind}.{name}": draw.normal(size=(ITEMS, LATENT))
        if kind == "mean"
        else draw.random((ITEMS, LATENT)) + 0.1
        for kind in ("mean", "stddev")
        for name in ("text", "image+text", "image")
    }
    made |= {
        "labels": np.array([("cat", "dog", "owl")[item % 3] for item in range(ITEMS)]),
        "note.age": draw.random(ITEMS),
        "ids": np.array([f"photo {item}" for item in range(ITEMS)]),
        "values.image": draw.integers(0, 256, (ITEMS, 6, 5, 3)).astype(np.uint8),
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def write(path: Path, given: dict[str, Any]) -> Path:
    np.savez_compressed(path, **given)
    return path


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    return arrays()


def test_what_is_given_is_what_is_stored(
    tmp_path: Path, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # UMAP itself takes long to import, and is held by the tests of projections.
    monkeypatch.setattr(embeddings, "project_umap", lambda means, seed: means[..., 1:] + seed)
    bare = {name: one for name, one in given.items() if not name.startswith("stddev")}
    files = [write(tmp_path / "first.npz", given), write(tmp_path / "second one.npz", bare)]
    study = embed(tmp_path / "mine", files)
    first, second = study.runs()
    assert [run.folder.name for run in study.runs()] == ["first", "second-one"]
    latents, samples = first.latents(ITEMS), study.samples_of(first.config)
    assert first.config.names == ("text", "image")  # as they were met
    assert latents.masks.tolist() == [[True, False], [False, True], [True, True]]
    for row, name in enumerate(("text", "image", "image+text")):
        np.testing.assert_allclose(latents.mean[row], given[f"mean.{name}"], rtol=1e-6)
    p, q = stats.norm(given["mean.image"], given["stddev.image"]), stats.norm(0, 1)
    grid = np.linspace(-12, 12, 4_001)[:, None, None]
    density = p.pdf(grid)
    kl = np.trapezoid(density * (p.logpdf(grid) - q.logpdf(grid)), grid[:, 0, 0], axis=0).sum(-1)
    np.testing.assert_allclose(latents.rate[1], kl, rtol=1e-4)
    np.testing.assert_allclose(latents.umap, latents.mean[..., 1:])
    assert latents.has_width and not second.latents(ITEMS).has_width
    assert samples.ids[7] == "photo 7" and study.about.classes == ("cat", "dog", "owl")
    assert [study.about.classes[one] for one in samples.labels] == given["labels"].tolist()
    np.testing.assert_array_equal(
        samples.data["image"], given["values.image"].transpose(0, 3, 1, 2)
    )
    assert study.about.opening is not None and study.about.opening.mask == ("text", "image")
    first.check_weights()
    with pytest.raises(RunError, match="embeddings without a model"):
        first.model()
    with pytest.raises(UsageError, match="already"):
        embed(tmp_path / "mine", files)


def test_the_command_makes_what_is_named(
    tmp_path: Path, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "project_umap", lambda means, seed: means[..., 1:] + seed)
    bare = {name: one for name, one in given.items() if name == "mean.image"}
    files = [
        write(tmp_path / "a.npz", given),
        write(tmp_path / "b.npz", bare | {"ids": given["ids"]}),
    ]
    named = [word for one in files for word in ("--from", str(one))]
    with pytest.raises(SystemExit) as ended:
        main(["study", "embed", str(tmp_path / "mine"), *named])
    assert ended.value.code == 0
    runs = Study(tmp_path / "mine").runs()
    assert [len(run.latents(ITEMS).masks) for run in runs] == [3, 1]
    assert all(run.latents(ITEMS).umap is not None for run in runs)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mean.image": np.zeros((ITEMS, 2))}, "mean.image of shape"),
        ({"mean.image": np.full((ITEMS, LATENT), np.nan)}, "NaN or infinity in mean.image"),
        ({"mean.image": np.array([{}] * ITEMS)}, "cannot be read"),
        ({"mean.a<b>": np.zeros((ITEMS, LATENT))}, "names of 1 to 16"),
        ({"mean.image+image": np.zeros((ITEMS, LATENT))}, "names of 1 to 16"),
        ({"stddev.image": np.zeros((ITEMS, LATENT))}, "stddev of 0 or less"),
        ({"labels": np.arange(3)}, "labels of shape"),
        ({"values.image": np.zeros((ITEMS, 6))[:4]}, "values.image of shape"),
        ({"values.image": np.full((ITEMS, 4, 4), 7.0)}, "expected bytes"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    changes: dict[str, Any], said: str, tmp_path: Path, given: dict[str, Any]
) -> None:
    path = write(tmp_path / "a.npz", given | changes)
    with pytest.raises(DataError, match=said):
        embed(tmp_path / "mine", [path], umap=False)
    assert not (tmp_path / "mine").exists()


def test_runs_are_of_the_same_items(tmp_path: Path, given: dict[str, Any]) -> None:
    other = given | {"ids": given["ids"][::-1]}
    files = [write(tmp_path / "a.npz", given), write(tmp_path / "b.npz", other)]
    with pytest.raises(DataError, match="other items"):
        embed(tmp_path / "mine", files)
    with pytest.raises(DataError, match="holds no mean"):
        embed(tmp_path / "mine", [write(tmp_path / "c.npz", {"labels": np.arange(9)})])
