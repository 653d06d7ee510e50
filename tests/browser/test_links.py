"""A link is the whole state: state -> address -> state, the way back, and the plain view."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watched, settle

pytestmark = pytest.mark.browser

Tab = Callable[..., Watched]
BASE = "run=moe-masked&item=7&mask=word&seed=3"
LINKS = {
    "start": "/?",
    "latent_space": "/latent_space?projection=PCA&draws=trained",
    "masks": "/masks?plain=true",
    "compare": "/compare?runs=moe-masked&runs=poe-mixture",
    "traverse": "/traverse?plane=two+latents&across=latent+2&up=latent+1&scale=posterior&by=photo"
    "&at=0.25,-0.5",
    "traverse, items": "/traverse?plane=three+items&second=4&third=9&at=1,1",
    "generate": "/generate?start=my+own+input&own_word=One&own_handwriting=abcdefgh.ABCD"
    "&temperature=0.5&count=4&sort=surest+first&show=the+mean&make=photo"
    "&way_photo=camera",
    "fusion": "/fusion?",
    "order": "/order?order=word%2C+handwriting%2C+photo",
    "conflict": "/conflict?rival=4&from_rival=photo",
    "generate, item": "/generate?make=photo&make=word&count=64",
}
STATE = """() => {
    const root = document.querySelector('.stApp'), found = [location.pathname];
    const note = (what, value) => found.push(`${what}: ${value}`);
    for (const one of root.querySelectorAll('input:not([type=file])'))
        note(one.ariaLabel ?? one.id, one.type === 'checkbox' ? one.checked : one.value);
    for (const one of root.querySelectorAll('[aria-pressed], [aria-checked], [aria-selected]'))
        note(one.innerText, one.ariaPressed ?? one.ariaChecked ?? one.ariaSelected);
    for (const one of root.querySelectorAll('[role=slider]')) note('slider', one.ariaValueNow);
    for (const one of root.querySelectorAll('[data-baseweb=select], [data-baseweb=tag]'))
        note('select', one.innerText);
    for (const host of root.querySelectorAll('*')) for (const one of
        host.shadowRoot?.querySelectorAll('[role=status]') ?? []) note('says', one.textContent);
    for (const one of root.querySelectorAll('.stMain img[src]')) note('picture', one.src);
    return found.map(one => one.replace(/:r[0-9a-z]+:|_r_[0-9a-z]+_/g, 'id')).sort(); }"""


def state_of(page: Page) -> list[str]:
    """What is on the page once two looks at it agree: components draw after the script's end."""
    before: list[str] = []
    for _ in range(20):
        page.wait_for_timeout(1_000)
        settle(page)
        found = page.evaluate(STATE)
        if found == before:
            break
        before = found
    return before


@pytest.mark.parametrize("name", list(LINKS))
def test_the_address_brings_the_whole_state_back(server: str, tab: Tab, name: str) -> None:
    first = tab().open(f"{server}{LINKS[name]}&{BASE}")
    before, address = state_of(first), first.url
    for part in filter(None, f"{LINKS[name].split('?')[1]}&{BASE}".split("&")):
        if not part.startswith("up="):  # may be the default, which Streamlit leaves out
            assert part.replace(",", "%2C") in address, part
    second = tab().open(address)
    assert state_of(second) == before
    assert set(second.url.split("?")[1].split("&")) == set(address.split("?")[1].split("&"))


def test_what_is_chosen_by_hand_is_in_the_address(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/traverse")
    field = page.locator(".plane .field")
    field.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('at=')")
    page.get_by_role("radio", name="two items").or_(
        page.get_by_role("button", name="two items")
    ).first.click()
    page.wait_for_function("location.search.includes('plane=')")
    settle(page)
    before = state_of(page)
    assert state_of(tab().open(page.url)) == before


def test_the_browsers_back_goes_back(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?item=7")
    page.get_by_role("link", name="Traverse").click()
    page.get_by_role("heading", name="Traverse", exact=True).wait_for()
    settle(page)
    page.go_back()
    page.get_by_role("heading", name="Masks", exact=True).wait_for()
    settle(page)
    assert page.locator(".st-key-item input").input_value() == "7"
    page.go_forward()
    page.get_by_role("heading", name="Traverse", exact=True).wait_for()


def test_the_link_is_copied(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?item=7")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link to this view").click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_the_plain_view_hides_the_controls_and_gives_them_back(server: str, tab: Tab) -> None:
    page = tab().open(f"{server}/masks?plain=true&mask=word")
    assert not page.locator("[data-testid=stSidebar]").is_visible()
    assert not page.locator(".question").is_visible()
    assert page.locator(".st-key-mask").is_visible()
    assert page.locator("img.tiles").first.is_visible()
    page.get_by_role("button", name="Show the controls").click()
    page.locator(".question").wait_for()
    assert page.locator("[data-testid=stSidebar]").is_visible()


@pytest.mark.parametrize("path", ["masks", "learn"])
def test_in_the_plain_view_no_link_lies_under_the_way_back(
    server: str, tab: Tab, path: str
) -> None:
    page = tab(1280, 720).open(f"{server}/{path}?plain=true")
    back = page.locator(".st-key-controls button").bounding_box()
    assert back
    links = page.locator(".st-key-ways a").all()
    assert len(links) == 12
    for link in links:
        box = link.bounding_box()
        assert box and box["y"] >= 0, link.inner_text()
        below = box["y"] >= back["y"] + back["height"]
        assert below or box["x"] + box["width"] <= back["x"], link.inner_text()


def choose(page: Page, widget: str, option: str) -> None:
    """Pick an option of a select box, as a visitor does."""
    page.locator(f".st-key-{widget} [data-baseweb=select], .st-key-{widget} input").first.click()
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)


@pytest.mark.parametrize("name", ["masks", "compare"])  # all pages: tests/ui/test_walk.py
def test_another_study_is_one_state_with_its_address(server: str, tab: Tab, name: str) -> None:
    """What was chosen in the study before is neither drawn nor addressed."""
    page = tab().open(f"{server}/{name}?study=digits&{BASE}")
    for study in ("five", "digits"):
        choose(page, "study", study)
        address = page.url.split("?")[1]
        assert "mask=" not in address, study
        assert "item=" not in address, study
        assert page.locator(".st-key-item input").input_value() == "0", study
        pills = page.locator(".st-key-mask button").all()
        assert [one.get_attribute("aria-pressed") for one in pills] == ["true"] * len(pills), study
        before = state_of(page)
        assert state_of(tab().open(page.url)) == before, study
