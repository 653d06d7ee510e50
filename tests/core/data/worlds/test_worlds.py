"""The made worlds: covariances, structure, mixings undone, clusters, what is missing."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from mmvae_core import build
from mmvae_core.config import RunConfig, one_seed
from mmvae_core.config_files import load_config
from mmvae_core.data.source import Table, TableSource
from mmvae_core.data.worlds.bimodal import CLUSTERS, bimodal
from mmvae_core.data.worlds.linear import (
    FIFTHS,
    PRIVATE,
    SHARED,
    dense_loadings,
    linear,
    linear_sparse,
    sparse_loadings,
)
from mmvae_core.data.worlds.missing import LATENT, missing
from mmvae_core.data.worlds.vectors import Clusters, Mixing
from mmvae_core.errors import ConfigError

CONFIGS = Path(build.__file__).parents[1] / "configs" / "experiments"
MANY = 20_000


def config(name: str, items: int = 400, **modality: Any) -> RunConfig:
    """A committed configuration with so many items; `modality` changes its first modality."""
    made = load_config(CONFIGS / f"{name}.toml")
    first = replace(made.modalities[0], **modality)
    return replace(
        made, modalities=(first, *made.modalities[1:]), data=replace(made.data, epoch_size=items)
    )


def joint(table: Table) -> np.ndarray:
    return torch.cat(list(table.items.data.values()), -1).double().numpy()


def regression(table: Table) -> np.ndarray:
    """Least-squares loadings [latent, numbers] of the data on the true latents."""
    return np.linalg.lstsq(table.latents.numpy(), joint(table), rcond=None)[0]


@pytest.mark.parametrize(("make", "name"), [(linear, "linear"), (linear_sparse, "linear_sparse")])
def test_linear_worlds_are_normal_with_covariance_loadings_squared_plus_one(make, name) -> None:
    table = make(config(name, MANY)).train
    data, loadings = joint(table), regression(table)
    noise = data - table.latents.numpy() @ loadings
    np.testing.assert_allclose(np.cov(noise.T), np.eye(data.shape[1]), atol=0.06)
    covariance = loadings.T @ loadings + np.eye(data.shape[1])
    # A covariance's entry has standard error sqrt((c_ii c_jj + c_ij^2) / n).
    error = np.sqrt((np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2) / MANY)
    assert (np.abs(np.cov(data.T) - covariance) < 5.5 * error).all()
    assert (np.abs(data.mean(0)) < 5.5 * np.sqrt(np.diag(covariance) / MANY)).all()


def test_sparse_loadings_see_the_shared_and_their_own_latents() -> None:
    made = config("linear_sparse", MANY)
    expected = np.concatenate(sparse_loadings(made)).T
    found = regression(linear_sparse(made).train)
    np.testing.assert_allclose(found, expected, atol=6 / MANY**0.5)
    for index, loading in enumerate(sparse_loadings(made)):
        own = SHARED + PRIVATE * index
        seen = [*range(SHARED), *range(own, own + PRIVATE)]
        assert loading.shape == (made.modalities[index].shape[0], SHARED + 5 * PRIVATE)
        assert (loading[:, seen] != 0).all()
        assert not np.delete(loading, seen, axis=1).any()


def test_dense_loadings_are_the_same_for_all_splits() -> None:
    source = linear(config("linear", 2_000))
    one, other = (regression(table) for table in (source.train, source.test))
    assert one.shape == (SHARED, 210)
    np.testing.assert_allclose(one, other, atol=0.25)


def test_linear_labels_are_the_fifth_of_the_first_latent() -> None:
    table = linear(config("linear", MANY)).train
    counts = np.bincount(table.labels.numpy(), minlength=5) / MANY
    np.testing.assert_allclose(counts, 0.2, atol=0.012)
    edges = np.array([-np.inf, *FIFTHS, np.inf])
    first, labels = table.latents[:, 0].numpy(), table.labels.numpy()
    assert ((edges[labels] <= first) & (first <= edges[labels + 1])).all()


@pytest.mark.parametrize("make", [dense_loadings, sparse_loadings])
@pytest.mark.parametrize("kind", ["orthonormal", "normal"])
def test_loadings_are_orthonormal_or_standard_normal(make, kind: str) -> None:
    made = config("linear")
    made = replace(made, data=replace(made.data, loadings=kind))
    for loading in make(made):
        seen = loading[:, loading.any(0)]
        if kind == "orthonormal":
            np.testing.assert_allclose(seen.T @ seen, np.eye(seen.shape[1]), atol=1e-12)
        else:
            assert np.std(seen) == pytest.approx(1, abs=0.25)
    assert not np.array_equal(make(made)[0], make(one_seed(made, 1))[0])


def test_more_latents_than_numbers_cannot_be_orthonormal() -> None:
    with pytest.raises(ConfigError, match=r"at least \[5\]"):
        linear(config("linear", shape=(4,)))


@pytest.mark.parametrize(("latent", "size"), [(2, 5), (3, 3), (10, 25)])
@pytest.mark.parametrize(("layers", "slope"), [(2, 0.2), (3, 0.1)])
def test_a_mixing_can_be_undone(latent: int, size: int, layers: int, slope: float) -> None:
    generator = np.random.default_rng(0)
    mixing = Mixing(latent, size, generator, layers, slope)
    latents = 2 * generator.standard_normal((500, latent))
    data = again = mixing(latents)
    for weight, shift in zip(mixing.weights[:0:-1], mixing.shifts[::-1], strict=True):
        inside = again @ weight
        again = np.where(inside > 0, inside, inside / slope) - shift
    again = again @ np.linalg.pinv(mixing.weights[0]).T
    np.testing.assert_allclose(again, latents, atol=1e-9)
    straight = np.linalg.lstsq(np.c_[latents, np.ones(500)], data, rcond=None)[0]
    assert np.abs(np.c_[latents, np.ones(500)] @ straight - data).max() > 0.1, "and is not affine"
    assert 0.3 < data.std() / latents.std() < 3


def test_a_mixing_into_fewer_numbers_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"at least \[3\]"):
        Mixing(3, 2, np.random.default_rng(0))


def test_clusters_have_mean_zero_and_variance_one() -> None:
    """As a law of the parameters, and of many draws."""
    generator = np.random.default_rng(0)
    clusters = Clusters(CLUSTERS, 4, generator)
    np.testing.assert_allclose(clusters.centres.mean(0), 0, atol=1e-12)
    variance = (clusters.centres**2 + clusters.spreads**2).mean(0)
    np.testing.assert_allclose(variance, 1, atol=1e-12)
    latents, labels = clusters.draw(MANY, generator)
    np.testing.assert_allclose(latents.mean(0), 0, atol=5 / MANY**0.5)
    np.testing.assert_allclose(latents.var(0), 1, atol=0.05)
    for label in range(CLUSTERS):
        own = latents[labels == label]
        assert len(own) == pytest.approx(MANY / CLUSTERS, abs=5 * (MANY * 0.16) ** 0.5)
        centre, spread, reach = (
            clusters.centres[label],
            clusters.spreads[label],
            5 / len(own) ** 0.5,
        )
        assert (np.abs(own.mean(0) - centre) < reach * spread).all()
        np.testing.assert_allclose(own.std(0) / spread, 1, atol=reach)


def test_bimodal_is_a_vector_and_its_clusters_label() -> None:
    source = bimodal(config("bimodal", 2_000))
    for table in (source.train, source.held_out, source.test):
        vector, label = table.items.data.values()
        assert torch.equal(label[:, 0], table.labels)
        assert label.dtype == torch.int64
        assert set(table.labels.tolist()) == set(range(CLUSTERS))
        assert table.latents.shape == (len(table), 2)
        assert vector.shape == (len(table), 5)
    # Away from noise of 0.1 the vector is a function of the latent: near latents, near vectors.
    latents, vector = source.train.latents, source.train.items.data["vector"]
    distance = torch.cdist(latents, latents) + 9 * torch.eye(len(latents))
    close = distance.min(1)
    rows = close.values < 0.01
    change = (vector - vector[close.indices])[rows]
    assert int(rows.sum()) > 50
    assert float(change.std()) == pytest.approx(2**0.5 * 0.1, rel=0.15)


@pytest.mark.parametrize(
    ("make", "name", "shape", "said"),
    [
        (bimodal, "bimodal", (1, 5, 5), "a vector and a label"),
        (bimodal, "bimodal", (5, 5), "a vector and a label"),
        (bimodal, "bimodal", (1,), "at least"),
        (linear, "linear", (3, 10), "a shape of one number"),
        (linear_sparse, "linear_sparse", (1, 4, 4), "a shape of one number"),
        (missing, "missing", (5, 5), "a shape of one number"),
        (missing, "missing", (9,), r"at least \[10\]"),
    ],
)
def test_shapes_that_a_world_cannot_have_are_refused(make, name, shape, said) -> None:
    with pytest.raises(ConfigError, match=said):
        make(config(name, shape=shape))


def test_about_half_is_missing_as_nan_and_nobody_has_nothing() -> None:
    source = missing(config("missing", MANY))
    for table in (source.train, source.held_out):
        seen = table.items.observed
        assert bool(seen.any(1).all())
        for index, values in enumerate(table.items.data.values()):
            assert torch.equal(values.isnan().all(1), ~seen[:, index])
            assert torch.equal(values.isnan().any(1), ~seen[:, index])
    # 1/2, and of the 1/16 that would have nothing a quarter.
    share = source.train.items.observed.double().mean(0)
    np.testing.assert_allclose(share, 0.5 + 1 / 64, atol=0.015)
    patterns = Counter(tuple(row) for row in source.train.items.observed.tolist())
    assert len(patterns) == 15
    for pattern, count in patterns.items():
        chance = 1 / 16 + (sum(pattern) == 1) / 64
        assert count == pytest.approx(MANY * chance, abs=5 * (MANY * chance) ** 0.5)


def test_the_test_items_of_missing_are_complete() -> None:
    source = missing(config("missing"))
    assert bool(source.test.items.observed.all())
    assert not any(values.isnan().any() for values in source.test.items.data.values())
    assert source.test.latents.shape == (len(source.test), LATENT)


def test_a_pass_is_a_permutation_of_all_training_items() -> None:
    source = linear(config("linear", 130))
    assert isinstance(source, TableSource)
    whole = source.train.items.data["first"]
    for number in range(2):
        drawn = torch.cat([batch.data["first"] for batch in source.batches(0, number, 40)])
        order = (drawn[:, None] == whole).all(-1).int().argmax(-1)
        assert sorted(order.tolist()) == list(range(130))
        assert order.tolist() != list(range(130))
        assert torch.equal(whole[order], drawn)
