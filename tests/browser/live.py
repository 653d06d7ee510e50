"""Pictures that the browser has made before the server knows, held against the server's."""

import numpy as np
from playwright.sync_api import Page

from tests.browser.conftest import settle

READY = ".st-key-live[data-ready]"
PICTURES = """Promise.all([...document.querySelectorAll("[data-made]:not([hidden])")].flatMap(panel =>
    [...panel.querySelectorAll(":scope > .tiles, .pair figure:last-child .tiles")].map(async one => {
        if (one.tagName === "IMG") await one.decode()
        const width = one.naturalWidth ?? one.width, height = one.naturalHeight ?? one.height
        const canvas = new OffscreenCanvas(width, height), pen = canvas.getContext("2d")
        pen.drawImage(one, 0, 0)
        const all = pen.getImageData(0, 0, width, height).data, some = []
        for (let at = 0; at < all.length; at += 4 * 31) some.push(...all.slice(at, at + 4)) // else it takes seconds
        return [one.tagName, width, height, some]
    })))"""
WORDS = """[...document.querySelectorAll("[data-made]:not([hidden]) > .words .word")].map(word =>
    [word.getAttribute("aria-label"), [...word.children].map(one => Number(one.style.opacity))])"""
HOLD = """window.send ??= WebSocket.prototype.send
window.held = []
WebSocket.prototype.send = function (data) {
    const send = () => window.send.call(this, data)
    if (window.held) window.held.push(send)
    else send()
}; null"""
"""Keeps from the server what was chosen, until it is let go: its answer replaces what is looked at."""
LET_GO = "const all = window.held; window.held = null; all.forEach(one => one())"
BADGES = """[...document.querySelectorAll("[data-made]:not([hidden])")].map(one => one.closest(".panel").querySelector(".badge").outerHTML)"""


def toggle(page: Page, name: str) -> None:
    page.locator(".st-key-live .pills button", has_text=name).click()


def shown(page: Page, code: str) -> None:
    page.wait_for_selector(f'html[data-live^="{code} "]', state="attached")


def answered(page: Page) -> None:
    page.wait_for_selector("html:not([data-waits])", state="attached")
    settle(page)


def made(page: Page) -> tuple[list, list, list]:
    """Pictures, texts and badges."""
    pictures, words, badges = (page.evaluate(one) for one in (PICTURES, WORDS, BADGES))
    return pictures, words, badges


def let_go(page: Page) -> None:
    """Let the server know what was kept from it, and wait for its answer."""
    page.wait_for_function("window.held.length")
    page.evaluate(LET_GO)
    answered(page)


def hold_to_the_server(page: Page) -> None:
    """What the browser has made, of what the server does not know yet, is what the server makes."""
    pictures, words, badges = made(page)
    let_go(page)
    page.wait_for_selector("[data-made]:not([hidden]) > :is(img.tiles, .words)")
    wanted, texts, said = made(page)
    assert [one[0] for one in wanted] == ["IMG"] * len(pictures)
    for (tag, *size, mine), (_, *its, server) in zip(pictures, wanted, strict=True):
        assert tag == "CANVAS" and size == its
        mine, server = np.array(mine).reshape(-1, 4), np.array(server).reshape(-1, 4)
        seen = server[:, 3] > 0
        assert np.array_equal(seen, mine[:, 3] > 0), "the gaps are clear"
        assert np.abs(mine[seen].astype(int) - server[seen]).max() <= 1
    assert [text for text, _ in words] == [text for text, _ in texts]
    for (_, mine), (_, server) in zip(words, texts, strict=True):
        assert np.abs(np.subtract(mine, server)).max() < 0.011
    assert badges == said
    page.evaluate(HOLD)
