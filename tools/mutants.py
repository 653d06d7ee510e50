"""Plant the faults of tools/mutants.toml one at a time, and tell which the tests notice.

Each would mislead a user. A fault is planted in a copy of the repository, never here; only the
tests that must notice it are run. `make mutants` plants all, `python -m tools.mutants ID ...` some,
and the name of a room all of that room. The exit code is 1 where one survives that is not
explained, and 2 where one does not apply, or its tests fail without it.
"""

import os
import shutil
import signal
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[1]
LIST = HOME / "tools" / "mutants.toml"
COPIED = ("mmvae_core", "ui", "pages", "tests", "configs", ".streamlit", "app.py", "pyproject.toml")
LINKED = ("checkpoints", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff")
LIMIT = 600
"""Seconds that the tests of one fault may take; one that makes them hang is noticed."""
LIBRARIES = ("torch", "scipy.stats", "plotly.graph_objects", "streamlit.testing.v1", "typer")
LIBRARIES += ("sklearn.neighbors", "sklearn.mixture", "lightning_fabric", "PIL.Image", "msgspec")
"""Imported once; each fault's tests then run in a fork, which has nothing of the project yet."""
PASSED, FAILED = 0, 1
"""Exit codes of pytest; each other one means that no test ran."""


@dataclass(frozen=True)
class Mutant:
    """One fault: `old`, which the file holds exactly once, becomes `new`."""

    id: str
    room: str
    file: str
    old: str
    new: str
    why: str
    """What a user would be misled about."""
    tests: tuple[str, ...]
    """Files of tests that must notice it."""
    pick: str = ""
    """Of those the tests that this expression picks, as pytest's -k."""
    explained: str = ""
    """Why it survives, where it does."""

    def applied(self, text: str) -> str:
        """The file's text with the fault."""
        count = text.count(self.old)
        if count != 1:
            raise ValueError(f"{self.id}: {self.file} holds `old` {count} times, expected once.")
        return text.replace(self.old, self.new)


def mutants() -> list[Mutant]:
    """All of the list."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]
    found = [Mutant(**one | {"tests": tuple(one["tests"])}) for one in entries]
    if len({one.id for one in found}) != len(found):
        raise ValueError("Two mutants have the same id.")
    return found


@contextmanager
def copy_of_repository() -> Iterator[Path]:
    """A folder with all that tests need; what is large is linked, and no fault is planted there."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place)
        for name in COPIED:
            if (HOME / name).is_dir():
                shutil.copytree(
                    HOME / name, copy / name, ignore=shutil.ignore_patterns("__pycache__")
                )
            elif (HOME / name).exists():
                shutil.copy(HOME / name, copy / name)
        for name in LINKED:
            if (HOME / name).exists():
                (copy / name).symlink_to(HOME / name)
        yield copy


def tested(copy: Path, tests: Sequence[str], pick: str) -> int:
    """The exit code of pytest on some tests of the copy, stopping at the first that fails."""
    arguments = ["-x", "-q", "-p", "no:cacheprovider", *tests, *(["-k", pick] if pick else [])]
    child = os.fork()
    if not child:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        os.chdir(copy)
        sys.path[0] = str(copy)
        signal.alarm(LIMIT)  # ends the process, which is no exit code of pytest's
        os._exit(pytest.main(arguments))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return FAILED if code == -signal.SIGALRM else code


def planted(one: Mutant, copy: Path) -> int:
    """The exit code of the tests with the fault; the copy is then as before."""
    path = copy / one.file
    before = path.read_text(encoding="utf-8")
    path.write_text(one.applied(before), encoding="utf-8")
    try:
        return tested(copy, one.tests, one.pick)
    finally:
        path.write_text(before, encoding="utf-8")


def main(wanted: Sequence[str]) -> int:
    """Plant those that are wanted, all if none is named, and print what came of each."""
    chosen = [one for one in mutants() if not wanted or {one.id, one.room} & set(wanted)]
    for one in chosen:  # before anything is run
        one.applied((HOME / one.file).read_text(encoding="utf-8"))
    # No bytecode: a file that is changed and put back within a second keeps its size and date.
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    for library in LIBRARIES:
        import_module(library)
    noticed, survivors, broken = 0, [], []
    with copy_of_repository() as copy:
        sound: dict[tuple[Sequence[str], str], bool] = {}
        for one in chosen:
            key = one.tests, one.pick
            sound[key] = sound.get(key) or tested(copy, *key) == PASSED
            code = planted(one, copy) if sound[key] else None
            noticed += code == FAILED
            survivors += [one] if code == PASSED else []
            broken += [one] if code not in (PASSED, FAILED) else []
            said = {PASSED: "SURVIVED", FAILED: "noticed", None: "TESTS FAIL WITHOUT IT"}
            print(
                f"{said.get(code, 'NO TEST RAN'):9} {one.room:14} {one.id}: {one.why}", flush=True
            )
    print(f"{noticed} of {len(chosen)} noticed")
    for one in survivors:
        print(f"survived: {one.id}. {one.explained or 'Not explained.'}")
    return 2 if broken else int(any(not one.explained for one in survivors))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, TypeError, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
