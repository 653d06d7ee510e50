"""House-number photos: seeding, contrast, balance, font sets, errors."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from mmvae_core.data.digits import house_numbers as module
from mmvae_core.data.digits.house_numbers import MIN_CONTRAST, house_numbers, render
from mmvae_core.errors import DataError

LABELS = np.arange(40) % 10


def sign_contrast(index: int, fonts: module.FontSet) -> float:
    """Grey levels between a digit and the ring around it, on the sign before the camera."""
    rng = np.random.default_rng((7, index))
    colour, ink = module._draw_sign(rng, index % 10, fonts)
    grey = np.tensordot((0.299, 0.587, 0.114), colour, axes=1)
    solid = Image.fromarray((ink > 0.1).astype(np.uint8) * 255)
    near = np.asarray(solid.filter(ImageFilter.MaxFilter(7))) > 0
    return abs(grey[ink > 0.9].mean() - grey[near & (ink == 0)].mean())


def test_images_have_the_promised_shape_and_type() -> None:
    photos = render(LABELS, seed=1)
    assert photos.shape == (40, 32, 32, 3)
    assert photos.dtype == np.uint8
    assert photos.std() > 30


def test_no_labels_give_no_images() -> None:
    assert render(np.zeros(0, np.int64), seed=1).shape == (0, 32, 32, 3)


def test_same_seed_gives_the_same_pixels_and_another_seed_does_not() -> None:
    first, again, other = render(LABELS, 1), render(LABELS, 1), render(LABELS, 2)
    assert np.array_equal(first, again)
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_slice_drawn_alone_equals_the_slice_of_the_whole() -> None:
    """To the bit, for each photo is drawn by itself."""
    whole = render(LABELS, 3)
    assert np.array_equal(whole[:11], render(LABELS[:11], 3))
    assert np.array_equal(whole[11:], render(LABELS[11:], 3, start=11))


def test_an_image_depends_on_its_own_label_only() -> None:
    changed = LABELS.copy()
    changed[5] = 9
    before, after = render(LABELS, 3), render(changed, 3)
    differs = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert np.flatnonzero(differs).tolist() == [5]


def test_chunks_and_processes_do_not_change_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = render(LABELS, 4)
    monkeypatch.setattr(module, "_CHUNK", 7)
    assert np.array_equal(whole, render(LABELS, 4))
    assert np.array_equal(whole, render(LABELS, 4, workers=2))


@pytest.mark.parametrize("fonts", ["seen", "held_out"])
def test_digit_and_direct_background_keep_the_contrast(fonts: module.FontSet) -> None:
    assert min(sign_contrast(index, fonts) for index in range(200)) >= MIN_CONTRAST


def test_both_polarities_occur() -> None:
    background, digit = module._LIGHTNESS[module._PAIRS].T
    darker_digit = (background > digit).mean()
    assert darker_digit == pytest.approx(0.5)


def test_most_photos_show_the_digit_alone() -> None:
    crowded = [module._ink(np.random.default_rng((5, i)), 8, "seen")[1] for i in range(400)]
    assert 0.1 < np.mean(crowded) < 0.35


def test_labels_are_balanced_and_shuffled_by_the_seed() -> None:
    images, labels = house_numbers(100, seed=5)
    assert images.shape == (100, 32, 32, 3)
    assert np.bincount(labels, minlength=10).tolist() == [10] * 10
    assert not np.array_equal(labels, np.arange(100) % 10)
    assert np.array_equal(labels, house_numbers(100, seed=5)[1])
    assert not np.array_equal(labels, house_numbers(100, seed=6)[1])


def test_images_of_house_numbers_are_those_of_render() -> None:
    images, labels = house_numbers(30, seed=8, fonts="held_out")
    assert np.array_equal(images, render(labels, 8, "held_out"))


def test_held_out_fonts_are_not_among_the_seen() -> None:
    seen, held_out = (range(*module._FONT_ROWS[name]) for name in ("seen", "held_out"))
    assert len(seen) >= 12
    assert len(held_out) >= 4
    assert not set(seen) & set(held_out)
    assert len(module._glyphs()) == len(seen) + len(held_out)


def test_no_two_fonts_draw_the_same_digits() -> None:
    rows = module._glyphs().reshape(len(module._glyphs()), -1)
    apart = np.abs(rows[:, None] - rows[None]).mean(axis=2)
    assert apart[~np.eye(len(rows), dtype=bool)].min() > 0.01


def test_glyphs_are_upright_centred_and_of_one_height() -> None:
    tall = module._glyphs().max(axis=3) > 0
    assert (tall.sum(axis=2) == module._GLYPH_HEIGHT).all()
    assert tall[:, :, 4:44].all()


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.array([3, 10]), "3 to 10"),
        (np.array([-1, 4]), "-1 to 4"),
        (np.array([1.0, 2.0]), "float64"),
        (np.array([True]), "bool"),
        (np.array([[1, 2]]), r"\[1, 2\]"),
        (np.array(3), r"\[\]"),
    ],
)
def test_bad_labels_are_named(labels: np.ndarray, told: str) -> None:
    with pytest.raises(DataError, match=told):
        render(labels, seed=1)


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 0.5}, {"start": -3, "seed": 1}])
def test_bad_seed_and_start_are_named(wrong: dict) -> None:
    with pytest.raises(DataError, match="whole number"):
        render(LABELS, **wrong)


def test_unknown_fonts_and_bad_count_are_named() -> None:
    with pytest.raises(DataError, match="'comic'"):
        render(LABELS, 1, fonts="comic")  # pyright: ignore[reportArgumentType]
    with pytest.raises(DataError, match="count is -1"):
        house_numbers(-1, seed=1)


@pytest.mark.slow
def test_pixels_alone_do_not_tell_the_digit_but_shapes_do() -> None:
    """Least squares on pixels is weak; on edges, which ignore colour and polarity, far better."""
    images, labels = house_numbers(2000, seed=21)
    grey = images[:, :, :, 1].astype(np.float32)
    slope = np.abs(np.diff(grey, axis=1)[:, :, :-1]) + np.abs(np.diff(grey, axis=2)[:, :-1])
    scores = [least_squares_accuracy(x.reshape(2000, -1), labels) for x in (grey, slope)]
    assert scores[0] < 0.5
    assert scores[1] > scores[0] + 0.15


def least_squares_accuracy(pixels: np.ndarray, labels: np.ndarray) -> float:
    """Ridge regression to one-hot labels on 1,600 images, accuracy on 400."""
    scaled = (pixels - pixels.mean()) / pixels.std()
    train, test = scaled[:1600], scaled[1600:]
    ridge = train.T @ train + 500 * np.eye(train.shape[1], dtype=np.float32)
    weights = np.linalg.solve(ridge, train.T @ np.eye(10, dtype=np.float32)[labels[:1600]])
    return float(((test @ weights).argmax(axis=1) == labels[1600:]).mean())
