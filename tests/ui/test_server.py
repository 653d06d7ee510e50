"""Who may ask the server, what every answer allows a page, and whose weights an address gives."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message

from ui.shell import server, weights
from ui.shell.weights import Packed, hold


def asked(app: Any, path: str = "/", host: str = "here") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", host.encode())],
    }
    asyncio.run(app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:])


def test_only_names_that_the_server_has_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "is_host_allowed", lambda host: host == "here")
    app = server.Guard(PlainTextResponse("page"))
    status, headers, body = asked(app)
    assert (status, body) == (200, b"page")
    refused, other_headers, said = asked(app, host="elsewhere")
    assert refused == 421 and b"mmvae app --host" in said and b"page" not in said
    for found in (headers, other_headers):
        assert found["x-content-type-options"] == "nosniff"
        rules = dict(
            rule.split(" ", 1) for rule in found["content-security-policy"].split("; ") if rule
        )
        foreign = [
            (name, source)
            for name, allowed in rules.items()
            for source in allowed.split()
            if source == "*" or "//" in source or source.startswith(("http", "ws"))
        ]
        assert foreign == []
        assert "'unsafe-inline'" not in rules["script-src"]


def test_an_address_gives_its_own_bytes_and_the_latest_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weights, "_HELD", type(weights._HELD)())
    paths = [hold(Packed(f"run{one}", bytes([one]))) for one in range(weights.MOST_HELD)]
    assert hold(Packed("run0", b"\0")) == paths[0] == "weights/run0.bin"  # asked for again
    hold(Packed("new", b"new"))

    def given(path: str) -> tuple[int, bytes]:
        address = path.removeprefix("weights/").removesuffix(".bin")
        request = Request({"type": "http", "path_params": {"address": address}})
        answer = asyncio.run(weights.given(request))
        return answer.status_code, bytes(answer.body)

    assert given("weights/new.bin") == (200, b"new")
    assert given(paths[0]) == (200, b"\0")
    assert given(paths[1])[0] == 404, "the one that was asked for longest ago has made room"
    assert given(paths[2]) == (200, b"\2")
