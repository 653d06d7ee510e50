"""Make a study of people's own data: its test items, what they are called, configurations to train."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from msgspec.structs import replace

from mmvae_core.data.own.check import Finding, list_findings
from mmvae_core.data.own.guess import guess
from mmvae_core.data.own.items import Items, coded, is_number, read_items, split
from mmvae_core.data.own.own_source import data_folder
from mmvae_core.data.own.spec import FILE, StudySpec, read_spec, to_toml
from mmvae_core.errors import DataError, UsageError
from mmvae_core.files import write_lines
from mmvae_core.store.held import SAMPLES
from mmvae_core.store.opening import write_about
from mmvae_core.store.record_files import as_record
from mmvae_core.store.records import About
from mmvae_core.store.samples import Samples, write_samples
from mmvae_core.store.study import Study

AGGREGATORS = ("poe", "moe", "sum_pooling", "self_attention")
"""What `configs/` of a new study has one of each of."""
STEPS, LARGEST_BATCH = 4_000, 128
LATENT = 12


def new_study(folder: Path, files: Sequence[Path]) -> tuple[Study, list[Finding]]:
    """Look at files, write study.toml, and make the study; UsageError if there is one already."""
    if (folder / FILE).exists():
        raise UsageError(
            f"{folder / FILE} is there already; edit it and `python -m mmvae_core study make "
            f"{folder}`, or delete it."
        )
    missing = [one for one in files if not one.exists()]
    if missing or not files:
        raise UsageError(f"There is no {missing[0] if missing else '--from FILE'}; name files.")
    spec, comments = guess(files, folder.resolve().name)
    spec = replace(spec, join=_join(spec))
    write_lines(folder / FILE, to_toml(spec, comments).splitlines())
    return make_study(folder)


def _join(spec: StudySpec) -> Literal["intersection", "union"]:
    """The union where fewer than half of the items are in all files."""
    place, counts = Path(spec.data), []
    for join in ("intersection", "union"):
        try:
            counts.append(len(read_items(replace(spec, join=join), place)))
        except DataError:
            counts.append(0)
    return "union" if 2 * counts[0] < counts[1] else "intersection"


def check_study(folder: Path, data: Path | None = None) -> list[Finding]:
    """What is to say of a study's data, errors first."""
    spec = read_spec(folder)
    return list_findings(spec, read_items(spec, data_folder(spec, folder, data)))


def make_study(folder: Path, data: Path | None = None) -> tuple[Study, list[Finding]]:
    """Write study.json, samples.npz and configs/ from study.toml; DataError if something is wrong."""
    spec = read_spec(folder)
    items = read_items(spec, data_folder(spec, folder, data))
    findings = list_findings(spec, items)
    if wrong := [one for one in findings if one.error]:
        raise DataError(f"{folder / FILE}, {wrong[0].where}: {wrong[0].said}")
    train, _, test = split(spec, items)
    about = {
        "title": spec.title,
        "sources": spec.sources,
        "content": items.content,
        "categories": {one.name: one.answers for one in spec.modality if one.answers},
        **_names(items),
    }
    record = as_record(about, About, str(folder / "study.json"), "mend study.toml")
    write_samples(folder / SAMPLES, _samples(items, train, test))
    write_about(Study(folder), record)
    _write_configs(folder, items, len(train))
    return Study(folder), findings


def _names(items: Items) -> dict[str, object]:
    """Names of the classes and of the further annotations' values."""
    named = {name: () if is_number(one) else coded(one)[1] for name, one in items.notes.items()}
    return {"classes": next(iter(named.values()), ()), "notes": named}


def _samples(items: Items, train: np.ndarray, test: np.ndarray) -> Samples:
    data, units = {}, {}
    for name, kind in items.kinds.items():
        values, has = items.data[name][test], items.observed[name][test]
        blank = np.where(has.reshape(-1, *[1] * (values.ndim - 1)), values, 0).astype(values.dtype)
        data[name] = kind.stored(kind.plain(blank))
        if kind.modality.likelihood.standardise:
            units[name] = _units(items.data[name][train])
    notes = {
        name: one[test].astype(np.float64) if is_number(one) else coded(one)[0][test]
        for name, one in items.notes.items()
    }
    first = next(iter(notes), None)
    labels = np.full(len(test), -1)
    if first is not None and notes[first].dtype.kind != "f":
        labels = notes[first]
    return Samples(
        data,
        labels,
        {name: has[test] for name, has in items.observed.items()},
        tuple(items.ids[row].replace("\n", " ")[:200] for row in test),
        notes,
        units,
    )


def _units(values: np.ndarray) -> np.ndarray:
    """Mean and standard deviation [2, ...] of training values, 0 and 1 where none is known."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(0), 1)
    numbers = np.where(known, values, 0).astype(np.float64)
    mean = numbers.sum(0) / count
    spread = np.sqrt((np.where(known, numbers - mean, 0) ** 2).sum(0) / count)
    return np.stack([mean, np.where(spread > 1e-6, spread, 1.0)]).astype(np.float32)


def _write_configs(folder: Path, items: Items, train: int) -> None:
    """configs/base.toml with modalities and data, and one configuration for each aggregator."""
    batch = int(2 ** np.clip(np.floor(np.log2(max(train / 8, 1))), 3, np.log2(LARGEST_BATCH)))
    epochs = int(np.clip(STEPS / math.ceil(train / batch), 20, 400))
    base = [
        "# Written by `mmvae study make`, which writes it again: change study.toml, or the files",
        "# that extend this one.",
        f'study = "{_study_name(folder)}"',
        f"latent = {LATENT}",
        "features = 64",
        'start = "fan_in"',
        "feature_norm = true",
        "",
        "[data]",
        'name = "own"',
        f"folder = {_quoted(folder)}",
        "",
        "[objective]",
        'name = "masked"',
        f"warmup_epochs = {max(1, epochs // 10)}",
        "",
        "[training]",
        f"epochs = {epochs}",
        f"batch = {batch}",
        "learning_rate = 1e-3",
    ]
    for kind in items.kinds.values():
        one, likelihood = kind.modality, kind.modality.likelihood
        switches = ("learn_scale", "per_entry", "standardise", "library")
        more = "".join(f", {key} = true" for key in switches if getattr(likelihood, key))
        base += [
            "",
            "[[modalities]]",
            f'name = "{one.name}"',
            f"shape = {list(one.shape)}",
            f'network = "{one.network}"',
            f"width = {one.width}",
            f'likelihood = {{ name = "{likelihood.name}", scale = {likelihood.scale}{more} }}',
        ]
    place = folder / "configs"
    write_lines(place / "base.toml", base)
    for name in AGGREGATORS:
        path = place / f"{name}-masked.toml"
        if not path.exists():
            width = [] if name in ("poe", "moe") else ["width = 64"]
            write_lines(
                path, ['extends = "base.toml"', "", "[aggregator]", f'name = "{name}"', *width]
            )


def _study_name(folder: Path) -> str:
    plain = "".join(
        one if one.isascii() and one.isalnum() else "-" for one in folder.resolve().name
    )
    return plain.strip("-")[:64] or "study"


def _quoted(folder: Path) -> str:
    """The folder as a configuration names it: below the present one, else whole."""
    whole, here = folder.resolve(), Path.cwd().resolve()
    named = whole.relative_to(here) if whole.is_relative_to(here) else whole
    return '"' + str(named).replace("\\", "\\\\").replace('"', '\\"') + '"'
