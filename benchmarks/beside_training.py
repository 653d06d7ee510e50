"""A visitor's click beside trainings in the page: `python -m benchmarks.beside_training`.

Other visitors' browsers play the training of *Learn*, as many as a server runs at once; between
them one switches modalities on *Masks*. Rounds with and without trainings alternate on one server.
Prints the clicks of both, their ratio, and how many steps each training made in a second.
"""

import argparse
import os
import re
import time
from contextlib import ExitStack

from playwright.sync_api import Page, sync_playwright

from benchmarks.browser import HOME, launched, percentiles, quiet, started
from benchmarks.visitors import enter, timed
from mmvae_core.explore.turns import AT_ONCE

CARD = "learn?card=bounds&answers=bounds:0"
STEP = """() => [...document.querySelectorAll('[data-figure="training"]')]
    .map(one => one.getAttribute('aria-label'))[0] ?? ''"""
TRAINS = "button:has-text('Pause')"


def play(page: Page) -> None:
    """Begin anew, and wait until the first steps are drawn."""
    page.get_by_role("button", name="Reset").click()
    quiet(page)
    page.get_by_role("button", name="Play").click()
    page.wait_for_selector(TRAINS)
    while not steps(page):
        page.wait_for_timeout(200)


def steps(page: Page) -> int:
    """So many steps of every rule are drawn."""
    told = re.search(r"After (\d+) steps", page.evaluate(STEP))
    return int(told[1]) if told else 0


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clicks", type=int, default=20)
    chosen = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    with (
        started(HOME / "app.py") as (address, _),
        sync_playwright() as playwright,
        ExitStack() as sockets,
    ):
        visitor = enter(sockets, address, "masks", 0)
        browser, pages = launched(playwright), []
        for _ in range(AT_ONCE):
            page = browser.new_context(bypass_csp=True).new_page()
            page.set_default_timeout(120_000)
            page.goto(f"{address}/{CARD}")
            quiet(page)
            page.get_by_text("Train five rules yourself").click()
            quiet(page)
            pages.append(page)
        took: dict[bool, list[float]] = {False: [], True: []}
        speeds = []
        for turn in range(chosen.rounds * chosen.clicks):
            visitor.click(turn)
        for _ in range(chosen.rounds):
            for trains in (False, True):
                for page in pages if trains else []:
                    play(page)
                start, before = time.perf_counter(), [steps(page) for page in pages]
                for turn in range(chosen.clicks):
                    took[trains].append(timed(lambda turn=turn: visitor.click(turn)))
                if trains:
                    passed = time.perf_counter() - start
                    pages[0].wait_for_timeout(600)  # until the last steps are drawn
                    speeds += [
                        (steps(page) - old) / passed
                        for page, old in zip(pages, before, strict=True)
                    ]
                    for page in pages:
                        if page.locator(TRAINS).count():
                            page.click(TRAINS)
                            quiet(page)
        browser.close()
    medians = {trains: sorted(values)[len(values) // 2] for trains, values in took.items()}
    print(f"alone: clicks {percentiles(took[False])}")
    print(f"beside {AT_ONCE} trainings: clicks {percentiles(took[True])}")
    speed = sorted(speeds)[len(speeds) // 2]
    print(f"{medians[True] / medians[False]:.1f} times as long; {speed:.0f} steps a second each")


if __name__ == "__main__":
    main()
