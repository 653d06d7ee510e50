"""All items of a study of people's own data: modalities and annotations, joined and split."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmvae_core.config import ModalityConfig
from mmvae_core.data.own.arrays import Column, read_note, read_view, texts
from mmvae_core.data.own.spec import ROW, StudySpec, View
from mmvae_core.errors import DataError
from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.kinds import kind_of

MOST_TEST = 2_000
"""So many test items are shipped with a study; further ones are trained on, which is said."""
MOST_NAMES = 200
"""Numbers of an annotation with more different values than this stay numbers."""


@dataclass(frozen=True)
class Items:
    """Values [item, ...] by modality as their kinds have them plain, what is observed, and names."""

    ids: tuple[str, ...]
    data: dict[str, np.ndarray]
    observed: dict[str, np.ndarray]
    notes: dict[str, np.ndarray]
    kinds: dict[str, Kind]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def content(self) -> str:
        """Twelve digits of the SHA-256 of all ids, values, masks and annotations."""
        digest = hashlib.sha256("\n".join(self.ids).encode())
        for part in (self.data, self.observed):
            for name in sorted(part):
                digest.update(f"{name} {part[name].dtype} {part[name].shape}".encode())
                digest.update(np.ascontiguousarray(part[name]).tobytes())
        for name, values in sorted(self.notes.items()):
            digest.update(f"{name} {texts(values)}".encode())
        return digest.hexdigest()[:12]


def read_items(spec: StudySpec, folder: Path) -> Items:
    """Everything that study.toml names, joined by id; DataError in one sentence."""
    views = {one.name: read_view(one, folder) for one in spec.modality}
    notes = {one.name: read_note(one, folder) for one in spec.note}
    ids = joined(views, notes, spec.join == "union")
    data, observed, kinds = {}, {}, {}
    for one in spec.modality:
        values, has = _placed(views[one.name], ids)
        kinds[one.name] = kind_of(modality_of(one, values), one.answers or None)
        data[one.name], observed[one.name] = values, has & known_at_all(values)
    annotations = {name: _placed(one, ids)[0] for name, one in notes.items()}
    kept = np.any(list(observed.values()), axis=0)
    return Items(
        tuple(one for one, keep in zip(ids, kept, strict=True) if keep),
        {name: values[kept] for name, values in data.items()},
        {name: values[kept] for name, values in observed.items()},
        {name: values[kept] for name, values in annotations.items()},
        kinds,
    )


def modality_of(view: View, values: np.ndarray) -> ModalityConfig:
    """The modality of a configuration, networks by kind."""
    shape = values.shape[1:]
    if view.kind == "categories":
        count = len(view.answers) or int(values.max(initial=0)) + 1
        shape = (values.shape[1], count)
    network = {"categories": "sequence"}.get(view.kind, "mlp")
    if view.kind in ("grey", "colour") and all(side % 4 == 0 and side >= 12 for side in shape[1:]):
        network = "image"
    width = min(view.width, 16) if network == "image" else view.width
    return ModalityConfig(
        name=view.name, shape=shape, likelihood=view.likelihood, network=network, width=width
    )


def joined(views: dict[str, Column], notes: dict[str, Column], union: bool) -> list[str]:
    """The items' ids in order; DataError where they cannot be joined."""
    parts = {**views, **notes}
    named = {name for name, one in parts.items() if one.ids is not None}
    if not named:
        counts = {name: len(one.values) for name, one in parts.items()}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
            raise DataError(
                f"No file names its items, so that they are joined by {ROW}, but the rows differ in "
                f"number: {told}; add a column of ids and name it as `id`."
            )
        return [str(row) for row in range(next(iter(counts.values())))]
    if named != set(parts):
        lacking = next(name for name in parts if name not in named)
        raise DataError(
            f"{lacking} has no ids and {next(iter(named))} has; name its column of ids as `id`."
        )
    for name, one in parts.items():
        twice = [key for key, count in Counter(one.ids).items() if count > 1 or not key]
        if twice:
            raise DataError(
                f"{name} has the id {twice[0]!r} more than once, or empty; mend its ids."
            )
    every = list(dict.fromkeys(key for one in views.values() for key in one.ids or ()))
    sets = [set(one.ids or ()) for one in views.values()]
    ids = every if union else [key for key in every if all(key in one for one in sets)]
    if not ids:
        raise DataError('No item is in all files; mend the ids, or say join = "union".')
    return ids


def known_at_all(values: np.ndarray) -> np.ndarray:
    """Which items have any entry: bool [item]."""
    if values.dtype.kind == "f":
        return ~np.all(np.isnan(values).reshape(len(values), -1), axis=1)
    return np.any((values >= 0).reshape(len(values), -1), axis=1)


def split(spec: StudySpec, items: Items) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows to train on, to validate with and to test on: disjoint, seeded, each class in its share.

    Test items beyond 2,000 are trained on.
    """
    draw, settings = np.random.default_rng(spec.split.seed), spec.split
    order = draw.permutation(len(items))
    first = next(iter(items.notes.values()), None)
    classes = np.zeros(len(items), int) if first is None else coded(first)[0]
    order = order[np.argsort(classes[order], kind="stable")]
    # Along the sorted order every share is taken evenly, so that each class has its own.
    place = (np.arange(len(order)) * 0.6180339887498949 + draw.random()) % 1
    rank = np.empty(len(order))
    rank[np.argsort(place, kind="stable")] = (np.arange(len(order)) + 0.5) / len(order)
    ends = settings.train, settings.train + settings.validation
    train, validation = order[rank < ends[0]], order[(rank >= ends[0]) & (rank < ends[1])]
    test = order[rank >= ends[1]]
    test = test[draw.permutation(len(test))]
    return np.concatenate([train, test[MOST_TEST:]]), validation, test[:MOST_TEST]


def coded(values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """An annotation as codes [item], -1 where there is none, and the names of the values.

    Numbers with more than 200 different values, or that are not whole, have no names: they stay.
    """
    names = texts(values)
    known: Sequence[str] = sorted({one for one in names if one is not None}, key=_order)
    codes = {name: code for code, name in enumerate(known)}
    return np.array([-1 if one is None else codes[one] for one in names], np.int64), tuple(known)


def is_number(values: np.ndarray) -> bool:
    """Whether an annotation is a quantity and no name of a class."""
    if values.dtype.kind != "f":
        return False
    known = values[~np.isnan(values)]
    return bool((known != np.round(known)).any()) or len(np.unique(known)) > MOST_NAMES


def _order(name: str) -> tuple[float, str]:
    try:
        return float(name), name
    except ValueError:
        return float("inf"), name


def _placed(column: Column, ids: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Values in the order of the ids, and which of them are there."""
    if column.ids is None:
        return column.values, np.ones(len(column.values), bool)
    row_of = {key: row for row, key in enumerate(column.ids)}
    rows = np.array([row_of.get(key, -1) for key in ids])
    values, has = column.values[rows], rows >= 0
    blank = {"f": np.nan, "i": -1, "u": 0}.get(values.dtype.kind)
    values = values.copy()
    values[~has] = blank
    return values, has
