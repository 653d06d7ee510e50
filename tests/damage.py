"""Ways to damage each file of a run and of a study, so that both core and pages can be asked."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Damage = Callable[[Path], None]
FIELDS: Mapping[str, tuple[str, ...]] = {
    "card.json": ("parameters",),
    "report.json": ("rate", "nothing", "mean"),
    "priors.json": ("components",),
    "study.json": ("title",),
    "judge/card.json": ("*", "shape"),
}
"""A field of each JSON file, by its place; `*` is the first judge."""
ARRAYS = {
    "latents.npz": "rate",
    "samples.npz": "*",
    "truth.npz": "latents",
    "opening.npz": "rate",
}
"""An array of numbers in each npz file; `*` is the first modality."""
CELL = "validation_bound"
"""A column of history.csv."""
OF_A_RUN = ("card.json", "report.json", "priors.json", "latents.npz", "history.csv")


def missing(path: Path) -> None:
    """No such file."""
    path.unlink()


def truncated(path: Path) -> None:
    """The first half alone."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def empty(path: Path) -> None:
    """No byte."""
    path.write_bytes(b"")


def of_another_kind(path: Path) -> None:
    """A list, whatever was expected."""
    path.write_text("[1]\n")


def field_is(value: Any) -> Damage:
    """The field of a JSON file has another value."""

    def damage(path: Path) -> None:
        data, inner, name = _opened(path)
        inner[name] = value
        path.write_text(json.dumps(data))

    return damage


def field_is_missing(path: Path) -> None:
    """The field of a JSON file is not there."""
    data, inner, name = _opened(path)
    del inner[name]
    path.write_text(json.dumps(data))


def newer(path: Path) -> None:
    """A form that is yet to come."""
    data = json.loads(path.read_text())
    (next(iter(data.values())) if name_of(path) == "judge/card.json" else data)["format"] = 2
    path.write_text(json.dumps(data))


def array_becomes(change: Callable[[np.ndarray], Any], name: str = "") -> Damage:
    """An array of an npz file is changed; None leaves it out."""

    def damage(path: Path) -> None:
        with np.load(path) as file:
            arrays = dict(file)
        key = name or ARRAYS[path.name].replace("*", next(one for one in arrays if one != "labels"))
        changed = change(arrays.pop(key))
        np.savez(path, **arrays, **({} if changed is None else {key: changed}))

    return damage


def cell_is(text: str) -> Damage:
    """The first row of history.csv has other text in one column."""

    def damage(path: Path) -> None:
        head, first, *rest = path.read_text().splitlines()
        cells = first.split(",")
        cells[head.split(",").index(CELL)] = text
        path.write_text("\n".join([head, ",".join(cells), *rest]) + "\n")

    return damage


def column_is_missing(path: Path) -> None:
    """history.csv lacks a column."""
    lines = [line.split(",") for line in path.read_text().splitlines()]
    place = lines[0].index(CELL)
    path.write_text("\n".join(",".join(one[:place] + one[place + 1 :]) for one in lines) + "\n")


def _opened(path: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    """A JSON file's data, the part of it that has the field, and the field's name."""
    *above, name = FIELDS[name_of(path)]
    data = inner = json.loads(path.read_text())
    for key in above:
        inner = inner[next(iter(inner)) if key == "*" else key]
    return data, inner, name


def name_of(path: Path) -> str:
    """A file as FIELDS calls it."""
    return "judge/card.json" if path.parent.name == "judge" else path.name


WHOLE: Mapping[str, Damage] = {
    "missing": missing,
    "truncated": truncated,
    "empty": empty,
    "of another kind": of_another_kind,
}
"""Of any file."""
IN_JSON: Mapping[str, Damage] = {
    "wrong type": field_is({"a": "many"}),
    "missing field": field_is_missing,
    "NaN": field_is(float("nan")),
    "infinity": field_is(float("inf")),
    "newer format": newer,
}
IN_ARRAYS: Mapping[str, Damage] = {
    "wrong type": array_becomes(lambda values: values.astype(str)),
    "objects": array_becomes(lambda values: values.astype(object)),
    "wrong shape": array_becomes(lambda values: values[..., None]),
    "no shape": array_becomes(lambda values: values.flat[0]),
    "one row less": array_becomes(lambda values: values[1:]),
    "missing array": array_becomes(lambda values: None),
    "NaN": array_becomes(lambda values: values * np.nan),
    "infinity": array_becomes(lambda values: values + np.inf),
}
IN_HISTORY: Mapping[str, Damage] = {
    "wrong type": cell_is("many"),
    "NaN": cell_is("nan"),
    "infinity": cell_is("-inf"),
    "nothing": cell_is(""),
    "one value more": cell_is("1.0,2.0"),
    "missing column": column_is_missing,
}


def kinds_of(name: str) -> Mapping[str, Damage]:
    """All damages of a file."""
    if name in FIELDS:
        return {**WHOLE, **IN_JSON}
    return {**WHOLE, **(IN_ARRAYS if name in ARRAYS else IN_HISTORY)}


FILES = (*FIELDS, *ARRAYS, "history.csv")
CASES = [(name, kind) for name in FILES for kind in kinds_of(name)]
"""Each file with each kind of damage."""
