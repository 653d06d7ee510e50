"""An axe scan of every page: no serious finding. The script comes with the package."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Watched, use_scheme

pytestmark = pytest.mark.browser

Tab = Callable[..., Watched]
PAGES = (
    "",
    "latent_space",
    "masks?mask=word",
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
    watched = tab(scheme="dark")
    page = watched.open(f"{server}/{path}")
    assert serious(page) == []
    use_scheme(page, "light")
    assert serious(page) == []
    assert watched.hosts == {server.removeprefix("http://")}


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
