"""The page Learn: each card by its link, predicted wrongly and rightly; what it claims, recomputed."""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from html import unescape
from importlib import import_module
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.explore import claims
from mmvae_core.explore.turns import AT_ONCE
from mmvae_core.store.study import SHIPPED
from tests.ui.conftest import APP, html_of, marked_of
from tests.ui.test_words import MOST, read_at_first
from ui.learn import lesson_views, live, room_views, training_views
from ui.learn.cards import SLOT, Card, Said, as_said, as_shown, holds
from ui.learn.reading import read_lesson
from ui.shell import frame, glossary

LESSON = read_lesson()
CARDS = {card.id: card for card in LESSON.cards}
IDS = list(CARDS)
KEPT: dict[tuple[str, str], float] = {}
Open = Callable[..., AppTest]


def measured(card: Card, name: str) -> float:
    """A claim's value, computed once for all tests of this file."""
    claim = card.claim(name)
    if (card.id, name) not in KEPT:
        KEPT[card.id, name] = claims.measure(claim.quantity, claim.given, SHIPPED)
    return KEPT[card.id, name]


def said_of(card: Card) -> Said:
    return Said(card, lambda claim: measured(card, claim.name))


@pytest.fixture
def learn(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a card as its link does, with further options of the app."""

    def opened(card: str = "", *options: str, **query: str) -> AppTest:
        monkeypatch.setattr(sys, "argv", ["app.py", "--checkpoints", str(SHIPPED), *options])
        app = AppTest.from_file(APP, default_timeout=120)
        for key, value in ({"card": card} if card else {}).items() | query.items():
            app.query_params[key] = value
        return app.switch_page("pages/learn.py").run()

    return opened


def predict(app: AppTest, card: Card, right: bool) -> AppTest:
    """The visitor's prediction of a card, right or wrong."""
    asked = card.question
    if asked.ellipse is not None:  # drawn in the browser: tests/browser/test_learn.py
        across, up = (measured(card, name) for name in (asked.ellipse.across, asked.ellipse.up))
        far = 0.0 if right else 2.0
        app.query_params["answers"] = f"{card.id}:{across + far:.2f};{up:.2f};1;1;0"
        del app.session_state["_answers"]
        return app.run()
    if asked.scale is not None:
        claim = card.claim(asked.scale.claim)
        true = as_shown(claim, measured(card, claim.name))
        far = (
            asked.scale.high if true < (asked.scale.low + asked.scale.high) / 2 else asked.scale.low
        )
        near = asked.scale.low + asked.scale.step * round(
            (true - asked.scale.low) / asked.scale.step
        )
        app.slider(key=f"learn_number_{card.id}").set_value(near if right else far)
    else:
        wrong = next(n for n in range(1, 9) if n != asked.right)
        app.radio(key=f"learn_choice_{card.id}").set_value(asked.right if right else wrong)
    return app.button(key="learn_keep").click().run()


def address(app: AppTest, key: str) -> str:
    """What the address says."""
    found = app.query_params.get(key, "")
    return found if isinstance(found, str) else ",".join(found)


# ---- the cards themselves


def test_there_are_twelve_cards_in_four_chapters() -> None:
    assert not LESSON.faults
    assert len(CARDS) == 12
    assert len(LESSON.chapters()) == 4
    chapters = [card.chapter for card in LESSON.cards]
    assert sorted(chapters, key=chapters.index) == chapters, "a chapter's cards stand together"


@pytest.mark.parametrize("name", IDS)
def test_what_a_card_claims_is_so(name: str) -> None:
    card = CARDS[name]
    for one in card.claims:
        than = measured(card, one.than) if isinstance(one.than, str) else one.than
        assert holds(one, measured(card, one.name), than), f"{one.name}: not {one.relation} {than}"


@pytest.mark.parametrize("name", IDS)
def test_every_number_of_a_card_is_a_claim(name: str) -> None:
    """None is written by hand; a word for one, as two or ten, is of the card's own making."""
    card = CARDS[name]
    for place, text in [*card.texts(), *((name, text) for name, text in _pictured(card))]:
        assert not re.search(r"\d", SLOT.sub("", text)), f"{place}: {text}"
    related = {one.name for one in card.claims if one.relation}
    related |= {one.than for one in card.claims if isinstance(one.than, str)}
    assert related, "what it says in words is not held"


def _pictured(card: Card) -> list[tuple[str, str]]:
    return [("picture", text) for seen in (False, True) for text in card.state(seen).texts()]


def test_no_word_of_the_field_comes_before_the_card_that_introduces_it() -> None:
    """And none is introduced before the words that its explanation needs."""
    known: set[str] = set()
    for card in LESSON.cards:
        terms = glossary.terms()
        assert set(card.introduces) <= set(terms), card.id
        known |= set(card.introduces)
        used = {term for _, text in card.texts() for term in glossary.used_in(text)}
        assert used <= known, f"{card.id} uses {used - known}, which no card has introduced"
        assert set(card.introduces) <= used, f"{card.id} introduces what it does not use"
        for term in card.introduces:
            needed = set(glossary.used_in(terms[term].says)) - {term}
            assert needed <= known | set(EVERYDAY), f"{term} of {card.id} needs {needed - known}"


EVERYDAY = ("VAE", "encoder")
"""Words that explanations use of networks as such, which no card needs."""


@pytest.mark.parametrize("name", IDS)
def test_the_line_of_code_is_there(name: str) -> None:
    module, symbol = CARDS[name].formula.code.split(":")
    found = import_module(module)
    for part in symbol.split("."):
        found = getattr(found, part)
    source = inspect.getsource(found)
    assert CARDS[name].formula.line in source, source


@pytest.mark.parametrize("name", IDS)
def test_a_card_is_short(name: str) -> None:
    card = CARDS[name]
    assert 2 <= len(re.findall(r"[.?!:](?:\s|$)", card.text)) <= 6, "two or three sentences"
    assert len(card.text.split()) <= 70
    assert len(said_of(card).text(card.shows).split()) <= 85


# ---- on the page


@pytest.mark.parametrize("name", IDS)
def test_a_card_asks_by_its_link_and_shows_after_a_wrong_and_a_right_prediction(
    learn: Open, name: str
) -> None:
    app, card = learn(name), CARDS[name]
    assert not app.exception and not app.error and not app.warning and not app.info
    html = unescape(html_of(app))
    assert card.title in html
    assert said_of(card).text(card.question.asks) in html
    assert "What you should see" not in html
    lit = (
        f"_{card.lights} {{" if card.lights in lesson_views.BLOCKS else f"::part({card.lights}) {{"
    )
    assert f"{lit} outline: 3px" in html, "what is lit"
    assert not app.tabs
    assert app.session_state["learn_at"] == name
    words = re.findall(r"[^\W\d_]{2,}", read_at_first(app) + " ".join(card.question.choices))
    assert len(words) <= MOST, " ".join(words)
    for right in (False, True):
        predict(app, card, right)
        assert not app.exception and not app.error and not app.warning and not app.info
        check_reveal(app, card, right)
        app.button(key="learn_again").click().run()
        assert "What you should see" not in html_of(app)


def check_reveal(app: AppTest, card: Card, right: bool) -> None:
    """The prediction beside what is so, and what there is to see."""
    html = unescape(html_of(app))
    assert "What you should see" in html
    assert said_of(card).text(card.shows) in html
    assert address(app, "answers").startswith(f"{card.id}:")
    assert [tab.label for tab in app.tabs] == ["Picture", "Numbers", "Formula"]
    assert "1 of 12 cards answered" in html
    if card.question.choices:
        assert ('class="right predicted"' in html) == right
        assert ('class="predicted"' in html) != right
    else:
        assert ("near enough" in html) == right
        assert ("not quite" in html) != right


def test_the_three_depths_are_in_the_link(learn: Open) -> None:
    card = CARDS["product"]
    told = {}
    for depth in ("Picture", "Numbers", "Formula"):
        app = learn("product", answers="product:0.4", depth=depth)
        told[depth] = unescape(html_of(app))
    assert card.formula.line in told["Formula"] and card.formula.line not in told["Numbers"]
    for one in card.claims:
        number = as_said(one, as_shown(one, measured(card, one.name)))
        assert f'<th scope="row">{one.says}</th><td>{number}' in told["Numbers"]
        assert f'<th scope="row">{one.says}</th>' not in told["Picture"]


@pytest.mark.parametrize("name", IDS)
def test_a_door_opens_a_free_page_in_a_state_that_is_there(
    open_app: Open, learn: Open, name: str
) -> None:
    door, lit = CARDS[name].door, f"st-key-{CARDS[name].door.lights} {{ outline"
    assert door.page in frame.PAGES
    app = open_app(door.page, SHIPPED, **door.state, lit=door.lights)
    assert not app.exception and not app.error
    assert not any("link" in one.value for one in app.warning)
    assert lit in html_of(app)
    assert any(one.endswith(f"-{door.lights}") for one in ids_of(app._tree)), "it is drawn there"
    path = "" if door.page == "start" else door.page
    html = html_of(learn(name, answers=_answer(name)))
    assert re.search(rf'<a class="door" href="{path}\?', html)
    for key, value in door.state.items():
        assert app.session_state[key] == value


def ids_of(node: Any) -> Iterator[str]:
    """What Streamlit calls all that is drawn: each name ends with the key, as its class has it."""
    for found in re.findall(r'\bid: "([^"]*)"', str(getattr(node, "proto", ""))):
        yield re.sub(r"[^\w-]", "-", found)
    for inner in (getattr(node, "children", None) or {}).values():
        yield from ids_of(inner)


def _answer(name: str) -> str:
    asked = CARDS[name].question
    if asked.ellipse is not None:
        return f"{name}:0;0;1;1;0"
    return f"{name}:{asked.scale.low if asked.scale else 1}"


def test_one_goes_on_and_back_and_the_link_follows(learn: Open) -> None:
    app = learn()
    assert address(app, "card") == IDS[0]
    for name in IDS[1:]:
        app.button(key="learn_next").click().run()
        assert address(app, "card") == name
        assert app.session_state["learn_chapter"] == CARDS[name].chapter
    assert "learn_next" not in [one.key for one in app.button]
    app.button(key="learn_back").click().run()
    assert address(app, "card") == IDS[-2]
    app.button_group(key="learn_chapter").set_value("What is known").run()
    assert address(app, "card") == IDS[0]
    app.button_group(key="learn_at").set_value(IDS[1]).run()
    assert address(app, "card") == IDS[1]


def test_progress_and_card_outlive_another_page_and_leave_its_state_alone(learn: Open) -> None:
    app = predict(learn("conflict", item="7", mask="word"), CARDS["conflict"], True)
    here = app.session_state["_here"]
    assert (here.item, here.shown) == (7, ("word",))
    app.switch_page("pages/masks.py").run()
    assert app.session_state["_here"].item == 7
    assert app.session_state["_here"].shown == ("word",)
    assert "outline-offset: 6px" not in html_of(app), "nothing is lit any more"
    app.switch_page("pages/learn.py").run()
    assert "What you should see" in html_of(app)
    assert address(app, "card") == "conflict"
    assert address(app, "answers") == "conflict:2"


def test_a_prediction_can_be_taken_back(learn: Open) -> None:
    app = learn("mixture", answers="mixture:1,conflict:2")
    app.button(key="learn_again").click().run()
    assert address(app, "answers") == "conflict:2"
    assert "What you should see" not in html_of(app)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"card": "nowhere"}, "card 'nowhere'"),
        ({"answers": "conflict:7"}, "answers 'conflict:7'"),
        ({"answers": "conflict:nan,product:0.4"}, "answers 'conflict:nan"),
        ({"answers": "posterior:1;2"}, "answers 'posterior:1;2'"),
        ({"answers": "<b>"}, "answers '<b>'"),
    ],
)
def test_what_a_link_has_wrong_is_told_and_left_out(
    learn: Open, query: dict[str, str], told: str
) -> None:
    app = learn(**query)
    assert not app.exception
    assert any(told in one.value.replace("\\", "") for one in app.warning)
    left = "product:0.4" if "product" in query.get("answers", "") else ""
    assert address(app, "answers") == left


@pytest.mark.parametrize("name", ["posterior", "bounds", "maps"])
def test_every_word_of_a_card_is_explained_on_its_page(learn: Open, name: str) -> None:
    at_end = marked_of(learn(name, answers=_answer(name))).split('<dl class="glossary">')[-1]
    listed = set(re.findall("<dt>(.*?)</dt>", at_end.split("</dl>")[0]))
    unread = ("numbers", "formula.says", "claims.")  # other depths
    texts = [text for place, text in CARDS[name].texts() if not place.startswith(unread)]
    used = set(glossary.used_in(" | ".join(texts)))
    assert used <= listed, used - listed


def test_the_chapter_and_the_cards_done_have_a_tick(learn: Open) -> None:
    app = learn("modality", answers="modality:1,posterior:0;0;1;1;0")
    chapters, cards = (app.button_group(key=one) for one in (lesson_views.CHAPTER, lesson_views.AT))
    assert [one.startswith("✓") for one in chapters.options] == [True, False, False, False]
    assert [one.startswith("✓") for one in cards.options] == [True, True]


# ---- the teacher's


def test_the_room_is_counted_only_where_it_is_asked_for(learn: Open) -> None:
    alone = predict(learn("order"), CARDS["order"], True)
    assert "The room predicted" not in html_of(alone)
    app = learn("order", "--collect")
    assert "room" not in html_of(app).split("For the teacher")[0], "nothing before one's own"
    predict(app, CARDS["order"], True)
    assert "The room predicted (1)" in html_of(app)
    app.button(key="learn_again").click().run()
    predict(app, CARDS["order"], False)
    assert "The room predicted (1)" in html_of(app), "once a session"
    another = predict(learn("order", "--collect"), CARDS["order"], False)
    assert "2 predictions: A 1; B 1; C 0" in html_of(another)
    teacher = learn("order", "--collect", room="true", plain="true")
    assert "The room predicted (2)" in html_of(teacher)
    assert "What you should see" not in html_of(teacher)


def test_a_drawn_prediction_has_its_place_in_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    card = CARDS["posterior"]
    asked = card.question.ellipse
    assert asked is not None
    middle = [measured(card, one) for one in (asked.across, asked.up)]
    monkeypatch.setattr(live, "value", lambda claim: measured(card, claim.name))
    found = [
        room_views.place_of(card, (middle[0], middle[1] + far * asked.near, 1.0, 1.0, 0.0))
        for far in (0.0, 0.9, 1.1, 2.1, 9.0)
    ]
    assert found == [0, 0, 1, 2, 3]
    assert len(room_views.places(card)) == 4


def test_a_prediction_of_a_link_is_told_from_ones_own(learn: Open) -> None:
    app = learn("mixture", "--collect", answers="mixture:2")
    assert "came with the link" in html_of(app)
    assert "Nobody in the room" in html_of(app), "it is nobody's here"
    app.button(key="learn_again").click().run()
    predict(app, CARDS["mixture"], True)
    assert "came with the link" not in html_of(app)
    assert "The room predicted (1)" in html_of(app)


def test_who_trains_waits_for_a_place_and_stops_when_nobody_looks(learn: Open) -> None:
    app = learn("bounds", answers="bounds:3")
    others, line = [object() for _ in range(AT_ONCE)], training_views.places()
    for one in others:
        line.before(one)
    app.button(key="toy_play").click().run()
    course = app.session_state["_toy_course"]
    try:
        assert course.runs and course.played is None, "it waits"
        line.leave(others.pop())
        course.left_after = 0.1  # as if the visitor had gone long ago
        course.join(60)
        assert not course.runs and course.left
        assert line.before(others[0]) == 0 and line.before(object()) == 0, "its place is free"
    finally:
        course.pause()
        training_views.places.clear()
    assert "It stopped when nobody looked" in html_of(app.run())


def test_a_lesson_link_is_told(learn: Open) -> None:
    html = unescape(html_of(learn("bounds")))
    assert 'href="learn?card=bounds&plain=true"' in html
    assert "--cards FOLDER" in html
