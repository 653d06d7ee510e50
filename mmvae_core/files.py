"""JSON files, and writing so that no reader ever meets half of a file."""

import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from mmvae_core.errors import RunError, UsageError, one_line

try:
    import fcntl
except ImportError:  # a system without such locks: two trainings into one folder go unnoticed
    fcntl = None

MAX_JSON_BYTES = 4_000_000
"""Of a JSON file: what is read of one takes up to thirty times as much memory."""
UNFINISHED = ".unfinished-"
"""What names of files begin with that are being written, or were when their writer was killed."""


def read_json(path: Path, remedy: str = "make it anew") -> dict[str, Any]:
    """A JSON object; RunError, which ends in `remedy`, if it is missing, too large or damaged."""
    check_file(path, MAX_JSON_BYTES, remedy)
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, error, remedy) from None
    if not isinstance(data, dict):
        raise RunError(f"{path} holds a {type(data).__name__}, expected an object; {remedy}.")
    return data


def parse_json(text: str) -> Any:
    """What a JSON text holds; ValueError also where an object has a key twice."""
    return json.loads(text, object_pairs_hook=_once)


def check_file(path: Path, most: int, remedy: str) -> None:
    """RunError unless there is a plain file of at most so many bytes.

    A pipe or a device may never end, and is not opened.
    """
    try:
        state = path.stat()
    except (OSError, ValueError) as error:
        raise unreadable(path, error, remedy) from None
    if not stat.S_ISREG(state.st_mode):
        raise unreadable(path, OSError("it is no plain file"), remedy)
    if state.st_size > most:
        raise RunError(f"{path} has {state.st_size:,} bytes, expected at most {most:,}; {remedy}.")


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

    What writers into the same folder left that were killed is deleted first. Raises UsageError
    where nothing can be written, as on a full disk.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if fcntl:
            sweep(path.parent)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f"{UNFINISHED}{path.stem[:64]}-", suffix=path.suffix
        )
    except OSError as error:
        raise _unwritable(path, error) from None
    temporary, file = Path(name), os.fdopen(handle)
    if not fcntl or not take_lock(handle):
        file.close()
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        file.close()


def check_writable(folder: Path | None) -> None:
    """UsageError, before hours of work and not after, where a folder could not be written into."""
    if folder is None:
        return
    _check_name(folder)
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        said = "is a file, expected a folder" if there.is_file() else "cannot be written"
        raise UsageError(f"{there} {said}; choose another folder.")


def check_writable_file(path: Path) -> None:
    """The same of a file."""
    _check_name(path)
    check_writable(path.parent)


def _check_name(path: Path) -> None:
    """UsageError where nothing can be called so."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def sweep(folder: Path) -> None:
    """Delete what writers that were killed have left behind; who still writes holds its file."""
    for path in folder.glob(f"{UNFINISHED}*"):
        with suppress(OSError):
            if path.is_file():  # a pipe would be waited for
                with path.open("a") as file:
                    if take_lock(file.fileno()):
                        path.unlink()


def take_lock(handle: int) -> bool:
    """Whether an open file's lock could be taken; it is held until the file is closed."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unwritable(path: Path, error: Exception) -> UsageError:
    said = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
    return UsageError(f"{path} cannot be written ({said}); make room, or choose another folder.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it holds {twice[:40]!a} twice")
    return table
