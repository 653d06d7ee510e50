"""The lattice in a real browser: clicks and keys set the mask everywhere."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watched, settle

pytestmark = pytest.mark.browser

Tab = Callable[..., Watched]


def mask_of(page: Page) -> list[str] | None:
    """What the address says; None is the default, everything."""
    return parse_qs(urlsplit(page.url).query, keep_blank_values=True).get("mask")


def pressed(page: Page) -> list[str]:
    return page.locator(".st-key-mask button[aria-pressed=true]").all_inner_texts()


def expect_lit(page: Page, mask: str) -> None:
    """Wait until the page, not only the card, has this mask."""
    page.wait_for_selector(f"button.node.lit[data-mask='{mask}']")
    settle(page)
    assert page.locator("button.node.lit").count() == 1
    buttons = page.locator(".st-key-mask button")
    assert (
        "".join(
            "1" if buttons.nth(index).get_attribute("aria-pressed") == "true" else "0"
            for index in range(len(mask))
        )
        == mask
    )


def test_a_click_on_a_card_sets_the_mask_everywhere(server: str, tab: Tab) -> None:
    watched = tab()
    page = watched.open(f"{server}/masks?study=digits&item=7")
    page.locator("button.node[data-mask='101']").click()
    expect_lit(page, "101")
    assert pressed(page) == ["handwriting", "word"] == mask_of(page)
    assert page.locator("tr.lit th").inner_text() == "handwriting+word"
    page.get_by_role("link", name="Generate").click()
    page.get_by_role("heading", name="Generate", exact=True).wait_for()
    settle(page)
    assert pressed(page) == ["handwriting", "word"] == mask_of(page)
    assert watched.errors == []


def test_keys_toggle_modalities_but_not_while_one_types(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?study=digits&item=7")
    page.locator("h1").click()
    for key, mask in (("1", "011"), ("3", "010"), ("3", "011"), ("1", "111"), ("4", "111")):
        page.keyboard.press(key)
        expect_lit(page, mask)
    assert mask_of(page) is None
    page.locator(".st-key-item input").click()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    settle(page)
    expect_lit(page, "111")


def test_a_mask_emptied_by_a_key_stays_empty_in_the_link(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?study=digits&mask=photo&item=7")
    page.locator("h1").click()
    page.keyboard.press("2")
    expect_lit(page, "000")
    assert mask_of(page) == [""]
    page.reload()
    page.wait_for_selector("button.node")
    expect_lit(page, "000")
    page.keyboard.press("2")
    expect_lit(page, "010")
    assert mask_of(page) == ["photo"]


def test_arrows_go_along_edges_and_enter_takes_the_card(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?study=digits&mask=photo")
    page.locator("button.node.lit").focus()
    focused = "button.node:focus"
    for key, mask in (
        ("ArrowDown", "001"),
        ("ArrowUp", "010"),
        ("ArrowRight", "110"),
        ("ArrowRight", "111"),
        ("ArrowLeft", "011"),
        ("ArrowLeft", "001"),
        ("ArrowLeft", "000"),
    ):
        page.keyboard.press(key)
        assert page.locator(focused).get_attribute("data-mask") == mask, key
    assert page.locator(focused).evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect_lit(page, "100")


@pytest.mark.parametrize(
    ("study", "run"),
    [("small", "moe-masked"), ("five", "poe"), ("five", "private"), ("pair", "mixture")],
)
def test_every_kind_of_study_has_a_lattice_that_answers(
    server: str, tab: Tab, study: str, run: str
) -> None:
    watched = tab()
    page = watched.open(f"{server}/masks?study={study}&run={run}&item=3")
    count = page.locator(".st-key-mask button").count()
    assert page.locator("button.node").count() == 2**count
    assert page.locator("g.edge").count() == count * 2 ** (count - 1)
    assert page.locator("g.posterior").count() == 2**count
    labels = page.eval_on_selector_all("button.node", "all => all.map(one => one.ariaLabel)")
    assert all("nats, width" in label for label in labels)
    wanted = "1" + "0" * (count - 1)
    page.locator(f"button.node[data-mask='{wanted}']").click()
    expect_lit(page, wanted)
    page.keyboard.press("2")
    expect_lit(page, "11" + "0" * (count - 2))
    assert watched.errors == []


def test_a_line_of_the_map_is_a_button_too(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?study=small&item=3")
    page.locator("g.posterior .at").nth(2).dispatch_event("click")
    expect_lit(page, "010")
    assert page.locator("g.posterior.lit").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_cards_are_a_list(server: str, tab: Tab, scheme: str) -> None:
    page = tab(390, 844, scheme).open(f"{server}/masks?study=five&mask=part1")
    boxes = [
        box for box in (one.bounding_box() for one in page.locator("button.node").all()) if box
    ]
    assert len(boxes) == 32
    assert len({round(box["x"]) for box in boxes}) == 1
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    steps = [text for text in page.locator(".step").all_inner_texts() if text]
    assert len(steps) == 5
    assert all(text.count("moves ") == 1 and " nats, rate " in text for text in steps)


def test_numbers_on_cards_have_contrast(server: str, tab: Tab) -> None:
    """Ink against the card's ground, both schemes, the lit card too."""
    for scheme in ("light", "dark"):
        page = tab(1440, 900, scheme).open(f"{server}/masks?study=digits&mask=word")
        for selector in ("button.node.lit", "button.node:not(.lit)"):
            ratio = page.locator(selector).first.evaluate("""one => {
                const channels = (text) => text.startsWith('color(')
                    ? text.match(/[\\d.]+/g).slice(0, 3).map(Number)
                    : text.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255);
                const bright = (text) => channels(text)
                    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
                    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
                const style = getComputedStyle(one);
                const [low, high] = [bright(style.color), bright(style.backgroundColor)].sort();
                return (high + 0.05) / (low + 0.05); }""")
            assert ratio >= 4.5, (scheme, selector, ratio)
