"""Choices of items: to the address and back, kept under names, dropped by a study's change."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import html_of
from ui.shell.choice import from_text, to_text

Open = Callable[..., AppTest]


@pytest.mark.parametrize("count", [1, 7, 40, 2_000, 60_000])
def test_items_come_back_from_their_word(count: int) -> None:
    random = np.random.default_rng(0)
    for share in (0.0, 0.01, 0.3, 1.0):
        ids = np.flatnonzero(random.random(count) < share).tolist() or [count - 1]
        word = to_text(ids, count)
        assert from_text(word, count) == tuple(ids)
        assert len(word) <= count / 6 + 4


@pytest.mark.parametrize(
    "word", ["", "x", "i", "i-1", "i5.0", "izzzzzz", "b", "b!!!!", "b" + "_" * 8, "b" + "A" * 999]
)
def test_what_names_no_items_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="names no different items from 0 to 39"):
        from_text(word, 40)


def test_a_link_brings_the_choice_and_its_names(open_app: Open) -> None:
    word = to_text((1, 8, 30), 40)
    app = open_app(study="digits", chosen=word, set=f"odd ones~{to_text((5, 7), 40)}")
    assert "<dt>Items chosen</dt><dd>3 <small>of 40" in html_of(app)
    assert app.query_params["chosen"] == word
    next(one for one in app.button if one.label == "odd ones (2)").click().run()
    assert "<dt>Items chosen</dt><dd>2 <small>of 40" in html_of(app)
    assert app.query_params["chosen"] == to_text((5, 7), 40)
    next(one for one in app.button if one.label == "Forget odd ones").click().run()
    assert "set" not in app.query_params
    assert "<dd>2 <small>of 40" in html_of(app)
    app.selectbox(key="study").set_value("small").run()
    assert "chosen" not in app.query_params
    assert "Items chosen" not in html_of(app)
    app.selectbox(key="study").set_value("digits").run()
    assert app.query_params["chosen"] == to_text((5, 7), 40)


def test_a_choice_is_given_a_name(open_app: Open) -> None:
    app = open_app(study="digits", chosen=to_text((1, 8), 40))
    app.text_input(key="set_name").set_value(" left ~ cluster ").run()
    assert not app.exception
    assert app.query_params["set"] == f"left cluster~{to_text((1, 8), 40)}"
    assert any(one.label == "Forget left cluster" for one in app.button)


def test_a_link_without_meaning_is_told(open_app: Open) -> None:
    app = open_app(study="digits", chosen="i99", set="a~zz")
    assert not app.exception
    assert [("chosen" in one.value, "set" in one.value) for one in app.warning] == [
        (True, False),
        (False, True),
    ]
    assert "chosen" not in app.query_params
