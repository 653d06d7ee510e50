"""The toy world in a browser: it moves by keys alone, and without the server."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched

pytestmark = pytest.mark.browser
FREE = "learn?card=learned"
"""A card whose toy world moves before it is answered."""


def test_an_observation_moves_by_keys_and_nothing_is_sent(
    server: str, tab: Callable[..., Watched]
) -> None:
    watched, sent = tab(), []
    watched.page.on(
        "websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame))
    )
    page = watched.open(f"{server}/{FREE}")
    picture = page.locator("[data-figure='toy world']")
    before, frames = picture.get_attribute("aria-label"), len(sent)
    page.locator(".strip input").first.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("aria-label", before or "")
    page.wait_for_timeout(500)
    assert len(sent) == frames
    assert not watched.errors
