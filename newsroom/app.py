"""The press as an ASGI application: virtual hosts by the Host header."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from newsroom import control, hostile
from newsroom.press import Newsroom
from newsroom.web import HUB, Answer, Request

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "testserver")


def create_app(newsroom: Newsroom) -> Starlette:
    """Outlets on their hosts, the index and ``/_control`` on the bare loopback host."""
    app = Starlette()
    app.mount("/", _Hosts(newsroom))
    app.state.newsroom = newsroom
    return app


class _Hosts:
    """Sends a request to the control or to the outlet that its Host header names."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom
        self._control = Router(routes=control.routes(newsroom))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        host = _bare(headers.get("host", ""))
        if host in LOOPBACK:
            await self._control(scope, receive, send)
            return
        if host == HUB:
            await self._hub(scope, receive, send)
            return
        answer = self._newsroom.respond(_request(self._newsroom, scope, host, headers))
        if answer.wire is not None:
            await _seize(answer, scope, receive, send)
        else:
            await _send(answer, scope["method"], send)

    async def _hub(self, scope: Scope, receive: Receive, send: Send) -> None:
        form = await StarletteRequest(scope, receive).body()
        status, text = self._newsroom.hub.take(dict(parse_qsl(form.decode("latin-1"), keep_blank_values=True)))
        await _send(Answer(status, text.encode(), {"content-type": "text/plain"}), scope["method"], send)


def _bare(host: str) -> str:
    """A Host header without its port, in small letters."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _request(newsroom: Newsroom, scope: Scope, host: str, headers: dict[str, str]) -> Request:
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return Request(
        host=host, path=scope["path"], now=newsroom.clock.now(), method=scope["method"], query=query, headers=headers
    )


async def _send(answer: Answer, method: str, send: Send) -> None:
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in answer.headers.items()]
    if answer.status != 304:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})


async def _seize(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the answer's writer have the connection; 501 where the server does not lend it."""
    transport: Any = (scope.get("extensions") or {}).get(hostile.EXTENSION)
    if transport is None:
        text = b"this misbehaviour needs the connection itself: run the newsroom by newsroom.serve"
        await _send(Answer(501, text, {"content-type": "text/plain"}), scope["method"], send)
        return
    connection = hostile.Connection(transport)
    assert answer.wire is not None
    try:
        await answer.wire(connection, answer)
    except asyncio.CancelledError:
        connection.reset()
        raise
    connection.close()
    while (await receive())["type"] != "http.disconnect":
        pass
