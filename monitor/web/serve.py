"""Serving the pages: in a loop that others use too, or alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import uvicorn

from monitor.web.app import create
from monitor.web.site import Site

log = structlog.get_logger(__name__)


class AddressInUseError(OSError):
    """Something else listens there."""


class _Server(uvicorn.Server):
    """Leaves the process's signals alone: they are the daemon's."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Capture none."""
        yield


def _listening(host: str, port: int, *, fall_back: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio turns off Nagle's delay: 40 ms an answer for clients that keep connections.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind((host, port))
        except OSError as error:
            if not fall_back:
                raise AddressInUseError(
                    f"cannot listen on {host}:{port} ({error.strerror}): set monitor.listen to another address"
                ) from error
            listener.bind((host, 0))
            log.warning("monitor address taken", wanted=f"{host}:{port}", got=listener.getsockname()[1])
        listener.listen(128)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def serving(site: Site, *, fall_back: bool = False) -> AsyncIterator[str]:
    """Serve until the block ends; yields the address of the pages.

    With `fall_back` a taken port gives way to a free one. Raises PasswordRequiredError and AddressInUseError.
    """
    app = create(site)
    monitor = site.monitor
    listener = _listening(
        "127.0.0.1" if monitor.host == "localhost" else monitor.host, monitor.port, fall_back=fall_back
    )
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", server_header=False, date_header=True,
        timeout_graceful_shutdown=2, timeout_keep_alive=15, limit_concurrency=256, h11_max_incomplete_event_size=32_768,
    )  # fmt: skip
    server = _Server(config)
    port = listener.getsockname()[1]
    task = asyncio.create_task(server.serve(sockets=[listener]), name="monitor")
    host = f"[{monitor.host}]" if ":" in monitor.host else monitor.host
    try:
        yield f"http://{host}:{port}/"
    finally:
        site.closing.set()
        server.should_exit = True
        with contextlib.suppress(Exception):
            await asyncio.wait_for(asyncio.shield(task), timeout=5)
        listener.close()
