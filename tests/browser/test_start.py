"""Start in a real browser: a pill changes the picture at once, and the server is not asked."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watched, served, settle
from tests.ui.studies import write_opening

pytestmark = pytest.mark.browser

Tab = Callable[..., Watched]
EVERY, HIDDEN = "111", "101"
PICTURE = """() => {
    const root = [...document.querySelectorAll('.st-key-start_picture *')]
        .map(one => one.shadowRoot ?? one).find(one => one.querySelector?.('.stage'));
    const all = (what) => [...root.querySelectorAll(what)];
    return {
        pressed: all('.pill').map(one => one.ariaPressed === 'true' ? '1' : '0').join(''),
        hidden: all('.own .tile').map(one => one.classList.contains('hidden') ? '0' : '1').join(''),
        tags: all('.tag').map(one => one.textContent),
        faces: all('.made .face.on').map(one => one.style.backgroundPosition || one.textContent),
        outline: root.querySelector('.outline').getAttribute('d'),
        label: root.querySelector('[role=img]').ariaLabel,
        said: root.querySelector('.said').textContent,
    }; }"""


@pytest.fixture(scope="module")
def opened(checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of a study that has an opening."""
    root = tmp_path_factory.mktemp("opened")
    shutil.copytree(checkpoints / "digits", root / "digits")
    masks = {"generate": ("handwriting", "word"), "compare": ("word",)}
    write_opening(root / "digits", "sum_pooling-masked", 7, masks, picture=True)
    with served(root) as address:
        yield address


def ask(page: Page, mask: str) -> dict[str, object]:
    """The picture, once it shows a mask."""
    page.wait_for_function(f"({PICTURE})().pressed === '{mask}'")
    found = page.evaluate(PICTURE)
    assert found["hidden"] == mask
    assert found["tags"] == ["rebuilt" if one == "1" else "dreamt" for one in mask]
    return found


def frames(page: Page) -> list[str]:
    """What the page will have sent to the server from now on."""
    sent: list[str] = []
    page.evaluate("""() => { const send = WebSocket.prototype.send; window.sent = 0;
        WebSocket.prototype.send = function (...all) { window.sent += 1;
            return send.apply(this, all); }; }""")
    page.on("request", lambda request: sent.append(request.url))
    return sent


def test_a_pill_changes_the_picture_and_asks_nobody(opened: str, tab: Tab) -> None:
    watched = tab()
    watched.page.emulate_media(reduced_motion="reduce")
    page = watched.open(f"{opened}/")
    before, asked = ask(page, EVERY), frames(page)
    page.get_by_role("button", name="photo", exact=True).click()
    after = ask(page, HIDDEN)
    assert after["outline"] != before["outline"]
    assert all(one != other for one, other in zip(after["faces"], before["faces"], strict=True))
    assert "Shown: handwriting and word. Made up: photo." in str(after["label"])
    assert "Rate " in str(after["label"]) and "width " in str(after["label"])
    assert "photo is hidden" in str(after["said"])
    page.get_by_role("button", name="photo", exact=True).click()
    assert ask(page, EVERY) == before
    page.wait_for_timeout(500)
    assert not [url for url in asked if not url.startswith("data:")]
    assert page.evaluate("window.sent") == 0
    assert watched.errors == []


DIAGRAM = """() => [...document.querySelectorAll('.diagram .part')].map(one => [
    one.className, one.querySelector('small')?.textContent ?? '', one.dataset.way].join(' '))"""


def test_the_diagram_follows_a_pill_and_its_parts_lead_on(opened: str, tab: Tab) -> None:
    """As the server draws it for that mask; and a part opens its page in the same session."""
    watched = tab()
    watched.page.emulate_media(reduced_motion="reduce")
    page = watched.open(f"{opened}/?item=9&mask=handwriting&mask=word")
    ask(page, HIDDEN)
    drawn, text = page.evaluate(DIAGRAM), page.inner_text(".diagram .posterior")
    page = watched.open(f"{opened}/?item=9")
    ask(page, EVERY)
    assert page.evaluate(DIAGRAM) != drawn
    page.get_by_role("button", name="photo", exact=True).click()
    ask(page, HIDDEN)
    assert page.evaluate(DIAGRAM) == drawn
    assert page.inner_text(".diagram .posterior") == text
    page.click(".diagram .decoder.off")
    page.get_by_role("heading", name="Generate", exact=True).wait_for()
    settle(page)
    assert page.locator(".st-key-item input").input_value() == "9"
    assert watched.errors == []


def test_by_keyboard(opened: str, tab: Tab) -> None:
    watched = tab()
    page = watched.open(f"{opened}/?mask=word&item=7")
    ask(page, "001")
    pill = page.get_by_role("button", name="handwriting", exact=True)
    pill.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert pill.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    ask(page, "101")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    ask(page, "111")
    assert watched.errors == []


def test_it_shows_once_what_it_is_for_until_one_does_something(opened: str, tab: Tab) -> None:
    page = tab().open(f"{opened}/")
    ask(page, HIDDEN)
    ask(page, EVERY)  # of itself
    page = tab().open(f"{opened}/")
    page.mouse.wheel(0, 1)
    still = page.evaluate(PICTURE)["pressed"]
    page.wait_for_timeout(5_000)
    assert page.evaluate(PICTURE)["pressed"] == still


def test_without_motion_it_stands_still(opened: str, tab: Tab) -> None:
    watched = tab()
    watched.page.emulate_media(reduced_motion="reduce")
    page = watched.open(f"{opened}/")
    page.wait_for_timeout(2_500)
    ask(page, EVERY)


def test_a_door_opens_its_page_in_its_state(opened: str, tab: Tab) -> None:
    watched = tab()
    page = watched.open(f"{opened}/?item=9")
    page.get_by_role("link", name="Show me").click()
    page.get_by_role("heading", name="Masks", exact=True).wait_for()
    settle(page)
    pressed = page.locator(".st-key-mask button[aria-pressed=true]").all_inner_texts()
    assert pressed == ["handwriting", "word"]
    assert page.locator(".st-key-item input").input_value() == "9"
    page.go_back()
    page.get_by_role("link", name="My own").click()
    page.get_by_role("heading", name="Generate", exact=True).wait_for()
    page.get_by_label("Drawing pad for handwriting").wait_for()
    assert watched.errors == []


@pytest.mark.parametrize("size", [(1400, 900), (1280, 720)])
def test_everything_is_in_sight(opened: str, tab: Tab, size: tuple[int, int]) -> None:
    page = tab(*size).open(f"{opened}/")
    ask(page, EVERY)
    for what in ("h1", ".question", ".pill >> nth=2", ".said", ".door >> nth=2"):
        box = page.locator(what).bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= size[1], what


def test_pages_open_with_their_own_mask_until_one_is_chosen(opened: str, tab: Tab) -> None:
    page = tab().open(f"{opened}/")

    def go(name: str) -> tuple[list[str], bool]:
        page.get_by_role("link", name=name, exact=True).click()
        page.get_by_role("heading", name=name, exact=True).wait_for()
        settle(page)
        pressed = page.locator(".st-key-mask button[aria-pressed=true]").all_inner_texts()
        return pressed, "mask=" in page.url

    every = ["handwriting", "photo", "word"]
    assert go("Masks") == (every, False)
    assert go("Generate") == (["handwriting", "word"], False)
    assert go("Compare") == (["word"], False)
    assert go("Masks") == (every, False)
    page.locator("h1").click()
    for key in ("2", "2"):  # by the lattice's keys: chosen, and as Masks opens by itself
        page.keyboard.press(key)
        settle(page)
    assert go("Generate") == (every, True)
    page.reload()
    page.wait_for_selector(".st-key-mask")
    settle(page)
    assert page.locator(".st-key-mask button[aria-pressed=true]").count() == 3
