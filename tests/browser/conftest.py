"""A real server on loopback and a real browser, one of each a worker; both ended by their own id."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.experiments import write_results
from tests.ui.studies import build
from ui.shell import frame

HOME = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The one without a window first: a page costs it half the processor time."""
FLAGS = ["--no-sandbox", "--disable-background-networking"]
STILL = """(() => { const style = new CSSStyleSheet();
    style.replaceSync(`*, *::before, *::after { animation-iteration-count: 1 !important;
        animation-duration: 1ms !important; transition-duration: 1ms !important;
        animation-delay: 0s !important; transition-delay: 0s !important; }`);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, style]; })()"""
"""No running figure and no fading while a test waits: every frame of it is drawn by the processor."""
SHIFTS = """window.shifts = 0; new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts += one.value;
}).observe({ type: 'layout-shift', buffered: true });"""
"""Sums up by how much of the window, and how far, things moved that nobody touched."""
LOOK_MS = 50
"""How often a page is asked; at every frame, which is the default, it would draw one each time."""
LAST = {
    "": ".doors",
    "learn": ".st-key-learn_steps",
    "latent_space": ".item-grid",
    "masks": "[aria-label='All subsets']",
    "compare": "[aria-label='Measured figures']",
    "traverse": ".strips",
    "generate": "[data-testid=stDownloadButton]",
    "results": "[data-testid=stDownloadButton]",
    "fusion": "[aria-label='Share of each part'], p:has-text('nothing to take apart')",
    "order": "[alt*='this order']",
    "conflict": "[aria-label='Conflict by run'], [data-testid=stAlert]",
    "train": "h3:has-text('Trainings')",
}
"""What each page draws last, by its path."""
GROUND = "((what, name) => getComputedStyle(document.querySelector(what)).getPropertyValue(name))"
SHOWN = {"light": "rgb(252, 251, 248)", "dark": "rgb(20, 23, 26)"}
"""Streamlit's own ground by scheme, as in .streamlit/config.toml."""
START_SECONDS = 90
WAIT_MS = 120_000
"""Generous: the tests share their machine with others; on a quiet one nothing takes 5 s."""


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = build(tmp_path_factory.mktemp("checkpoints"))
    write_results(root)
    return root


@contextmanager
def served(checkpoints: Path, decode: str = "server") -> Iterator[str]:
    """A cold server; its address. Pictures come from it, or are made in the browser."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
        "--",
        "--checkpoints",
        str(checkpoints),
        "--decode",
        decode,
    ]
    process = subprocess.Popen(
        command, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()  # it writes nothing, and to take leave costs it seconds
        process.wait()


@pytest.fixture(scope="session")
def server(checkpoints: Path) -> Iterator[str]:
    with served(checkpoints) as address:
        yield address


@pytest.fixture(scope="session")
def decoding(checkpoints: Path) -> Iterator[str]:
    """A server whose visitors' browsers make the pictures."""
    with served(checkpoints, "browser") as address:
        yield address


@pytest.fixture
def cold_server(checkpoints: Path) -> Iterator[str]:
    with served(checkpoints) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:  # without a path it is Playwright's own, if that was installed
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error:
            if path or os.environ.get("CI") == "true":
                raise
            message = "No chromium was found: the pages were NOT tested in a browser."
            print(f"\n{message}", file=sys.__stderr__)
            pytest.skip(message)
        yield browser
        browser.close()


class Watched:
    """A tab, what it complained of and whom it asked."""

    def __init__(self, page: Page) -> None:
        self.page, self.errors, self.hosts = page, [], set()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def open(self, address: str) -> Page:
        """Go there and wait until the page is drawn."""
        self.page.goto(address)
        path = address.split("/", 3)[3].split("?")[0]
        self.page.wait_for_selector(LAST[path])
        settle(self.page)
        return self.page

    def _note(self, message) -> None:
        # Below a page's own path Streamlit looks for its server twice in vain before it asks at
        # the root; the browser reports those two answers (404), no program of ours does.
        own = "/_stcore/" in message.location.get("url", "")
        if message.type == "error" and not own:
            self.errors.append(f"{message.text} {message.location}")

    def _asked(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")):
            self.hosts.add(url.split("/")[2])


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    contexts = []

    def opened(
        width: int = 1440, height: int = 900, scheme: str = "light", guarded: bool = False
    ) -> Watched:
        """`guarded` as a visitor's: the server's content policy counts, which stops `eval`.

        Playwright's own waiting for what a function says is `eval`, so others go without.
        """
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            bypass_csp=not guarded,
        )
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(STILL)
        context.add_init_script(SHIFTS)
        contexts.append(context)
        return Watched(context.new_page())

    yield opened
    for context in contexts:
        context.close()


def settle(page: Page) -> None:
    """Wait until the masks are there and, for a quarter of a second, no script has run."""
    page.wait_for_selector(".st-key-mask button", state="attached")
    page.evaluate("window.quietSince = null")
    page.wait_for_function(
        """() => {
        const app = document.querySelector('.stApp');
        const quiet = app?.getAttribute('data-test-script-state') === 'notRunning'
            && !document.querySelector('[data-stale=true]');
        window.quietSince = quiet ? window.quietSince ?? performance.now() : null;
        return quiet && performance.now() - window.quietSince > 250;
    }""",
        polling=LOOK_MS,
    )


def use_scheme(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Turn the visitor's system light or dark, and have the page drawn again in its colours."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(f"{GROUND}('.stApp', 'background-color') === '{SHOWN[scheme]}'")
    page.keyboard.press("r")  # Streamlit's own key: what the script has coloured follows only then
    page.wait_for_function(f"{GROUND}(':root', '--ground') === '{frame.GROUND[scheme == 'dark']}'")
    settle(page)


def _wait_for(address: str, process: subprocess.Popen) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"The server ended with exit code {process.returncode}.")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The server did not answer within {START_SECONDS} s.")
