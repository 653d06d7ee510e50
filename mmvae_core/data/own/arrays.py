"""One modality or annotation of people's own data, read from its file: values by item."""

import warnings
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from mmvae_core import npz
from mmvae_core.data.own.spec import Note, View
from mmvae_core.data.own.tables import Table, read_table
from mmvae_core.errors import DataError, RunError, one_line
from mmvae_core.files import check_file
from mmvae_core.npz import MAX_ARRAY_BYTES

PICTURES = (".png", ".jpg", ".jpeg")
MAX_PIXELS = 16_000_000


@dataclass(frozen=True)
class Column:
    """Values [item, ...], NaN, -1 or None where missing, and the items' names if the file has any."""

    values: np.ndarray
    ids: tuple[str, ...] | None


def read_view(view: View, folder: Path) -> Column:
    """A modality's values: pictures as bytes, categories as codes, all else as numbers with NaN."""
    path = folder / view.file
    if path.is_dir():
        return _pictures(view, path)
    if path.suffix in (".npz", ".npy"):
        return _array(view, array_of(path, view.array))
    table = cached_table(str(path), _age(path))
    names = columns_of(view, table)
    if view.kind == "categories":
        codes = np.stack([_codes(view, table.columns[name]) for name in names], 1)
        return Column(codes, ids_of(table, view.id, path))
    wrong = [name for name in names if table.columns[name].dtype.kind != "f"]
    if wrong:
        raise DataError(
            f"{path} holds text in the column {wrong[0]!r} ({_example(table.columns[wrong[0]])!r}), "
            "expected numbers; add it to leave_out, or make it a note."
        )
    values = np.stack([table.columns[name] for name in names], 1).astype(np.float32)
    if view.kind in ("grey", "colour"):
        values = _pixels_of(view, values)
    return Column(values, ids_of(table, view.id, path))


def read_note(note: Note, folder: Path) -> Column:
    """An annotation: texts with None, or numbers with NaN."""
    path = folder / note.file
    if path.suffix in (".npz", ".npy"):
        values = array_of(path, note.array)
        if values.ndim == 2:  # one-hot
            values = np.where(values.any(1), values.argmax(1), -1)
        return Column(as_note(values), None)
    table = cached_table(str(path), _age(path))
    if note.column not in table.columns:
        raise DataError(f"{path} has no column {note.column!r}; it has {_some(table.columns)}.")
    return Column(table.columns[note.column], ids_of(table, note.id, path))


def columns_of(view: View, table: Table) -> list[str]:
    """The columns that make a modality."""
    given = view.columns or tuple(
        name for name in table.columns if name not in (*view.leave_out, view.id)
    )
    unknown = [name for name in (*view.columns, *view.leave_out) if name not in table.columns]
    if unknown:
        raise DataError(
            f"{view.file} has no column {unknown[0]!r}, which {view.name} names; it has "
            f"{_some(table.columns)}."
        )
    if not given:
        raise DataError(f"Nothing is left of {view.file} for {view.name}; mend leave_out.")
    return list(given)


def ids_of(table: Table, column: str, path: Path) -> tuple[str, ...] | None:
    """The items' names: those of a column, else the rows' own, if there are any."""
    if not column:
        return table.rows
    if column not in table.columns:
        raise DataError(f"{path} has no column {column!r} of ids; it has {_some(table.columns)}.")
    values = table.columns[column]
    if values.dtype.kind == "f":
        return tuple(f"{one:.10g}" for one in values)
    return tuple("" if one is None else str(one) for one in values)


def array_of(path: Path, name: str) -> np.ndarray:
    """An array of an npz or npy file; never unpickled, its size read before its numbers."""
    _check(path)
    try:
        if path.suffix == ".npy":
            return np.load(path, mmap_mode="r", allow_pickle=False)
        with zipfile.ZipFile(path) as archive:
            known = npz.headers(archive)
            if name not in known:
                raise DataError(f"{path} has no array {name!r}; it has {_some(known)}.")
            size, most = known[name].bytes, npz.most_bytes(path.stat().st_size)
            if size > most:
                raise DataError(
                    f"{path} would take {size:,} bytes as {name}, expected at most {most:,}; split it."
                )
            return npz.read(archive, name)
    except npz.UNREADABLE as error:
        raise DataError(f"{path} cannot be read ({one_line(error)}); save it anew.") from None


def array_names(path: Path) -> list[str]:
    """The arrays of an npz file; of an npy file the one without a name."""
    if path.suffix == ".npy":
        return [""]
    _check(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return list(npz.headers(archive))
    except npz.UNREADABLE as error:
        raise DataError(f"{path} cannot be read ({one_line(error)}); save it anew.") from None


def _check(path: Path) -> None:
    """DataError unless it is a plain file: a pipe or a device may never end."""
    try:
        check_file(path, MAX_ARRAY_BYTES, "name the file, or the folder of the data with --data")
    except RunError as error:
        raise DataError(str(error)) from None


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder by name."""
    return sorted(one for one in folder.iterdir() if one.suffix.lower() in PICTURES)


@lru_cache(maxsize=16)
def cached_table(path: str, age: int) -> Table:
    """A table, read once while its file stays as it is."""
    return read_table(Path(path))


def _age(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def _array(view: View, values: np.ndarray) -> Column:
    if view.kind in ("grey", "colour"):
        channels = 1 if view.kind == "grey" else 3
        said = f"{view.file} holds {view.name}"
        return Column(as_pictures(values, channels, said), None)
    if values.dtype.kind not in "fiub":
        raise DataError(f"{view.file} holds {view.name} as {values.dtype}, expected numbers.")
    if view.kind == "categories":
        codes = np.asarray(values, np.float64)
        return Column(
            np.where(np.isnan(codes), -1, codes).astype(np.int64).reshape(len(codes), -1), None
        )
    return Column(np.asarray(values, np.float32).reshape(len(values), -1), None)


def _pixels_of(view: View, values: np.ndarray) -> np.ndarray:
    """A table of grey pixels, a row a picture, as bytes [n, 1, height, width]."""
    height, width = view.size or (0, 0)
    fits = view.kind == "grey" and height * width == values.shape[1]
    if not fits or not ((values >= 0) & (values <= view.top)).all():
        raise DataError(
            f"{view.file} holds {values.shape[1]} numbers a row from {np.nanmin(values):.6g} to "
            f"{np.nanmax(values):.6g}, expected size = [height, width] of as many grey pixels from 0 "
            f"to top = {view.top:g}; mend {view.name}."
        )
    shaped = values.reshape(len(values), 1, height, width)
    return (shaped / view.top * 255).round().astype(np.uint8)


def as_pictures(values: np.ndarray, channels: int, said: str) -> np.ndarray:
    """[n, h, w], [n, c, h, w] or [n, h, w, c], bytes or 0 to 1, as bytes [n, c, h, w].

    DataError, which begins with what is `said` of them.
    """
    values = values[:, None] if values.ndim == 3 else values
    if values.ndim == 4 and values.shape[1] != channels and values.shape[-1] == channels:
        values = values.transpose(0, 3, 1, 2)
    if values.ndim != 4 or values.shape[1] != channels:
        raise DataError(
            f"{said} of shape {list(values.shape)}, expected pictures of "
            f"{channels} channel{'s' * (channels > 1)}; mend `kind`."
        )
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    if values.dtype.kind != "f" or (np.nanmin(values) < 0 or np.nanmax(values) > 1):
        raise DataError(
            f"{said} from {np.nanmin(values):.6g} to {np.nanmax(values):.6g} as {values.dtype}, "
            "expected bytes of 0 to 255 or numbers of 0 to 1; scale them."
        )
    return (np.nan_to_num(np.asarray(values, np.float32)) * 255).round().astype(np.uint8)


def _pictures(view: View, folder: Path) -> Column:
    if view.size is None:
        raise DataError(f"{view.name} is a folder of pictures and needs size = [height, width].")
    files, mode = picture_files(folder), "L" if view.kind == "grey" else "RGB"
    pixels = np.stack([_pixels(path, mode, view.size) for path in files])
    values = pixels[:, None] if mode == "L" else pixels.transpose(0, 3, 1, 2)
    return Column(np.ascontiguousarray(values), tuple(path.stem for path in files))


def _pixels(path: Path, mode: str, size: tuple[int, int]) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG", "JPEG")) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise DataError(f"{path} has over {MAX_PIXELS:,} pixels; save it smaller.")
                image = picture.convert(mode)
                wanted = (size[1], size[0])
                image = (
                    image
                    if image.size == wanted
                    else image.resize(wanted, Image.Resampling.LANCZOS)
                )
                return np.asarray(image, np.uint8)
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombWarning,
        Image.DecompressionBombError,
    ) as error:
        raise DataError(
            f"{path} cannot be read as PNG or JPEG ({one_line(error)}); save it anew."
        ) from None


def _codes(view: View, column: np.ndarray) -> np.ndarray:
    """Codes of answers, -1 where there is none; DataError for an answer that is not named."""
    known = {name: code for code, name in enumerate(view.answers)}
    names = texts(column)
    unknown = sorted({one for one in names if one is not None and one not in known})
    if unknown:
        raise DataError(
            f"{view.file} holds {unknown[0]!r} for {view.name}, expected one of "
            f"{', '.join(view.answers[:10])}; add it to `answers`."
        )
    return np.array([-1 if one is None else known[one] for one in names], np.int64)


def texts(values: np.ndarray) -> list[str | None]:
    """An annotation's values as texts, None where there is none."""
    if values.dtype.kind == "f":
        return [None if np.isnan(one) else f"{one:.10g}" for one in values]
    return [None if one is None else str(one) for one in values]


def as_note(values: np.ndarray) -> np.ndarray:
    """An array as an annotation: numbers with NaN, where negative codes are none, or texts."""
    if values.dtype.kind in "fiub":
        numbers = np.asarray(values, np.float64)
        return np.where((values.dtype.kind == "i") & (numbers < 0), np.nan, numbers)
    return np.array([str(one) or None for one in values], object)


def _example(values: np.ndarray) -> str:
    return str(next((one for one in values if one is not None), ""))[:40]


def _some(names: object) -> str:
    words = [str(one)[:40] for one in names]  # pyright: ignore[reportGeneralTypeIssues]
    return ", ".join(words[:12]) + (" …" if len(words) > 12 else "")
