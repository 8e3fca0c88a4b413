"""CPU and memory of one request through the whole fetch path: budget, robots, engine, verdict.

    python -m bench.fetch [--requests N] [--hosts N] [--reactor none|asyncio] [--json]

The server runs in a process of its own, so only the fetching side is counted. ``poll`` opens a connection
a request (what feeds do), ``page`` keeps it, ``tls`` is a poll over a fresh TLS 1.3 connection.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import ssl
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from multiprocessing.connection import Connection
from pathlib import Path

from config.model import Limits, Politeness, Settings
from crawlers.fetch import Fetcher
from crawlers.model import Fetched, FetchRequest, Purpose
from crawlers.robots import Robots

BODY = b"<p>" + b"berita pagi " * 1700 + b"</p>"
POLITE = Politeness(user_agent="warta-bench/1", delay=timedelta(0), concurrency=1000)


class Turns:
    """A budget that makes nobody wait: its own cost is measured with Redis, elsewhere."""

    @asynccontextmanager
    async def turn(
        self, host: str, outlet: str, politeness: Politeness, *, patience: timedelta | None = None
    ) -> AsyncIterator[None]:
        """At once."""
        yield

    async def block(self, host: str, until: datetime) -> None:
        """Never."""


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            found = b"/robots.txt" not in head
            body = BODY if found else b""
            status = b"200 OK" if found else b"404 Not Found"
            writer.write(b"HTTP/1.1 %b\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % (status, len(body)))
            writer.write(body)
            await writer.drain()
            if b"Connection: close" in head:
                break
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


def serve(pipe: Connection, certificate: str) -> None:
    """The server's process; sends its two ports, plain and TLS."""

    async def run() -> None:
        plain = await asyncio.start_server(_serve, "127.0.0.1", 0)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        secure = await asyncio.start_server(_serve, "127.0.0.1", 0, ssl=context)
        pipe.send([server.sockets[0].getsockname()[1] for server in (plain, secure)])
        await asyncio.gather(plain.serve_forever(), secure.serve_forever())

    asyncio.run(run())


def make_certificate(folder: Path) -> Path:
    """A self-signed certificate for every host of bench.test, key and certificate in one file."""
    key, certificate, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=bench.test", "-addext", "subjectAltName=DNS:*.bench.test", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


async def measure(ports: list[int], requests: int, hosts: int, reactor: str) -> dict[str, float]:
    """CPU milliseconds a request for each way of asking, and the peak memory."""
    settings = Settings(
        path=Path("warta.yaml"), data_dir=Path("data"), redis="embedded", database="embedded", outlets=(),
        limits=replace(Limits(), ports=frozenset(ports)), politeness=POLITE,
        allow_networks=(ip_network("127.0.0.0/8"),), resolve=(("*.bench.test", "127.0.0.1"),), reactor=reactor,
    )  # fmt: skip
    fetcher = Fetcher(settings, Turns(), Robots(_now), _now)
    await fetcher.start()
    figures: dict[str, float] = {}
    for name, scheme, port, purpose in (
        ("poll", "http", ports[0], Purpose.FEED),
        ("page", "http", ports[0], Purpose.ARTICLE),
        ("tls", "https", ports[1], Purpose.FEED),
    ):

        async def ask(number: int, scheme: str = scheme, port: int = port, purpose: Purpose = purpose) -> None:
            url = f"{scheme}://h{number % hosts}.bench.test:{port}/{number}"
            result = await fetcher.fetch(FetchRequest(url=url, purpose=purpose, outlet_id="bench"), POLITE)
            if not isinstance(result, Fetched):
                raise RuntimeError(f"{url}: {result}")

        await _in_turn(ask, hosts)  # robots.txt of every host
        cpu, clock = time.process_time(), time.monotonic()
        await _in_turn(ask, requests)
        figures[f"{name}_cpu_ms"] = round((time.process_time() - cpu) / requests * 1000, 3)
        figures[f"{name}_per_s"] = round(requests / (time.monotonic() - clock), 1)
    await fetcher.stop()
    figures["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    return figures


async def _in_turn(ask: object, count: int, width: int = 20) -> None:
    numbers = iter(range(count))

    async def one() -> None:
        for number in numbers:
            await ask(number)  # type: ignore[operator]

    await asyncio.gather(*(one() for _ in range(width)))


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Start the server, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--reactor", choices=["none", "asyncio"], default="none")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder))
        os.environ["SSL_CERT_FILE"] = str(certificate)
        ours, theirs = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(
            target=serve, args=(theirs, str(certificate)), daemon=True
        )
        server.start()
        try:
            figures = asyncio.run(measure(ours.recv(), options.requests, options.hosts, options.reactor))
        finally:
            server.terminate()
            server.join()
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:<14} {value}")


if __name__ == "__main__":
    main()
