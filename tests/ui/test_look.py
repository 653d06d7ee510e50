"""The look is in the page that the server answers, whole and in the place where it wins."""

import asyncio
import re
import tomllib
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from ui.shell.look import STATIC, STYLE, Look, charts

HOME = Path(__file__).resolve().parents[2]
PAGE = b"<html><head></head><body><div id='root'></div></body></html>"


PAGES = ("/page", "/learn")


async def answers(scope: Scope, receive: Receive, send: Send) -> None:
    """A page in two parts, or a file; both with what lets a browser keep them."""
    kind = b"text/html; charset=utf-8" if scope["path"] in PAGES else b"text/plain"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(PAGE)).encode()),
        (b"etag", b'"one"'),
    ]
    status = 304 if b"if-none-match" in dict(scope["headers"]) else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": PAGE[:30], "more_body": True})
    await send({"type": "http.response.body", "body": PAGE[30:]})


def ask(path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing was sent along")

    named = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": named}
    asyncio.run(Look(answers)(scope, receive, send))
    found = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(one["body"] for one in sent[1:]).decode()


def test_a_page_has_the_look_before_what_is_drawn_and_is_never_kept() -> None:
    status, headers, text = ask("/page", accept="text/html", if_none_match='"one"')
    assert status == 200
    assert "etag" not in headers
    assert headers["content-length"] == str(len(text.encode()))
    before, rest = text.split("<style>")
    style, after = rest.split("</style>")
    assert (before + after).encode() == PAGE.replace(b"</head>", charts() + b"</head>")
    assert before.endswith("<body>")
    assert style.endswith(STYLE.read_text())
    size = tomllib.loads((HOME / ".streamlit/config.toml").read_text())["theme"]["baseFontSize"]
    assert f"font-size: {size}px" in style


@pytest.mark.parametrize(("path", "accept"), [("/file", "text/html"), ("/page", "*/*")])
def test_all_else_is_handed_on_as_it_is(path: str, accept: str) -> None:
    _, headers, text = ask(path, accept=accept)
    assert text.encode() == PAGE
    assert headers["etag"] == '"one"'


def test_a_page_with_charts_names_the_file_that_draws_them() -> None:
    [address] = re.findall('href="./([^"]+)"', charts().decode())
    assert (STATIC / address).is_file()
    assert charts().decode() not in ask("/learn", accept="text/html")[2]
    assert charts().decode() in ask("/page", accept="text/html")[2]
