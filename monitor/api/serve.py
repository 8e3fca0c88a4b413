"""An application on a socket: uvicorn inside a loop that belongs to somebody else."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp


class CannotListen(Exception):
    """The address is taken or not this machine's; says which."""


class Place(Protocol):
    """Where to listen."""

    @property
    def host(self) -> str:
        """Address, or ``localhost``."""

    @property
    def port(self) -> int:
        """0 takes any free port."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are whose the loop is."""
        yield


class ApiServer:
    """Serves one application until it is stopped."""

    def __init__(self, app: ASGIApp, place: Place, *, name: str = "the API", key: str = "api.listen") -> None:
        self._socket = _listen(place, name, key)
        self.address = f"http://{self._socket.getsockname()[0]}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            app, access_log=False, log_config=None, lifespan="off", server_header=False, limit_concurrency=200,
            timeout_keep_alive=15, timeout_graceful_shutdown=3, h11_max_incomplete_event_size=64 * 1024,
        )  # fmt: skip
        self._server = _Server(config)

    async def serve(self) -> None:
        """Answer requests until :meth:`stop`."""
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Finish what is being answered, then end."""
        self._server.should_exit = True


def _listen(place: Place, name: str, key: str) -> socket.socket:
    """A socket of that address. Raises CannotListen, which names who wanted it and the setting to change."""
    host = "127.0.0.1" if place.host == "localhost" else place.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only where it is: without it a small answer waits 40 ms.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, place.port))
        found.listen(128)  # from here on nobody else gets the port, and early readers wait
    except OSError as error:
        found.close()
        raise CannotListen(f"{name} cannot listen on {place.host}:{place.port}: {error.strerror}; set {key}") from error
    return found
