"""The pages in a real browser: links, masks, the map, narrow screens."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watched, settle, use_scheme
from ui.shell import frame

pytestmark = pytest.mark.browser

PATHS = {
    "Start": "/",
    "Latent space": "/latent_space",
    "Masks": "/masks",
    "Compare": "/compare",
    "Traverse": "/traverse",
    "Generate": "/generate",
    "Inside the fusion": "/fusion",
    "Order": "/order",
    "Conflict": "/conflict",
    "Results": "/results",
}
Tab = Callable[..., Watched]
OVERHANG = """() => [document.documentElement, document.querySelector('.stMain')]
    .map(element => element.scrollWidth - element.clientWidth)"""


@pytest.mark.parametrize("title", list(PATHS))
def test_a_link_opens_its_page_on_a_cold_server(cold_server: str, tab: Tab, title: str) -> None:
    watched = tab()
    page = watched.open(
        f"{cold_server}{PATHS[title]}?item=7&mask=word&seed=3&run=moe-masked"
        + ("&from_rival=photo" if title == "Conflict" else "")
    )
    assert page.locator("h1").inner_text() == frame.HEADINGS.get(title, title)
    assert page.locator(".st-key-item input").input_value() == "7"
    pressed = page.locator(".st-key-mask button[aria-pressed=true]")
    assert [text.strip() for text in pressed.all_text_contents()] == ["word"]
    assert page.locator("[data-testid=stAlert], [data-testid=stException]").count() == 0
    assert "MoE, masked bound" in page.locator("[data-testid=stSidebar]").inner_text()
    assert watched.errors == []
    assert watched.hosts == {cold_server.removeprefix("http://")}


def test_a_choice_survives_a_page_switch_and_a_reload(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?item=7")
    page.locator(".st-key-mask button", has_text="photo").click()
    page.wait_for_selector("tr.lit th:has-text('handwriting+word')")
    page.get_by_role("link", name="Generate").click()
    page.get_by_role("heading", name="Generate", exact=True).wait_for()
    settle(page)
    page.reload()
    page.get_by_role("heading", name="Generate", exact=True).wait_for()
    settle(page)
    pressed = page.locator(".st-key-mask button[aria-pressed=true]").all_inner_texts()
    assert pressed == ["handwriting", "word"]
    assert page.locator(".st-key-item input").input_value() == "7"


def test_the_mask_changes_the_pictures_by_keyboard(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?item=7")
    picture = page.locator("img.tiles[alt*='of photo']")
    before = picture.get_attribute("src")
    assert "reconstructions" in (picture.get_attribute("alt") or "")
    button = page.locator(".st-key-mask button", has_text="photo")
    button.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert button.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector("tr.lit th:has-text('handwriting+word')")
    settle(page)
    assert picture.get_attribute("src") != before
    assert "generations of photo" in (picture.get_attribute("alt") or "")


def choose_all(page: Page) -> None:
    """Draw a lasso around the whole map."""
    place = page.locator(".nsewdrag").first.bounding_box()
    assert place
    corners = [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.02)]
    steps = [
        (place["x"] + a * place["width"], place["y"] + b * place["height"]) for a, b in corners
    ]
    page.mouse.move(*steps[0])
    page.mouse.down()
    for step in steps[1:]:
        page.mouse.move(*step, steps=6)
    page.mouse.up()
    page.wait_for_selector(".item-grid .item:nth-child(40)")
    settle(page)


def test_points_chosen_on_the_map_appear_as_items(server: str, tab: Tab) -> None:
    watched = tab()
    page = watched.open(f"{server}/latent_space?item=3")
    page.wait_for_selector(".scatterlayer .point")
    page.evaluate("document.querySelector('.js-plotly-plot').dataset.same = 'yes'")
    choose_all(page)
    assert page.locator(".item-grid").first.locator(".item").count() == 40
    assert page.locator(".js-plotly-plot").get_attribute("data-same") == "yes", "chart remounted"
    assert watched.errors == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", [*PATHS.values(), "/learn", "/train"])
def test_no_page_jumps_or_scrolls_sideways(server: str, tab: Tab, path: str, width: int) -> None:
    watched = tab(width, 720)
    page = watched.open(f"{server}{path}?mask=word")
    assert page.evaluate("window.shifts") <= 0.1
    assert max(page.evaluate(OVERHANG)) <= 0
    use_scheme(page, "dark")
    assert max(page.evaluate(OVERHANG)) <= 0
    assert watched.errors == []


def test_every_picture_has_a_text_alternative(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?mask=word")
    alternatives = page.eval_on_selector_all("img.tiles", "all => all.map(one => one.alt)")
    assert len(alternatives) >= 6
    assert all(alternatives)


def test_a_wrong_link_is_told(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?run=nonsense&item=99999")
    said = " ".join(page.locator("[data-testid=stAlert]").all_inner_texts())
    assert "nonsense" in said
    assert "99999" in said
