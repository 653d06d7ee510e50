"""From a cold server to the first map: `python -m benchmarks.first_map [--repeats 5]`.

Each time a fresh server and a fresh browser session, in turn of the app's page Latent space over the
shipped runs and of a bare Streamlit page with one plotly chart of as many points. Timed is from the
request to the first frame with points. Prints milliseconds, and the ratio of the medians.
"""

import argparse
import time

from playwright.sync_api import Playwright, sync_playwright

from benchmarks.browser import HOME, launched, percentiles, served

BARE = HOME / "benchmarks" / "bare_map.py"
WAYS = {"bare page": (BARE, ""), "Latent space": (HOME / "app.py", "latent_space")}
POINTS = "document.querySelectorAll('.js-plotly-plot .scatterlayer .point').length >= 2000"


def first_map(playwright: Playwright, name: str) -> float:
    """Milliseconds from the request to the first map, of a server that nobody has asked yet."""
    script, path = WAYS[name]
    with served(script) as address:
        browser = launched(playwright)
        page = browser.new_context(
            viewport={"width": 1280, "height": 720}, bypass_csp=True
        ).new_page()
        page.set_default_timeout(120_000)
        began = time.perf_counter()
        page.goto(f"{address}/{path}", wait_until="commit")
        page.wait_for_function(POINTS)
        took = 1e3 * (time.perf_counter() - began)
        browser.close()
    return took


def main() -> None:
    """Both in turn, so that what else the machine does falls on both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    took: dict[str, list[float]] = {name: [] for name in WAYS}
    with sync_playwright() as playwright:
        for _ in range(repeats):
            for name, found in took.items():
                found.append(first_map(playwright, name))
    for name, found in took.items():
        print(f"{name}: {percentiles(found)}")
    bare, own = (sorted(found)[len(found) // 2] for found in took.values())
    print(f"the app's is {own / bare:.2f} times the bare page's")


if __name__ == "__main__":
    main()
