"""Records in and out of JSON files.

What does not fit its record is one sentence that names the file, the field, what was found, what
was expected and what to do. What could not be read back is not written.
"""

import re
import reprlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from mmvae_core.errors import RunError
from mmvae_core.files import read_json, write_json
from mmvae_core.store.records import FORMAT, Record, Versioned

EMPTY_IS_NONE = ("joint_coherence", "conflict")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
LACKS = "Object missing required field "
UNFIT = (msgspec.ValidationError, UnicodeError, OverflowError)
"""What msgspec raises: also of half a character and of a number that no float is near."""
PLAIN = {
    "float": "a number",
    "int": "a whole number",
    "str": "a text",
    "array": "a list",
    "bool": "true or false",
    "object": "an object",
}
"""What msgspec calls types, and what they are called here."""
Named = TypeVar("Named", bound=Record)


def read_record(path: Path, kind: type[Named], remedy: str) -> Named:
    """A file's record; RunError in one sentence, which ends in `remedy`, if it is damaged."""
    return as_record(read_json(path, remedy), kind, str(path), remedy)


def read_records(path: Path, kind: type[Named], remedy: str) -> dict[str, Named]:
    """The records of a file that has one for each of several modalities."""
    table = read_json(path, remedy)
    wrong = [name for name in table if not NAME.fullmatch(name)]
    if wrong:
        raise RunError(
            f"{path} holds {shortened(wrong[0])} as a name, expected that of a modality; {remedy}."
        )
    return {name: as_record(one, kind, str(path), remedy, name) for name, one in table.items()}


def as_record(data: Any, kind: type[Named], source: str, remedy: str, place: str = "") -> Named:
    """The record of what a file holds at a place; parts that say nothing, {}, are None there."""
    if isinstance(data, dict):
        check_format(data, source, remedy)
        data = _without_empty(data)
    try:
        return msgspec.convert(data, kind)
    except UNFIT:
        raise RunError(f"{source} {_misfit(data, kind, place)}; {remedy}.") from None


def as_json(record: Record) -> dict[str, Any]:
    """A record as plain numbers, strings, lists and dicts; `format` comes first."""
    data = msgspec.to_builtins(record)
    return {"format": record.format} | data if isinstance(record, Versioned) else data


def write_record(path: Path, record: Record) -> None:
    """Write a record, atomically; RunError, and no file, if it could not be read back."""
    check_record(record, str(path))
    write_json(path, as_json(record))


def write_records(path: Path, records: Mapping[str, Record]) -> None:
    """Write a file of several records, as `read_records` reads it."""
    for name, record in records.items():
        check_record(record, f"{path}, {name}")
    write_json(path, {name: as_json(record) for name, record in records.items()})


def check_record(record: Record, source: str, remedy: str = "nothing was written") -> None:
    """RunError if a record could not be read back: records are not checked when they are made."""
    as_record(as_json(record), type(record), source, remedy)


def check_format(data: dict[str, Any], source: str, remedy: str) -> None:
    """RunError for a file of a form that is not known here."""
    number = data.get("format", FORMAT)
    if type(number) is not int or number != FORMAT:
        raise RunError(
            f"{source} holds {shortened(number)} as format, expected {FORMAT}; open it with the "
            f"version that wrote it, or {remedy}."
        )


def shortened(value: Any) -> str:
    """A value as an error shows it."""
    return ascii(value) if isinstance(value, str) and len(value) < 40 else reprlib.repr(value)


def plain(name: str) -> str:
    """A name from a file as an error shows it: as it is, if it can be printed."""
    return name if name.isprintable() else ascii(name)


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    """The same without parts that reports of an earlier version left empty, of studies unjudged."""
    kept = {key: value for key, value in data.items() if key not in EMPTY_IS_NONE or value != {}}
    if isinstance(priors := kept.get("fitted_priors"), dict):
        kept["fitted_priors"] = {
            name: {k: v for k, v in one.items() if k not in EMPTY_IS_NONE or v != {}}
            if isinstance(one, dict)
            else one
            for name, one in priors.items()
        }
    return kept


def _misfit(value: Any, kind: Any, place: str) -> str:
    """Which part of a value does not fit its type: where, what is there, what was expected."""
    for name, part, wanted in _parts(value, kind):
        try:
            msgspec.convert(part, wanted)
        except UNFIT:
            return _misfit(part, wanted, f"{place}.{plain(name)}" if place else plain(name))
    said = _complaint(value, kind)
    if said.startswith(LACKS):
        return f"lacks {f'{place}.' if place else ''}{said.removeprefix(LACKS)}"
    return f"holds {shortened(value)}{f' as {place}' if place else ''}, {said}"


def _complaint(value: Any, kind: Any) -> str:
    """What a value should have been."""
    kind, or_nothing = _certain(kind)
    if get_origin(kind) is Literal:
        return f"expected one of {', '.join(get_args(kind))}"
    described = [one.description for one in get_args(kind)[1:] if isinstance(one, Meta)]
    if described:
        return f"expected {described[0]}{or_nothing}"
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        said = str(error).partition(" - at `")[0].partition(", got ")[0].replace("`", "")
        for word, plain in PLAIN.items():
            said = said.replace(f"Expected {word}", f"expected {plain}")
        return said + ("" if said.startswith(LACKS) else or_nothing)
    except (UnicodeError, OverflowError):
        pass
    return "expected plain text and numbers"


def _certain(kind: Any) -> tuple[Any, str]:
    """A type without the None that stands for nothing, and how that is said."""
    if get_origin(kind) in (Union, UnionType):
        return get_args(kind)[0], " or null"
    return kind, ""


def _parts(value: Any, kind: Any) -> Iterator[tuple[str, Any, Any]]:
    """What a value is made of by its type: the parts' names, the parts, their types."""
    kind, _ = _certain(kind)
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Record) and isinstance(value, dict):
        fields = msgspec.structs.fields(kind)
        yield from ((one.name, value[one.name], one.type) for one in fields if one.name in value)
    elif get_origin(kind) is dict and isinstance(value, dict):
        yield from ((str(name), part, get_args(kind)[1]) for name, part in value.items())
    elif get_origin(kind) is tuple and isinstance(value, list | tuple):
        yield from ((str(index), part, get_args(kind)[0]) for index, part in enumerate(value))
