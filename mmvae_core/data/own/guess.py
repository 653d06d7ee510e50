"""A study.toml suggested from files: what is what, and why, as comments above each part."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mmvae_core.config import LikelihoodConfig
from mmvae_core.data.own.arrays import array_names, array_of, picture_files
from mmvae_core.data.own.spec import KindName, Note, Split, StudySpec, View
from mmvae_core.data.own.tables import ENDINGS, Table, read_table
from mmvae_core.errors import DataError, UsageError

FEW = 200
"""Of fewer items a larger share is kept for validation and for testing."""
MOST_CLASSES = 1_000
LARGEST = 64
"""Pictures are brought to at most so many pixels a side, unless `size` says more."""
ID_NAMES = ("id", "ids", "sample", "name", "barcode", "index", "patient", "subject", "unnamed: 0")
LABEL_NAMES = ("label", "labels", "class", "classes", "target", "y")
BOTH = ".h5ad", ".h5mu"
Comments = dict[str, list[str]]


def guess(files: Sequence[Path], title: str) -> tuple[StudySpec, Comments]:
    """What the files seem to be; UsageError or DataError where nothing can be made of one."""
    base = Path(os.path.commonpath([one.resolve().parent for one in files]))
    views, notes, comments = [], [], {}
    tables: dict[str, Table] = {}
    for path in files:
        file = str(path.resolve().relative_to(base))
        if path.is_dir():
            views.append(_folder(path, file, comments))
        elif path.suffix in (".npz", ".npy"):
            _arrays(path, file, views, notes, comments)
        elif path.suffix in BOTH:
            raise UsageError(
                f"{path} is {path.suffix}; write its matrices as CSV or parquet, for instance with "
                "`adata.to_df().to_parquet(FILE)`, and name those."
            )
        elif path.name.lower().removesuffix(".gz").endswith(ENDINGS):
            tables[file] = read_table(path)
        else:
            raise UsageError(
                f"{path} is none of a folder of pictures, .npz, .npy, .csv, .tsv, .parquet; save it "
                "as one of these."
            )
    shared = _shared_label(tables)
    for file, table in tables.items():
        _table(file, table, shared, views, notes, comments)
    if shared:
        file = next(iter(tables))
        column = list(tables[file].columns)[-1]
        notes.insert(0, Note(name="class", file=file, column=column, id=_id(tables[file])))
        comments["class"] = ["The last column of every file has the same values: the class."]
    if not views:
        raise DataError("No file holds numbers or pictures of which a modality could be made.")
    count = _count(base, views[0])
    named = _renamed(views)
    comments |= {
        new.name: comments.get(old.name, []) for new, old in zip(named, views, strict=True)
    }
    spec = StudySpec(
        title=title,
        data=str(base),
        split=_split(count),
        modality=tuple(named),
        note=tuple(notes),
    )
    return spec, comments


def _split(count: int) -> Split:
    return Split(train=0.5, validation=0.2) if count < FEW else Split()


def _count(base: Path, view: View) -> int:
    from mmvae_core.data.own.arrays import read_view

    return len(read_view(view, base).values)


def _table(
    file: str,
    table: Table,
    shared: bool,
    views: list[View],
    notes: list[Note],
    comments: Comments,
) -> None:
    name, own = _name(file), _id(table)
    texts = [one for one in table.texts() if one != own]
    labels = [one for one in table.numbers() if one.lower() in LABEL_NAMES]
    labels += list(table.columns)[-1:] if shared else []
    for one in texts:
        known = [cell for cell in table.columns[one] if cell is not None]
        if len(set(known)) > MOST_CLASSES:
            continue
        if _note_name(one, notes) is not None:
            notes.append(Note(name=_note_name(one, notes) or "", file=file, column=one, id=own))
            comments[notes[-1].name] = [
                f"Words in the column {_plain(one)}: {len(set(known))} different ones. To make it a "
                'modality: [[modality]] with kind = "categories".'
            ]
    for one in labels if not shared else []:
        if (called := _note_name(one, notes)) is not None:
            notes.append(Note(name=called, file=file, column=one, id=own))
    numbers = [one for one in table.numbers() if one not in (own, *labels)]
    empty = [one for one in numbers if np.isnan(table.columns[one]).all()]
    numbers = [one for one in numbers if one not in empty]
    if not numbers:
        return
    values = np.stack([table.columns[one] for one in numbers], 1)
    kind, likelihood, why = suggested(values)
    out = [*texts, *labels, *empty]
    comments[name] = [f"{len(values):,} rows of {len(numbers):,} numbers. {why}"]
    if empty:
        comments[name].append(
            f"Left out, as without any number: {', '.join(map(_plain, empty[:5]))}."
        )
    if gaps := int(np.isnan(values).sum()):
        comments[name].append(f"{gaps:,} cells are missing; they count nothing in the likelihood.")
    views.append(
        View(name=name, file=file, kind=kind, likelihood=likelihood, id=own, leave_out=tuple(out))
    )


def suggested(values: np.ndarray) -> tuple[KindName, LikelihoodConfig, str]:
    """Kind, likelihood and why, of numbers [item, column] with NaN where one is missing."""
    known = values[~np.isnan(values)]
    whole = bool((known == np.round(known)).all())
    if whole and set(np.unique(known).tolist()) <= {0.0, 1.0}:
        return "binary", LikelihoodConfig(name="bernoulli"), "All are 0 or 1: binary."
    if whole and known.min() >= 0 and (known == 0).mean() > 0.1:
        likelihood = LikelihoodConfig(name="negative_binomial", learn_scale=True, library=True)
        return (
            "counts",
            likelihood,
            "All are whole numbers from 0, many of them 0: counts, as shares of each row's total. "
            "If they are codes or measurements, take kind vector and likelihood normal as below.",
        )
    low, high = f"{known.min():.4g}", f"{known.max():.4g}"
    likelihood = LikelihoodConfig(
        name="normal", scale=0.5, learn_scale=True, per_entry=True, standardise=True
    )
    return (
        "vector",
        likelihood,
        f"From {low} to {high}: a vector. With standardise it counts in each column's standard "
        "deviations; pictures, CSV and nats stay in your units.",
    )


def _folder(path: Path, file: str, comments: Comments) -> View:
    files = picture_files(path)
    if not files:
        raise DataError(f"The folder {path} holds no PNG or JPEG; name a folder of pictures.")
    name, sizes, colour = _name(file), set(), False
    for one in files[:200]:
        try:
            with Image.open(one, formats=("PNG", "JPEG")) as picture:
                sizes.add((picture.height, picture.width))
                colour = colour or picture.mode not in ("L", "1", "I", "F", "I;16", "LA")
        except (OSError, ValueError, SyntaxError):
            raise DataError(
                f"{one} is no readable PNG or JPEG; take it out of the folder."
            ) from None
    height, width = max(sizes)
    scale = min(1.0, LARGEST / max(height, width))
    high, wide = (max(4, 4 * round(side * scale / 4)) for side in (height, width))
    comments[name] = [
        f"{len(files):,} pictures, joined by file name. Seen sizes: "
        f"{', '.join(f'{a} x {b}' for a, b in sorted(sizes)[:4])}; all are brought to `size`."
    ]
    likelihood = (
        LikelihoodConfig(name="laplace", scale=0.2)
        if colour
        else LikelihoodConfig(name="bernoulli")
    )
    kind = "colour" if colour else "grey"
    return View(name=name, file=file, kind=kind, likelihood=likelihood, size=(high, wide))


def _arrays(
    path: Path, file: str, views: list[View], notes: list[Note], comments: Comments
) -> None:
    for array in array_names(path):
        values, name = array_of(path, array), _name(array or file)
        if values.ndim == 0 or not len(values):
            continue
        one_hot = values.ndim == 2 and name.lower() in LABEL_NAMES and (values.sum(1) <= 1).all()
        if values.ndim == 1 or one_hot or values.dtype.kind not in "fiub":
            called = _note_name(name, notes)
            if called is not None and values.ndim <= 2:
                notes.append(Note(name=called, file=file, array=array))
            continue
        if values.ndim in (3, 4):
            colour = values.ndim == 4 and 3 in (values.shape[1], values.shape[-1])
            views.append(
                View(
                    name=name,
                    file=file,
                    array=array,
                    kind="colour" if colour else "grey",
                    likelihood=LikelihoodConfig(name="laplace", scale=0.2)
                    if colour
                    else LikelihoodConfig(name="bernoulli"),
                )
            )
            comments[name] = [f"Pictures of shape {list(values.shape)}."]
            continue
        kind, likelihood, why = suggested(np.asarray(values, np.float64))
        views.append(View(name=name, file=file, array=array, kind=kind, likelihood=likelihood))
        comments[name] = [f"{len(values):,} rows of {values.shape[1]:,} numbers. {why}"]


def _id(table: Table) -> str:
    """The column that names the items: unique, and called so, or the first one and of words."""
    for place, (name, values) in enumerate(table.columns.items()):
        unique = len({str(one) for one in values}) == table.count
        is_called = name.lower() in ID_NAMES
        whole = values.dtype.kind != "f" or bool((values == np.round(values)).all())
        if unique and whole and (is_called or (place == 0 and values.dtype.kind != "f")):
            return name
    return ""


def _shared_label(tables: dict[str, Table]) -> bool:
    """Whether the last column of all of several files has the same few whole numbers."""
    if len(tables) < 2:
        return False
    last = [list(one.columns.values())[-1] for one in tables.values()]
    first = last[0]
    if any(one.dtype.kind != "f" or len(one) != len(first) for one in last):
        return False
    few = len(np.unique(first)) <= max(2, len(first) // 10)
    return (
        few
        and all(len(one.columns) > 1 for one in tables.values())
        and all(np.array_equal(one, first) for one in last)
    )


def _name(file: str) -> str:
    """A modality's name from a file's or an array's."""
    stem = Path(file).name.split(".")[0]
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_-")[:40] or "values"
    return (
        plain if plain.lower() not in ("items", "type", "nothing", "labels") else f"{plain}_values"
    )


def _renamed(views: list[View]) -> list[View]:
    """Without what all names begin with, `mfeat-`; else a number for the second of a name."""
    import msgspec

    first, last = min(one.name for one in views), max(one.name for one in views)
    alike = next((at for at, sign in enumerate(first) if last[at : at + 1] != sign), len(first))
    start = first[:alike] if len(views) > 1 else ""
    start = start[: max(start.rfind("-"), start.rfind("_")) + 1]
    shorter = [one.name.removeprefix(start) for one in views]
    fits = all(one and one[0].isalnum() for one in shorter) and len(set(shorter)) == len(shorter)
    names = shorter if fits else [one.name for one in views]
    names = [f"{one}{at}" if names.index(one) != at else one for at, one in enumerate(names)]
    return [msgspec.structs.replace(one, name=name) for one, name in zip(views, names, strict=True)]


def _note_name(column: str, notes: list[Note]) -> str | None:
    """A name for an annotation that no other has."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", column).strip("_-")[:40] or "label"
    return None if any(one.name == plain for one in notes) else plain


def _plain(name: str) -> str:
    return "".join(one for one in name if one.isprintable())[:40]
