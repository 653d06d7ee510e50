"""JSON files, and writing so that no reader ever meets half of a file."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmvae_core.errors import RunError, UsageError, one_line

MAX_JSON_BYTES = 50_000_000


def read_json(path: Path, remedy: str = "make it anew") -> dict[str, Any]:
    """A JSON object; RunError, which ends in `remedy`, if it is missing, too large or damaged."""
    try:
        if (size := path.stat().st_size) > MAX_JSON_BYTES:
            raise RunError(
                f"{path} has {size:,} bytes, expected at most {MAX_JSON_BYTES:,}; {remedy}."
            )
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, error, remedy) from None
    if not isinstance(data, dict):
        raise RunError(f"{path} holds a {type(data).__name__}, expected an object; {remedy}.")
    return data


def unreadable(path: Path, error: BaseException, remedy: str) -> RunError:
    """The error of a file that is missing or of which nothing can be made."""
    if isinstance(error, FileNotFoundError):
        return RunError(f"There is no file {path}; {remedy}.")
    return RunError(f"{path} cannot be read ({one_line(error)}); {remedy}.")


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write an object as readable JSON, atomically."""
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write a text file, atomically; its path."""
    with write_atomically(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; it takes the place of `path` if the block succeeds.

    Raises UsageError where nothing can be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix
        )
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error}); choose another folder.") from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
