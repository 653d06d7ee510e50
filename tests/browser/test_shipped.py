"""Every page on a shipped run of each study, in a real browser; all runs: tests/ui/test_shipped.py."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from mmvae_core.explore.lattice import masks_near
from mmvae_core.store.run import Run
from mmvae_core.store.study import SHIPPED, studies
from tests.browser.conftest import LAST, Watched, served, settle
from tests.browser.test_pages import PATHS
from ui.shell import frame

pytestmark = pytest.mark.browser

WRONG = "[data-testid=stException], [data-testid=stAlertContentError]"
WHOLE = """() => { const board = [...document.querySelectorAll('*')].map(
    one => one.shadowRoot?.querySelector('.board')?.parentNode).find(one => one);
    return board && board.scrollWidth <= board.clientWidth; }"""
"""Of the lattice no card is cut by its frame's edge."""
FIRST = "sum_pooling-masked"
RUNS = [run for study in studies() for run in study.runs() if run.folder.name == FIRST]


@pytest.fixture(scope="module")
def shipped() -> Iterator[str]:
    with served(SHIPPED) as address:
        yield address


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_every_page_shows_the_run(shipped: str, tab: Callable[..., Watched], run: Run) -> None:
    study, name = run.id.split("/")
    watched = tab(1280, 720)
    page = watched.open(f"{shipped}/order?study={study}&run={name}")  # a light page to begin with
    for title, path in PATHS.items():
        go_to(page, title, LAST[path.strip("/")])
        assert page.locator(WRONG).count() == 0, title
        assert "nan" not in page.locator(".stMain").inner_text().lower().split()
        if title == "Masks":
            assert page.locator("button.node").count() == len(
                masks_near((True,) * len(run.config.names))
            )
            page.wait_for_function(WHOLE)  # once the cards have taken the window's size
        assert run.card.weights[:12] in page.locator("[data-testid=stSidebar]").inner_text()
    assert watched.errors == []


def go_to(page: Page, title: str, last: str) -> None:
    """Follow the page's link in the navigation and wait until all is drawn."""
    page.get_by_role("link", name=title, exact=True).click()
    heading = frame.HEADINGS.get(title, title)
    page.get_by_role("heading", name=heading, exact=True).wait_for()
    page.wait_for_selector(last)
    settle(page)
