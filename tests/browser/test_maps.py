"""Maps in a real browser: choosing, exporting, gliding, and two maps with one choice."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from mmvae_core.store.study import SHIPPED
from tests.browser.conftest import Watched, served, settle

pytestmark = pytest.mark.browser

Tab = Callable[..., Watched]
PLACE = "() => document.querySelector('.scatterlayer .point').getAttribute('transform')"
LIT = """chart => [...document.querySelectorAll(`.st-key-${chart} .scatterlayer .point`)]
    .map(point => point.style.opacity > 0.5)"""
MIDDLE = """chart => {
    const all = [...document.querySelectorAll(`.st-key-${chart} .scatterlayer .point`)]
        .map(point => point.getBoundingClientRect()).map(box => box.x + box.width / 2).sort(
            (a, b) => a - b);
    const gaps = all.slice(0, -1).map((x, i) => [all[i + 1] - x, x + (all[i + 1] - x) / 2])
        .slice(all.length / 4, 3 * all.length / 4);
    return gaps.sort((a, b) => b[0] - a[0])[0][1]; }"""
"""Where the widest gap between points near the chart's middle is."""


def lasso(page: Page, chart: str) -> None:
    """Draw around the left half of a chart's points."""
    drag = page.locator(f".st-key-{chart} .nsewdrag").first
    drag.scroll_into_view_if_needed()
    place = drag.bounding_box()
    assert place
    right = (page.evaluate(MIDDLE, chart) - place["x"]) / place["width"]
    corners = [(0.01, 0.01), (right, 0.01), (right, 0.99), (0.01, 0.99), (0.01, 0.02)]
    steps = [
        (place["x"] + a * place["width"], place["y"] + b * place["height"]) for a, b in corners
    ]
    page.mouse.move(*steps[0])
    page.mouse.down()
    for step in steps[1:]:
        page.mouse.move(*step, steps=6)
    page.mouse.up()


def test_exactly_the_chosen_items_are_exported_and_stay_chosen(server: str, tab: Tab) -> None:
    watched = tab()
    page = watched.open(f"{server}/latent_space?item=3")
    page.wait_for_selector(".scatterlayer .point")
    lasso(page, "map")
    page.get_by_role("button", name="Drop the choice").wait_for()
    settle(page)
    ids = page.eval_on_selector_all(
        ".item-grid .item",
        """all => all
        .filter(one => one.closest('.item-grid') === document.querySelector('.item-grid'))
        .map(one => Number(one.dataset.item))""",
    )
    assert 0 < len(ids) < 40
    with page.expect_download() as download:
        page.get_by_role("button", name=f"{len(ids)} item", exact=False).first.click()
    lines = download.value.path().read_text().splitlines()
    assert [int(line.split(",")[0]) for line in lines[1:]] == ids
    assert sum(page.evaluate(LIT, "map")) == len(ids)
    taken = next(one for one in ids if one != 3)
    page.locator(f".item-grid [data-item='{taken}']").first.click()
    page.wait_for_function(f"document.querySelector('.st-key-item input').value === '{taken}'")
    settle(page)
    page.wait_for_selector(f".map-ring[data-item='{taken}']")
    page.wait_for_selector(".scatterlayer .point")
    assert sum(page.evaluate(LIT, "map")) == len(ids), "the choice outlives a new ring"
    page.get_by_role("button", name="Drop the choice").click()
    page.wait_for_function(f"(({LIT})('map')).every(Boolean)")
    assert watched.errors == []


def test_the_points_glide_by_themselves_when_the_mask_changes(server: str, tab: Tab) -> None:
    watched = tab()
    page = watched.open(f"{server}/latent_space?mask=word&projection=PCA")
    page.wait_for_selector(".scatterlayer .point")
    start = page.evaluate(PLACE)
    page.evaluate(f"""() => {{ window.seen = new Set(); const look = () => {{
        const point = document.querySelector('.scatterlayer .point');
        if (point) window.seen.add(({PLACE})()); requestAnimationFrame(look); }}; look(); }}""")
    page.locator(".st-key-mask button", has_text="photo").click()
    page.wait_for_selector(".updatemenu-button:has-text('Glide from word')")
    page.wait_for_function("() => window.seen.size > 3")
    page.wait_for_timeout(2_500)
    end, seen = page.evaluate(PLACE), page.evaluate("[...window.seen]")
    assert start != end
    across = [float(text.removeprefix("translate(").split(",")[0]) for text in (start, end, *seen)]
    low, high = sorted(across[:2])
    assert any(low < x < high for x in across[2:]), "it must go in steps, not leap"
    assert watched.errors == []


def test_who_wants_no_motion_sees_none(server: str, tab: Tab) -> None:
    watched = tab()
    watched.page.emulate_media(reduced_motion="reduce")
    page = watched.open(f"{server}/latent_space?mask=word")
    page.locator(".st-key-mask button", has_text="photo").click()
    page.wait_for_selector(".updatemenu-button:has-text('Glide from word')")
    settle(page)
    before = page.evaluate(PLACE)
    page.wait_for_timeout(700)
    assert page.evaluate(PLACE) == before


def test_what_is_chosen_on_one_map_is_lit_on_the_other(server: str, tab: Tab) -> None:
    watched = tab()
    page = watched.open(f"{server}/compare?item=3")
    for chart, other in (("map_0", "map_1"), ("map_1", "map_0")):
        page.wait_for_selector(f".st-key-{chart} .scatterlayer .point")
        page.evaluate(
            "chart => document.querySelector(`.st-key-${chart} .js-plotly-plot`)"
            ".dataset.same = 'yes'",
            chart,
        )
        before = page.evaluate(LIT, other)
        lasso(page, chart)
        page.wait_for_function(
            "([chart, before]) => { const now = ("
            + LIT
            + ")(chart); return now.length === before.length"
            " && now.some((one, index) => one !== before[index]); }",
            arg=[other, before],
        )
        settle(page)
        found = [page.evaluate(LIT, one) for one in (chart, other)]
        assert found[0] == found[1]
        assert 0 < sum(found[0]) < 41
        plot = page.locator(f".st-key-{chart} .js-plotly-plot")
        assert plot.get_attribute("data-same") == "yes", "the chart chosen on must not be remade"
    assert watched.errors == []


def test_a_click_chooses_a_hover_shows_and_zooming_in_shows_pictures(server: str, tab: Tab) -> None:
    """Ring, card and pictures lie over the chart, which is not made anew."""
    watched = tab()
    page = watched.open(f"{server}/latent_space?item=3&projection=PCA")
    page.wait_for_selector(".map-ring[data-item='3']")
    page.evaluate("document.querySelector('.js-plotly-plot').dataset.same = 'yes'")
    page.locator(".nsewdrag").first.scroll_into_view_if_needed()
    place = page.locator(".scatterlayer .trace").nth(1).locator(".point").first.bounding_box()
    assert place
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    card = page.locator(".st-key-map_touch .card")
    card.wait_for()
    item = card.get_attribute("data-item")
    assert item not in (None, "3")
    assert card.locator("canvas").count() == 2
    page.wait_for_function(  # both pictures are there, which come from the server
        """() => { const host = [...document.querySelectorAll('.st-key-map_touch *')].find(
            one => one.shadowRoot); return [...(host?.shadowRoot ?? document).querySelectorAll(
            '.card canvas')].every(one => one.getContext('2d').getImageData(
            0, 0, one.width, one.height).data.some((value, at) => at % 4 === 3 && value)); }"""
    )
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function(f"document.querySelector('.st-key-item input').value === '{item}'")
    page.wait_for_selector(f".map-ring[data-item='{item}']")
    settle(page)
    assert page.locator(".js-plotly-plot").get_attribute("data-same") == "yes"
    page.locator(".modebar-btn[data-title='Zoom']").click()
    near = page.locator(".scatterlayer .trace").nth(1).locator(".point").first.bounding_box()
    assert near
    page.mouse.move(near["x"] - 25, near["y"] - 25)
    page.mouse.down()
    page.mouse.move(near["x"] + 40, near["y"] + 40, steps=5)
    page.mouse.up()
    page.wait_for_function(
        "Number(document.querySelector('.map-layer canvas').dataset.pictures) > 0"
    )
    assert page.locator(".st-key-item input").input_value() == item, "a drag is no click"
    assert watched.errors == []


def test_on_a_phone_the_page_scrolls_over_the_map_until_the_lasso_is_taken(
    server: str, tab: Tab
) -> None:
    watched = tab(width=390, height=800)
    page = watched.open(f"{server}/latent_space?item=3")
    page.wait_for_selector(".scatterlayer .point")
    drag = "getComputedStyle(document.querySelector('.st-key-map .nsewdrag')).pointerEvents"
    assert page.evaluate(drag) == "none"
    page.get_by_role("button", name="Choose with a lasso").click()
    page.wait_for_function(f"{drag} !== 'none'")
    page.get_by_role("button", name="Scroll again").click()
    page.wait_for_function(f"{drag} === 'none'")
    assert watched.errors == []


def test_a_browser_without_webgl_gets_its_maps_as_svg(tab: Tab) -> None:
    """On Compare, where maps of many items stand still and are drawn by WebGL."""
    with served(SHIPPED) as address:
        watched = tab()
        watched.page.add_init_script(
            """const get = HTMLCanvasElement.prototype.getContext;
            HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
                return kind.includes("webgl") ? null : get.call(this, kind, ...more); };"""
        )
        page = watched.open(f"{address}/compare?study=digits")
        for chart in ("map_0", "map_1"):
            page.wait_for_selector(f".st-key-{chart} .scatterlayer .point")
