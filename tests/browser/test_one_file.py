"""The page in one file: opened from the disk, without a network, it shows what the core makes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from mmvae_core.cli import main
from mmvae_core.explore.inference import generate
from mmvae_core.export.page import MOST_BYTES, MOST_ITEMS, chosen_items, signs
from mmvae_core.export.page import page as page_of
from mmvae_core.modalities.strokes import draw
from mmvae_core.store.study import Samples, Study, find_run, find_study
from tests import small
from tests.browser.conftest import Watched

RUN = "digits/sum_pooling-masked"
BOUND = 1e-3
"""Of pictures and probabilities in 0..1; the weights are the same halves on both sides."""
READY = "#lattice[data-shown]"
STROKES = [[[0.3, 0.2], [0.7, 0.2], [0.45, 0.8]]]
ASK = """async ([mask, seed]) => {
    const made = await client.ask("draw", { mask, count: 8, seed, temperature: 1 })
    return made.means.map(one => Array.from(one))
}"""
PIXELS = """([box, index]) => {
    const canvas = document.querySelectorAll(`${box} .panel`)[index].querySelectorAll("canvas")
    const last = canvas[canvas.length - 1]
    const read = last.getContext("2d").getImageData(0, 0, last.width, last.height)
    return [last.width, last.height, Array.from(read.data)]
}"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "one.html"
    with pytest.raises(SystemExit) as caught:
        main(["page", RUN, "--out", str(path)])
    assert caught.value.code == 0
    return path


def opened(tab: Callable[..., Watched], path: Path, **how: object) -> Watched:
    watched = tab(**how)
    watched.page.goto(path.as_uri())
    watched.page.wait_for_selector(READY)
    watched.page.wait_for_selector("#followed[data-shown]")
    return watched


def shown(page: Page, code: str, seed: int = 0) -> None:
    page.wait_for_selector(f'#panels[data-shown^="{code} {seed} "]')


def first_item() -> dict[str, np.ndarray]:
    study = find_study("digits")
    assert study.about.opening
    return study.samples().item(study.about.opening.item)


def core(given: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    torch.set_num_threads(1)
    return dict(generate(find_run(RUN).model(), given, 8, seed).at_draws)


@pytest.mark.browser
def test_its_pictures_are_the_cores(tab: Callable[..., Watched], file: Path) -> None:
    assert file.stat().st_size <= MOST_BYTES
    watched, item = opened(tab, file), first_item()
    page = watched.page
    for mask in ([True, False, True], [False, False, False], [True, True, True]):
        given = {name: one for (name, one), kept in zip(item.items(), mask, strict=True) if kept}
        made = core(given, 3)
        found = page.evaluate(ASK, [mask, 3])
        for name, values in zip(find_run(RUN).config.names, found, strict=True):
            wanted = made[name].ravel()
            assert np.abs(np.array(values) - wanted).max() <= BOUND, f"{name} from {[*given]}"
    page.click("#pills button:nth-child(2)")
    shown(page, "101")
    made = core({name: item[name] for name in ("handwriting", "word")}, 0)["photo"]
    width, height, read = page.evaluate(PIXELS, ["#panels", 1])
    pixels = np.array(read, np.uint8).reshape(height, width, 4)
    for one, picture in enumerate(made):
        top, left = 36 * (one // 4), 36 * (one % 4)
        tile = pixels[top : top + 32, left : left + 32, :3].transpose(2, 0, 1).astype(float)
        assert np.abs(tile - 255 * picture.clip(0, 1)).max() <= 1
    assert not watched.errors
    assert watched.hosts <= {""}, "nothing is fetched"


@pytest.mark.browser
def test_its_controls_set_the_same_mask(tab: Callable[..., Watched], file: Path) -> None:
    page = opened(tab, file).page
    page.keyboard.press("1")
    shown(page, "011")
    assert page.get_attribute("#pills button:nth-child(1)", "aria-pressed") == "false"
    page.click("#lattice button:has(b:text-is('word'))")
    shown(page, "001")
    assert page.get_attribute("#lattice button:has(b:text-is('word'))", "aria-pressed") == "true"
    page.click("#again")
    shown(page, "001", 1)
    page.select_option("#item", "3")
    page.click("#after")
    assert page.input_value("#item") == "4"
    page.focus("#plane")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector('#followed[data-shown="0.05 0"]')
    assert "0.2 prior standard deviations" in page.inner_text("#place")


@pytest.mark.browser
def test_a_drawing_and_a_word_are_read_into_all(tab: Callable[..., Watched], file: Path) -> None:
    page = opened(tab, file).page
    page.click("#of-own")
    shown(page, "000")
    page.fill("#own input", "seven")
    shown(page, "001")
    page.locator(".field").scroll_into_view_if_needed()
    box = page.locator(".field").bounding_box()
    assert box
    for number, (x, y) in enumerate(STROKES[0]):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if not number:
            page.mouse.down()
    page.mouse.up()
    shown(page, "101")
    drawn = np.array(page.evaluate("Array.from(values[0])")).reshape(1, 28, 28)
    wanted = draw([[(x, y) for x, y in stroke] for stroke in STROKES], 28, 28)
    assert np.abs(drawn - wanted).mean() < 0.02, "as the core draws strokes, but for its edges"
    word = np.array([" abcdefghijklmnopqrstuvwxyz".index(sign) for sign in "seven   "])
    made = core({"handwriting": drawn.astype(np.float32), "word": word}, 0)
    found = page.evaluate(ASK, [[True, False, True], 0])
    for values, one in zip(found, made.values(), strict=True):
        assert np.abs(np.array(values) - one.ravel()).max() <= BOUND
    page.fill("#own input", "?")
    assert "Only these signs" in page.inner_text("#own [role=status]")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_it_fits_and_can_be_read(
    tab: Callable[..., Watched], file: Path, width: int, scheme: str
) -> None:
    watched = opened(tab, file, width=width, height=720, scheme=scheme)
    page = watched.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    assert dark == (scheme == "dark")
    nameless = """Array.from(document.querySelectorAll("[role=img], button, select, input"))
        .filter(one => one.checkVisibility() && !one.getAttribute("aria-label")
            && !one.textContent.trim() && !one.labels?.length)
        .map(one => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(nameless) == []
    assert page.get_attribute("#panels canvas >> nth=-1", "aria-label")
    assert not watched.errors


@pytest.mark.browser
def test_a_page_of_vectors_works_too(tab: Callable[..., Watched], tmp_path: Path) -> None:
    run = small.write_study(tmp_path)
    path = tmp_path / "one.html"
    path.write_text(page_of(run, Study(run.folder.parent)), encoding="utf-8")
    watched = opened(tab, path)
    item = Study(run.folder.parent).samples().item(0)
    found = watched.page.evaluate(ASK, [[True, False, False], 2])
    made = generate(run.model(), {"numbers": item["numbers"]}, 8, 2).at_draws
    for values, one in zip(found, made.values(), strict=True):
        assert np.abs(np.array(values) - one.ravel()).max() <= BOUND * max(1, np.abs(one).max())
    assert not watched.errors


def test_signs_hold_every_bit() -> None:
    data = bytes(np.random.default_rng(0).integers(0, 256, 1000, np.uint8))
    text = signs(data)
    assert len(text) == 2 * -(-8 * len(data) // 13) and not set(text) & set('"&<')
    worth = {
        chr(code): n
        for n, code in enumerate(one for one in range(33, 127) if chr(one) not in '"&<')
    }
    bits = "".join(
        f"{worth[a] + 91 * worth[b]:013b}"[::-1] for a, b in zip(text[::2], text[1::2], strict=True)
    )
    read = bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, 8 * len(data), 8))
    assert read == data


def test_items_are_of_every_class() -> None:
    labels = np.repeat(np.arange(4), 5)
    rows = chosen_items(Samples({}, labels), 9, 7)
    assert rows[0] == 7 and len(set(rows)) == 9
    assert sorted(labels[rows].tolist()) == [0, 0, 1, 1, 1, 2, 2, 3, 3]
    assert len(chosen_items(Samples({}, labels), MOST_ITEMS, 0)) == 20
