"""What the views of the shipped kinds say; tests/contracts holds what every view keeps."""

import numpy as np
import pytest

from mmvae_core.config import LikelihoodConfig, ModalityConfig
from mmvae_core.modalities.kinds import kind_of
from ui.kinds.bars import BREADTH, HEIGHT, MOST_BARS, bars
from ui.kinds.view import View
from ui.kinds.views import view_of

ORANGE, BLUE = [0.90, 0.62, 0.0], [0.0, 0.45, 0.70]


def look(shape: tuple[int, ...], likelihood: str = "normal", alphabet: str | None = None) -> View:
    one = ModalityConfig(name="own", shape=shape, likelihood=LikelihoodConfig(name=likelihood))
    return view_of(kind_of(one, alphabet))


@pytest.mark.parametrize(
    ("view", "ways", "hint"),
    [
        (look((1, 4, 6)), ("draw", "upload"), ""),
        (look((3, 4, 6)), ("upload", "camera"), ""),
        (look((2, 4, 6)), ("table",), ""),
        (look((3, 3), "categorical"), ("type",), "3 whole numbers from 0 to 2"),
        (look((3, 3), "categorical", " ab"), ("type",), "up to 3 of ab"),
    ],
)
def test_each_is_given_in_its_own_ways(view: View, ways: tuple[str, ...], hint: str) -> None:
    assert (view.ways, view.hint) == (ways, hint)


def test_an_axis_may_follow_how_bright_pictures_are_and_nothing_of_others() -> None:
    items = np.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6) % 251
    found = look((3, 4, 6)).axis(items.astype(np.uint8))
    assert found is not None
    said, bright = found
    assert said == "how bright own is"
    np.testing.assert_allclose(bright, items.mean((1, 2, 3)))
    assert look((72,)).axis(items.reshape(2, -1)) is None


def test_bars_go_up_in_orange_and_down_in_blue_as_far_as_the_value_says() -> None:
    (picture,) = bars(np.array([[1.0, -0.5]]))
    first, second = picture[:, :, 0], picture[:, :, BREADTH - 1]
    up, down = slice(0, HEIGHT // 2), slice(HEIGHT // 2 + 1, HEIGHT)
    assert (first[:, up] == np.array(ORANGE)[:, None]).all() and (first[:, down] == 1).all()
    blue = (second == np.array(BLUE)[:, None]).all(0)
    assert (second[:, up] == 1).all() and 0.4 < blue[down].mean() < 0.6
    assert bars(np.ones((1, 5 * MOST_BARS))).shape == (1, 3, HEIGHT, BREADTH)


def test_a_difference_of_words_has_a_row_a_position_and_of_pictures_no_colours() -> None:
    apart = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(look((3, 4), "categorical").apart(apart), apart)
    np.testing.assert_array_equal(look((3, 2, 2)).apart(apart.reshape(3, 2, 2))[0], [4, 5])
    assert look((12,)).apart(apart.ravel()).shape == (HEIGHT, 12)


def test_cards_without_room_squeeze_bars_into_squares_but_no_picture() -> None:
    draws = np.zeros((1, 2, 72), np.float32)
    bar, picture = look((72,)), look((3, 4, 6))
    assert bar.card(draws, roomy=False)["ratio"] == 1
    assert bar.card(draws, roomy=True)["ratio"] == round(HEIGHT / BREADTH, 3)
    shaped = draws.reshape(1, 2, 3, 4, 6)
    assert {picture.card(shaped, roomy)["ratio"] for roomy in (False, True)} == {round(4 / 6, 3)}


def test_of_words_the_likeliest_are_shown_paler_where_unsure() -> None:
    words = look((2, 3), "categorical", " ab")
    sure, unsure = np.array([[0, 1, 0], [0, 0, 1.0]]), np.array([[0, 0.6, 0.4], [1, 0, 0]])
    assert words.plane(np.stack([sure, unsure]), 2)["cells"] == [
        [["a", "b"], [1.0, 1.0]],
        [["a", " "], [round(0.62 + 0.38 * 0.6, 2), 1.0]],
    ]
    assert words.card(np.stack([[sure, unsure]] * 2), roomy=True)["words"] == [
        ["ab"] * 2,
        ["a "] * 2,
    ]
    steps = [sure, unsure, unsure, sure, unsure, unsure, unsure]
    labels = ['aria-label="ab"', 'aria-label="ab"', 'aria-label="a"']
    found = words.strip(np.stack(steps), 1.0, "")
    assert [found.count(one) for one in labels] == [2, 2, 1]
