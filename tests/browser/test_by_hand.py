"""Generating by hand in a real browser: drawing, uploading, typing; and the link that holds it."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from mmvae_core.modalities.strokes import from_text
from tests.browser.conftest import Watched, settle

pytestmark = pytest.mark.browser

Tab = Callable[..., Watched]
OWN = "generate?start=my+own+input"
SEEN = "img[alt='handwriting as given']"


def drag(page: Page, *corners: tuple[float, float]) -> None:
    """One stroke on the pad through places in 0..1."""
    box = page.locator(".field").bounding_box()
    assert box
    steps = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*steps[0])
    page.mouse.down()
    for step in steps[1:]:
        page.mouse.move(*step, steps=8)
    page.mouse.up()


def in_link(page: Page) -> list:
    """The drawing in the page's address."""
    values = parse_qs(urlsplit(page.url).query).get("own_handwriting", [""])
    return from_text(values[0])


def test_a_digit_is_drawn_by_mouse_undone_and_cleared(server: str, tab: Tab) -> None:
    watched = tab()
    page = watched.open(f"{server}/{OWN}")
    page.locator(".field").scroll_into_view_if_needed()
    drag(page, (0.2, 0.2), (0.8, 0.2), (0.4, 0.9))
    seen = page.locator(SEEN)
    seven = seen.get_attribute("src")
    assert page.locator("#said").inner_text() == "1 stroke"
    settle(page)
    drawn = in_link(page)
    assert len(drawn) == 1
    # A pixel of the pad, of which it has a few hundred, is up to 0.01.
    np.testing.assert_allclose([drawn[0][0], drawn[0][-1]], [(0.2, 0.2), (0.4, 0.9)], atol=0.02)
    drag(page, (0.3, 0.5), (0.7, 0.5))
    page.wait_for_function(
        "before => document.querySelector(`img[alt='handwriting as given']`).src !== before",
        arg=seven,
    )
    assert page.locator("#said").inner_text() == "2 strokes"
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function(
        "before => document.querySelector(`img[alt='handwriting as given']`).src === before",
        arg=seven,
    )
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Nothing is given").wait_for()
    settle(page)
    assert in_link(page) == []
    assert watched.errors == []


def test_a_digit_is_drawn_by_keyboard_alone(server: str, tab: Tab) -> None:
    watched = tab()
    page = watched.open(f"{server}/{OWN}&mask=handwriting")
    field = page.locator(".field")
    for _ in range(60):
        page.keyboard.press("Tab")
        if field.evaluate("element => element.matches(':focus-visible')"):
            break
    else:
        pytest.fail("The pad cannot be reached by the Tab key.")
    assert field.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Space")
    for _ in range(10):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.locator(SEEN).wait_for()
    settle(page)
    (stroke,) = in_link(page)
    # Keys go whole steps; the link keeps places to a 4,095th.
    np.testing.assert_allclose([stroke[0], stroke[-1]], [(0.5, 0.2), (0.5, 0.7)], atol=0.001)
    assert "pen up at 50, 70" in page.locator("#said").inner_text()
    page.keyboard.press("u")
    page.get_by_text("Nothing is given").wait_for()
    assert watched.errors == []


def test_a_drawing_survives_a_link_and_a_page_switch(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/{OWN}&own_handwriting=abcdefgh.ABCD&temperature=0.5")
    assert page.locator("#said").inner_text() == "2 strokes"
    before = page.locator(SEEN).get_attribute("src")
    page.get_by_role("link", name="Masks").click()
    page.get_by_role("heading", name="Masks", exact=True).wait_for()
    settle(page)
    page.get_by_role("link", name="Generate").click()
    page.locator(SEEN).wait_for()
    settle(page)
    assert page.locator(SEEN).get_attribute("src") == before
    assert in_link(page) == from_text("abcdefgh.ABCD")


def test_a_photo_is_cut_to_its_square_and_a_word_is_typed(
    server: str, tab: Tab, tmp_path: Path
) -> None:
    watched = tab()
    page = watched.open(f"{server}/{OWN}")
    pixels = np.zeros((60, 120, 3), np.uint8)
    pixels[:, 30:90] = (200, 40, 40)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    page.locator("input[type=file]").set_input_files(tmp_path / "wide.png")
    page.locator("img[alt='photo as given']").wait_for()
    word = page.get_by_label("Type your own word")
    word.fill("One")
    word.press("Enter")
    page.locator(".pair [aria-label=one]").wait_for()
    settle(page)
    assert parse_qs(urlsplit(page.url).query)["own_word"] == ["One"]
    word.fill("7!")
    word.press("Enter")
    page.get_by_text("leave the others out").wait_for()
    assert watched.errors == []


def test_a_wrong_drawing_in_the_link_is_told(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/{OWN}&own_handwriting=abc&temperature=9")
    said = " ".join(page.locator("[data-testid=stAlert]").all_inner_texts())
    assert "own_handwriting" in said
    assert "temperature" in said
