"""A server of the app and a browser, for the timings of this folder."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

HOME = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--disable-background-networking"]


@contextmanager
def opened(path: str, width: int = 1440) -> Iterator[Page]:
    """A page of a fresh server, drawn and quiet."""
    with served(HOME / "app.py") as address, sync_playwright() as playwright:
        browser = launched(playwright)
        page = browser.new_context(
            viewport={"width": width, "height": 1400}, bypass_csp=True
        ).new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{address}/{path}")
        quiet(page)
        yield page
        browser.close()


def quiet(page: Page) -> None:
    """Wait until something is drawn and no script has run for half a second."""
    page.wait_for_function("""() => {
        const app = document.querySelector('.stApp');
        const still = app?.getAttribute('data-test-script-state') === 'notRunning'
            && document.querySelector('.stMain .stElementContainer');
        window.since = still ? window.since ?? performance.now() : null;
        return still && performance.now() - window.since > 500; }""")
    page.evaluate("window.since = null")


def percentiles(values: list[float]) -> str:
    """Median, 95th percentile and largest of milliseconds."""
    ranked = sorted(values)
    half, most = ranked[len(ranked) // 2], ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))]
    return f"{len(values)} times: median {half:.0f} ms, p95 {most:.0f} ms, most {ranked[-1]:.0f} ms"


def launched(playwright: Playwright) -> Browser:
    """The system's Chromium, else the one that Playwright brought."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    chromium = next(filter(None, map(shutil.which, names)), None)
    return playwright.chromium.launch(executable_path=chromium, args=FLAGS)


@contextmanager
def served(script: Path, *arguments: str) -> Iterator[str]:
    """A Streamlit server; its address."""
    with started(script, *arguments) as (address, _):
        yield address


@contextmanager
def started(
    script: Path, *arguments: str, options: Sequence[str] = ()
) -> Iterator[tuple[str, int]]:
    """A Streamlit server with further options; its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.port",
        str(port),
        "--server.headless",
        "true",
        *options,
        "--",
        *arguments,
    ]
    process = subprocess.Popen(
        command, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/_stcore/health")
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"The server at {address} did not answer within 90 s.")
