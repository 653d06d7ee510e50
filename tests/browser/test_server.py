"""What the server answers, and to whom; what a page may fetch in a browser."""

import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

import pytest

from tests.browser.conftest import LAST, Watched

pytestmark = pytest.mark.browser
FOREIGN = "http://foreign.example"
ATTEMPTS = {
    "img-src": f"new Image().src = '{FOREIGN}/a.png'",
    "connect-src": f"fetch('{FOREIGN}/a').catch(() => 0)",
    "style-src-elem": "document.head.append(Object.assign(document.createElement('link'), "
    f"{{rel: 'stylesheet', href: '{FOREIGN}/a.css'}}))",
    "script-src-elem": "document.head.append(Object.assign(document.createElement('script'), "
    f"{{src: '{FOREIGN}/a.js'}}))",
    "frame-src": "document.body.append(Object.assign(document.createElement('iframe'), "
    f"{{src: '{FOREIGN}/'}}))",
}
"""By the rule that stops it, what a text that became markup could try."""
LISTEN = """window.stopped = [];
document.addEventListener('securitypolicyviolation', (event) => {
    window.stopped.push(event.effectiveDirective);
    document.documentElement.dataset.stopped = window.stopped.join(' ');
});"""


def answer(address: str, host: str = "") -> tuple[int, Mapping[str, str], str]:
    """Status, headers and text; asked for under another name than the address's, if one is given."""
    request = urllib.request.Request(address, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as found:
            return found.status, found.headers, found.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode(errors="replace")


@pytest.mark.parametrize("path", ["/", "/masks", "/_stcore/health", "/static/none.js"])
def test_a_foreign_name_is_refused_on_plain_http_too(server: str, path: str) -> None:
    status, headers, said = answer(server + path, "foreign.example")
    assert status == 421
    assert "mmvae app --host NAME" in said
    assert "Content-Security-Policy" in headers
    assert answer(server + path, "localhost")[0] in (200, 404)


@pytest.mark.parametrize("path", ["/", "/masks", "/_stcore/health", "/static/none.js"])
def test_each_answer_says_what_a_browser_may_do(server: str, path: str) -> None:
    _, headers, _ = answer(server + path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    rules = dict(one.strip().split(" ", 1) for one in headers["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == rules["form-action"] == rules["frame-ancestors"] == "'self'"
    assert not {"'unsafe-inline'", "'unsafe-eval'"} & set(rules["script-src"].split())
    for allowed in rules.values():
        assert not any("." in one or "*" in one or "://" in one for one in allowed.split())


def test_an_upload_needs_the_pages_own_token(server: str) -> None:
    upload = urllib.request.Request(f"{server}/_stcore/upload_file/a/b", b"x", method="PUT")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(upload, timeout=30)
    assert refused.value.code in (400, 403)


def test_nothing_is_fetched_from_sent_to_or_run_from_elsewhere(
    server: str, tab: Callable[..., Watched]
) -> None:
    page = tab(guarded=True).page
    page.add_init_script(LISTEN)
    page.goto(f"{server}/order")
    page.wait_for_selector(LAST["order"])
    assert page.evaluate("window.stopped") == []
    for rule, attempt in ATTEMPTS.items():
        page.evaluate(attempt)
        page.wait_for_selector(f"html[data-stopped~='{rule}']", state="attached")


@pytest.mark.parametrize("path", LAST)
def test_no_page_needs_what_the_policy_forbids(
    server: str, tab: Callable[..., Watched], path: str
) -> None:
    watched = tab(guarded=True)
    watched.page.add_init_script(LISTEN)
    watched.page.goto(f"{server}/{path}")
    watched.page.wait_for_selector(LAST[path])
    watched.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    assert watched.page.evaluate("window.stopped") == []
    assert watched.errors == []
