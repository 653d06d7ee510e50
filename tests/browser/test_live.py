"""Pictures that the browser makes are the server's; address and session stay Streamlit's."""

import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watched, settle
from tests.browser.live import HOLD, READY, answered, hold_to_the_server, made, shown, toggle

pytestmark = pytest.mark.browser


def masks(tab: Callable[..., Watched], address: str, **how: object) -> Watched:
    watched = tab(**how)
    watched.open(f"{address}/masks?study=digits&run=sum_pooling-masked&item=3")
    watched.page.wait_for_selector(READY, state="attached")
    return watched


def kept(page: Page) -> list[str]:
    """What Streamlit's own pills say."""
    return page.eval_on_selector_all(
        ".st-key-mask button[aria-pressed=true]", "all => all.map(one => one.textContent)"
    )


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("masks?study=digits&run=sum_pooling-masked", (4, 8)),
        ("compare?study=digits&run=poe-mixture&mask=photo&mask=handwriting&mask=word", (8, 32)),
        ("masks?study=five&run=private", (10, 0)),
    ],
)
def test_the_browsers_pictures_are_the_servers(
    tab: Callable[..., Watched], decoding: str, path: str, counts: tuple[int, int]
) -> None:
    watched = tab()
    page = watched.open(f"{decoding}/{path}&item=3&seed=5")
    page.wait_for_selector(READY, state="attached")
    page.evaluate(HOLD)
    names = page.locator(".st-key-live .pills button").all_inner_texts()
    for index, name in reversed(list(enumerate(names))[-3:]):
        toggle(page, name)
        shown(page, "1" * index + "0" * (len(names) - index))
        pictures, words, _ = made(page)
        assert (len(pictures), len(words)) == counts
        hold_to_the_server(page)
    if path.startswith("masks"):
        code = "01" + "0" * (len(names) - 2)
        page.locator(f"button.node[data-mask='{code}']").click()
        shown(page, code)
        assert page.locator("button.node.lit").get_attribute("data-mask") == code
        hold_to_the_server(page)
    assert not watched.errors


def test_address_session_and_history_are_streamlits(
    tab: Callable[..., Watched], decoding: str
) -> None:
    page = masks(tab, decoding).page
    toggle(page, "photo")
    answered(page)
    assert kept(page) == ["handwriting", "word"]
    assert "mask=handwriting&mask=word" in page.url
    page.click("text=Inside the fusion")
    page.wait_for_url("**/fusion*")
    settle(page)
    assert kept(page) == ["handwriting", "word"]
    assert page.locator(".st-key-mask").is_visible(), "where nothing is made here, the pills are"
    page.click("[data-testid=stSidebarNav] >> text=Masks")
    page.wait_for_selector(READY, state="attached")
    pressed = page.locator(".st-key-live .pills button[aria-pressed=true]")
    assert pressed.all_inner_texts() == ["handwriting", "word"]
    page.reload()
    page.wait_for_selector(READY, state="attached")
    settle(page)
    assert pressed.all_inner_texts() == kept(page) == ["handwriting", "word"]
    assert not page.locator(".st-key-mask").is_visible()


def test_a_quick_hand_ends_where_it_ended(tab: Callable[..., Watched], decoding: str) -> None:
    page = masks(tab, decoding).page
    for name in ("photo", "word", "photo", "handwriting", "photo"):
        toggle(page, name)
    shown(page, "000")
    answered(page)
    page.wait_for_function("!document.querySelector('.st-key-mask button[aria-pressed=true]')")
    assert page.locator(".st-key-live .pills button[aria-pressed=true]").count() == 0
    assert "mask=" in page.url and "mask=h" not in page.url
    page.keyboard.press("Tab")
    page.locator("button.node[data-mask='111']").click()
    page.wait_for_function(
        "document.querySelectorAll('.st-key-mask [aria-pressed=true]').length === 3"
    )
    settle(page)
    assert page.locator(".st-key-live .pills button[aria-pressed=true]").count() == 3


def test_a_browser_that_cannot_gets_the_servers(tab: Callable[..., Watched], decoding: str) -> None:
    watched = tab()
    watched.page.route("**/weights/**", lambda route: route.abort())
    page = watched.open(f"{decoding}/masks?study=digits&run=sum_pooling-masked&item=3")
    page.wait_for_selector(".st-key-live .where:has-text('as this browser cannot')")
    page.locator(".st-key-mask button", has_text="photo").click()
    settle(page)
    page.wait_for_function("location.search.includes('mask=handwriting&mask=word')")
    assert page.locator(".st-key-live .pills").is_hidden()


def test_a_visitor_may_leave_it_to_the_server(tab: Callable[..., Watched], decoding: str) -> None:
    page = masks(tab, decoding).page
    page.click(".st-key-live >> text=Leave it to the server")
    assert page.locator(".st-key-mask button").first.is_visible()
    page.reload()
    settle(page)
    assert page.locator(".st-key-mask button").first.is_visible()
    page.click(".st-key-live >> text=Make them in this browser")
    page.wait_for_selector(READY, state="attached")


def test_it_fits_a_telephone(tab: Callable[..., Watched], decoding: str) -> None:
    watched = masks(tab, decoding, width=390, height=844, scheme="dark")
    page = watched.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    toggle(page, "photo")
    shown(page, "101")
    assert not watched.errors


def test_a_server_may_be_told_to_decode(tab: Callable[..., Watched], server: str) -> None:
    page = tab().open(f"{server}/masks?study=digits&run=sum_pooling-masked&item=3")
    assert page.locator(".st-key-mask button").first.is_visible()
    assert page.locator(".st-key-live").count() == 0


def test_weights_are_kept_by_their_address(tab: Callable[..., Watched], decoding: str) -> None:
    watched, asked = tab(), []
    watched.page.on("request", lambda one: asked.append(one.url) if "/weights/" in one.url else 0)
    watched.open(f"{decoding}/masks?study=digits&run=sum_pooling-masked&item=3")
    watched.page.wait_for_selector(READY, state="attached")
    (address,) = asked
    with urllib.request.urlopen(address, timeout=30) as found:
        assert "immutable" in found.headers["Cache-Control"]
        assert found.headers["Content-Encoding"] == "identity"
        assert int.from_bytes(found.read(4), "little") % 4 == 0
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{decoding}/weights/{'0' * 32}.bin", timeout=30)
