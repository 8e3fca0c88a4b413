"""What foreign code connects to is judged where it connects."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

import pytest

from crawlers.resolve import ForbiddenAddressError
from scheduler.alerting.confined import confined
from scheduler.alerting.sender import Sender, SendError

HERE = (ip_network("127.0.0.1/32"),)


class _Inner(BaseHTTPRequestHandler):
    """Stands where nobody may come; the other one sends everybody there."""

    def _answer(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        elsewhere = getattr(self.server, "elsewhere", None)
        self.send_response(302 if elsewhere else 200)
        if elsewhere:
            self.send_header("Location", elsewhere)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = _answer  # noqa: N815 - names of the library

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _serve(address: str) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer((address, 0), _Inner)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def inner() -> Iterator[ThreadingHTTPServer]:
    server = _serve("127.0.0.2")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def outer(inner: ThreadingHTTPServer) -> Iterator[ThreadingHTTPServer]:
    server = _serve("127.0.0.1")
    server.elsewhere = f"http://127.0.0.2:{inner.server_port}/latest/meta-data"  # type: ignore[attr-defined]
    yield server
    server.shutdown()
    server.server_close()


async def test_a_channel_that_redirects_inside_leads_nowhere(inner, outer) -> None:
    with pytest.raises(SendError):
        await Sender(allow_networks=HERE).send(f"json://127.0.0.1:{outer.server_port}/", "info", "t", "b")

    assert len(outer.asked) == 1
    assert inner.asked == []


def test_only_what_is_confined_is_judged(inner) -> None:
    def connect() -> str:
        with closing(socket.create_connection(("127.0.0.2", inner.server_port), timeout=5)):
            return "connected"

    with pytest.raises(ForbiddenAddressError, match=r"127\.0\.0\.2 is not a public address"):
        confined(HERE, connect)
    assert confined((ip_network("127.0.0.0/8"),), connect) == "connected"
    assert connect() == "connected"
