"""From input to new pixels in headless Chromium: `python -m benchmarks.interaction [--repeats 20]`.

Starts the app over the shipped runs, over a study of five modalities and one of 10,000 items (both
with random weights, in a temporary folder), and a bare page that shows one picture after one click.
Two times are taken for every input: until the awaited pictures have changed (`first`), and until
the last change anywhere on the page (`last`); each ends with the frame after it. Prints a table of
medians and 95th percentiles in milliseconds, and the ratio to the bare page.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.browser import HOME, launched, served
from benchmarks.studies import five_modalities, many_items

BARE = Path(__file__).with_name("bare.py")
QUIET_MS = 400
WATCH = (Path(__file__).with_name("watch.js")).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Case:
    """One input: where, what must change, how it is given, and the target for the median."""

    name: str
    address: str
    ready: str
    """Selector that tells that the page is drawn."""
    changes: str
    """Selector of what must change."""
    act: Callable[[Page, int], None]
    target: int | None = None


def press_mask(page: Page, turn: int) -> None:
    """Toggle the last modality."""
    page.locator(".st-key-mask button").last.click()


def press_node(page: Page, turn: int) -> None:
    """Another node of the lattice each time."""
    nodes = page.locator("button.node")
    nodes.nth((3 * turn + 1) % nodes.count()).click()


def press_button(page: Page, turn: int) -> None:
    """The bare page's only button."""
    page.locator("[data-testid=stButton] button").click()


def choose_points(page: Page, turn: int) -> None:
    """Draw a narrow box over the height of the map, elsewhere each time."""
    place = page.locator(".nsewdrag").first.bounding_box()
    assert place
    x = place["x"] + place["width"] * (0.4 + 0.035 * (turn % 15))
    y, height = place["y"] + 20, place["height"] - 40
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in ((20, 0), (20, height), (0, height), (0, 4)):
        page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()


def cases(app: str, made: str, bare: str) -> list[Case]:
    """All that is measured; the bare page first."""
    pills, pictures = ".st-key-mask button", ".panel img.tiles, .panel .words"
    return [
        Case("bare page, one picture", bare, "[data-testid=stButton]", "img", press_button),
        Case(
            "mask toggle on Masks",
            f"{app}/masks?item=7",
            "[aria-label='All subsets']",
            pictures,
            press_mask,
            250,
        ),
        Case(
            "lattice of 3: node clicked",
            f"{app}/masks?item=7",
            "button.node",
            pictures,
            press_node,
            500,
        ),
        Case(
            "lattice of 5: node clicked",
            f"{made}/masks?study=five&item=7",
            "button.node",
            pictures,
            press_node,
            900,
        ),
        Case(
            "lattice of 5: another item",
            f"{made}/masks?study=five",
            "button.node",
            pictures,
            lambda page, turn: page.get_by_role("button", name="Another item").click(),
            900,
        ),
        Case(
            "Compare, four runs: mask toggle",
            f"{app}/compare?item=7",
            pills,
            pictures,
            press_mask,
            500,
        ),
        Case(
            "10,000 points: a lasso",
            f"{made}/latent_space?study=many",
            ".js-plotly-plot",
            ".item-grid",
            choose_points,
            350,
        ),
    ]


def measure(browser: Browser, case: Case, repeats: int) -> list[tuple[float, float]]:
    """(first, last) in milliseconds of each repeat; two more at the start are not counted."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    context.set_default_timeout(60_000)
    page, times = context.new_page(), []
    page.add_init_script(WATCH)
    page.goto(case.address)
    page.wait_for_selector(case.ready)
    page.evaluate("quiet(1000)")
    for turn in range(repeats + 2):
        page.evaluate("selector => watch(selector)", case.changes)
        case.act(page, turn)
        found = page.evaluate(f"quiet({QUIET_MS})")
        if turn > 1:
            times.append((found["first"] or np.nan, found["last"] or np.nan))
    context.close()
    return times


def table(rows: Sequence[tuple[Case, list[tuple[float, float]]]]) -> str:
    """The figures as text; the ratio is between medians of `first`."""
    lines = [f"{'':34}{'first':>7}{'p95':>7}{'last':>7}{'p95':>7}{'target':>8}{'x bare':>8}"]
    base = float(np.median([first for first, _ in rows[0][1]]))
    for case, times in rows:
        first, last = np.array(times).T
        target = "" if case.target is None else f"{case.target}"
        lines.append(
            f"{case.name:34}{np.median(first):7.0f}{np.percentile(first, 95):7.0f}"
            f"{np.median(last):7.0f}{np.percentile(last, 95):7.0f}{target:>8}"
            f"{np.median(first) / base:8.1f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--only", default="", help="measure only cases whose name holds this text")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(HOME / "app.py") as app,
        sync_playwright() as playwright,
    ):
        root = Path(folder)
        five_modalities(root / "five")
        many_items(root / "many")
        browser = launched(playwright)
        with served(HOME / "app.py", "--checkpoints", folder) as made, served(BARE) as bare:
            found = cases(app, made, bare)
            wanted = found[:1] + [case for case in found[1:] if chosen.only in case.name]
            rows = [(case, measure(browser, case, chosen.repeats)) for case in wanted]
        browser.close()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {chosen.repeats} repeats, ms")
    print(table(rows))


if __name__ == "__main__":
    main()
