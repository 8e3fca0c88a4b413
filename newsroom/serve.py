"""The press on a loopback port, in a thread of this process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from newsroom.app import create_app
from newsroom.hostile import TransportProtocol
from newsroom.press import Newsroom

#: Seconds that a start may take.
START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Running:
    """A press that is being served."""

    newsroom: Newsroom
    port: int
    _server: uvicorn.Server
    _thread: threading.Thread

    @property
    def base(self) -> str:
        """``http://127.0.0.1:port``, where the index and the control are."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End the server; connections still open are dropped."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(START_SECONDS)


def bind(port: int = 0) -> socket.socket:
    """A listening socket on 127.0.0.1; 0 picks a free port."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno, f"the newsroom cannot listen on 127.0.0.1:{port} ({error.strerror}); give another --port, or 0"
        ) from error
    sock.listen(2048)
    return sock


def server(newsroom: Newsroom) -> uvicorn.Server:
    """A server for the press that also lets it misbehave on the wire."""
    config = uvicorn.Config(
        create_app(newsroom),
        http=TransportProtocol,
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
        backlog=2048,
    )
    return uvicorn.Server(config)


def start(newsroom: Newsroom, port: int = 0) -> Running:
    """Serve in a background thread; returns when it answers. The port goes into every address."""
    sock = bind(port)
    newsroom.addresses.port = sock.getsockname()[1]
    web = server(newsroom)
    thread = threading.Thread(target=_run, args=(web, sock), name="newsroom", daemon=True)
    thread.start()
    end = time.monotonic() + START_SECONDS
    while not web.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise RuntimeError(f"the newsroom did not start within {START_SECONDS:.0f} s")
        time.sleep(0.005)
    return Running(newsroom, newsroom.addresses.port, web, thread)


def _run(web: uvicorn.Server, sock: socket.socket) -> None:
    try:
        web.run(sockets=[sock])
    finally:
        sock.close()


@contextmanager
def running(newsroom: Newsroom | None = None, port: int = 0) -> Iterator[Running]:
    """Serve for the length of a ``with`` block."""
    press = start(newsroom or Newsroom(), port)
    try:
        yield press
    finally:
        press.stop()
