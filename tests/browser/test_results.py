"""The page Results in a real browser: its charts are drawn, by number too, and a link holds it."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Watched, settle

pytestmark = pytest.mark.browser


def test_charts_are_drawn_with_their_numbers_and_a_world_is_a_link(
    server: str, tab: Callable[..., Watched]
) -> None:
    watched = tab()
    page = watched.open(f"{server}/results?world=Linear%20sparse")
    page.wait_for_selector(".js-plotly-plot >> nth=3")
    assert page.locator(".st-key-world button[aria-checked=true]").inner_text() == "Linear sparse"
    drawn = page.locator(".js-plotly-plot .annotation-text").all_text_contents()
    assert any(text.startswith("PoE") and "+3.0" in text for text in drawn)
    assert page.locator(".js-plotly-plot .scatterlayer .point").count() > 15
    page.locator(".st-key-world button", has_text="Linear").first.click()
    page.get_by_role("heading", name="Linear: differences in log-likelihood").wait_for()
    settle(page)
    page.locator("[data-testid=stExpander] summary").click()
    page.get_by_role("region", name="Paired differences").wait_for()
    assert "sparse" not in page.url  # the first world, which Streamlit leaves out
    assert watched.errors == []
