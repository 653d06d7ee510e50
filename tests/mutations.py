"""Ways to alter a file: its bytes, and what JSON, npz, safetensors and tables hold, by a seed."""

import io
import json
import random
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Alter = Callable[[bytes, random.Random], bytes]
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 3, 10**9, 10**18, 10**30, 1e308, float("nan"), float("inf"), 0.5, "",
    "x" * 5_000, "![a](http://b.example/c)", "<img src=http://b.example>", "\ud800", "\x00", "../..",
    "/dev/zero", "nan", [], {}, [[]], [1] * 2_000, {"a": {"b": 1}}, {"format": 2}, "é", -0.0,
    "__class__", "os.system('true')", "=1+1", "\u202eabc", "items", "nothing", "sum_pooling", "flow",
)  # fmt: skip
HEADERS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000000), }",
    "{'descr': '<f4', 'fortran_order': True, 'shape': (-1,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': [('a', '<f4'), ('b', '|O')], 'fortran_order': False, 'shape': (2,), }",
    "{'descr': '<M8[D]', 'fortran_order': False, 'shape': (2,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (True, 2.5), }",
    "{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (2,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': ((((((((((((((((2,),),),),),),),),),),),),),), }",
    "'''", "(", "{" * 500, "\x00" * 40, "é" * 40, "0777777", "{'descr': '<U1000000000'}", "1" * 5_000,
    "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 1000000000000), }", "[" * 90 + "]" * 90,
)  # fmt: skip


def flipped(data: bytes, draw: random.Random) -> bytes:
    """A few bits."""
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 8, 64))):
        if found:
            found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    return bytes(found)


def cut(data: bytes, draw: random.Random) -> bytes:
    """The beginning alone, or all but the beginning."""
    at = draw.randrange(len(data) + 1)
    return draw.choice((data[:at], data[at:]))


def moved(data: bytes, draw: random.Random) -> bytes:
    """A piece is doubled, lost, put elsewhere, or overwritten with one byte."""
    first, second = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    piece, at = data[first:second], draw.randrange(len(data) + 1)
    rest = data[:first] + data[second:]
    blank = draw.choice((b"\x00", b"\xff", b"[", b'"')) * len(piece)
    return draw.choice(
        (data[:second] + data[first:], rest, rest[:at] + piece + rest[at:],
         data[:first] + blank + data[second:])
    )  # fmt: skip


def token(data: bytes, draw: random.Random) -> bytes:
    """A word or a number of a text becomes another."""
    words = data.decode(errors="replace")
    ends = [at for at, sign in enumerate(words) if not (sign.isalnum() or sign in "._-+")]
    starts = [at for at in ends if at + 1 < len(words)] or [0]
    start = draw.choice(starts) + 1
    end = min((at for at in ends if at >= start), default=len(words))
    value = draw.choice(ODD)
    text = value if isinstance(value, str) else json.dumps(value)
    return (words[:start] + text + words[end:]).encode(errors="surrogatepass")


def value(data: bytes, draw: random.Random) -> bytes:
    """A value of a JSON file is another, is gone, or is there under a new name, or twice."""
    found = json.loads(data)
    holders = [one for one in _nodes(found) if isinstance(one, dict | list) and one]
    holder = draw.choice(holders) if holders else found
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key, way = draw.choice(keys), draw.random()
    if way < 0.75:
        holder[key] = draw.choice(ODD)
    elif way < 0.85:
        del holder[key]
    elif way < 0.95 and isinstance(holder, dict):
        holder[str(draw.choice(ODD))[:200]] = holder[key]
    text = json.dumps(found)
    if way >= 0.95 and text.startswith("{") and isinstance(found, dict):
        name = draw.choice(list(found))
        text = f"{{{json.dumps(name)}: {json.dumps(draw.choice(ODD))}, " + text[1:]
    return text.encode()


def deep(data: bytes, draw: random.Random) -> bytes:
    """Brackets within brackets."""
    count = draw.choice((500, 5_000, 100_000))
    return b'{"a": ' + b"[" * count + (b"]" * count + b"}") * draw.randrange(2)


def many(data: bytes, draw: random.Random) -> bytes:
    """As many small things as a file of a few million bytes can hold."""
    piece = draw.choice((b"[],", b"{},", b"1,", b'"",', b"[[]],"))
    return b'{"a": [' + piece * (draw.choice((1_000, 900_000)) // len(piece)) + b"0]}"


def member(data: bytes, draw: random.Random) -> bytes:
    """An array of an npz file has another header, other numbers, or another name."""
    arrays = _members(data)
    name = draw.choice(list(arrays))
    content = arrays[name]
    way = draw.randrange(8)
    if way == 0:
        arrays[name] = _with_header(content, draw.choice(HEADERS))
    elif way == 1:
        arrays[name] = flipped(content[:128], draw) + content[128:]
    elif way == 2:
        arrays[draw.choice(("../../x.npy", "/tmp/x.npy", "a\\b.npy", "x" * 300 + ".npy"))] = content
    elif way == 3:
        del arrays[name]
    elif way == 4:
        arrays[name] = _saved(_other(_loaded(content), draw))
    elif way == 5:
        arrays[name] = cut(content, draw)
    elif way == 6:
        arrays["more.npy"] = arrays[name]
    return _packed(arrays, draw, twice=name if way == 7 else None)


def bomb(data: bytes, draw: random.Random) -> bytes:
    """An array of an npz file is of very many zeros."""
    arrays = _members(data)
    name = draw.choice(list(arrays))
    shape = _loaded(arrays[name]).shape or (1,)
    count = draw.choice((20_000_000, 60_000_000))
    wide = np.zeros((*shape[:-1], max(1, count // max(1, int(np.prod(shape[:-1]))))), np.uint8)
    arrays[draw.choice((name, "more.npy"))] = _saved(wide)
    return _packed(arrays, draw)


def zipped(data: bytes, draw: random.Random) -> bytes:
    """The directory of a zip file tells other sizes, flags or ways of packing."""
    found = bytearray(data)
    places = [
        at for at in range(len(found) - 4) if found[at : at + 4] in (b"PK\x01\x02", b"PK\x03\x04")
    ]
    for _ in range(draw.choice((1, 2, 4))):
        at = draw.choice(places) + draw.choice((6, 8, 10, 18, 20, 22, 24, 26, 28, 42))
        odd = draw.choice((0, 1, 12, 99, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF))
        form = draw.choice(("<H", "<I"))
        piece = struct.pack(form, odd & (0xFFFF if form == "<H" else 0xFFFFFFFF))
        found[at : at + len(piece)] = piece
    return bytes(found)


def tensor(data: bytes, draw: random.Random) -> bytes:
    """The header of a safetensors file tells other shapes, types, places or texts."""
    (length,) = struct.unpack("<Q", data[:8])
    head, body = data[8 : 8 + length], data[8 + length :]
    way = draw.randrange(6)
    if way == 0:
        return struct.pack("<Q", draw.choice((0, 1, 2**31, 2**63, length * 2))) + data[8:]
    if way == 1:
        body = draw.choice((body[: len(body) // 2], body + b"\x00" * 64, b"\xff" * len(body)))
    else:
        head = draw.choice((value, value, value, deep, many))(head, draw)
    return struct.pack("<Q", len(head)) + head + body


def numbers(data: bytes, draw: random.Random) -> bytes:
    """Numbers of a safetensors file are others: NaN, infinity or very large."""
    (length,) = struct.unpack("<Q", data[:8])
    found = bytearray(data)
    for _ in range(draw.choice((1, 10))):
        at = 8 + length + 2 * draw.randrange(max(1, (len(data) - 8 - length) // 2))
        found[at : at + 2] = draw.choice((b"\x00\x7e", b"\x00\x7c", b"\xff\x7b", b"\x00\xfc"))
    return bytes(found)


ANY: tuple[Alter, ...] = (flipped, cut, moved)
OF: Mapping[str, tuple[Alter, ...]] = {
    ".json": (*ANY, token, value, value, value, deep, many),
    ".npz": (*ANY, member, member, member, zipped, bomb),
    ".safetensors": (*ANY, tensor, tensor, numbers),
    ".csv": (*ANY, token, token),
    ".toml": (*ANY, token, token, token),
    ".png": ANY,
    ".jpg": ANY,
}
"""What may be done to a file, by how its name ends."""


def _nodes(found: Any) -> list[Any]:
    parts = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return [found, *(node for part in parts for node in _nodes(part))]


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(arrays: Mapping[str, bytes], draw: random.Random, twice: str | None = None) -> bytes:
    buffer = io.BytesIO()
    how = draw.choice(
        (zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2)
    )
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, content in arrays.items():
            archive.writestr(name, content)
        if twice is not None:
            with warnings.catch_warnings(action="ignore"):
                archive.writestr(twice, arrays[twice])
    return buffer.getvalue()


def _with_header(content: bytes, header: str) -> bytes:
    """An array with this text in place of its header."""
    raw = header.encode("latin-1", "replace") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(raw)) + raw + content[128:]


def _loaded(content: bytes) -> np.ndarray:
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _saved(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, values, allow_pickle=True)
    return buffer.getvalue()


def _other(values: np.ndarray, draw: random.Random) -> np.ndarray:
    """Numbers of another type, order or shape, or not finite."""
    changes: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
        lambda a: a.astype(object), lambda a: a.astype(str), lambda a: a.astype(np.complex64),
        lambda a: a.astype(">f8"), lambda a: np.asfortranarray(a), lambda a: a[..., None],
        lambda a: a[:0], lambda a: a[::-1], lambda a: a.reshape(-1), lambda a: a.astype(float) * np.nan,
        lambda a: a.astype(float) + np.inf, lambda a: a.astype(np.int8) - 100,
        lambda a: a.astype(np.float16), lambda a: a.astype(np.float64) * 1e300,
        lambda a: a.astype("V8"), lambda a: np.full(a.shape, 2**62), lambda a: a.astype(bool),
        lambda a: a.astype(np.longdouble),
    )  # fmt: skip
    with np.errstate(all="ignore"):
        try:
            return draw.choice(changes)(values)
        except (TypeError, ValueError):
            return values[:1]
