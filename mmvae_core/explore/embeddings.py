"""Embeddings of items that were made elsewhere: a study and its runs without any model.

An npz file is a run. It holds `mean.SUBSET` [item, latent] for each subset of the modalities, whose
names are joined by `+` (`mean.image+text`), and may hold `stddev.SUBSET` and `rate.SUBSET` [item],
`labels` [item] of whole numbers, words or one-hot rows, further annotations `note.NAME`, `ids`, and
`values.MODALITY`: pictures [item, height, width(, 3)] as bytes or 0 to 1, or numbers [item, entry].
"""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np

from mmvae_core.config import RunConfig, from_dict, to_dict
from mmvae_core.data.own.arrays import array_names, array_of, as_note, as_pictures, texts
from mmvae_core.data.own.items import coded, is_number
from mmvae_core.errors import DataError, UsageError
from mmvae_core.files import write_json
from mmvae_core.projections import fit_pca, project_umap
from mmvae_core.store.arrays import write_arrays
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import About, Opening
from mmvae_core.store.run import EMBEDDED, EMBEDDINGS
from mmvae_core.store.samples import Samples, write_samples
from mmvae_core.store.study import Study
from mmvae_core.store.weights import file_hash, untrained_card

MEAN, STDDEV, RATE, NOTE, VALUES = "mean.", "stddev.", "rate.", "note.", "values."
NOTHING, JOIN = "nothing", "+"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
MOST_ITEMS, MOST_LATENTS = 50_000, 4_096
AS = "save it as docs/own_data.md tells"


def plain_name(file: str) -> str:
    """What a run is called by its file."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", Path(file).stem).strip("-_")[:64] or "embeddings"


def embed(folder: Path, files: Sequence[Path], umap: bool = True) -> Study:
    """Make a study of one run a file, all of the same items; DataError in one sentence.

    Runs are called as the files are. Without `umap` PCA is their only map, made in a moment. The first file tells labels, ids and values.
    """
    if folder.exists():
        raise UsageError(f"There is a folder {folder} already; delete it, or take another name.")
    embeddings = [_Embedding(file) for file in files]
    if not embeddings:
        raise UsageError("No file of embeddings was named; name npz files.")
    names = [plain_name(one.name) for one in files]
    if len(set(names)) < len(names):
        raise UsageError(f"The runs would be called {', '.join(names)[:200]}; rename the files.")
    for one in embeddings[1:]:
        if (one.count, one.ids) != (embeddings[0].count, embeddings[0].ids):
            raise DataError(
                f"{one.path} is of other items than {embeddings[0].path}: {one.count:,} and "
                f"{embeddings[0].count:,}, or other ids; give files of the same items."
            )
    # All is made before anything is written.
    runs = [(one.placed(umap), one.config(folder.name)) for one in embeddings]
    first, title = embeddings[0], folder.name
    samples, notes = first.samples()
    classes = next((one for one in notes.values() if one), ())
    subset = first.subsets[-1]
    opening = Opening(run=names[0], item=0, mask=tuple(subset))
    write_samples(folder / "samples.npz", samples)
    about = About(
        title=title,
        classes=classes,
        notes=notes,
        samples=file_hash(folder / "samples.npz"),
        opening=opening,
    )
    write_record(folder / "study.json", about)
    for name, (arrays, config) in zip(names, runs, strict=True):
        place = folder / name
        write_arrays(place / EMBEDDINGS, arrays)
        write_json(place / "config.json", to_dict(config))
        write_record(place / "card.json", untrained_card(place / EMBEDDINGS))
    return Study(folder)


class _Embedding:
    """What one file holds, checked."""

    def __init__(self, path: Path) -> None:
        self.path, self.names = path, array_names(path)
        means = [one.removeprefix(MEAN) for one in self.names if one.startswith(MEAN)]
        if not means:
            raise DataError(
                f"{path} holds no mean.SUBSET, expected mean.image, mean.image+text and so on; {AS}."
            )
        parts = {one: [] if one == NOTHING else one.split(JOIN) for one in means}
        self.modalities = list(dict.fromkeys(name for one in parts.values() for name in one))
        wrong = [one for one in self.modalities if not NAME.fullmatch(one) or one == NOTHING]
        wrong += [one for one, names in parts.items() if len(set(names)) < len(names)]
        if wrong or not 1 <= len(self.modalities) <= 16:
            raise DataError(
                f"{path} holds mean.{(wrong or means)[0][:40]!a}, expected the names of 1 to 16 "
                f"modalities of letters, digits, - and _, joined by +; {AS}."
            )
        every = {
            frozenset(one)
            for size in range(len(self.modalities) + 1)
            for one in combinations(self.modalities, size)
        }
        known = {frozenset(names): said for said, names in parts.items()}
        order = sorted(every & known.keys(), key=self._rank)
        self._said = [known[one] for one in order]
        self.subsets = [[name for name in self.modalities if name in one] for one in order]
        self.mean = np.stack([self._floats(MEAN + one) for one in self._said])
        self.count = self.mean.shape[1]
        if not 10 <= self.count <= MOST_ITEMS or not 1 <= self.mean.shape[2] <= MOST_LATENTS:
            raise DataError(
                f"{path} holds means of shape {list(self.mean.shape[1:])}, expected [item, latent] "
                f"of 10 to {MOST_ITEMS:,} items and at most {MOST_LATENTS:,} latents; {AS}."
            )
        ids = self.notes.get("ids")
        self.ids = () if ids is None else tuple(one or "" for one in texts(ids))

    def _rank(self, one: frozenset[str]) -> tuple[int, list[int]]:
        return len(one), sorted(self.modalities.index(name) for name in one)

    def _floats(self, name: str, like: tuple[int, ...] | None = None) -> np.ndarray:
        values = array_of(self.path, name)
        first = getattr(self, "_shape", None) if like is None else like
        fits = values.dtype.kind in "fiu" and (values.ndim == 2 if first is None else True)
        if not fits or (first is not None and values.shape != first):
            raise DataError(
                f"{self.path} holds {name[:60]} of shape {list(values.shape)} as {values.dtype}, "
                f"expected numbers {list(first) if first else '[item, latent]'}; {AS}."
            )
        if like is None:
            self._shape = values.shape
        values = np.asarray(values, np.float32)
        if not np.isfinite(values).all():
            raise DataError(f"{self.path} holds NaN or infinity in {name[:60]}; leave them out.")
        return values

    def placed(self, umap: bool) -> dict[str, np.ndarray]:
        """The arrays of a run, see `Latents`, with coordinates on PCA and, if asked for, UMAP."""
        centre, axes, explained = fit_pca(self.mean[-1].astype(np.float64))
        stddev = [self._of(STDDEV, one, self.mean.shape[1:]) for one in self._said]
        known = all(one is not None for one in stddev)
        width = np.stack(stddev) if known else np.zeros_like(self.mean)  # pyright: ignore
        if known and (width <= 0).any():
            raise DataError(f"{self.path} holds a stddev of 0 or less, expected more; {AS}.")
        rates = [self._of(RATE, one, self.mean.shape[1:2]) for one in self._said]
        rate = np.zeros(self.mean.shape[:2], np.float32)
        if known:
            told = all(one is not None for one in rates)
            rate = np.stack(rates) if told else _from_standard_normal(self.mean, width)  # pyright: ignore
        masks = [[name in one for name in self.modalities] for one in self.subsets]
        arrays = {
            "mean": self.mean,
            "stddev": width,
            "rate": rate,
            "pca": (self.mean - centre) @ axes.T,
        }
        arrays |= {"umap": project_umap(self.mean.astype(np.float64), 0)} if umap else {}
        arrays = {key: value.astype(np.float32) for key, value in arrays.items()}
        return arrays | {
            "masks": np.array(masks, bool).reshape(len(masks), -1),
            "pca_explained": explained.astype(np.float32),
        }

    def _of(self, start: str, subset: str, shape: tuple[int, ...]) -> np.ndarray | None:
        return self._floats(start + subset, shape) if start + subset in self.names else None

    @cached_property
    def notes(self) -> dict[str, np.ndarray]:
        """Labels, ids and annotations [item]."""
        notes = {}
        for name in self.names:
            if name in ("labels", "ids") or name.startswith(NOTE):
                values = array_of(self.path, name)
                values = (
                    np.where(values.any(1), values.argmax(1), -1) if values.ndim == 2 else values
                )
                if (
                    values.ndim != 1
                    or len(values) != self.count
                    or values.dtype.kind not in "fiubSU"
                ):
                    raise DataError(
                        f"{self.path} holds {name[:60]} of shape {list(values.shape)} as "
                        f"{values.dtype}, expected one for each of {self.count:,} items; {AS}."
                    )
                notes[name] = as_note(values)
        return dict(sorted(notes.items(), key=lambda one: one[0] != "labels"))

    @cached_property
    def values(self) -> dict[str, np.ndarray]:
        """What items look like, by modality."""
        stored = {}
        for name in self.modalities:
            if (full := VALUES + name) not in self.names:
                continue
            values = array_of(self.path, full)
            if len(values.shape) not in (2, 3, 4) or len(values) != self.count:
                raise DataError(
                    f"{self.path} holds {full} of shape {list(values.shape)}, expected "
                    f"{self.count:,} pictures or rows of numbers; {AS}."
                )
            if values.ndim == 2:
                stored[name] = self._floats(full, values.shape)
                continue
            colour = values.ndim == 4 and 3 in (values.shape[1], values.shape[-1])
            stored[name] = as_pictures(values, 3 if colour else 1, f"{self.path}, {full}")
        return stored

    def samples(self) -> tuple[Samples, dict[str, tuple[str, ...]]]:
        """Test items, and the names of their annotations' values."""
        notes = {name: one for name, one in self.notes.items() if name != "ids"}
        named = {
            "class" if name == "labels" else name.removeprefix(NOTE): one
            for name, one in notes.items()
        }
        numbers = {name: is_number(one) for name, one in named.items()}
        codes = {name: coded(one) for name, one in named.items() if not numbers[name]}
        told = {name: codes[name][1] if name in codes else () for name in named}
        stored = {name: codes[name][0] if name in codes else one for name, one in named.items()}
        first = next((name for name in told if told[name]), None)
        labels = codes[first][0] if first else np.full(self.count, -1)
        ids = tuple(one.replace("\n", " ")[:200] for one in self.ids)
        samples = Samples(self.values, labels, {}, ids, stored, {})
        return samples, told

    def config(self, study: str) -> RunConfig:
        """The modalities; no network, rule or bound is told of."""
        values, parts = self.values, []
        for name in self.modalities:
            shape = list(values[name].shape[1:]) if name in values else [1]
            likelihood = "bernoulli" if len(shape) == 3 and shape[0] == 1 else "laplace"
            likelihood = "normal" if len(shape) < 3 else likelihood
            parts.append({"name": name, "shape": shape, "likelihood": {"name": likelihood}})
        return from_dict(
            {
                "study": study,
                "latent": self.mean.shape[-1],
                "features": 1,
                "modalities": parts,
                "aggregator": {"name": EMBEDDED},
                "objective": {"name": EMBEDDED},
                "data": {"name": EMBEDDED},
                "training": {"epochs": 1},
            },
            str(self.path),
        )


def _from_standard_normal(mean: np.ndarray, stddev: np.ndarray) -> np.ndarray:
    """KL(N(m, s^2) || N(0, 1)) in nats, summed over latents."""
    wide = stddev.astype(np.float64)
    return ((wide**2 + mean.astype(np.float64) ** 2 - 1) / 2 - np.log(wide)).sum(-1)
