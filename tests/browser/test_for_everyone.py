"""Every page: an axe scan, whose script comes with the package, finds nothing serious, and at a
projector's size no text lies on another, is cut, or reaches out of the page."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, TimeoutError

from tests.browser.conftest import Watched, use_scheme

pytestmark = pytest.mark.browser

Tab = Callable[..., Watched]
PAGES = (
    "",
    "learn",
    "latent_space",
    "masks?mask=word",
    "masks?study=five",
    "compare",
    "traverse",
    "generate?mask=photo",
    "generate?start=my+own+input&own_handwriting=abcdefgh.ABCD",
    "fusion",
    "order",
    "conflict",
    "results",
)
NOT_OURS: dict[str, str] = {}
"""Rules that Streamlit's own widgets break, each with what breaks it."""


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(server: str, tab: Tab, path: str) -> None:
    """In both schemes; the page opens in the dark one, which is the less usual."""
    watched = tab(1280, 720, scheme="dark")
    page = watched.open(f"{server}/{path}")
    assert serious(page) == []
    use_scheme(page, "light")
    assert serious(page) == []
    assert misplaced(page) == []
    assert watched.hosts == {server.removeprefix("http://")}


BOXES = (Path(__file__).parent / "boxes.js").read_text(encoding="utf-8")
LAID_OUT_MS = 20_000


def misplaced(page: Page) -> list[str]:
    """The texts that are, once charts and cards have taken the window's size."""
    with suppress(TimeoutError):
        page.wait_for_function(f"{BOXES}.length === 0", timeout=LAID_OUT_MS)
    return page.evaluate(BOXES)


def test_what_is_misplaced_is_found(tab: Tab) -> None:
    page = tab(width=400).page
    page.set_content("""<div class="stMain"><div class="stMainBlockContainer" style="width: 300px">
        <p style="position: absolute; top: 20px; left: 10px">over</p>
        <p style="position: absolute; top: 24px; left: 20px">under</p>
        <div style="overflow: hidden; width: 40px; margin-top: 100px; white-space: nowrap">longer than that</div>
        <p style="margin-left: 290px; width: 90px">away</p>
        <div style="overflow: auto; height: 20px"><p>first</p><p>what is scrolled to</p></div>
        <svg width="200" height="40"><text x="5" y="20">drawn <tspan>as one</tspan></text>
        <text x="5" y="22">across</text></svg><details><summary>more</summary>folded away</details><p style="visibility: hidden">unseen</p>
        </div></div>""")
    assert sorted(page.evaluate(BOXES)) == [
        "cut by DIV: longer than that",
        "on each other: drawn | across",
        "on each other: over | under",
        "outside: away",
    ]


def serious(page: Page) -> list[str]:
    """What the scan finds that is serious, where and why."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
        if one["id"] not in NOT_OURS
    ]
