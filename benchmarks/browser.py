"""A server of the app and a browser, for the timings of this folder."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HOME = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--disable-background-networking"]


@contextmanager
def opened(path: str, width: int = 1440) -> Iterator[Page]:
    """A page of a fresh server, drawn and quiet."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with _served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context(viewport={"width": width, "height": 1400}).new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{address}/{path}")
        quiet(page)
        yield page
        browser.close()


def quiet(page: Page) -> None:
    """Wait until no script has run for half a second."""
    page.wait_for_function("""() => {
        const app = document.querySelector('.stApp');
        const still = app?.getAttribute('data-test-script-state') === 'notRunning'
            && document.querySelector('h1');
        window.since = still ? window.since ?? performance.now() : null;
        return still && performance.now() - window.since > 500; }""")
    page.evaluate("window.since = null")


def percentiles(values: list[float]) -> str:
    """Median, 95th percentile and largest of milliseconds."""
    ranked = sorted(values)
    half, most = ranked[len(ranked) // 2], ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))]
    return f"{len(values)} times: median {half:.0f} ms, p95 {most:.0f} ms, most {ranked[-1]:.0f} ms"


@contextmanager
def _served() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)], cwd=HOME,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
