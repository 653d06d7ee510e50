"""Every figure and every table of every page becomes a file that says where it comes from."""

import csv
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageColor
from playwright.sync_api import Locator, Page

from mmvae_core.explore.embeddings import embed
from tests.browser.conftest import Watched, served
from ui.draw.marks import colour
from ui.draw.plots import WEBGL_FROM

pytestmark = pytest.mark.browser

Tab = Callable[..., Watched]
SVG = "{http://www.w3.org/2000/svg}"
NEAR = 30
"""So far a channel of a point may be from its class's colour: points let others shine through."""
HOME = ".st-key-take_home"
SEEN = """() => {
    const seen = one => one.getClientRects().length > 0, main = document.querySelector('.stMain');
    const all = [main], boxes = selector => all.flatMap(
        root => [...root.querySelectorAll(selector)].filter(seen));
    for (const root of all)
        root.querySelectorAll('*').forEach(one => one.shadowRoot && all.push(one.shadowRoot));
    return { tables: boxes('table.numbers').length, charts: boxes('.js-plotly-plot').length,
             drawn: boxes('[data-figure]').length }; }"""
PAGES = {  # what each has at least: tables, charts, figures of own components
    "": (0, 0, 1),
    "latent_space?item=3": (0, 1, 0),
    "masks?item=3": (1, 0, 2),
    "compare?item=3": (2, 4, 0),
    "traverse": (0, 0, 1),
    "generate?mask=photo": (0, 0, 0),
    "fusion": (1, 0, 0),
    "order": (1, 0, 0),
    "conflict": (1, 1, 0),
    "results": (2, 2, 0),
}


def offers(page: Page) -> Locator:
    page.locator(f"{HOME} summary").click()
    rows = page.locator(f"{HOME} li")
    rows.first.wait_for()  # all are put there at once, when the browser has told of the opening
    return rows


@pytest.mark.parametrize(("path", "least"), PAGES.items())
def test_all_that_is_drawn_is_offered(
    server: str, tab: Tab, path: str, least: tuple[int, int, int]
) -> None:
    watched = tab()
    page = watched.open(f"{server}/{path}")
    seen = page.evaluate(SEEN)
    for found, expected in zip((seen["tables"], seen["charts"], seen["drawn"]), least, strict=True):
        assert found >= expected
    rows = offers(page)
    files = [rows.nth(index).locator("button").all_inner_texts() for index in range(rows.count())]
    assert files.count(["CSV"]) == seen["tables"]
    assert files.count(["SVG", "PNG"]) >= max(1, seen["charts"] + seen["drawn"])
    names = rows.locator("span").all_inner_texts()
    assert len(set(names)) == len(names), "no two files have one name"
    assert watched.errors == []


def taken(page: Page, name: str, kind: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"{name} as {kind}", exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_table_is_the_one_on_the_page(server: str, tab: Tab, tmp_path: Path) -> None:
    watched = tab()
    page = watched.open(f"{server}/masks?study=digits&run=poe-mixture&item=3&mask=word")
    offers(page)
    path = taken(page, "All subsets", "CSV", tmp_path)
    assert path.name == "digits_poe-mixture_item-3_word_All-subsets.csv"
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head[:4] == ["shown", "rate, nats", "rate, nats, as shown", "width"]
    table = page.locator("[aria-label='All subsets'] tbody tr")
    assert [row[0] for row in rows] == table.locator("th").all_inner_texts()
    assert len(rows) == 8
    for row in rows:
        assert float(row[1]) == pytest.approx(float(row[2].split()[0]), abs=0.0501)


def test_figures_are_whole_as_svg_and_twice_as_fine_as_png(
    server: str, tab: Tab, tmp_path: Path
) -> None:
    watched = tab()
    page = watched.open(f"{server}/masks?study=digits&run=poe-mixture&item=3&mask=word")
    offers(page)
    svg = ElementTree.parse(taken(page, "Lattice of all masks", "SVG", tmp_path)).getroot()
    said = "".join("".join(one.itertext()) for one in svg.iter(f"{SVG}text")).replace(" ", "")
    for title in page.locator(".node .title").all_inner_texts():
        assert "".join(title.split()) in said  # a long one goes on below
    pictures = page.locator(".node .picture").count()
    assert len(list(svg.iter(f"{SVG}image"))) == pictures == 16
    png = taken(page, "Lattice of all masks", "PNG", tmp_path)
    assert png.name == "digits_poe-mixture_item-3_word_Lattice-of-all-masks.png"
    with Image.open(png) as picture:
        wide, high = float(svg.attrib["width"]), float(svg.attrib["height"])
        assert picture.size == pytest.approx((2 * wide, 2 * high), abs=1)  # whole pixels
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 100
    assert watched.errors == []


def test_a_map_has_all_its_points(server: str, tab: Tab, tmp_path: Path) -> None:
    watched = tab()
    page = watched.open(f"{server}/latent_space?study=digits&run=poe-mixture&item=3&mask=word")
    page.wait_for_selector(".scatterlayer .point")
    points = page.locator(".scatterlayer .point").count()
    offers(page)
    path = taken(page, "Latent space", "SVG", tmp_path)
    assert path.name == "digits_poe-mixture_item-3_word_Latent-space.svg"
    marks = ElementTree.parse(path).iter(f"{SVG}path")
    drawn = [one for one in marks if "point" in one.get("class", "").split()]
    assert len(drawn) == points
    with Image.open(taken(page, "Latent space", "PNG", tmp_path)) as picture:
        assert picture.width > 1_000
    with page.expect_download() as download:
        page.locator(".stPlotlyChart").hover()
        page.locator(".modebar-btn[data-title^='Download']").click()
    assert download.value.suggested_filename == path.name, "the chart's own camera says the same"
    assert watched.errors == []


def test_a_map_that_webgl_draws_is_taken_home_in_the_colours_of_its_classes(
    tab: Tab, tmp_path: Path
) -> None:
    count, turn = WEBGL_FROM + 200, np.arange(WEBGL_FROM + 200) % 4
    where = np.random.default_rng(0).normal(size=(count, 2)) + 9 * np.stack(
        [turn % 2, turn // 2], 1
    )
    path = tmp_path / "many.npz"
    np.savez(path, labels=turn, **{"mean.picture": where.astype(np.float32)})
    embed(tmp_path / "shown" / "mine", [path], umap=False)
    with served(tmp_path / "shown") as address:
        watched = tab()
        page = watched.open(f"{address}/latent_space")
        page.wait_for_selector(".gl-canvas")
        offers(page)
        svg = ElementTree.parse(taken(page, "Latent space", "SVG", tmp_path)).getroot()
        assert any(one.attrib for one in svg.iter(f"{SVG}image")), "WebGL's points are a picture"
        with Image.open(taken(page, "Latent space", "PNG", tmp_path)) as picture:
            pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    for label in range(4):
        own = np.array(ImageColor.getrgb(colour(label)))
        assert (np.abs(pixels - own).max(1) < NEAR).sum() > count / 4, f"class {label} is drawn"
    assert watched.errors == []
