"""What storage takes and gives: articles written per second, beside readers or not, and looking for what is due.

``python -m bench.storage [--url URL] [--articles N] [--readers N] [--sources N] [--json]``; without a URL a SQLite file
in a temporary folder is used. Readers are processes of their own that page through the articles, the newest first, and
through the events, without pause. CPU is this process alone; on PostgreSQL the server's comes on top.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from storage.articles import ArticleFilter
from storage.model import (
    Article,
    Block,
    BlockKind,
    Decided,
    Discovery,
    Fate,
    FateKind,
    IdentityKey,
    IdentityKind,
    RawPage,
    Trigger,
)
from storage.sources import SourceDefinition
from storage.storage import Storage

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
WORDS = [
    f"{a}{b}{c}" for a in ("ba", "ku", "per", "men", "di") for b in ("ra", "to", "li", "su") for c in ("n", "s", "k")
]
SOURCE = "bench/utama"


def article_of(fate: Fate, rng: random.Random) -> tuple[Article, RawPage]:
    """An article of eleven paragraphs on a page of some 60 kB that compresses as pages do."""
    paragraphs = [" ".join(rng.choices(WORDS, k=32)) for _ in range(11)]
    text = "\n\n".join(paragraphs)
    article = Article(
        outlet_id="bench",
        url=fate.url,
        url_key=fate.url_key,
        title=" ".join(rng.choices(WORDS, k=9)),
        body=tuple(Block(BlockKind.PARAGRAPH, paragraph) for paragraph in paragraphs),
        text=text,
        language="id",
        word_count=352,
        content_hash=f"1{rng.getrandbits(120):030x}",
        body_hash=f"1{rng.getrandbits(120):030x}",
    )
    menu = "".join(f'<li><a href="/{word}">{word}</a></li>' for word in WORDS * 20)
    page = f"<html><body><ul>{menu}</ul><p>{text}</p></body></html>".encode()
    return article, RawPage(url=fate.url, body=page, content_type="text/html", fetched_at=NOW)


async def read_until_told(url: str, stop: Any, times: Any) -> None:
    """Pages of articles and of events in turn; seconds that each took go into `times`."""
    storage = await Storage.open(url, now=lambda: NOW, migrate=False)
    taken, cursor = list[float](), 0
    while not stop.is_set():
        started = time.perf_counter()
        await storage.events.articles(ArticleFilter(), limit=50, newest_first=True)
        taken.append(time.perf_counter() - started)
        started = time.perf_counter()
        cursor = (await storage.events.after(cursor, 50)).reached if len(taken) % 100 else 0
        taken.append(time.perf_counter() - started)
    await storage.close()
    times.put(taken)


def _reader(url: str, stop: Any, times: Any) -> None:
    asyncio.run(read_until_told(url, stop, times))


async def beside_readers(url: str, readers: int, work: Callable[[], Awaitable[dict[str, float]]]) -> dict[str, float]:
    """`work` while that many processes read; with the readers' figures."""
    spawn = multiprocessing.get_context("spawn")
    stop, times = spawn.Event(), spawn.Queue()
    processes = [spawn.Process(target=_reader, args=(url, stop, times)) for _ in range(readers)]
    for process in processes:
        process.start()
    await asyncio.sleep(2.0 if readers else 0.0)
    began = time.perf_counter()
    try:
        figures = await work()
    finally:
        stop.set()
    took = time.perf_counter() - began
    # A reader that failed puts nothing, and the bench with it.
    taken = [seconds for _ in processes for seconds in await asyncio.to_thread(times.get, True, 30)]
    for process in processes:
        process.join()
    if not taken:
        return figures
    return figures | {
        "reads_per_second": round(len(taken) / took),
        "read_ms_p50": round(statistics.median(taken) * 1000, 1),
        "read_ms_p99": round(statistics.quantiles(taken, n=100)[98] * 1000, 1),
        "read_ms_max": round(max(taken) * 1000, 1),
    }


async def write_articles(storage: Storage, count: int, writers: int) -> dict[str, float]:
    """Store `count` articles from `writers` tasks at once."""
    definition = SourceDefinition(id=SOURCE, outlet_id="bench", kind="feed", url="https://bench.test/rss")
    await storage.sources.upsert([definition], {}, NOW)
    run = await storage.runs.begin(SOURCE, "bench", Trigger.MANUAL, NOW, 1, "bench", NOW)
    assert run is not None
    rng = random.Random(1)
    ready: list[Decided] = []
    for start in range(0, count, 2000):
        found = [
            Discovery(url=f"https://bench.test/{n}", url_key=f"k{n}", guid=f"g{n}")
            for n in range(start, min(start + 2000, count))
        ]
        for fate in await storage.runs.discovered(run.id, 1, found, 0, (), NOW):
            article, raw = article_of(fate, rng)
            keys = (
                IdentityKey(IdentityKind.URL, "bench", fate.url_key),
                IdentityKey(IdentityKind.GUID, SOURCE, fate.guid or ""),
                IdentityKey(IdentityKind.BODY, "bench", article.body_hash),
            )
            ready.append(
                Decided(
                    fate_id=fate.id,
                    run_id=run.id,
                    source_id=SOURCE,
                    outlet_id="bench",
                    token=1,
                    kind=FateKind.STORED,
                    now=NOW,
                    article=article,
                    raw=raw,
                    identities=keys,
                )
            )
    waits: list[float] = []

    async def work() -> None:
        while ready:
            decided = ready.pop()
            started = time.perf_counter()
            await storage.writer.commit(decided)
            waits.append(time.perf_counter() - started)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(writers)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "articles_per_second": round(count / wall),
        "articles_per_cpu_second": round(count / cpu),
        "commit_ms_p50": round(statistics.median(waits) * 1000, 1),
        "commit_ms_p99": round(statistics.quantiles(waits, n=100)[98] * 1000, 1),
    }


async def look_for_due(storage: Storage, count: int) -> dict[str, float]:
    """Ask what is due among `count` sources, few and all of them."""
    rng = random.Random(2)
    definitions = [
        SourceDefinition(id=f"o{n}/s", outlet_id=f"o{n}", kind="feed", url=f"https://o{n}.test/rss", priority=100)
        for n in range(count)
    ]
    spread = {d.id: NOW + timedelta(seconds=rng.random() * 600) for d in definitions}
    await storage.sources.upsert(definitions, spread, NOW)

    async def milliseconds(now: datetime, times: int) -> float:
        taken = []
        for _ in range(times):
            started = time.perf_counter()
            await storage.sources.due(now, 500)
            taken.append(time.perf_counter() - started)
        return round(statistics.median(taken) * 1000, 2)

    return {
        "due_ms_one_second_of_ten_minutes": await milliseconds(NOW + timedelta(seconds=1), 50),
        "due_ms_500_of_all_overdue": await milliseconds(NOW + timedelta(hours=1), 10),
    }


async def measure(url: str, articles: int, sources: int, writers: int, readers: int) -> dict[str, Any]:
    """Both measurements on one database."""
    storage = await Storage.open(url, now=lambda: NOW)
    try:
        written = await beside_readers(url, readers, lambda: write_articles(storage, articles, writers))
        return {
            "articles": articles,
            "readers": readers,
            **written,
            "sources": sources,
            **await look_for_due(storage, sources),
        }
    finally:
        await storage.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url")
    parser.add_argument("--articles", type=int, default=5000)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--writers", type=int, default=64)
    parser.add_argument("--readers", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="warta-bench-") as folder:
        url = options.url or f"sqlite:///{Path(folder) / 'bench.db'}"
        result = asyncio.run(measure(url, options.articles, options.sources, options.writers, options.readers))
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:40} {value:>10}")


if __name__ == "__main__":
    main()
