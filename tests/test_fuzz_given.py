"""What strangers give: pictures, texts and settings. Each is taken, or refused in one sentence."""

import io
import random
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from PIL import Image

from mmvae_core.build import build_model
from mmvae_core.config import LikelihoodConfig, ModalityConfig, from_dict
from mmvae_core.explore.exchange import read_given
from mmvae_core.explore.inference import generate
from mmvae_core.modalities import strokes
from mmvae_core.modalities.kinds import kind_of
from mmvae_core.places import SHIPPED
from mmvae_core.store.study import find_run, find_study
from mmvae_core.store.weights import check_size
from tests import mutations, small
from tests.guard import Ended, ask, guarded
from ui.shell import choice

LONG = [False, pytest.param(True, marks=pytest.mark.long)]


def kind(name: str, *shape: int, signs: str | None = None) -> Any:
    likelihood = LikelihoodConfig(name="normal" if signs is None else "categorical")
    return kind_of(ModalityConfig(name=name, shape=shape, likelihood=likelihood), signs)


KINDS = {
    "grey": kind("grey", 1, 28, 28),
    "colour": kind("colour", 3, 32, 32),
    "word": kind("word", 8, 27, signs="abcdefghijklmnopqrstuvwxyz "),
    "numbers": kind("numbers", 3),
}


def plain(draw: random.Random, mode: str, side: int = 300) -> Image.Image:
    pixels = np.random.default_rng(draw.randrange(99)).integers(0, 255, (9, 9, 3), np.uint8)
    return Image.fromarray(pixels).resize((side, side * 2 // 3)).convert(mode)


def saved(picture: Image.Image, form: str, **more: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **more)
    return buffer.getvalue()


def any_png(draw: random.Random) -> bytes:
    return saved(plain(draw, draw.choice(("L", "RGB", "RGBA", "LA", "P", "1", "I;16"))), "PNG")


def any_jpeg(draw: random.Random) -> bytes:
    return saved(
        plain(draw, draw.choice(("L", "RGB", "CMYK"))), "JPEG", progressive=draw.random() < 0.5
    )


def with_odd_notes(draw: random.Random) -> bytes:
    """EXIF whose orientation, resolution or maker is of an odd type or value."""
    exif = Image.Exif()
    tag = draw.choice((0x0112, 0x011A, 0x8769, 0x010F, 0x0131))
    exif[tag] = draw.choice((6, 99, -1, "six", b"\x00", 1.5, (1, 2), 2**31 - 1, "x" * 60_000))
    try:
        raw = exif.tobytes()
    except (struct.error, TypeError, ValueError, AttributeError):
        raw = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01"
    raw = draw.choice((raw, mutations.flipped(raw, draw), raw[: len(raw) // 2]))
    return saved(plain(draw, "RGB"), draw.choice(("JPEG", "PNG")), exif=raw[:65_000])


def of_many_scans(draw: random.Random) -> bytes:
    """A progressive JPEG whose last scan is there again and again."""
    data = saved(plain(draw, "L", draw.choice((300, 2_000))), "JPEG", progressive=True)
    at = data.rfind(b"\xff\xda")
    return data[:-2] + data[at:-2] * draw.choice((10, 100, 2_000)) + data[-2:]


def chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def large_png(draw: random.Random) -> bytes:
    """A PNG of few bytes and many pixels, or one that says so."""
    width, height = draw.choice(
        ((3_990, 3_990), (4_000, 4_001), (100_000, 150), (2**31 - 1, 1), (1, 16_000_000), (0, 5), (65_535, 65_535))
    )  # fmt: skip
    depth, colour, bytes_ = draw.choice(
        ((8, 0, 1), (8, 2, 3), (16, 6, 8), (16, 0, 2), (1, 0, 1), (8, 3, 1))
    )
    row = b"\x00" * (width * bytes_ + 1) if width * bytes_ < 10**6 else b"\x00"
    many = min(height, 4_000) if draw.random() < 0.7 else 1
    squeezed = zlib.compress(row * many, 1)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, draw.choice((0, 1)))
    parts = [chunk(b"IHDR", head)]
    if draw.random() < 0.3:
        text = zlib.compress(b"\x00" * 90_000_000, 9)
        parts.append(
            draw.choice((chunk(b"zTXt", b"a\x00\x00" + text), chunk(b"iCCP", b"a\x00\x00" + text)))
        )
    return b"\x89PNG\r\n\x1a\n" + b"".join([*parts, chunk(b"IDAT", squeezed), chunk(b"IEND", b"")])


MADE: tuple[Callable[[random.Random], bytes], ...] = (
    any_png, any_jpeg, with_odd_notes, of_many_scans, large_png,
    lambda draw: mutations.flipped(any_png(draw), draw),
    lambda draw: mutations.moved(any_png(draw), draw),
    lambda draw: mutations.flipped(any_jpeg(draw), draw),
    lambda draw: mutations.moved(any_jpeg(draw), draw),
    lambda draw: mutations.cut(any_jpeg(draw), draw),
    lambda draw: draw.choice((b"GIF89a", b"II*\x00", b"BM", b"%!PS", b"RIFF")) + bytes(99),
)  # fmt: skip


@pytest.mark.parametrize("long", LONG)
def test_pictures(tmp_path: Path, long: bool, request: pytest.FixtureRequest) -> None:
    for name in ("grey", "colour"):  # imported before processes are forked
        KINDS[name].read(any_png(random.Random(1)))
        KINDS[name].read(any_jpeg(random.Random(1)))

    def case(drawn: tuple[int, str, int]) -> Ended:
        way, name, seed = drawn
        return guarded(lambda: KINDS[name].read(MADE[way](random.Random(seed))), tmp_path)

    drawn = st.tuples(
        st.sampled_from(range(len(MADE))),
        st.sampled_from(("grey", "colour")),
        st.integers(0, 2**40),
    )
    ask(600 if long else 50, drawn, case, "pictures", request)


ODD_TEXT = st.sampled_from([one for one in mutations.ODD if isinstance(one, str)] + [
    "/etc/hostname", "/dev/zero", "digits/poe-masked", "grey=/dev/zero", "word=one", "numbers=1,2,3",
    "numbers=\ud800", "i0.1", "b" + "_" * 400, "AAAA.BBBB", "n" * 5_000, "..", "~", "a\x00b",
])  # fmt: skip
ASKED: dict[str, Callable[[str], Any]] = {
    "a drawing": strokes.from_text,
    "a run": lambda text: find_run(text, SHIPPED),
    "a study": lambda text: find_study(text, SHIPPED),
    "a value": lambda text: read_given([text], KINDS),
    "a word": lambda text: KINDS["word"].read(text),
    "numbers": lambda text: KINDS["numbers"].read(text),
    "bytes of numbers": lambda text: KINDS["numbers"].read(text.encode(errors="surrogatepass")),
}


@pytest.mark.parametrize("long", LONG)
def test_texts(tmp_path: Path, long: bool, request: pytest.FixtureRequest) -> None:
    def case(drawn: tuple[str, str]) -> Ended:
        what, text = drawn
        return guarded(lambda: ASKED[what](text), tmp_path)

    texts = st.one_of(st.text(max_size=200), ODD_TEXT, st.from_regex(r"[0-9A-Za-z._-]{0,99}"))
    ask(500 if long else 60, st.tuples(st.sampled_from(list(ASKED)), texts), case, "texts", request)


@pytest.mark.parametrize("long", LONG)
def test_items_of_a_link(long: bool) -> None:
    draw = random.Random(0)
    for _ in range(300 if long else 40):
        text = "".join(draw.choice("ib.0z_-A~é\x00=") for _ in range(draw.randrange(40)))
        with suppress(ValueError):
            found = choice.from_text(text, 90)
            assert found and 0 <= min(found) <= max(found) < 90


SIZES = st.sampled_from([1, 2, 3, 8, 64, 1_000, 4_096, 10**5, 10**6, 10**9])
PLACES = (
    ("latent",), ("features",), ("private",), ("aggregator", "width"), ("aggregator", "heads"),
    ("aggregator", "layers"), ("aggregator", "components"), ("prior", "components"),
    ("prior", "width"), ("prior", "layers"), ("objective", "samples"), ("training", "batch"),
    *((("modalities", index, "width")) for index in range(3)),
    *((("modalities", index, "shape", at)) for index in range(3) for at in range(3)),
)  # fmt: skip
NAMED = {
    ("aggregator", "name"): ("poe", "moe", "mopoe", "sum_pooling", "self_attention", "concatenation"),
    ("prior", "name"): ("standard_normal", "mixture", "flow"),
    ("start",): ("torch", "fan_in"),
}  # fmt: skip


@pytest.mark.parametrize("long", LONG)
def test_settings(tmp_path: Path, long: bool, request: pytest.FixtureRequest) -> None:
    generate(build_model(small.config()), {}, 4, 0)

    def case(drawn: tuple[dict[Any, int], dict[Any, str]]) -> Ended:
        sizes, names = drawn
        made: Any = deepcopy(small.SETTINGS) | {"prior": {}}
        for place, value in (*names.items(), *sizes.items()):
            *above, last = place
            inner = made
            for key in above:
                inner = inner[key]
            if isinstance(inner, dict) or last < len(inner):
                inner[last] = value

        def act() -> None:
            config = from_dict(made)
            if check_size(config) < 2_000_000:  # of which there would be a file as large
                generate(build_model(config).eval(), {}, 4, 0)

        return guarded(act, tmp_path)

    names = st.fixed_dictionaries({key: st.sampled_from(one) for key, one in NAMED.items()})
    sizes = st.dictionaries(st.sampled_from(PLACES), SIZES, min_size=1, max_size=3)
    ask(400 if long else 60, st.tuples(sizes, names), case, "settings", request)
