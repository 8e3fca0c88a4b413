"""The API on a socket: uvicorn inside a loop that belongs to somebody else."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from config.model import Api


class CannotListen(Exception):
    """The address is taken or not this machine's; says which."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are whose the loop is."""
        yield


class ApiServer:
    """Serves one application until it is stopped."""

    def __init__(self, app: ASGIApp, api: Api) -> None:
        self._socket = _listen(api)
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


def _listen(api: Api) -> socket.socket:
    """A socket of that address. Raises CannotListen."""
    host = "127.0.0.1" if api.host == "localhost" else api.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only where it is: without it a small answer waits 40 ms.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, api.port))
        found.listen(128)  # from here on nobody else gets the port, and early readers wait
    except OSError as error:
        found.close()
        raise CannotListen(
            f"the API cannot listen on {api.host}:{api.port}: {error.strerror}; set api.listen"
        ) from error
    return found
