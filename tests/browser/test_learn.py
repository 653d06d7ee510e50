"""Learn in a browser: keyboard alone through all cards, what is lit, widths, an axe scan."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from mmvae_core.store.study import SHIPPED
from tests.browser.conftest import Watched, served, settle
from tests.browser.test_for_everyone import misplaced, serious
from ui.learn.cards import Card
from ui.learn.reading import read_lesson

pytestmark = pytest.mark.browser

Tab = Callable[..., Watched]
CARDS = read_lesson().cards
FOCUS = """() => { let one = document.activeElement;
    while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    return one; }"""
MOST_TABS = 150


@pytest.fixture(scope="module")
def shipped() -> Iterator[str]:
    with served(SHIPPED) as address:
        yield address


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what has the focus fits, as one who has no pointer does."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate(f"(what) => Boolean(({FOCUS})()?.closest(what))", selector):
            return
    pytest.fail(f"{selector} was not reached by {MOST_TABS} tabs")


def predict(page: Page, card: Card) -> None:
    """Some prediction, by keys alone."""
    if card.question.ellipse is not None:
        tab_to(page, "button.keep")
        page.keyboard.press("Enter")
    elif card.question.scale is not None:
        tab_to(page, ".st-key-learn_question :is([role=slider], input[type=range])")
        page.keyboard.press("ArrowRight")
        tab_to(page, ".st-key-learn_keep button")
        page.keyboard.press("Enter")
    else:
        tab_to(page, ".st-key-learn_question input[type=radio]")
        page.keyboard.press("Space")
        tab_to(page, ".st-key-learn_keep button")
        page.keyboard.press("Enter")


@pytest.mark.slow
def test_keyboard_alone_gets_through_all_cards(shipped: str, tab: Tab) -> None:
    watched = tab()
    page = watched.open(f"{shipped}/learn")
    for number, card in enumerate(CARDS, 1):
        page.wait_for_function(
            "(id) => new URL(location).searchParams.get('card') === id", arg=card.id
        )
        settle(page)
        predict(page, card)
        page.wait_for_selector(".shows")
        settle(page)
        assert f"{number} of {len(CARDS)} cards answered" in page.inner_text(".st-key-learn_steps")
        if number < len(CARDS):
            tab_to(page, ".st-key-learn_next button")
            page.keyboard.press("Enter")
    assert page.evaluate("new URL(location).searchParams.get('answers').split(',').length") == 12
    assert watched.errors == []
    assert watched.hosts == {shipped.removeprefix("http://")}


OUTLINE = """(part) => { const root = [...document.querySelectorAll('.st-key-learn_picture *')]
    .find((one) => one.shadowRoot?.querySelector('[part]')).shadowRoot;
    return getComputedStyle(root.querySelector(`[part=${part}]`)).outlineStyle; }"""


def test_what_a_card_speaks_of_is_lit_until_one_leaves(shipped: str, tab: Tab) -> None:
    page = tab().open(f"{shipped}/learn?card=conflict")
    for part in ("plane", "rules", "sight", "sound"):
        wanted = "solid" if part == card_of("conflict").lights else "none"
        assert page.evaluate(OUTLINE, part) == wanted, part
    page.goto(f"{shipped}/learn?card=order")
    page.wait_for_selector("[data-figure^=order]")
    whole = "getComputedStyle(document.querySelector('.st-key-learn_picture')).outlineStyle"
    assert page.evaluate(whole) == "solid"
    page.click("[data-testid=stSidebarNavLink]:has-text('Order')")
    page.wait_for_selector("[alt*='this order']")
    settle(page)
    assert page.locator("style", has_text="outline-offset: 6px").count() == 0


@pytest.mark.parametrize("name", [card.id for card in CARDS])
def test_each_card_finds_what_it_lights(shipped: str, tab: Tab, name: str) -> None:
    page, card = tab().open(f"{shipped}/learn?card={name}"), card_of(name)
    if card.lights in ("picture", "question"):
        assert page.locator(f".st-key-learn_{card.lights}").is_visible()
    else:
        assert page.evaluate(OUTLINE, card.lights) == "solid"


def card_of(name: str) -> Card:
    return next(one for one in CARDS if one.id == name)


def test_axe_finds_nothing_serious_on_a_card_in_large_letters(shipped: str, tab: Tab) -> None:
    path = "learn?card=maps&answers=maps:40&depth=Formula&plain=true"
    page = tab(scheme="dark").open(f"{shipped}/{path}")
    assert serious(page) == []


def some(card: Card) -> str:
    """An answer that the card takes, as it stands in the address."""
    if card.question.ellipse is not None:
        return f"{card.id}:0;0;0.4;0.4;0"
    return f"{card.id}:{1 if card.question.scale is None else card.question.scale.low:g}"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_every_card_axe_finds_nothing_serious_and_no_text_lies_on_another(
    shipped: str, tab: Tab, scheme: str
) -> None:
    """All are answered, so that each shows its reveal; one page, card by card."""
    answers = ",".join(map(some, CARDS))
    page = tab(1280, 720, scheme).open(f"{shipped}/learn?answers={answers}&depth=Numbers")
    for number, card in enumerate(CARDS, 1):
        page.wait_for_function(
            "(id) => new URL(location).searchParams.get('card') === id", arg=card.id
        )
        page.wait_for_selector(".shows")
        settle(page)
        assert serious(page) == [], card.id
        assert misplaced(page) == [], card.id
        if number < len(CARDS):
            page.click(".st-key-learn_next button")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720)])
def test_a_card_fits_a_telephone_and_a_projector(
    shipped: str, tab: Tab, width: int, height: int
) -> None:
    plain = "&plain=true" if width > 1000 else ""
    for card, answers in (("posterior", ""), ("conflict", "conflict:2"), ("bounds", "bounds:1")):
        page = tab(width, height).open(f"{shipped}/learn?card={card}&answers={answers}{plain}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        places = [
            page.locator(f".st-key-learn_{part}").bounding_box()
            for part in ("text", "picture", "question")
        ]
        text, picture, question = (one or pytest.fail("it is not drawn") for one in places)
        if width < 640:  # the picture between what is told and what is asked
            assert text["y"] < picture["y"] < question["y"]
        else:
            assert picture["x"] > text["x"] + text["width"]
            assert picture["y"] < height / 4, "it begins in the upper quarter"
            shows = page.locator(".shows").bounding_box() if answers else None
            assert shows is None or shows["y"] < height, "what is to be seen begins on the screen"
