"""The fixed test items of a study on disk: samples.npz.

Beside an array for each modality and the labels there may be, under names with a dot, which no
modality has: `observed.NAME` bool [item], which items have the modality (all, if it is not there);
`note.NAME`, a further annotation, codes of its names [item] with -1 where there is none, or numbers
with NaN; `unit.NAME` [2, ...], mean and standard deviation of a vector's training items. `ids` are
the items' names as UTF-8, a line each.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from mmvae_core.errors import RunError
from mmvae_core.store.arrays import Contract, read_arrays, write_arrays
from mmvae_core.store.records import About

ARRAYS = {
    "labels": Contract(("item",), "iu"),
    "ids": Contract(("byte",), "u", optional=True),
}
VALUES = Contract(("item", "..."), "fiub", gaps=True)
UNIT = Contract(("2", "..."), "f")
OBSERVED, NOTE, UNITS = "observed.", "note.", "unit."
LONGEST_ID = 200
NONE: Mapping[str, np.ndarray] = MappingProxyType({})


@dataclass(frozen=True)
class Samples:
    """Test items: arrays [item, ...] per modality and labels [item] in 0..classes-1, -1 for none.

    `observed` bool [item] are of the modalities that some item lacks; what stands in the data there
    means nothing. `ids` are the items' names in the data they come from, or none. `notes` [item]
    are further annotations, `units` [2, ...] see above.
    """

    data: Mapping[str, np.ndarray]
    labels: np.ndarray
    observed: Mapping[str, np.ndarray] = field(default_factory=lambda: NONE)
    ids: tuple[str, ...] = ()
    notes: Mapping[str, np.ndarray] = field(default_factory=lambda: NONE)
    units: Mapping[str, np.ndarray] = field(default_factory=lambda: NONE)

    def __len__(self) -> int:
        return len(self.labels)

    def has(self, name: str) -> np.ndarray:
        """Which items have a modality: bool [item]."""
        return self.observed.get(name, np.ones(len(self), bool))

    def mask(self, names: Iterable[str]) -> np.ndarray:
        """Which of the named modalities each item has: bool [item, modality]."""
        return np.stack([self.has(name) for name in names], -1)

    def item(self, row: int, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """All modalities that one item has, or those of the named ones, as stored."""
        wanted = self.data if names is None else names
        return {
            name: self.data[name][row]
            for name in wanted
            if name in self.data and self.has(name)[row]
        }

    def called(self, row: int) -> str:
        """An item's name in the data, else its number."""
        return self.ids[row] if self.ids else str(row)


def read_samples(path: Path, tell: Callable[[], About], remedy: str) -> Samples:
    """The items of samples.npz, of which study.json may `tell`; RunError if it is damaged."""
    arrays = read_arrays(path, ARRAYS, {}, remedy, others=VALUES, apart={UNITS: UNIT})
    about, labels, ids = tell(), arrays.pop("labels"), arrays.pop("ids", None)
    if not len(labels):
        raise RunError(f"{path} holds no items, expected at least one; {remedy}.")
    classes, low, high = len(about.classes), int(labels.min()), int(labels.max())
    if low < -1 or (classes and high >= classes):
        raise RunError(
            f"{path} holds labels from {low} to {high}, expected "
            f"{f'0 to {classes - 1}' if classes else '0 or more'}; {remedy}."
        )
    return Samples(
        {name: values for name, values in arrays.items() if "." not in name},
        labels,
        _under(OBSERVED, arrays, path, remedy, "b"),
        _ids(path, ids, len(labels), remedy),
        _notes(path, arrays, about, remedy),
        _under(UNITS, arrays, path, remedy, "f"),
    )


def write_samples(path: Path, samples: Samples) -> None:
    """Write them as `read_samples` reads them."""
    lacking = {name: kept for name, kept in samples.observed.items() if not kept.all()}
    arrays = {**samples.data, "labels": samples.labels}
    for start, part in ((OBSERVED, lacking), (NOTE, samples.notes), (UNITS, samples.units)):
        arrays |= {start + name: values for name, values in part.items()}
    if samples.ids:
        arrays["ids"] = np.frombuffer("\n".join(samples.ids).encode(), np.uint8)
    write_arrays(path, arrays)


def _under(
    start: str, arrays: Mapping[str, np.ndarray], path: Path, remedy: str, kinds: str
) -> dict[str, np.ndarray]:
    parts = {
        name.removeprefix(start): values
        for name, values in arrays.items()
        if name.startswith(start)
    }
    for name, values in parts.items():
        if values.dtype.kind not in kinds or (kinds == "b" and values.ndim != 1):
            wanted = "a flag for each item" if kinds == "b" else "numbers"
            raise RunError(
                f"{path} holds {start}{name} as {values.dtype}, expected {wanted}; {remedy}."
            )
    return parts


def _ids(path: Path, ids: np.ndarray | None, count: int, remedy: str) -> tuple[str, ...]:
    if ids is None:
        return ()
    texts = tuple(ids.astype(np.uint8).tobytes().decode(errors="replace").split("\n"))
    if len(texts) != count or any(len(one) > LONGEST_ID for one in texts):
        raise RunError(
            f"{path} holds {len(texts):,} ids, expected {count:,} of at most {LONGEST_ID} "
            f"letters; {remedy}."
        )
    return texts


def _notes(
    path: Path, arrays: Mapping[str, np.ndarray], about: About, remedy: str
) -> dict[str, np.ndarray]:
    """Annotations; codes must be of names that study.json has."""
    notes = _under(NOTE, arrays, path, remedy, "iuf")
    for name, values in notes.items():
        names = about.notes.get(name)
        codes = bool(names)
        fits = names is not None and values.ndim == 1 and (values.dtype.kind == "f") != codes
        if fits and codes:
            fits = int(values.min()) >= -1 and int(values.max()) < len(names or ())
        if not fits:
            raise RunError(
                f"{path} holds {NOTE}{name} as {values.dtype}, expected what study.json tells of "
                f"notes.{name}; {remedy}."
            )
    return notes
