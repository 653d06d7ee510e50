"""The study `digits`: pairing by label, fixed triples, splits and the cache of rendered photos."""

from pathlib import Path

import numpy as np
import pytest

from mmvae_core.data.digits import digits as study
from mmvae_core.data.digits import house_numbers as renderer
from mmvae_core.data.digits.digits import (
    DigitPools,
    Pool,
    SplitPools,
    default_folder,
    epoch_pairs,
    fixed_triples,
    load_digits,
    triples,
)
from mmvae_core.data.digits.words import decode, placements
from mmvae_core.errors import DataError, UsageError


def pool(count: int, channels: int, side: int, seed: int) -> Pool:
    """Shuffled labels, about equally often; an image's first pixels tell its label and index."""
    labels = np.random.default_rng(seed).permutation(np.arange(count) % 10)
    images = np.zeros((count, channels, side, side), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = labels, np.arange(count) % 256
    return Pool(images, labels)


def split_pools(handwriting: int, photos: int, seed: int) -> SplitPools:
    return SplitPools(pool(handwriting, 1, 28, seed), pool(photos, 3, 32, seed + 100))


@pytest.fixture(scope="module")
def pools() -> DigitPools:
    return DigitPools(split_pools(230, 300, 1), split_pools(80, 60, 2), split_pools(120, 150, 3))


def test_a_pool_finds_its_items_by_label(pools: DigitPools) -> None:
    photos = pools.train.photo
    for digit in range(10):
        start, count = photos.starts[digit], photos.counts[digit]
        expected = np.flatnonzero(photos.labels == digit)
        np.testing.assert_array_equal(photos.by_label[start : start + count], expected)


def test_an_epoch_uses_each_photo_once_with_partners_of_its_digit(pools: DigitPools) -> None:
    pairs = epoch_pairs(pools, "train", seed=0, epoch=0)
    assert len(pairs) == 300
    np.testing.assert_array_equal(np.sort(pairs.photo), np.arange(300))
    np.testing.assert_array_equal(pools.train.photo.labels[pairs.photo], pairs.labels)
    np.testing.assert_array_equal(pools.train.handwriting.labels[pairs.handwriting], pairs.labels)
    codes, labels = placements()
    named = {decode(code): label for code, label in zip(codes, labels, strict=True)}
    assert [named[decode(word)] for word in pairs.word] == pairs.labels.tolist()


def test_an_epoch_is_decided_by_split_seed_and_epoch(pools: DigitPools) -> None:
    first = epoch_pairs(pools, "train", seed=3, epoch=2)
    again = epoch_pairs(pools, "train", seed=3, epoch=2)
    for name in ("handwriting", "photo", "word", "labels"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    for seed, epoch in ((3, 3), (4, 2), (2, 3)):
        other = epoch_pairs(pools, "train", seed, epoch)
        for name in ("handwriting", "photo", "word"):
            assert (getattr(first, name) != getattr(other, name)).any()


def test_an_epoch_may_be_shorter_or_longer_than_the_pool(pools: DigitPools) -> None:
    short = epoch_pairs(pools, "train", 0, 0, count=70)
    assert len(short) == len(np.unique(short.photo)) == 70
    long = epoch_pairs(pools, "train", 0, 0, count=700)
    assert set(np.bincount(long.photo)) == {2, 3}
    assert len(epoch_pairs(pools, "train", 0, 0, count=0)) == 0


def test_handwriting_varies_within_a_digit(pools: DigitPools) -> None:
    pairs = epoch_pairs(pools, "train", 0, 0, count=30_000)
    used = np.bincount(pairs.handwriting, minlength=230)
    # 3000 draws of each digit among its 23 images: mean 130, five standard deviations 56.
    np.testing.assert_allclose(used, 3_000 / 23, atol=60)


def test_triples_gives_the_items_that_the_indices_name(pools: DigitPools) -> None:
    pairs = epoch_pairs(pools, "validation", 0, 0)[10:30]
    batch = triples(pools, pairs)
    assert {name: array.shape for name, array in batch.items()} == {
        "handwriting": (20, 1, 28, 28),
        "photo": (20, 3, 32, 32),
        "word": (20, 8),
        "labels": (20,),
    }
    assert batch["handwriting"].dtype == batch["photo"].dtype == np.uint8
    for name in ("handwriting", "photo"):
        np.testing.assert_array_equal(batch[name][:, 0, 0, 0], batch["labels"])
        np.testing.assert_array_equal(batch[name][:, 0, 0, 1], getattr(pairs, name) % 256)


def test_fixed_triples_repeat_nothing_and_stay_the_same(pools: DigitPools) -> None:
    fixed = fixed_triples(pools, "test", count=100)
    assert len(np.unique(fixed.handwriting)) == len(np.unique(fixed.photo)) == 100
    np.testing.assert_array_equal(pools.test.photo.labels[fixed.photo], fixed.labels)
    np.testing.assert_array_equal(pools.test.handwriting.labels[fixed.handwriting], fixed.labels)
    again, other = (fixed_triples(pools, "test", count=100, seed=s) for s in (0, 1))
    np.testing.assert_array_equal(fixed.photo, again.photo)
    np.testing.assert_array_equal(fixed.word, again.word)
    assert (fixed.photo != other.photo).any()


def test_fixed_triples_refuse_more_than_the_pools_have(pools: DigitPools) -> None:
    assert len(fixed_triples(pools, "test", count=120)) == 120
    with pytest.raises(DataError, match="ask for fewer"):
        fixed_triples(pools, "test", count=121)
    with pytest.raises(DataError, match="ask for fewer"):
        fixed_triples(pools, "validation", count=80)


def test_what_cannot_be_paired_is_refused(pools: DigitPools) -> None:
    with pytest.raises(UsageError, match="'extra'"):
        epoch_pairs(pools, "extra", 0, 0)  # pyright: ignore[reportArgumentType]
    handwriting = pools.train.handwriting
    kept = handwriting.labels != 4
    lacking = SplitPools(
        Pool(handwriting.images[kept], handwriting.labels[kept]), pools.train.photo
    )
    with pytest.raises(DataError, match="no image of the digit 4"):
        epoch_pairs(DigitPools(lacking, lacking, lacking), "train", 0, 0)


def numbered(count: int, shape: tuple[int, ...], mark: int) -> tuple[np.ndarray, np.ndarray]:
    """Images that carry their number and a mark of the file they come from."""
    images = np.zeros((count, *shape), np.uint8)
    flat = images.reshape(count, -1)
    flat[:, 0], flat[:, 1], flat[:, 2] = mark, np.arange(count) // 256, np.arange(count) % 256
    return images, np.arange(count, dtype=np.int64) % 10


@pytest.fixture
def small_sources(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[int, int], int]:
    """MNIST, SVHN and the renderer made small; counts how often each rendering was asked for."""
    calls: dict[tuple[int, int], int] = {}

    def source(shape: tuple[int, ...]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {"train": numbered(5_040, shape, 1), "test": numbered(30, shape, 2)}

    def drawn(count: int, seed: int, workers: int = 1) -> tuple[np.ndarray, np.ndarray]:
        calls[count, seed] = calls.get((count, seed), 0) + 1
        return numbered(count, (32, 32, 3), seed)

    monkeypatch.setattr(study, "load_mnist", lambda folder: source((28, 28)))
    monkeypatch.setattr(study, "load_svhn", lambda folder: source((32, 32, 3)))
    monkeypatch.setattr(renderer, "house_numbers", drawn)
    monkeypatch.setattr(
        study, "RENDERED", {"train": (60, 1), "validation": (20, 2), "test": (30, 3)}
    )
    return calls


def marks(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


@pytest.mark.parametrize("photo", ["rendered", "svhn"])
@pytest.mark.usefixtures("small_sources")
def test_the_splits_share_no_image(tmp_path: Path, photo: study.Photo) -> None:
    pools = load_digits(tmp_path, photo)
    for name in ("handwriting", "photo"):
        parts = [getattr(pools.of(split), name) for split in ("train", "validation", "test")]
        seen = [marks(part.images) for part in parts]
        assert len(set().union(*seen)) == sum(len(part) for part in parts)
    assert pools.train.handwriting.images.shape == (40, 1, 28, 28)
    assert len(pools.validation.handwriting) == 5_000
    assert pools.test.photo.images.shape == (30, 3, 32, 32)
    assert pools.train.photo.images[0, :, 0, 0].tolist() == [1, 0, 0]


def test_photos_are_rendered_once_and_again_for_a_new_version(
    tmp_path: Path, small_sources: dict[tuple[int, int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = load_digits(tmp_path), load_digits(tmp_path)
    np.testing.assert_array_equal(first.test.photo.images, again.test.photo.images)
    assert small_sources == {(60, 1): 1, (20, 2): 1, (30, 3): 1}
    monkeypatch.setattr(renderer, "VERSION", 99, raising=False)
    load_digits(tmp_path)
    assert set(small_sources.values()) == {2}
    names = [path.name for path in (tmp_path / "house_numbers").iterdir()]
    assert len(names) == 12 and all(name.endswith(".npy") for name in names)


@pytest.mark.parametrize("damage", ["pickled", "cut", "empty", "other shape", "other type"])
@pytest.mark.usefixtures("small_sources")
def test_a_damaged_cache_is_refused_and_never_unpickled(tmp_path: Path, damage: str) -> None:
    load_digits(tmp_path, cache=tmp_path / "cache")
    path = next((tmp_path / "cache" / "house_numbers").glob("*seed2_20_images.npy"))
    if damage == "pickled":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif damage == "other shape":
        np.save(path, np.zeros((20, 3, 32, 32), np.uint8))
    elif damage == "other type":
        np.save(path, np.zeros((20, 32, 32, 3), np.float32))
    else:
        path.write_bytes(path.read_bytes()[: 1_000 if damage == "cut" else 0])
    with pytest.raises(DataError, match="it will be rendered again"):
        load_digits(tmp_path, cache=tmp_path / "cache")


@pytest.mark.usefixtures("small_sources")
def test_a_folder_that_cannot_hold_the_cache_and_an_unknown_photo_source(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match="pass another `cache` folder"):
        load_digits(tmp_path, cache=tmp_path / "file")
    with pytest.raises(UsageError, match="'film'"):
        load_digits(tmp_path, "film")  # pyright: ignore[reportArgumentType]


def test_too_little_training_data_is_refused(
    tmp_path: Path, small_sources: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"train": numbered(5_000, (28, 28), 1), "test": numbered(5, (28, 28), 2)}
    monkeypatch.setattr(study, "load_mnist", lambda folder: few)
    with pytest.raises(DataError, match="more than 5000"):
        load_digits(tmp_path)


def test_the_default_folder_is_named_after_the_project() -> None:
    assert default_folder().name == "mmvae"


def test_fixed_photos_are_drawn_from_the_whole_pool(pools: DigitPools) -> None:
    """Not a pool's first of each digit, and with another seed other ones."""
    photos, found = pools.test.photo, fixed_triples(pools, "test", 60)
    firsts = []
    for digit in range(10):
        own = photos.by_label[photos.starts[digit] :][: photos.counts[digit]]
        drawn = found.photo[found.labels == digit]
        firsts.append(set(drawn) == set(own[: len(drawn)]))
    assert not all(firsts)
    again, other = (fixed_triples(pools, "test", 60, seed) for seed in (0, 1))
    np.testing.assert_array_equal(again.photo, found.photo)
    assert set(other.photo) != set(found.photo)
