"""How long the monitor's pages take with many sources and articles, over a real socket.

    python -m bench.web [--sources 10000] [--articles 1000000] [--runs 144] [--rounds 20] [--json]
                        [--database URL [--filled]]

Fills a database with rows of the shapes that a crawl writes (:mod:`bench.desk`; SQLite in a temporary directory unless
a URL is given, 9 GB and five minutes for a million articles), serves the monitor over it, asks for every page and
prints the times of the whole answer, as a client sees them. ``--filled`` says that an earlier call filled it already.
What a site remembers for a second is forgotten before each request. The last line with --json holds the numbers.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import math
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.desk import Size, fill
from config.load import load
from config.model import Monitor
from monitor.web.serve import serving
from monitor.web.site import Site
from storage.model import FateKind
from storage.storage import Storage


def ask(site: Site, url: str, path: str, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each answer, the first thrown away, and of this process's CPU meanwhile.

    SystemExit for an answer that is no page.
    """
    times, cpu = [], []
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    for _ in range(rounds + 1):
        site.forget()
        began, worked = time.perf_counter(), time.process_time()
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - worked) * 1000)
        # Of a database filled long ago nothing is polled in time, and /readyz says so.
        if answer.status != 200 and path != "/readyz":
            raise SystemExit(f"{path} answers {answer.status}")
    connection.close()
    return times[1:], cpu[1:]


def paths(run: str, article: str) -> dict[str, str]:
    """Every page, and the searches that could be slow."""
    return {
        "overview": "/", "overview's chart": "/overview/chart.json",
        "sources": "/sources", "sources, page 150": "/sources?page=150", "sources, failing": "/sources?q=state:failing",
        "sources, a word": "/sources?q=outlet0777", "a source": "/sources/outlet0003/s0",
        "runs": "/runs", "runs, failed": "/runs?q=status:failed",
        "runs, of an outlet": "/runs?q=outlet:outlet0003+since:2h",
        "runs, a rare word": "/runs?q=nowhere", "a run": f"/runs/{run}",
        "items": "/items", "items, failed": "/items?q=fate:failed", "items, a rare word": "/items?q=nowhere",
        "items, of a source": "/items?q=source:outlet0003/s0+since:24h",
        "articles": "/articles", "articles, a common word": "/articles?q=rupiah",
        "articles, a phrase without a word": "/articles?q=%22harga+emas%22+-saham",
        "articles, two common words": "/articles?q=rupiah+saham",
        "articles, of an outlet": "/articles?q=outlet:outlet0003",
        "articles, a word of an outlet": "/articles?q=outlet:outlet0003+rupiah",
        "articles, a word of three days": "/articles?q=rupiah+since:3d",
        "articles, of a section": "/articles?q=section:bola",
        "articles, of a tag and a word": "/articles?q=tag:emas+rupiah",
        "articles, of a kind": "/articles?q=kind:copy",
        "articles, of a language that none has": "/articles?q=language:en",
        "articles, of yesterday": f"/articles?q=day:{datetime.now(UTC).date() - timedelta(days=1)}",
        "an article": f"/articles/{article}",
        "deliveries": "/deliveries", "alerts": "/alerts",
        "config": "/config", "about": "/about", "metrics": "/metrics", "readyz": "/readyz",
    }  # fmt: skip


async def measure(arguments: argparse.Namespace, place: Path) -> dict[str, Any]:
    now = datetime.now(UTC)
    (place / "warta.yaml").write_text(f"data_dir: {place}\noutlets: []\n", encoding="utf-8")
    settings = load(place, {})
    url = arguments.database or f"sqlite:///{place / 'warta.db'}"
    storage = await Storage.open(url, now=lambda: datetime.now(UTC))
    began = time.perf_counter()
    if not arguments.filled:
        size = Size(sources=arguments.sources, articles=arguments.articles, runs=arguments.runs, now=now)
        await asyncio.to_thread(fill, url, size)
    filled = time.perf_counter() - began
    newest = (await storage.fates.search(kinds=[FateKind.STORED], limit=1))[0]
    site = Site(
        storage=storage, settings=lambda: settings, monitor=Monitor(port=0), now=lambda: datetime.now(UTC),
        log=place / "none.jsonl", alive=place / "none",
    )  # fmt: skip
    pages: dict[str, dict[str, float]] = {}
    async with serving(site) as address:
        for name, path in paths(newest.run_id, newest.article_id or "").items():
            times, cpu = await asyncio.to_thread(ask, site, address, path, arguments.rounds)
            row = {"p50_ms": quantile(times, 0.5), "p95_ms": quantile(times, 0.95), "cpu_p50_ms": quantile(cpu, 0.5)}
            pages[name] = {kind: round(value, 1) for kind, value in row.items()}
            if not arguments.json:
                measured = (
                    f"p50 {row['p50_ms']:7.1f} ms   p95 {row['p95_ms']:7.1f} ms   CPU {row['cpu_p50_ms']:6.1f} ms"
                )
                print(f"{name:34} {measured}", flush=True)
    await storage.close()
    return {
        "database": "sqlite" if url.startswith("sqlite") else "postgresql",
        "sources": arguments.sources,
        "articles": arguments.articles,
        "runs": arguments.sources * arguments.runs,
        "filled_seconds": round(filled, 1),
        "pages": pages,
        "slowest_p95_ms": max(row["p95_ms"] for row in pages.values()),
    }


def quantile(values: list[float], share: float) -> float:
    """The value that this share does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=144, help="runs of each source within the last day")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--database", help="URL of a database for this alone, in place of a SQLite file")
    parser.add_argument("--filled", action="store_true", help="the database was filled by an earlier call")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="warta-bench-web-") as directory:
        report = asyncio.run(measure(arguments, Path(directory)))
    if arguments.json:
        print(json.dumps(report))
    else:
        print(
            f"slowest p95 {report['slowest_p95_ms']} ms; {report['sources']:,} sources, {report['articles']:,} articles"
        )


if __name__ == "__main__":
    main()
