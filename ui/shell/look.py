"""The look stands in the page before anything is drawn, so that nothing moves when it arrives.

Streamlit's page is one file for all addresses. `style.css` is put into it by the server: at the
beginning of its body, for what Streamlit writes into the head comes later than all that is there,
and would win. A page with charts also names their script, 4.7 MB that a browser would else ask for
once the first chart is there: it is fetched and read while the server still works.
"""

from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

STYLE = Path(__file__).with_name("style.css")
STATIC = Path(streamlit.__file__).with_name("static")
HEAD_END, BODY = b"</head>", b"<body>"
CHARTLESS = ("", "start", "learn", "train")
"""Pages, by the end of their address, that open without a chart."""
UNCHANGED = ("if-none-match", "if-modified-since", "accept-encoding")
"""What a browser asks to be spared; of a page it gets all, as one text."""


@cache
def look() -> bytes:
    """The element, with the size of letters that Streamlit sets only once its theme is there."""
    size = config.get_option("theme.baseFontSize")
    css = STYLE.read_text(encoding="utf-8")
    return f"<style>:root {{ font-size: {size}px; }}\n{css}</style>".encode()


@cache
def charts() -> bytes:
    """The element that names the charts' script, after its place in the wheel; empty if it moved."""
    links = [
        f'<link rel="modulepreload" crossorigin href="./{path.relative_to(STATIC).as_posix()}">'
        for path in STATIC.glob("static/js/PlotlyChart.*.js")
    ]
    return "".join(links).encode()


class Look:
    """Puts the look into every page that is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: a page gets the look, all else is handed on as it is."""
        if not _asks_for_a_page(scope):
            await self.app(scope, receive, send)
            return
        kept = [pair for pair in scope["headers"] if pair[0].decode("latin-1") not in UNCHANGED]
        waiting: list[Message] = []

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                waiting.append(message)
            elif waiting:
                waiting.append(message)
                if not message.get("more_body"):
                    for one in _dress(waiting, scope["path"]):
                        await send(one)
            else:
                await send(message)

        await self.app({**scope, "headers": kept}, receive, dressed)


def _asks_for_a_page(scope: Scope) -> bool:
    is_get = scope["type"] == "http" and scope["method"] == "GET"
    return is_get and "text/html" in Headers(scope=scope).get("accept", "")


def _is_page(start: Message) -> bool:
    return MutableHeaders(scope=start).get("content-type", "").startswith("text/html")


def _dress(answer: list[Message], path: str) -> tuple[Message, Message]:
    """The whole answer, with the look; a browser asks for it anew each time."""
    start, *parts = answer
    body = b"".join(part.get("body", b"") for part in parts).replace(BODY, BODY + look(), 1)
    if path.rpartition("/")[2] not in CHARTLESS:
        body = body.replace(HEAD_END, charts() + HEAD_END, 1)
    headers = MutableHeaders(scope=start)
    headers["content-length"] = str(len(body))
    for name in ("etag", "last-modified"):
        del headers[name]
    return start, {"type": "http.response.body", "body": body}
