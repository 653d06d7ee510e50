"""study.toml: what the files of a study are, as a record that is checked when it is read."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mmvae_core.config import LikelihoodConfig, Name
from mmvae_core.errors import ConfigError

FILE = "study.toml"
MAX_BYTES = 5_000_000
ROW = "row number"
"""How items without an id are joined: those in the same row belong together."""
Said = Annotated[str, Meta(max_length=1000)]
KindName = Literal["vector", "counts", "binary", "categories", "grey", "colour"]
Share = Annotated[float, Meta(gt=0, lt=1)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base: unknown keys are errors."""


class Split(Part, frozen=True):
    """Shares of the items; the rest is for testing. The seed shuffles them."""

    train: Share = 0.7
    validation: Share = 0.15
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    hide: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """The share of modalities that are hidden at random from training and validation items."""


class View(Part, frozen=True, kw_only=True):
    """One modality: where its values stand and what they are.

    `array` names an array of an npz file. `leave_out` are columns that are no part of it, `id` is
    the one with the items' names. `answers` are the names of categories, `size` is (height, width)
    to which pictures are brought, or in which a table has its pixels.
    """

    name: Name
    file: Said
    kind: KindName
    likelihood: LikelihoodConfig
    array: Said = ""
    id: Said = ""
    columns: tuple[Said, ...] = ()
    leave_out: tuple[Said, ...] = ()
    answers: tuple[Said, ...] = ()
    size: tuple[int, int] | None = None
    top: Annotated[float, Meta(gt=0, le=1e9)] = 255.0
    """What a table of pixels calls white."""
    width: Annotated[int, Meta(ge=1, le=4096)] = 64


class Note(Part, frozen=True, kw_only=True):
    """One annotation: the first is the class that colours and judges."""

    name: Name
    file: Said
    column: Said = ""
    array: Said = ""
    id: Said = ""


class StudySpec(Part, frozen=True, kw_only=True):
    """All of study.toml."""

    title: Said
    data: Said
    join: Literal["intersection", "union"] = "intersection"
    split: Split = Split()
    sources: tuple[Said, ...] = ()
    modality: Annotated[tuple[View, ...], Meta(min_length=1, max_length=16)]
    note: tuple[Note, ...] = ()
    format: Literal[1] = 1


def read_spec(folder: Path) -> StudySpec:
    """The study.toml of a folder; ConfigError in one sentence if it is none."""
    path = folder / FILE
    if not path.is_file():
        raise ConfigError(
            f"There is no {path}; make one with `python -m mmvae_core study new {folder} --from FILE`."
        )
    if path.stat().st_size > MAX_BYTES:
        raise ConfigError(f"{path} is over {MAX_BYTES:,} bytes, too large to be a study.toml.")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        spec = msgspec.convert(table, StudySpec)
    except (ValueError, RecursionError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise ConfigError(f"{path} cannot be read: {said}; mend that line.") from None
    names = [one.name for one in spec.modality]
    if len(set(names)) < len(names):
        raise ConfigError(f"{path} names a modality twice among {', '.join(names)}; rename one.")
    if spec.split.train + spec.split.validation >= 1:
        raise ConfigError(f"{path} leaves nothing for testing; make train and validation smaller.")
    return spec


def to_toml(spec: StudySpec, comments: dict[str, list[str]]) -> str:
    """The file's text; `comments` are lines above a modality's or an annotation's table."""
    split = spec.split
    lines = [
        "# What this study is made of. Edit it, then `mmvae study make` the folder again;",
        "# `mmvae study check` says what is wrong, `mmvae study show` draws some items.",
        "format = 1",
        f"title = {_toml(spec.title)}",
        "# The folder of the files; the data stay there. Another one: --data FOLDER.",
        f"data = {_toml(spec.data)}",
        '# Items that only some files have: "union" keeps them, with modalities missing.',
        f"join = {_toml(spec.join)}",
        "# Said where the study is shown: who made the data, under which licence.",
        f"sources = {_toml(list(spec.sources))}",
        "",
        "[split]",
        f"train = {split.train}",
        f"validation = {split.validation}",
        f"seed = {split.seed}",
        "# Hide so many modalities at random from items that are trained on, 0.5 for half.",
        f"hide = {split.hide}",
    ]
    for word, parts in (("modality", spec.modality), ("note", spec.note)):
        for one in parts:
            lines += ["", *(f"# {said}" for said in comments.get(one.name, [])), f"[[{word}]]"]
            told = msgspec.to_builtins(one)
            lines += [
                f"{key} = {_toml(value)}" for key, value in told.items() if _is_told(key, value)
            ]
    return "\n".join(lines) + "\n"


def _is_told(key: str, value: Any) -> bool:
    return key in ("name", "file", "kind", "likelihood") or value not in ("", [], (), None, 255.0)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = msgspec.json.encode(value).decode()
        return escaped.replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if one not in (False,)}
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in kept.items()) + " }"
    return repr(value)
