"""The study `digits`: handwriting, photo and word, three views that share a label only.

Each split has a pool of handwriting (MNIST) and a pool of photos (rendered house numbers, or
SVHN); words are drawn. A triple joins one item of each with the same digit. Pairing by label
follows Shi, Siddharth, Paige, Torr, "Variational Mixture-of-Experts Autoencoders for
Multi-Modal Deep Generative Models", 2019, https://arxiv.org/abs/1911.03393
"""

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pooch

from mmvae_core.data.digits.mnist import CLASSES, check_labels, load_mnist
from mmvae_core.data.digits.svhn import load_svhn
from mmvae_core.data.digits.words import sample_words
from mmvae_core.errors import DataError, UsageError

Split = Literal["train", "validation", "test"]
Photo = Literal["rendered", "svhn"]
MODALITIES = ("handwriting", "photo", "word")
VALIDATION_COUNT = 5_000
# split -> (how many house numbers are rendered, with which seed)
RENDERED: dict[Split, tuple[int, int]] = {
    "train": (60_000, 1),
    "validation": (5_000, 2),
    "test": (10_000, 3),
}


@dataclass(frozen=True, eq=False)
class Pool:
    """Images uint8 [n, channel, height, width] and their labels int64 [n] in 0..9."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def counts(self) -> np.ndarray:
        """How many images each digit has: int64 [10]."""
        return np.bincount(self.labels, minlength=CLASSES)

    @cached_property
    def by_label(self) -> np.ndarray:
        """All indices, grouped by digit and in pool order within a digit: int64 [n]."""
        return np.argsort(self.labels, kind="stable")

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each digit's group begins in `by_label`: int64 [10]."""
        return np.cumsum(self.counts) - self.counts


@dataclass(frozen=True, eq=False)
class SplitPools:
    """The two image pools of one split; words are drawn and need no pool."""

    handwriting: Pool
    photo: Pool


@dataclass(frozen=True, eq=False)
class DigitPools:
    """The pools of the three splits, which share no image."""

    train: SplitPools
    validation: SplitPools
    test: SplitPools

    def of(self, split: Split) -> SplitPools:
        """The pools of a split; UsageError for another name."""
        if split not in get_args(Split):
            raise UsageError(
                f"The split {split!r} was asked for, expected one of {get_args(Split)}; "
                "pass one of these."
            )
        return getattr(self, split)


@dataclass(frozen=True, eq=False)
class Pairing:
    """Which items are shown together: indices int64 [n] into the pools of `split`,
    the drawn words int64 [n, 8], and the labels int64 [n] they share."""

    split: Split
    handwriting: np.ndarray
    photo: np.ndarray
    word: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: slice | np.ndarray) -> "Pairing":
        """The pairing of some rows, for instance of one batch."""
        return Pairing(
            self.split, self.handwriting[rows], self.photo[rows], self.word[rows], self.labels[rows]
        )


def default_folder() -> Path:
    """Where data goes unless told otherwise: the platform's cache folder for `mmvae`."""
    return Path(pooch.os_cache("mmvae"))


def load_digits(
    folder: Path, photo: Photo = "rendered", cache: Path | None = None, workers: int = 1
) -> DigitPools:
    """All pools: MNIST from `folder`/mnist, photos rendered or from `folder`/svhn.

    Rendered photos are kept in `cache`/house_numbers (default: in `folder`) as .npy files; the
    first time takes about two minutes, divided by `workers` (processes; never changes a pixel).
    Validation takes the last 5,000 training items of MNIST and of SVHN. Raises DataError for files,
    UsageError for another `photo`.
    """
    if photo not in get_args(Photo):
        raise UsageError(
            f"The photo source {photo!r} was asked for, expected one of {get_args(Photo)}; "
            "pass one of these."
        )
    handwriting = _with_validation(load_mnist(folder / "mnist"))
    if photo == "svhn":
        photos = _with_validation(load_svhn(folder / "svhn"))
    else:
        photos = _rendered((cache or folder) / "house_numbers", workers)
    return DigitPools(
        **{
            split: SplitPools(_handwriting_pool(*handwriting[split]), _photo_pool(*photos[split]))
            for split in get_args(Split)
        }
    )


def epoch_pairs(
    pools: DigitPools, split: Split, seed: int, epoch: int, count: int | None = None
) -> Pairing:
    """One epoch: photos in random order, each with handwriting and a word of the same digit.

    Every photo is used once when `count` is left out (the pool's size); a smaller count takes a
    part of them, a larger one goes round again. The draw depends on (split, seed, epoch) only.
    """
    chosen = pools.of(split)
    generator = np.random.default_rng([seed, epoch, get_args(Split).index(split)])
    total = len(chosen.photo) if count is None else count
    rounds = max(1, -(-total // len(chosen.photo)))
    order = [generator.permutation(len(chosen.photo)) for _ in range(rounds)]
    photo = np.concatenate(order)[:total]
    labels = chosen.photo.labels[photo]
    handwriting = _draw_same_label(chosen.handwriting, labels, generator)
    return Pairing(split, handwriting, photo, sample_words(labels, generator), labels)


def fixed_triples(
    pools: DigitPools, split: Split = "test", count: int = 2_000, seed: int = 0
) -> Pairing:
    """The pairs that evaluation always uses: no handwriting and no photo occurs twice.

    The digits are those of `count` handwritten items drawn by a seeded permutation.
    Raises DataError when a pool is too small.
    """
    chosen = pools.of(split)
    generator = np.random.default_rng(seed)
    handwriting = generator.permutation(len(chosen.handwriting))[:count]
    labels = chosen.handwriting.labels[handwriting]
    needed = np.bincount(labels, minlength=CLASSES)
    if len(labels) < count or (needed > chosen.photo.counts).any():
        raise DataError(
            f"{count} fixed triples of the {split} split were asked for, more than its "
            f"{len(chosen.handwriting)} handwritten and {len(chosen.photo)} photographed digits "
            "can give without a repeat; ask for fewer."
        )
    photo = np.empty(count, dtype=np.int64)
    for digit in range(CLASSES):
        own = chosen.photo.by_label[chosen.photo.starts[digit] :][: chosen.photo.counts[digit]]
        photo[labels == digit] = generator.permutation(own)[: needed[digit]]
    return Pairing(split, handwriting, photo, sample_words(labels, generator), labels)


def triples(pools: DigitPools, indices: Pairing) -> dict[str, np.ndarray]:
    """The items of a pairing: handwriting uint8 [n, 1, 28, 28], photo uint8 [n, 3, 32, 32],
    word int64 [n, 8] and labels int64 [n]."""
    chosen = pools.of(indices.split)
    return {
        "handwriting": chosen.handwriting.images[indices.handwriting],
        "photo": chosen.photo.images[indices.photo],
        "word": indices.word,
        "labels": indices.labels,
    }


def _draw_same_label(pool: Pool, labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """For each label a uniformly drawn index of the pool with that label: int64 [n]."""
    available = pool.counts[labels]
    if (available == 0).any():
        raise DataError(
            f"The handwriting pool has no image of the digit {labels[available == 0][0]}, "
            "expected at least one of every digit; use a larger pool."
        )
    return pool.by_label[pool.starts[labels] + generator.integers(0, available)]


def _with_validation(
    data: dict[str, tuple[np.ndarray, np.ndarray]],
) -> dict[Split, tuple[np.ndarray, np.ndarray]]:
    """Split the last 5,000 training items off as validation."""
    images, labels = data["train"]
    if len(labels) <= VALIDATION_COUNT:
        raise DataError(
            f"The training files hold {len(labels)} items, expected more than "
            f"{VALIDATION_COUNT}; download the complete files."
        )
    cut = len(labels) - VALIDATION_COUNT
    return {
        "train": (images[:cut], labels[:cut]),
        "validation": (images[cut:], labels[cut:]),
        "test": data["test"],
    }


def _handwriting_pool(images: np.ndarray, labels: np.ndarray) -> Pool:
    return Pool(images[:, None], labels)


def _photo_pool(images: np.ndarray, labels: np.ndarray) -> Pool:
    return Pool(np.ascontiguousarray(images.transpose(0, 3, 1, 2)), labels)


def _rendered(folder: Path, workers: int) -> dict[Split, tuple[np.ndarray, np.ndarray]]:
    """House numbers of every split, rendered the first time and read from `folder` later."""
    # Imported here: reading SVHN needs neither the renderer nor its fonts.
    from mmvae_core.data.digits import house_numbers as renderer

    version = getattr(renderer, "VERSION", 1)
    rendered: dict[Split, tuple[np.ndarray, np.ndarray]] = {}
    for split, (count, seed) in RENDERED.items():
        stem = f"v{version}_seed{seed}_{count}"
        paths = folder / f"{stem}_images.npy", folder / f"{stem}_labels.npy"
        if not all(path.is_file() for path in paths):
            drawn = renderer.house_numbers(count, seed, workers=workers)
            for path, array in zip(paths, drawn, strict=True):
                _write_npy(path, array)
        images = _read_npy(paths[0], (count, 32, 32, 3), np.uint8)
        labels = _read_npy(paths[1], (count,), np.int64)
        rendered[split] = images, check_labels(labels, images, paths[1])
    return rendered


def _write_npy(path: Path, array: np.ndarray) -> None:
    """Write beside the target and rename, so that no reader ever meets half a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as unfinished:
            part = Path(unfinished) / path.name
            np.save(part, array, allow_pickle=False)
            part.replace(path)
    except OSError as error:
        raise DataError(
            f"{path} could not be written ({error}), expected a folder with space to keep the "
            "rendered photos; pass another `cache` folder."
        ) from error


def _read_npy(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    """Read a cached array after comparing its header; nothing is unpickled. Raises DataError."""
    try:
        mapped = np.lib.format.open_memmap(path, mode="r")
    except (OSError, EOFError, ValueError, OverflowError) as error:
        raise DataError(
            f"{path} could not be read ({error}); delete it, and it will be rendered again."
        ) from error
    if mapped.shape != shape or mapped.dtype != dtype:
        raise DataError(
            f"{path} holds {mapped.dtype} {mapped.shape}, expected {np.dtype(dtype)} {shape}; "
            "delete it, and it will be rendered again."
        )
    return np.array(mapped)
