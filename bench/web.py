"""How long the monitor's pages take with many sources and articles, over a real socket.

    python -m bench.web [--sources 10000] [--articles 100000] [--rounds 5] [--json]

Fills a SQLite database with rows of the shapes that a crawl writes, serves the monitor over it, asks for every page
and prints the times of the whole answer, as a client sees them. The last line with --json holds the numbers.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert

from config.load import load
from config.model import Monitor
from monitor.web.serve import serving
from monitor.web.site import Site
from storage.runs import run_id
from storage.storage import Storage
from storage.tables import articles, fates, revisions, runs, sources

WORDS = (  # noqa: SIM905 - read as prose
    "rupiah menguat bank sentral suku bunga harga emas saham pasar modal ekspor nikel batu bara investor "
    "pemerintah anggaran pajak subsidi energi listrik petani beras impor bandara tol kereta jakarta medan makassar"
).split()

#: Runs of each source that are kept, four an hour: a day of the busiest.
RUNS_OF_A_SOURCE = 24
BATCH = 5_000


def batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def source_rows(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(count):
        bad = number % 37 == 0
        yield {
            "id": f"outlet{number // 10:04}/s{number % 10}", "outlet_id": f"outlet{number // 10:04}", "kind": "feed",
            "url": f"https://outlet{number // 10:04}.test/{number % 10}.rss", "last_attempt": now, "last_success": now,
            "next_attempt": now + timedelta(seconds=number % 900), "paused": number % 211 == 0,
            "failures": 1.5 if bad else 0.0, "last_failure": "timeout" if bad else None,
            "last_failure_message": "no answer within 30 s" if bad else None,
            "window": [f"{number:08x}{n:08x}" for n in range(50)],
        }  # fmt: skip


def run_rows(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    for age in range(RUNS_OF_A_SOURCE, 0, -1):
        for number in range(count):
            started = now - timedelta(hours=age) + timedelta(milliseconds=number)
            yield {
                "id": run_id(started, number), "source_id": f"outlet{number // 10:04}/s{number % 10}",
                "outlet_id": f"outlet{number // 10:04}", "trigger": "schedule",
                "status": "failed" if number % 37 == 0 else "ok", "scheduled_for": started, "started_at": started,
                "finished_at": started, "discovered": 25, "unchanged": 24, "stored": 1, "known": 24,
                "http_status": 200, "bytes": 4000, "duration": 0.2,
                "reason": "timeout" if number % 37 == 0 else None,
            }  # fmt: skip


def article_rows(count: int, total_sources: int, now: datetime) -> Iterator[dict[str, Any]]:
    chance = random.Random(5)
    outlets = max(1, total_sources // 10)
    for number in range(count):
        seen = now - timedelta(days=30) * ((count - number) / count)
        title = " ".join(chance.choices(WORDS, k=8)).capitalize()
        text = " ".join(chance.choices(WORDS, k=250))
        yield {
            "id": f"article{number:09}", "outlet_id": f"outlet{int(chance.random() ** 2 * outlets):04}",
            "url": f"https://x.test/{number}", "url_key": f"k{number}", "title": title, "text": text, "language": "id",
            "authors": [], "places": [], "tags": [], "word_count": 250, "content_hash": f"c{number}",
            "body_hash": f"b{number}", "revision": 1, "first_seen": seen, "revised_at": seen,
            "published": seen - timedelta(seconds=chance.randint(10, 2000)),
        }  # fmt: skip


def content_of(row: dict[str, Any]) -> dict[str, Any]:
    empty = dict.fromkeys(
        ("subtitle", "editor", "agency", "brand", "published_from", "updated_from", "section", "updated")
    )
    wanted = ("outlet_id", "url", "url_key", "title", "language", "word_count", "content_hash", "body_hash")
    lists: dict[str, Any] = {name: [] for name in ("authors", "places", "tags", "images", "related", "provenance")}
    body = [{"kind": "paragraph", "text": row["text"]}]
    return {n: row[n] for n in wanted} | empty | lists | {"published": row["published"].isoformat(), "body": body}


async def fill(storage: Storage, total_sources: int, total_articles: int, now: datetime) -> str:
    """Write everything; returns the id of a run."""
    last, run_of = "", list[str]()
    for batch in batches(source_rows(total_sources, now)):
        async with storage.database.write() as connection:
            await connection.execute(insert(sources), batch)
    for batch in batches(run_rows(total_sources, now)):
        last = batch[-1]["id"]
        run_of += [row["id"] for row in batch if row["status"] == "ok"]
        async with storage.database.write() as connection:
            await connection.execute(insert(runs), batch)
    for batch in batches(article_rows(total_articles, total_sources, now)):
        changes = [
            {"article_id": r["id"], "revision": 1, "reason": "first", "title": r["title"], "content_hash": "c",
             "body_hash": "b", "content": content_of(r), "created_at": r["first_seen"]}
            for r in batch
        ]  # fmt: skip
        ends = [
            {"run_id": run_of[int(r["id"][7:]) % len(run_of)],
             "source_id": f"{r['outlet_id']}/s0", "outlet_id": r["outlet_id"], "url": r["url"],
             "url_key": r["url_key"], "kind": "stored", "article_id": r["id"], "discovered_at": r["first_seen"],
             "reason": "new"}
            for r in batch
        ]  # fmt: skip
        async with storage.database.write() as connection:
            await connection.execute(insert(articles), batch)
            await connection.execute(insert(revisions), changes)
            await connection.execute(insert(fates), ends)
    return last


def ask(url: str, path: str, rounds: int) -> list[float]:
    """Milliseconds of each answer, the first thrown away; SystemExit for one that is no page."""
    times = []
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    for _ in range(rounds + 1):
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise SystemExit(f"{path} answers {answer.status}")
        time.sleep(1.05)  # what the site remembers for a second is asked anew
    connection.close()
    return times[1:]


async def measure(arguments: argparse.Namespace, place: Path) -> dict[str, Any]:
    now = datetime.now(UTC)
    (place / "warta.yaml").write_text(f"data_dir: {place}\noutlets: []\n", encoding="utf-8")
    settings = load(place, {})
    storage = await Storage.open(f"sqlite:///{place / 'warta.db'}", now=lambda: datetime.now(UTC))
    began = time.perf_counter()
    run = await fill(storage, arguments.sources, arguments.articles, now)
    filled = time.perf_counter() - began
    site = Site(
        storage=storage, settings=lambda: settings, monitor=Monitor(port=0), now=lambda: datetime.now(UTC),
        log=place / "none.jsonl", alive=place / "none",
    )  # fmt: skip
    paths = {
        "overview": "/", "chart": "/overview/chart.json", "sources": "/sources",
        "sources, page 150": "/sources?page=150",
        "sources, filtered": "/sources?q=state:failing", "sources, text": "/sources?q=outlet0777",
        "source": "/sources/outlet0003/s0", "runs": "/runs", "runs, failed": "/runs?q=status:failed",
        "run": f"/runs/{run}", "articles": "/articles", "articles, a word": "/articles?q=rupiah",
        "articles, phrase": "/articles?q=%22harga+emas%22+-saham", "articles, outlet": "/articles?q=outlet:outlet0003",
        "article": "/articles/article000000007", "metrics": "/metrics", "readyz": "/readyz",
    }  # fmt: skip
    times = {}
    async with serving(site) as url:
        for name, path in paths.items():
            times[name] = await asyncio.to_thread(ask, url, path, arguments.rounds)
    await storage.close()
    return {
        "sources": arguments.sources,
        "articles": arguments.articles,
        "filled_seconds": round(filled, 1),
        "pages": {
            name: {"median_ms": round(statistics.median(t), 1), "worst_ms": round(max(t), 1)}
            for name, t in times.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="warta-bench-web-") as directory:
        report = asyncio.run(measure(arguments, Path(directory)))
    if not arguments.json:
        print(f"{report['sources']:,} sources, {report['articles']:,} articles, filled in {report['filled_seconds']} s")
        for name, row in report["pages"].items():
            print(f"{name:20} {row['median_ms']:8.1f} ms   worst {row['worst_ms']:8.1f} ms")
    else:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
