"""A web server that attacks whoever reads it: ``python -m bench.attacker`` prints its port and serves on loopback."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Final

import brotli

try:
    from compression import zstd  # type: ignore[import-not-found]
except ImportError:
    from backports import zstd

#: Codings of the bombs; each unpacks to a gibibyte.
CODINGS: Final = ("gzip", "deflate", "br", "zstd", "gzip, gzip")
FEED: Final = b'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>%b</channel></rss>'
ITEM: Final = b"<item><title>t</title><link>http://a.test/1</link></item>"


@cache
def bombs() -> dict[str, bytes]:
    """A gibibyte of zeros in every coding."""
    block = b"\0" * 2**20
    packers = {"gzip": zlib.compressobj(9, wbits=31), "deflate": zlib.compressobj(9)}
    found = {name: b"".join(p.compress(block) for _ in range(1024)) + p.flush() for name, p in packers.items()}
    squeezer, packer = brotli.Compressor(quality=5), zstd.ZstdCompressor()
    found["br"] = b"".join(squeezer.process(block) for _ in range(1024)) + squeezer.finish()
    found["zstd"] = b"".join(packer.compress(block) for _ in range(1024)) + packer.flush()
    found["gzip, gzip"] = gzip.compress(found["gzip"], 9)
    return found


def _endless(path: str) -> Iterator[bytes]:
    """Pieces of an answer that never ends, the first being its start."""
    match path:
        case "/headers":
            yield b"HTTP/1.1 200 OK\r\n"
            piece = b"X-Name: " + b"y" * 8000 + b"\r\n"
        case "/header":
            yield b"HTTP/1.1 200 OK\r\nX: "
            piece = b"y" * 65536
        case "/body":
            yield b"HTTP/1.1 200 OK\r\n\r\n"
            piece = b"y" * 65536
        case "/chunks":
            yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            piece = b"1;" + b"e" * 60000 + b"\r\ny\r\n"
        case "/continue":
            yield b""
            piece = b"HTTP/1.1 100 Continue\r\n\r\n" * 100
        case _:
            return
    while True:
        yield piece


#: Path to the pieces of an answer that comes a byte at a time.
_SLOW: Final = {
    "/slow-headers": b"HTTP/1.1 200 OK\r\nX: ",
    "/slow-body": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        await _answer(path, writer)
        await writer.drain()
    writer.close()


async def _answer(path: str, writer: asyncio.StreamWriter) -> None:
    if path.startswith("/bomb/"):
        name = path.removeprefix("/bomb/").replace("+", ", ")
        data = bombs()[name]
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\nContent-Length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data)
    elif path == "/truncated":
        data = gzip.compress(FEED % (ITEM * 500))
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nETag: "a"\r\nConnection: close\r\n\r\n')
        writer.write(data[: len(data) // 2])
    elif path in _SLOW:
        writer.write(_SLOW[path])
        for _ in range(600):
            writer.write(b"y")
            await writer.drain()
            await asyncio.sleep(0.1)
    elif path == "/stall":
        await asyncio.sleep(60)
    elif any(True for _ in _endless(path)):
        for piece in _endless(path):
            writer.write(piece)
            await writer.drain()
    else:
        writer.write(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")


async def main() -> None:
    """Serve until killed."""
    bombs()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
