"""What the server adds to every answer: who may ask, and what a page may do in a browser.

`app.py` hands these to Streamlit's server. Further routes of the app belong into `ROUTES`.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from ui.shell import weights
from ui.shell.look import Look

ROUTES: Sequence[BaseRoute] = (weights.ROUTE,)
"""Addresses of the app beside Streamlit's own."""
REFUSAL = (
    "This app does not answer under the name that was asked for. Start it with "
    "`mmvae app --host NAME`, or open it by the name that it was started with.\n"
)
BARRED = 421
"""Misdirected request (RFC 9110): this server does not speak for that name."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
}
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@cache
def policy() -> str:
    """The content policy: nothing is fetched from, sent to or framed by another host.

    Streamlit's own page has a script between its tags, which is let in by its hash; components are
    scripts from memory (`blob:`), its reader of messages is WebAssembly, and scripts write its
    styles.
    """
    page = Path(st.__file__).with_name("static") / "index.html"
    own = [
        "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        for text in INLINE.findall(page.read_text(encoding="utf-8"))
    ]
    rules = {
        "default-src": ["'self'"],
        "script-src": ["'self'", "blob:", "'wasm-unsafe-eval'", *own],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'", "data:", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
    return "; ".join(f"{name} {' '.join(allowed)}" for name, allowed in rules.items())


class Guard:
    """Refuses names that the server was not started with, and adds the headers to every answer.

    Streamlit itself holds `server.allowedHosts` against WebSockets alone; here it counts for plain
    HTTP too, by the same rule.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: refused, or handed on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = policy()
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        if is_host_allowed(Headers(scope=scope).get("host")):
            await self.app(scope, receive, guarded)
        else:
            await PlainTextResponse(REFUSAL, BARRED)(scope, receive, guarded)


def middleware() -> list[Middleware]:
    """What stands before Streamlit's server."""
    return [Middleware(Guard), Middleware(Look)]
