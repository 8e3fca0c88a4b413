"""A server's connection taken over, to say what no proper server would."""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Name of the ASGI scope extension that carries the connection's transport.
EXTENSION = "newsroom.transport"
#: Bytes that may wait in a connection's buffer before a writer pauses.
BUFFER = 256 * 1024


class TransportProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which also lends its transport to the application."""

    def on_message_begin(self) -> None:
        """Put the transport into the scope of each request."""
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope.setdefault("extensions", {})[EXTENSION] = self.transport


class Connection:
    """Raw writing to one client. Knows nothing of what is written."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """``transport`` is the client's, between two HTTP messages."""
        self._transport = transport

    @property
    def alive(self) -> bool:
        """Whether the client is still there."""
        return not self._transport.is_closing()

    async def write(self, data: bytes) -> bool:
        """Send bytes, waiting while the client reads slowly; False once it is gone."""
        if not self.alive:
            return False
        self._transport.write(data)
        while self.alive and self._transport.get_write_buffer_size() > BUFFER:  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.005)
        return self.alive

    async def pause(self, seconds: float) -> bool:
        """Say nothing for a while; False once the client is gone."""
        end = asyncio.get_running_loop().time() + seconds
        while self.alive and (left := end - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 - nor for this
            await asyncio.sleep(min(left, 0.1))
        return self.alive

    def close(self) -> None:
        """Send what is buffered, then FIN."""
        self._transport.close()

    def reset(self) -> None:
        """Drop everything and send RST."""
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def head(status: int, headers: dict[str, str], length: int | None) -> bytes:
    """A status line and headers as bytes; ``Content-Length`` is left out for None."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if length is not None:
        lines.append(f"content-length: {length}")
    lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
