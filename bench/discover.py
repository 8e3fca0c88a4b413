"""Milliseconds of CPU to read one feed, sitemap or listing, and what the parse pool adds.

``python -m bench.discover [FOLDER]`` reads the XML files of FOLDER besides the made-up ones.
The last line is JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from config.model import Limits, SourceKind
from crawlers.dates import read_date
from crawlers.discover import discover
from crawlers.model import Discovered, DiscoveryFailed
from crawlers.pool import ParsePool

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Jakarta")
DATES = (
    "Mon, 23 Nov 2026 10:15:00 +0700",
    "2026-11-23T10:15:00+07:00",
    "Jum'at, 20 November 2026 | 10:15 WIB",
    "1 Jam 9 Menit lalu",
)


def rss(items: int) -> bytes:
    """A feed as news sites serve it: 150 characters of summary, a picture, a date."""
    item = (
        "<item><title>Rupiah menguat {n}</title><link>https://x.example/news/{n}?utm_source=rss</link>"
        "<guid isPermaLink='false'>{n}</guid><pubDate>Mon, 23 Nov 2026 10:15:00 +0700</pubDate>"
        "<description><![CDATA[<img src='https://foto.example/{n}.jpg'><p>{text}</p>]]></description>"
        "<category>Valas</category></item>"
    )
    body = "".join(item.format(n=n, text="kata " * 30) for n in range(items))
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>P</title>{body}</channel></rss>".encode()


def urlset(locations: int) -> bytes:
    """A sitemap with dates."""
    one = "<url><loc>https://x.example/berita/{n}</loc><lastmod>2026-11-{d:02}T10:15:00+07:00</lastmod></url>"
    body = "".join(one.format(n=n, d=n % 22 + 1) for n in range(locations))
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{body}</urlset>'.encode()


def cpu_ms(work: Callable[[], object], rounds: int) -> float:
    """Mean CPU of one round."""
    work()
    started = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - started) / rounds * 1e3


def reading(kind: SourceKind, body: bytes) -> Callable[[], Discovered | DiscoveryFailed]:
    """The work of one answer."""
    return partial(discover, kind, body, url="https://x.example/rss", now=NOW, timezone=ZONE, limits=Limits())


async def pool_ms(body: bytes, rounds: int) -> tuple[float, float]:
    """Wall time of a call through the pool, and CPU of the caller in it."""
    pool = ParsePool(2)
    try:
        work = reading(SourceKind.FEED, body)
        for _ in range(5):
            await pool.run(work)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(rounds):
            await pool.run(work)
        return (time.perf_counter() - wall) / rounds * 1e3, (time.process_time() - cpu) / rounds * 1e3
    finally:
        await pool.stop()


def main() -> None:
    """Print a table and a closing JSON line."""
    cases: dict[str, tuple[SourceKind, bytes]] = {
        "rss of 25 items": (SourceKind.FEED, rss(25)),
        "rss of 100 items": (SourceKind.FEED, rss(100)),
        "sitemap of 1,000": (SourceKind.SITEMAP, urlset(1_000)),
        "sitemap of 50,000": (SourceKind.SITEMAP, urlset(50_000)),
    }
    for folder in sys.argv[1:]:
        cases |= {file.stem: (SourceKind.FEED, file.read_bytes()) for file in sorted(Path(folder).rglob("*.xml"))}
    found: dict[str, float] = {}
    for name, (kind, body) in cases.items():
        found[name] = round(cpu_ms(reading(kind, body), 3 if len(body) > 2**20 else 20), 2)
        sys.stdout.write(f"{name:28} {len(body) / 1024:8.1f} KiB {found[name]:9.2f} ms\n")
    for text in DATES:
        found[text] = round(cpu_ms(partial(read_date, text, timezone=ZONE, now=NOW), 2_000), 4)
        sys.stdout.write(f"{text:41} {found[text]:9.4f} ms\n")
    wall, cpu = asyncio.run(pool_ms(rss(25), 200))
    found["pool_wall_ms"], found["pool_caller_cpu_ms"] = round(wall, 2), round(cpu, 2)
    sys.stdout.write(f"{'25 items through the pool':41} {wall:9.2f} ms, {cpu:.2f} of it the caller's CPU\n")
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
