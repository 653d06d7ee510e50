"""A person's own picture or text, and everything that may be wrong with it."""

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmvae_core.config import LikelihoodConfig, ModalityConfig
from mmvae_core.data.digits.words import ALPHABET, encode
from mmvae_core.errors import DataError
from mmvae_core.modalities import kind, own_input
from mmvae_core.modalities.kinds import kind_of
from mmvae_core.modalities.own_input import centre_ink

GREY, COLOUR = (1, 28, 28), (3, 32, 32)


def modality(shape: tuple[int, ...], likelihood: str = "normal") -> ModalityConfig:
    return ModalityConfig(name="own", shape=shape, likelihood=LikelihoodConfig(name=likelihood))


def read_picture(given: bytes | Path, shape: tuple[int, ...]) -> np.ndarray:
    return kind_of(modality(shape)).read(str(given) if isinstance(given, Path) else given)


def read_symbols(text: str, alphabet: str | None, shape: tuple[int, ...]) -> np.ndarray:
    return kind_of(modality(shape, "categorical"), alphabet).read(text)


def read_text(text: str, alphabet: str, length: int) -> np.ndarray:
    return read_symbols(text, alphabet, (length, len(alphabet)))


def png(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def stroke(paper: int, ink: int, place: tuple[int, int] = (20, 60)) -> np.ndarray:
    pixels = np.full((200, 160), paper, np.uint8)
    pixels[place[0] : place[0] + 80, place[1] : place[1] + 12] = ink
    return pixels


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (240, 60), (0, 255), (20, 230)])
def test_handwriting_becomes_bright_on_black_in_the_middle(paper: int, ink: int) -> None:
    picture = read_picture(png(stroke(paper, ink)), GREY)
    assert picture.shape == GREY
    assert picture.dtype == np.float32
    assert picture.min() == 0
    assert picture.max() == pytest.approx(1)
    rows = np.nonzero(picture[0] > 0.5)[0]
    assert rows.max() - rows.min() + 1 == 20
    mass = picture[0] / picture.sum()
    assert abs(mass.sum(1) @ np.arange(28) - 14) <= 0.5
    assert abs(mass.sum(0) @ np.arange(28) - 14) <= 0.5


def test_where_the_ink_stands_does_not_matter() -> None:
    first = read_picture(png(stroke(255, 0, (30, 40))), GREY)
    second = read_picture(png(stroke(255, 0, (90, 100))), GREY)
    np.testing.assert_allclose(first, second)


def test_colour_pictures_are_cut_to_the_middle_square() -> None:
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 32:96] = (255, 128, 0)
    picture = read_picture(png(pixels), COLOUR)
    assert picture.shape == COLOUR
    # Resizing may turn a level of 256 or two.
    np.testing.assert_allclose(picture[:, 16, 16], [1, 128 / 255, 0], atol=0.01)
    np.testing.assert_allclose(picture[0], 1, atol=0.01)


def test_jpeg_and_paths_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(png(stroke(255, 0), "JPEG"))
    assert read_picture(tmp_path / "a.jpg", GREY).max() == pytest.approx(1)


def test_transparent_parts_are_white_paper() -> None:
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[10:30, 18:22] = (0, 0, 0, 255)
    picture = read_picture(png(pixels), GREY)
    assert picture[0, 0, 0] == 0
    assert picture[0, 14, 14] == pytest.approx(1)


def test_sixteen_bit_grey_is_read() -> None:
    pixels = stroke(255, 0).astype(np.uint16) * 257
    assert read_picture(png(pixels), GREY).max() == pytest.approx(1)


def test_one_pixel_wide_and_full_sized_ink_fit() -> None:
    ink = np.ones((28, 28), np.float32)
    assert centre_ink(ink, 28, 28).sum() == pytest.approx(400)
    dot = np.zeros((28, 28), np.float32)
    dot[3, 3] = 1
    assert centre_ink(dot, 28, 28).max() == pytest.approx(1)
    assert centre_ink(np.zeros((28, 28), np.float32), 28, 28).sum() == 0


NO_PICTURES = [b"", b"GIF89a" + bytes(40), b"not a picture", png(stroke(9, 99))[:90]]


@pytest.mark.parametrize("data", NO_PICTURES)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="PNG or JPEG"):
        read_picture(data, GREY)


def test_a_gif_is_refused() -> None:
    with pytest.raises(DataError, match="PNG or JPEG"):
        read_picture(png(stroke(255, 0), "GIF"), GREY)


@pytest.mark.parametrize("side", [4_001, 60_000])
def test_a_small_file_that_claims_many_pixels_is_refused_before_decoding(side: int) -> None:
    with pytest.raises(DataError, match="pixels"):
        read_picture(_claiming(side), GREY)


def test_a_jpeg_of_many_scans_is_refused_before_decoding() -> None:
    whole = png(stroke(255, 0), "JPEG")
    head, scan = whole[: whole.index(b"\xff\xda")], whole[whole.index(b"\xff\xda") : -2]
    most = own_input.MAX_SCANNED // (200 * 160)
    with pytest.raises(DataError, match=f"{most + 1:,} scans of 32,000 pixels"):
        read_picture(head + scan * (most + 1) + whole[-2:], GREY)


@pytest.mark.parametrize("kind", range(14))
@pytest.mark.parametrize("count", [0, 1, 2**16, 2**32 - 1])
def test_a_cameras_note_of_an_odd_type_is_one_sentence_or_read(kind: int, count: int) -> None:
    note = (
        b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, kind, count, 6) + bytes(4)
    )
    whole = png(stroke(255, 0), "JPEG")
    data = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(note) + 2) + note + whole[2:]
    with suppress(DataError):
        assert read_picture(data, GREY).shape == GREY


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kind, "MAX_BYTES", 100)
    (tmp_path / "a.png").write_bytes(bytes(101))
    for source in (bytes(101), tmp_path / "a.png"):
        with pytest.raises(DataError, match="MB"):
            read_picture(source, GREY)


def test_an_even_picture_is_refused() -> None:
    with pytest.raises(DataError, match="one brightness"):
        read_picture(png(np.full((30, 30), 200, np.uint8)), GREY)


@pytest.mark.parametrize("name", ["none.png", "a\0b", "x" * 5_000])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file|cannot be read"):
        read_picture(tmp_path / name, GREY)


def test_text_is_what_the_study_digits_makes_of_it() -> None:
    np.testing.assert_array_equal(read_text("Three", ALPHABET, 8), encode("Three"))


@pytest.mark.parametrize(
    ("text", "alphabet", "message"),
    [
        ("4", ALPHABET, "leave the others out"),
        ("elevenths", ALPHABET, "at most 8"),
        ("ab", "abc", "make it fit"),
    ],
)
def test_text_that_does_not_fit_is_refused(text: str, alphabet: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_text(text, alphabet, 8)


def test_symbols_without_signs_are_given_by_number() -> None:
    np.testing.assert_array_equal(read_symbols("4, 0 3", None, (3, 5)), [4, 0, 3])
    np.testing.assert_array_equal(read_symbols("cab", "abc", (3, 3)), [2, 0, 1])


@pytest.mark.parametrize("text", ["", "1 2", "1 2 5", "a b c", "-1 0 0", "1 2 ²"])
def test_other_numbers_of_symbols_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="3 whole numbers from 0 to 4"):
        read_symbols(text, None, (3, 5))


def _claiming(side: int) -> bytes:
    """A PNG of a few bytes whose header claims side x side pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + check

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(99)))
        + chunk(b"IEND", b"")
    )
