"""From a hand to new pixels: `python -m benchmarks.toggles [--throttle 4] [--only WORDS]`.

What a visitor does where the browser decodes, beside the same mask toggle where the server does and
a click on a bare Streamlit page, all in one run: a mask's pill on Masks (24 tiles, 8 draws of 3
modalities, and the posterior's mean), on Compare (four runs) and on Masks with five modalities, new
noise on Generate, a stroke's next piece and a move over Traverse's plane. Timed inside the browser,
from the event to the frame after the last picture has changed (`pictures`) and to the end of
Streamlit's last run (`rest`). Prints a table of medians, 95th percentiles and the least, which is what
a quiet moment of a busy machine gives, how many bare clicks each is, and the processor time of an
input, the server's and the browser's. `alone` is the processor time of the page, its worker
included, from the event to the pictures while the server is held still, which no other work on the
machine makes much longer. `--throttle` slows the page's own thread, not its worker.
"""

import argparse
import math
import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.browser import HOME, launched, quiet, started
from benchmarks.studies import five_modalities

TIMES = 20
READY = ".st-key-live[data-ready]"
TILES = "canvas.tiles"
WATCH = """([kind, what]) => { window.took = []; window.rests = []; window.began = null; let due = 0;
    addEventListener(kind, event => { if (event.isTrusted && window.began === null)
        window.began = window.from = performance.now() }, true);
    const see = changes => {
        const app = document.querySelector('.stApp');
        if (app?.getAttribute('data-test-script-state') === 'notRunning') {
            if (window.ran) window.rest = performance.now(); window.ran = false }
        else window.ran = true;
        const hit = changes.some(one => [one.target, ...one.addedNodes].some(node =>
            node.matches?.(what) || node.querySelector?.(what)));
        if (!hit || window.began === null) return;
        const turn = ++due;
        requestAnimationFrame(() => setTimeout(() => { if (turn === due && window.began !== null) {
            window.took.push(performance.now() - window.began); window.began = null } }));
    };
    const roots = [document.body, ...[...document.querySelectorAll('*')].map(one => one.shadowRoot)];
    for (const root of roots.filter(Boolean)) new MutationObserver(see)
        .observe(root, {subtree: true, childList: true, attributes: true}); }"""
REST = "() => (window.rest ?? 0) > window.from ? window.rest - window.from : 0"


@dataclass(frozen=True)
class Way:
    """One input: where, when that is ready, what is done, and what changes on the page."""

    name: str
    path: str
    act: Callable[[Page, int], None]
    target: int | None = None
    what: str = TILES
    kind: str = "click"
    ready: str = READY
    at_server: bool = False


def press(selector: str) -> Callable[[Page, int], None]:
    """A click on the first of these."""
    return lambda page, turn: page.locator(selector).first.click()


def press_node(page: Page, turn: int) -> None:
    """Another card of the lattice each time."""
    page.locator("button.node").nth((7 * turn + 3) % 32).click()


def move(page: Page, turn: int) -> None:
    """The pointer, held, to another place of the plane or the pad."""
    box = page.locator(".field").first.bounding_box()
    assert box
    across, down = (0.5 + 0.3 * wave(turn / 3) for wave in (math.cos, math.sin))
    page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])


def press_down(page: Page) -> None:
    """The button of the mouse, in the middle of the pad or the plane: what is held draws."""
    page.locator(".field").first.hover()
    page.mouse.down()


PILL, DIGITS = ".st-key-live .pills button", "study=digits&run=sum_pooling-masked"
PEN = f"generate?{DIGITS}&start=my+own+input&mask=handwriting"
WAYS = (
    Way("bare Streamlit, one picture", "", press(".stButton button"), None, "img"),
    Way("Masks: a pill", f"masks?{DIGITS}", press(PILL), 33),
    Way("Generate: new noise", f"generate?{DIGITS}", press(".st-key-live .again")),
    Way("Generate: a stroke", PEN, move, 50, kind="pointermove"),
    Way(
        "Traverse: a move", f"traverse?{DIGITS}", move, 17, "[data-at]", "pointermove", "[data-at]"
    ),
    Way("Compare, four runs: a pill", f"compare?{DIGITS}", press(PILL), 100),
    Way("five modalities: a card", "masks?study=five&item=7", press_node, 150),
    Way(
        "Masks, the server decodes: a pill",
        f"masks?{DIGITS}",
        press(".st-key-mask button"),
        what="img.tiles",
        ready=".st-key-mask button",
        at_server=True,
    ),
)


def measured(
    browser: Browser, way: Way, made: Path, throttle: float
) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds [pictures or rest, turn], and those of the processor a turn [server, browser, alone]."""
    arguments = ["--decode", "server" if way.at_server else "browser"] if way.path else []
    arguments += ["--checkpoints", str(made)] if "study=five" in way.path else []
    script = HOME / ("app.py" if way.path else "benchmarks/bare.py")
    with started(script, *arguments) as (address, server):
        context = browser.new_context(bypass_csp=True, viewport={"width": 1440, "height": 1400})
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.goto(f"{address}/{way.path}")
        page.wait_for_selector(way.ready if way.path else ".stButton", state="attached")
        quiet(page)
        if way.kind == "pointermove":
            press_down(page)
        session = context.new_cdp_session(page)
        if throttle > 1:
            session.send("Emulation.setCPUThrottlingRate", {"rate": throttle})
        page.evaluate(WATCH, [way.kind, way.what])
        rests, before = [], np.zeros(2)
        for turn in range(TIMES + 1):
            way.act(page, turn)
            page.wait_for_function("count => window.took.length > count", arg=turn)
            if way.kind == "click":
                quiet(page)
            rests.append(page.evaluate(REST))
            before = before if turn else processor(server)
        used = (processor(server) - before) / TIMES
        took = page.evaluate("window.took")
        by_itself = (
            np.nan if way.what == "img" or way.at_server else alone(page, session, way, server)
        )
        context.close()
    return np.array([took[1 : TIMES + 1], rests[1:]]), np.array([*(1_000 * used), by_itself])


def alone(page: Page, session: CDPSession, way: Way, server: int) -> float:
    """Milliseconds of the processor that the page takes up to its pictures, without the server."""

    def used() -> float:
        told = session.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in told if one["name"] == "ProcessTime")

    session.send("Performance.enable")
    total = 0.0
    for turn in range(TIMES + 1, 2 * TIMES + 1):
        os.kill(server, signal.SIGSTOP)
        try:
            count, before = page.evaluate("window.took.length"), used()
            way.act(page, turn)
            page.wait_for_function("count => window.took.length > count", arg=count)
            total += used() - before
        finally:
            os.kill(server, signal.SIGCONT)
        if way.kind == "click":
            quiet(page)
    return 1_000 * total / TIMES


def processor(server: int) -> np.ndarray:
    """Processor seconds up to now [of the server, of every other process that came of this one]."""
    used, parents = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            figures = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        one = int(stat.parent.name)
        parents[one], used[one] = int(figures[1]), int(figures[11]) + int(figures[12])
    ours = {os.getpid()}
    while more := {one for one, parent in parents.items() if parent in ours} - ours:
        ours |= more
    others = sum(used[one] for one in ours - {server} if one in used)
    return np.array([used[server], others]) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print, a row at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--throttle", type=float, default=1)
    parser.add_argument(
        "--only", default="", help="only ways whose name holds this, and the bare one"
    )
    chosen = parser.parse_args()
    print(
        f"medians of {TIMES}, ms; slowed {chosen.throttle:g} times; load {os.getloadavg()[0]:.1f}"
    )
    print(
        "| input | pictures | p95 | least | target | x bare | rest | server | browser | alone |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    bare = 0.0
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser, made = launched(playwright), Path(folder)
        ways = [way for way in WAYS if not way.path or chosen.only in way.name]
        if any("study=five" in way.path for way in ways):
            five_modalities(made / "five")
        for way in ways:
            (took, rest), used = measured(browser, way, made, chosen.throttle)
            median = float(np.median(took))
            bare = bare or median
            rested = f"{np.median(rest):.0f}" if way.kind == "click" else ""
            print(
                f"| {way.name} | {median:.0f} | {np.percentile(took, 95):.0f} | {took.min():.0f} "
                f"| {way.target or ''} | {median / bare:.2f} | {rested} | {used[0]:.0f} "
                f"| {used[1]:.0f} | {'' if np.isnan(used[2]) else f'{used[2]:.0f}'} |",
                flush=True,
            )
        browser.close()


if __name__ == "__main__":
    main()
