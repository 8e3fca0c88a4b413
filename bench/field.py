"""A light press of many feeds on one loopback port: ``python -m bench.field``.

One process answers for all hosts. A feed shows at most ten items; at the start one, and one more each `period`
seconds, at a moment of its own. Validators are honest: as long as nothing came, the answer is 304.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate

from newsroom.serve import bind
from newsroom.shapes.ladang import number_at

SHOWN = 10

_TEXT = "".join(
    f"<p>Harga kentang di pasar induk bergerak tipis pada pekan ini, kata pedagang nomor {n}. "
    "Pasokan dari dataran tinggi lancar dan gudang terisi, sehingga pembeli tidak tergesa-gesa.</p>"
    for n in range(8)
)


class Field:
    """What every feed shows at a time. Computes, keeps nothing."""

    def __init__(self, *, port: int, start: float, period: float) -> None:
        self._port, self._start, self._period = port, start, period

    def published(self, feed: int, item: int) -> float:
        """When item 0, 1, 2 … of a feed came out, in seconds since 1970."""
        return self._start - 60 + (item and (item - 1 + feed * 0.6180339887 % 1) * self._period)

    def newest(self, feed: int, now: float) -> int:
        """The number of the newest item."""
        return max(0, int((now - self._start + 60) / self._period - feed * 0.6180339887 % 1 + 1))

    def feed(self, feed: int, now: float) -> tuple[str, bytes]:
        """ETag and RSS."""
        newest = self.newest(feed, now)
        items = "".join(self._item(feed, item) for item in range(newest, max(-1, newest - SHOWN), -1))
        title = f"<title>Kabar Ladang {feed}</title><link>{self._base(feed)}/</link><description>Kabar</description>"
        return (
            f'"{feed}-{newest}"',
            f'<?xml version="1.0"?><rss version="2.0"><channel>{title}{items}</channel></rss>'.encode(),
        )

    def page(self, feed: int, item: int) -> bytes:
        """The article page of an item."""
        published = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.published(feed, item)))
        head = f'<meta property="article:published_time" content="{published}"><title>{_title(feed, item)}</title>'
        body = f'<article><h1>{_title(feed, item)}</h1><p class="author">Sari Wulandari</p>'
        return (
            f"<!doctype html><html lang=id><head>{head}</head><body>{body}"
            f'<div class="entry-content"><p>Berita ke-{item} dari ladang {feed}.</p>{_TEXT}</div>'
            "</article></body></html>"
        ).encode()

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """Status, headers and body."""
        feed = number_at(headers.get("host", "").rpartition(":")[0])
        if feed is not None and path == "/rss":
            etag, body = self.feed(feed, time.time())
            told = f"etag: {etag}\r\n"
            if headers.get("if-none-match") == etag:
                return 304, told, b""
            return 200, told + "content-type: application/rss+xml\r\n", body
        parts = path.split("/")
        if feed is not None and len(parts) > 2 and parts[1] == "berita" and parts[2].isdigit():
            return 200, "content-type: text/html; charset=utf-8\r\n", self.page(feed, int(parts[2]) - 1)
        return 404, "content-type: text/plain\r\n", b"nothing here\n"

    def _base(self, feed: int) -> str:
        return f"http://feed-{feed:05d}.ladang.test:{self._port}"

    def _item(self, feed: int, item: int) -> str:
        link = f"{self._base(feed)}/berita/{item + 1}/kabar"
        date = formatdate(self.published(feed, item), usegmt=True)
        return f"<item><title>{_title(feed, item)}</title><link>{link}</link><pubDate>{date}</pubDate></item>"


def _title(feed: int, item: int) -> str:
    return f"Harga kentang di ladang {feed} pada kabar ke-{item + 1}"


#: Path and headers to status, further headers and body.
Answerer = Callable[[str, dict[str, str]], tuple[int, str, bytes]]


class Connection(asyncio.Protocol):
    """HTTP/1.1, GET only, as little as that needs."""

    def __init__(self, answer: Answerer) -> None:
        self._answer = answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that has come in whole."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            status, more, body = self._answer(first.split(" ")[1], headers)
            closes = headers.get("connection", "").lower() == "close"
            length = "" if status == 304 else f"content-length: {len(body)}\r\n"
            kept = "close" if closes else "keep-alive"
            reason = {200: "OK", 304: "Not Modified"}.get(status, "Not Found")
            answer = f"HTTP/1.1 {status} {reason}\r\n{more}{length}connection: {kept}\r\n\r\n"
            self._transport.write(answer.encode() + body)
            if closes:
                self._transport.close()
                return


async def serve(period: float) -> None:
    """Serve until cancelled; prints the port first."""
    sock = bind()
    port = sock.getsockname()[1]
    field = Field(port=port, start=time.time(), period=period)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(field.answer), sock=sock, backlog=2048)
    print(port, flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.field", description=__doc__.splitlines()[0])
    parser.add_argument("--period", type=float, default=6 * 3600.0, help="seconds between two items of a feed")
    asyncio.run(serve(parser.parse_args().period))


if __name__ == "__main__":
    main()
