"""Generate, the pad and Traverse where the browser decodes: before the server knows, and right."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from mmvae_core.data.digits.words import ALPHABET
from mmvae_core.explore.inference import decoded, generate
from mmvae_core.explore.traversal import of_principal_axes
from mmvae_core.store.run import Run
from mmvae_core.store.study import find_study
from tests.browser.conftest import Watched, settle
from tests.browser.live import (
    HOLD,
    LET_GO,
    READY,
    hold_to_the_server,
    let_go,
    made,
    shown,
    toggle,
)
from tests.browser.test_by_hand import drag

pytestmark = pytest.mark.browser
PLANE = """all => all.map(figure => {
    const canvas = figure.querySelector("canvas"), word = figure.querySelector(".word")
    const pen = canvas?.getContext("2d")
    return [pen ? Array.from(pen.getImageData(0, 0, canvas.width, canvas.height).data) : [], word?.ariaLabel]
})"""


def test_generate_is_the_servers_for_draws_noise_heat_and_mask(
    tab: Callable[..., Watched], decoding: str
) -> None:
    watched = tab()
    page = watched.open(f"{decoding}/generate?study=digits&run=poe-mixture&item=3&seed=5&mask=word")
    page.wait_for_selector(READY, state="attached")
    assert page.locator(".st-key-temperature").is_hidden()
    page.evaluate(HOLD)
    page.locator(".st-key-live select").select_option("8")
    shown(page, "001 5 8 1")
    hold_to_the_server(page)
    page.locator(".st-key-live input[type=range]").fill("0.3")
    shown(page, "001 5 8 0.3")
    hold_to_the_server(page)
    for name, code in (("word", "000"), ("photo", "010"), ("handwriting", "110"), ("word", "111")):
        toggle(page, name)
        shown(page, f"{code} 5 8 0.3")
        hold_to_the_server(page)
    before = page.url
    page.click(".st-key-live >> text=New noise")
    page.wait_for_selector("html[data-waits]", state="attached")
    hold_to_the_server(page)
    chosen = parse_qs(urlsplit(page.url).query)
    assert (chosen["count"], chosen["temperature"]) == (["8"], ["0.3"])
    assert chosen["seed"] != parse_qs(urlsplit(before).query)["seed"] == ["5"]
    page.reload()
    page.wait_for_selector(READY, state="attached")
    settle(page)
    assert page.locator(".st-key-live select").input_value() == "8"
    assert page.locator(".st-key-live input[type=range]").input_value() == "0.3"
    page.locator(".st-key-sort button", has_text="surest first").click()
    page.wait_for_selector(".st-key-live .where:has-text('as its judges sort them')")
    assert page.locator(".st-key-temperature").is_visible()
    assert not watched.errors


def test_a_stroke_becomes_pictures_before_the_server_knows(
    tab: Callable[..., Watched], decoding: str
) -> None:
    watched = tab()
    page = watched.open(
        f"{decoding}/generate?study=digits&run=sum_pooling-masked&start=my+own+input"
        "&mask=handwriting&make=photo"
    )
    page.wait_for_selector(READY, state="attached")
    page.locator(".field").scroll_into_view_if_needed()
    empty, _, _ = made(page)
    page.evaluate(HOLD)
    drag(page, (0.2, 0.2), (0.8, 0.2), (0.4, 0.9))
    page.wait_for_selector("[data-given=handwriting][data-here]")
    page.wait_for_function("window.held.length")
    (mine,), _, badges = made(page)
    let_go(page)
    page.wait_for_selector("[data-made=photo] img.tiles")
    (server,), _, said = made(page)
    before, mine, server = (
        np.array(one[3]).astype(int).reshape(-1, 4)[:, :3] for one in (*empty, mine, server)
    )
    # The pencils of both differ a little at edges, as tests/core/export says.
    assert np.abs(mine - server).mean() < 0.1 * np.abs(before - server).mean()
    assert badges == said
    assert not watched.errors


def test_every_place_of_the_plane_is_decoded_exactly_with_or_without_the_browser(
    tab: Callable[..., Watched], decoding: str, checkpoints: Path
) -> None:
    watched = tab()
    page = watched.open(f"{decoding}/traverse?study=digits&run=poe-mixture&item=3&at=0.5,0.5")
    page.wait_for_selector(".plane[data-at='0.5 0.5']")
    settle(page)
    page.evaluate(HOLD)
    page.focus(".plane .field")
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_selector(".plane[data-at='0.48 0.5']")
    assert page.locator(".plane [role=status]").inner_text().endswith("decoded exactly")
    mine = page.locator(".plane figure").evaluate_all(PLANE)
    page.wait_for_function("window.held.length")
    page.evaluate(LET_GO)
    page.wait_for_function("location.search.includes('at=0.48')")
    page.route("**/weights/**", lambda route: route.abort())
    page.reload()
    page.wait_for_selector(".plane:not([data-at]) img.ground[src^=data]")
    settle(page)
    page.wait_for_selector(".plane [role=status]:has-text('decoded exactly')")
    run = Run(checkpoints / "digits/poe-mixture")
    item, model = find_study(run, checkpoints).samples().item(3, run.config.names), run.model()
    around = generate(model, item, 1, 0).mean.astype(float)
    plane = of_principal_axes(run.latents().mean[-1].astype(float), 3.0, around)
    place = plane.at(np.array([0.48, 0.5]))[None].astype(np.float32)
    wanted = decoded(model, place)
    for (pixels, _), name in zip(mine[:2], ("handwriting", "photo"), strict=True):
        seen = np.reshape(pixels, (-1, 4))[:, : len(wanted[name][0])].T.reshape(
            wanted[name][0].shape
        )
        assert np.abs(seen - 255 * np.clip(wanted[name][0], 0, 1)).max() < 1
    word = "".join(ALPHABET[code] for code in wanted["word"][0].argmax(-1))
    assert mine[2][1] == (word.strip() or "only spaces")
    assert not watched.errors or all("ERR_FAILED" in one for one in watched.errors)
