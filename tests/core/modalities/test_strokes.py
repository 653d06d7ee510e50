"""Drawings: they look like MNIST, the model names them, and bad ones are refused in a sentence."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mmvae_core.errors import DataError
from mmvae_core.evaluation.digit_judges import WordJudge
from mmvae_core.explore.inference import generate
from mmvae_core.modalities.strokes import (
    MAX_POINTS,
    MAX_STROKES,
    STEPS,
    Strokes,
    check_strokes,
    draw,
    from_text,
    to_text,
)
from mmvae_core.store.study import SHIPPED, Study

SHAPE = (28, 28)
MNIST_INK, MNIST_GREY = 0.121, 0.648
"""Of the first 2,000 test pictures: mean brightness; share of the inked pixels that are grey."""
DRAWN = json.loads((Path(__file__).parent / "hand_drawn.json").read_text())
DIGITS = [one["digit"] for one in DRAWN]


def pictures() -> np.ndarray:
    return np.stack([draw(check_strokes(one["strokes"]), *SHAPE) for one in DRAWN])


def moved(strokes: Strokes, scale: float, right: float, down: float) -> Strokes:
    return [[(scale * x + right, scale * y + down) for x, y in stroke] for stroke in strokes]


def test_there_are_three_of_each_digit_in_three_hands() -> None:
    assert sorted(DIGITS) == sorted([*range(10)] * 3)
    assert {one["hand"] for one in DRAWN} == {"upright", "slanted", "round"}


def test_drawings_have_the_statistics_of_mnist() -> None:
    drawn = pictures()
    assert drawn.mean() == pytest.approx(MNIST_INK, abs=0.005)
    grey = ((drawn > 0.02) & (drawn < 0.98)).sum() / (drawn > 0.02).sum()
    assert grey == pytest.approx(MNIST_GREY, abs=0.03)


def test_drawings_fill_twenty_pixels_with_their_mass_in_the_middle() -> None:
    for picture in pictures()[:, 0]:
        rows, columns = (np.flatnonzero(picture.max(axis) > 0) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)
        mass = picture / picture.sum()
        assert abs(mass.sum(1) @ np.arange(28) - 14) <= 0.5
        assert abs(mass.sum(0) @ np.arange(28) - 14) <= 0.5


def test_place_and_size_on_the_pad_do_not_matter() -> None:
    strokes = check_strokes(DRAWN[0]["strokes"])
    np.testing.assert_allclose(
        draw(moved(strokes, 0.3, 0.4, 0.1), *SHAPE), draw(strokes, *SHAPE), atol=0.02
    )


def test_a_dot_stays_a_dot_and_nothing_is_black() -> None:
    dot = draw([[(0.5, 0.5)]], *SHAPE)
    assert 1 < dot.sum() < 12
    assert draw([], *SHAPE).sum() == 0


@pytest.mark.parametrize("name", ["sum_pooling-masked", "sum_pooling-mixture"])
def test_shipped_runs_name_hand_drawn_digits(name: str) -> None:
    """The name that most of 16 words from one drawing are judged to be is right for 80 %."""
    model = next(run for run in Study(SHIPPED / "digits").runs() if run.folder.name == name).model()
    right = 0
    for picture, digit in zip(pictures(), DIGITS, strict=True):
        made = generate(model, {"handwriting": picture}, count=16, seed=0).at_draws["word"]
        right += int(WordJudge()(torch.from_numpy(made)).mode().values) == digit
    assert right >= 0.8 * len(DRAWN)


def test_text_brings_a_drawing_back() -> None:
    for one in DRAWN:
        strokes = check_strokes(one["strokes"])
        again = from_text(to_text(strokes))
        assert [len(stroke) for stroke in again] == [len(stroke) for stroke in strokes]
        np.testing.assert_allclose(
            np.concatenate(again), np.concatenate(strokes), atol=0.5 / STEPS + 1e-9
        )
        assert to_text(again) == to_text(strokes)
    assert from_text("") == []
    assert from_text(to_text([[(0.0, 1.0)], [(1.0, 0.0)]])) == [[(0.0, 1.0)], [(1.0, 0.0)]]


@pytest.mark.parametrize("text", ["abc", "abcd.", ".abcd", "ab d", "ab\u00e4d", "abcd..abcd"])
def test_other_text_is_no_drawing(text: str) -> None:
    with pytest.raises(DataError, match="no drawing"):
        from_text(text)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("circle", "of str was given"),
        ([[[0.5, 0.5]]] * (MAX_STROKES + 1), "65 strokes"),
        ([[]], "without points"),
        ([[[0.5, 0.5]] * (MAX_POINTS + 1)], "4001 points"),
        ([[[0.5, 1.1]]], "two numbers"),
        ([[[0.5]]], "two numbers"),
        ([["ab"]], "two numbers"),
        ([[[0.5, float("nan")]]], "two numbers"),
        ([[[True, 0.5]]], "two numbers"),
        ([[7]], "two num"),
    ],
)
def test_what_is_no_drawing_is_refused(given: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_strokes(given)
