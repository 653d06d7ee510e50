"""Runs, and studies with theirs, in zip files as people send them: checked, then put into a folder.

Names, kinds and sizes of all entries are looked at before one is unpacked; what was unpacked is held
against its own files and its study as any other run is, before it stands where runs are looked for.
"""

import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from mmvae_core import npz
from mmvae_core.errors import DataError, UsageError, one_line
from mmvae_core.files import UNFINISHED, write_atomically
from mmvae_core.store.run import EMBEDDINGS, Run
from mmvae_core.store.study import Study, runs_in

CONFIG, WEIGHTS, STUDY = "config.json", "weights.safetensors", "study.json"
RUN_FILES = (
    CONFIG,
    WEIGHTS,
    EMBEDDINGS,
    "card.json",
    "history.csv",
    "report.json",
    "latents.npz",
    "priors.json",
    "priors.safetensors",
)
STUDY_FILES = (STUDY, "study.toml", "samples.npz", "opening.npz", "truth.npz")
EXPORT = ("manifest.json", "weights.bin")
MOST_ENTRIES, DEEPEST, LONGEST = 10_000, 8, 400
AGAIN = "zip the run's folder anew"


def pack(run: Run, path: Path) -> Path:
    """Write a run's files into a zip that `bring` opens; its path."""
    with write_atomically(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in RUN_FILES:
            if (file := run.folder / name).is_file():
                archive.write(file, f"{run.folder.name}/{name}", zipfile.ZIP_DEFLATED)
    return path


def bring(file: IO[bytes], called: str, runs: Path, studies: Sequence[Path]) -> Run:
    """Unpack a zip of a run, or of a study with its runs, into a folder of `runs`; the first run.

    A run alone needs its study, which is looked for in the folders `studies`. `called` is the zip's
    name. DataError, RunError or UsageError in one sentence, and nothing is kept.
    """
    called = f"{called[:80]!a}"
    try:
        with zipfile.ZipFile(file) as archive:
            entries = _entries(archive, called)
            top, wanted = _wanted(entries, called)
            _check_sizes(wanted.values(), file, called)
            name = _plain(top.name or Path(called.strip("'\"")).stem)
            if (runs / name).exists():
                raise UsageError(
                    f"There is a folder {runs / name} already; delete it, or give the folder in "
                    f"{called} another name."
                )
            return _unpacked(archive, wanted, runs, name, studies)
    except npz.UNREADABLE as error:
        raise DataError(f"{called} cannot be read ({one_line(error)}); {AGAIN}.") from None


def _entries(archive: zipfile.ZipFile, called: str) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """All files by their path; DataError where one is a link, leads outside, or is locked."""
    entries: dict[PurePosixPath, zipfile.ZipInfo] = {}
    every = archive.infolist()
    if len(every) > MOST_ENTRIES:
        raise DataError(
            f"{called} holds {len(every):,} files, expected at most {MOST_ENTRIES:,}; {AGAIN}."
        )
    for entry in every:
        name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
            wrong = "leads outside of it"
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            wrong = "is a link or a device"
        elif len(name) > LONGEST or len(path.parts) > DEEPEST or not name.isprintable():
            wrong = "has a name that is too long, too deep or no text"
        elif entry.flag_bits & 1 or entry.compress_type not in npz.METHODS:
            wrong = "is locked, or packed in an unusual way"
        elif path in entries:
            wrong = "is there twice"
        else:
            if not entry.is_dir():
                entries[path] = entry
            continue
        raise DataError(f"{called} holds {name[:80]!a}, which {wrong}; {AGAIN}.")
    return entries


def _wanted(
    entries: dict[PurePosixPath, zipfile.ZipInfo], called: str
) -> tuple[PurePosixPath, dict[PurePosixPath, zipfile.ZipInfo]]:
    """The folder of the one run or study, and its files by their path below it."""
    runs = sorted(
        path.parent
        for path in entries
        if path.name == CONFIG
        and any(path.with_name(name) in entries for name in (WEIGHTS, EMBEDDINGS))
    )
    study = {path.parent for path in entries if path.name == STUDY}
    if not runs:
        plain = all(any(path.name == name for path in entries) for name in EXPORT)
        what = "plain arrays, which cannot be opened again" if plain else "no run"
        raise DataError(
            f"{called} holds {what}, expected {CONFIG} and {WEIGHTS} as in a run's folder; zip that, "
            "or `python -m mmvae_core export RUN --out FILE.zip`."
        )
    tops = {one.parent if one.parent in study else one for one in runs}
    if len(tops) > 1:
        raise DataError(
            f"{called} holds {len(tops)} runs apart from a study; zip one run, or the folder of a "
            "study with its runs."
        )
    (top,) = tops
    kept = {top: STUDY_FILES if top in study else RUN_FILES}
    kept |= dict.fromkeys(runs, RUN_FILES)
    wanted = {
        path.relative_to(top): entry
        for path, entry in entries.items()
        if path.name in kept.get(path.parent, ())
    }
    return top, wanted


def _check_sizes(entries: Iterable[zipfile.ZipInfo], file: IO[bytes], called: str) -> None:
    """DataError where it would unpack to more than a file of its size may."""
    packed = file.seek(0, 2)
    total = sum(one.file_size for one in entries)
    if total > (most := npz.most_bytes(packed)):
        raise DataError(
            f"{called} would unpack to {total:,} bytes, expected at most {most:,}; {AGAIN}."
        )


def _unpacked(
    archive: zipfile.ZipFile,
    wanted: dict[PurePosixPath, zipfile.ZipInfo],
    runs: Path,
    name: str,
    studies: Sequence[Path],
) -> Run:
    """Unpack beside, check, then move into place."""
    runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runs, prefix=UNFINISHED) as beside:
        place = Path(beside) / name
        for path, entry in wanted.items():
            target = place.joinpath(*(_plain(part) for part in path.parts[:-1]), path.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
        brought = runs_in(place) if (place / STUDY).is_file() else [Run(place)]
        for run in brought:
            check(run, studies)
        place.rename(runs / name)
        return Run(runs / name / brought[0].folder.relative_to(place))


def check(run: Run, studies: Sequence[Path]) -> None:
    """Hold all files of a run against each other and against its study; RunError if one is wrong."""
    named = run.config.study
    places = (run.folder.parent, *(one / named for one in studies))
    folder = next((one for one in places if (one / STUDY).is_file()), None)
    if folder is None:
        raise UsageError(
            f"{run.folder.name} is a run of the study {named}, which is not here; zip the study's "
            "folder, with its study.json, samples.npz and runs."
        )
    study = Study(folder)
    samples = study.samples()
    study.check(samples, run.config)
    study.check_card(run)
    run.check_weights()
    if run.is_measured:
        run.check_samples(folder / "samples.npz")
    if run.is_evaluated:
        run.latents(len(samples))
    if run.has_model:
        run.model()


def _plain(name: str) -> str:
    """A name for a folder: letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:64] or "mine"
