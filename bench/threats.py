"""What hostile answers cost: ``python -m bench.threats``.

Each row is an attack that is known to hurt a bare stack of Scrapy, feedparser and trafilatura, with what it did there,
and what it costs here: how the daemon's fetcher or reader ended it, in how many seconds, and by how many MiB the
process or its parsing child grew. The attacker is another process (:mod:`bench.attacker`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from bench.attacker import CODINGS, FEED, ITEM
from config.load import load
from config.model import Limits, Outlet, Politeness, Settings, SourceKind
from crawlers.discover import discover
from crawlers.fetch import Fetcher
from crawlers.model import Discovered, DiscoveryFailed, Fetched, FetchFailed, FetchRequest, Normalized, Purpose
from crawlers.page import read_page
from crawlers.pool import ParseKilled, ParsePool
from crawlers.robots import Robots
from scheduler.cli.dryrun import SoloBudget

NOW: Final = datetime(2026, 11, 23, 3, tzinfo=UTC)
#: Growth that is still well, MiB.
MOST: Final = 200.0
POLITE: Final = Politeness(user_agent="warta-bench/1.0 (+https://warta.example/bot)", delay=timedelta(0))


@dataclass(frozen=True, slots=True)
class Row:
    """One attack."""

    attack: str
    #: What the bare stack did.
    bare: str
    ended: str
    seconds: float
    #: MiB that the process (or the parsing child) grew; 0 where it stayed below its peak.
    grown: float


def _peak(who: int = resource.RUSAGE_SELF) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


# -- fetching -------------------------------------------------------------------------------------

_BOMB = "+1.1 GB (Scrapy), +2.1 GB (requests, httpx)"
#: Path, name, and what the bare stack did.
_FETCHES: Final = (
    *((f"/bomb/{name.replace(', ', '+')}", f"1 GiB bomb, {name}", _BOMB) for name in CODINGS),
    ("/headers", "endless headers", "+1.5 GB in 15 s"),
    ("/header", "one endless header", "no limit"),
    ("/body", "endless body", "cut at DOWNLOAD_MAXSIZE, 1 GiB"),
    ("/chunks", "endless chunk extensions", "no limit"),
    ("/continue", "flood of 100 Continue", "cut at the time-out"),
    ("/slow-headers", "slow headers (deadline 2 s)", "cut at the time-out"),
    ("/slow-body", "slow body (deadline 2 s)", "cut at the time-out"),
    ("/stall", "no answer (deadline 2 s)", "cut at the time-out"),
    ("/truncated", "truncated gzip", "200 with a short or empty body"),
)


@asynccontextmanager
async def _fetcher(port: int, other: int = 80) -> AsyncIterator[Callable[[str], Any]]:
    settings = Settings(
        path=Path("x"), data_dir=Path("x"), redis="embedded", database="embedded", outlets=(), politeness=POLITE,
        limits=replace(Limits(), ports=frozenset({port, other}), feed_seconds=2.0),
        allow_networks=(ip_network("127.0.0.0/8"),), resolve=(("*.test", "127.0.0.1"),),
    )  # fmt: skip
    fetcher = Fetcher(settings, SoloBudget(), Robots(now=_now), _now)
    await fetcher.start()

    async def get(path: str) -> Any:
        url = path if path.startswith("http") else f"http://a.test:{port}{path}"
        return await fetcher.fetch(FetchRequest(url=url, purpose=Purpose.FEED, outlet_id="x"), POLITE)

    try:
        yield get
    finally:
        await fetcher.stop()


def _now() -> datetime:
    return datetime.now(UTC)


async def fetches(port: int) -> list[Row]:
    """What comes over the wire."""
    rows = []
    async with _fetcher(port) as get:
        await get("/none")
        for path, name, bare in _FETCHES:
            before, begun = _peak(), time.monotonic()
            answer = await get(path)
            ended = str(answer.kind) if isinstance(answer, FetchFailed) else f"status {answer.status}"
            rows.append(Row(name, bare, ended, round(time.monotonic() - begun, 2), round(_peak() - before, 1)))
    return rows


async def _peaceful(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A feed as any other."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        body = FEED % ITEM
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
    writer.close()


async def neighbours(port: int) -> Row:
    """What a feed of somebody else waits for its answer, alone and while eight attackers are read without a pause."""
    server = await asyncio.start_server(_peaceful, "127.0.0.1", 0)
    other = server.sockets[0].getsockname()[1]
    async with _fetcher(port, other) as get:
        await get(f"http://b.test:{other}/none")

        async def waits() -> float:
            spans = []
            for _ in range(100):
                begun = time.monotonic()
                answer = await get(f"http://b.test:{other}/rss")
                spans.append(time.monotonic() - begun)
                assert isinstance(answer, Fetched)
                await asyncio.sleep(0.02)
            return sorted(spans)[94] * 1000

        async def attack(number: int) -> None:
            for path, *_ in _FETCHES[number % 8 :: 8] * 1000:
                await get(path)

        alone = await waits()
        attackers = [asyncio.ensure_future(attack(n)) for n in range(8)]
        during = await waits()
        for task in attackers:
            task.cancel()
        await asyncio.gather(*attackers, return_exceptions=True)
    server.close()
    ended = f"p95 {alone:.0f} ms alone, {during:.0f} ms then"
    return Row("another host's feed meanwhile", "one process for all", ended, round(during / 1000, 3), 0.0)


# -- reading --------------------------------------------------------------------------------------


def _read(kind: str, body: bytes) -> tuple[str, float]:
    """In the child: how it ended, and by how many MiB the child grew."""
    before = _peak()
    if kind == "page":
        outlet = Outlet(
            id="x", name="X", homepage="https://a.test/", group=None, language="id", timezone=ZoneInfo("Asia/Jakarta"),
            hosts=("a.test",), sources=(), politeness=POLITE,
        )  # fmt: skip
        url = "https://a.test/news/1"
        page = Fetched(url=url, final_url=url, status=200, headers=(), body=body, fetched_at=NOW)
        read = read_page(page, outlet, None, NOW)
        ended = "read" if isinstance(read, Normalized) else f"no article: {read.rule}"
    else:
        found = discover(SourceKind.FEED, body, url="https://a.test/rss", now=NOW, timezone=ZoneInfo("UTC"))
        ended = f"{len(found.entries)} items" if isinstance(found, Discovered) else str(_failed(found).kind)
    return ended, _peak() - before


def _failed(found: object) -> DiscoveryFailed:
    assert isinstance(found, DiscoveryFailed)
    return found


def _page(body: bytes) -> bytes:
    return b"<html><head><title>Judul</title></head><body><h1>Judul yang panjang</h1>" + body + b"</body></html>"


def _attacks() -> tuple[tuple[str, str, str, bytes], ...]:
    """Name, what the bare stack did, feed or page, and the document."""
    attributes = b"<x " + b" ".join(b"a%d='1'" % n for n in range(200_000)) + b">"
    opened = b"<item><title>" + b"<a" * 100_000 + b"</title></item>"
    words = b"<p>Kata demi kata. </p>"
    ld = b'<script type="application/ld+json">%b</script>'
    return (
        ("element of 200,000 attributes", "> 45 s", "feed", FEED % (attributes + ITEM)),
        ("100,000 open <a in a title", "5-14 s", "feed", FEED % (opened + ITEM)),
        ("100,000 nested elements", "5.1 s", "feed", FEED % (b"<d>" * 100_000 + ITEM)),
        ("100,000 items (the first 2,000 are read)", "26 s, +221 MB", "feed", FEED % (ITEM * 100_000)),
        ("5 MB of blanks", "5 s", "page", _page(b"<p>" + b" " * 5_000_000 + b"</p>")),
        ("2 MB of <", "6.3 s", "page", _page(b"<" * 2_000_000)),
        ("5 MB of HTML (50 MB are never fetched)", "> 45 s for 50 MB", "page", _page(words * 217_000)),
        ("200,000 nested div", "> 45 s", "page", _page(b"<div>" * 200_000)),
        ("ld+json nested 100,000", "RecursionError", "page", _page(ld % (b"[" * 100_000))),
        ("ld+json with an integer of 10^6 digits", "ValueError", "page", _page(ld % (b'{"a": ' + b"9" * 10**6 + b"}"))),
    )  # fmt: skip


async def readings() -> list[Row]:
    """What a parser is given, in children as the daemon's."""
    rows = []
    for name, bare, kind, body in _attacks():
        # A child of its own each: the peak of one is not the next one's.
        pool = ParsePool(1, preload=("crawlers.discover", "crawlers.page"))
        try:
            await pool.run(_read, kind, _page(b"<p>Satu.</p>") if kind == "page" else FEED % ITEM)
            begun = time.monotonic()
            try:
                ended, grown = await pool.run(_read, kind, body)
            except ParseKilled as killed:
                ended, grown = f"child ended: {killed.kind}", 0.0
            rows.append(Row(name, bare, ended, round(time.monotonic() - begun, 2), round(grown, 1)))
        finally:
            await pool.stop()
    return rows


def configuration() -> Row:
    """A configuration of 20,000 outlets."""
    text = "name: N\nhomepage: http://h{0}.test/\nlanguage: id\ntimezone: Asia/Jakarta\nsources:\n"
    text += "  - {{name: rss, kind: feed, url: 'http://h{0}.test/rss'}}\n"
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory, "outlets")
        folder.mkdir()
        Path(directory, "warta.yaml").write_text("outlets: [outlets/*.yaml]\n", encoding="utf-8")
        for number in range(20_000):
            (folder / f"o{number}.yaml").write_text(text.format(number), encoding="utf-8")
        before, begun = _peak(), time.monotonic()
        count = len(load(Path(directory, "warta.yaml"), {}).outlets)
        seconds = round(time.monotonic() - begun, 2)
        name = "YAML of 20,000 outlets, checked whole"
        return Row(name, "4.8 s (safe_load alone)", f"{count:,} outlets", seconds, round(_peak() - before, 1))


def run() -> list[Row]:
    """Every row."""
    with subprocess.Popen([sys.executable, "-m", "bench.attacker"], stdout=subprocess.PIPE, text=True) as attacker:
        assert attacker.stdout is not None
        port = int(attacker.stdout.readline())
        try:
            rows = asyncio.run(fetches(port))
            rows.append(asyncio.run(neighbours(port)))
        finally:
            attacker.kill()
    return [*rows, *asyncio.run(readings()), configuration()]


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; exit code 1 when something grew past 200 MiB (the configuration aside)."""
    parser = argparse.ArgumentParser(prog="python -m bench.threats", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    parser.add_argument("--markdown", action="store_true", help="the table of docs/reliability.md")
    options = parser.parse_args(arguments)
    rows = run()
    for row in rows:
        if options.json:
            print(json.dumps(asdict(row)))
        elif options.markdown:
            print(f"| {row.attack} | {row.bare} | {row.ended} | {row.seconds:g} | {row.grown:g} |")
        else:
            print(f"{row.attack:<42} {row.bare:<44} {row.ended:<32} {row.seconds:>6.2f} s {row.grown:>7.1f} MiB")
    return int(any(row.grown > MOST for row in rows if not row.attack.startswith("YAML")))


if __name__ == "__main__":
    # Children import what they run by its module's name.
    from bench.threats import main as run_by_name

    sys.exit(run_by_name())
