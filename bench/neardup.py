"""Precision, recall and cost of telling copies, over an embedded Redis and a SQLite database of its own.

Run as ``python -m bench.neardup``: a million articles in the window; ``--quick`` has 5,000. CPU is that
of this process, all its threads, and of the Redis server together. ``--json`` prints one line at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median

import structlog
from redis.asyncio import Redis
from sqlalchemy import insert

from bench import labelled
from crawlers.identity import body_hash
from crawlers.minhash import BAND_BYTES, BANDS
from crawlers.near import Match, Near
from storage.bands import Bands, Entry
from storage.content import article_id, columns, document
from storage.embedded import EmbeddedValkey
from storage.model import Article, Block, BlockKind
from storage.redis import connect
from storage.storage import Storage
from storage.tables import articles

LOOK_BACK = timedelta(days=8)
#: Bytes that the databases of the bench may take.
ROOM = 2 * 10**9
#: Articles that a worker's crawls ask about side by side.
AT_ONCE = 16
#: Labelled texts that arrive together, in order: what a busy machine takes long for is waiting.
JUDGED_AT_ONCE = 96
#: Throughput is measured so many times, each time with as large a part of the articles.
PARTS = 3
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
#: When stored articles were first seen: before what is entered again at the start of a worker.
STORED_AT = NOW - timedelta(hours=1)


@dataclass(slots=True)
class Score:
    """What was linked, rightly and wrongly."""

    right: int = 0
    wrong: int = 0
    #: Versions of a text that had come before, by kind, and those of them that were linked.
    versions: Counter[str] = field(default_factory=Counter)
    linked: Counter[str] = field(default_factory=Counter)
    #: Texts by kind, and those that were linked to another story.
    texts: Counter[str] = field(default_factory=Counter)
    mistakes: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Right links over all links."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Linked versions over all versions."""
        return sum(self.linked.values()) / max(1, sum(self.versions.values()))


def _article(number: int, text: str, outlet: str = "bench") -> Article:
    return Article(
        outlet_id=outlet, url=f"https://{outlet}.test/{number}", url_key=f"{outlet}/{number}", title=f"Judul {number}",
        body=(Block(BlockKind.PARAGRAPH, text),), text=text, language="id", word_count=len(text.split()),
        content_hash=f"{number}", body_hash=body_hash(text),
    )  # fmt: skip


async def _store(storage: Storage, found: list[Article]) -> None:
    rows = [
        {**columns(a, document(a)), "id": article_id(a.outlet_id, a.url_key), "revision": 1,
         "first_seen": STORED_AT, "revised_at": STORED_AT}
        for a in found
    ]  # fmt: skip
    async with storage.database.write() as connection:
        await connection.execute(insert(articles), rows)


def _near(storage: Storage, bands: Bands) -> Near:
    return Near(storage.texts, bands, look_back=LOOK_BACK, near=0.55, agencies=frozenset, now=lambda: NOW)


async def _judge(storage: Storage, near: Near, texts: list[labelled.Labelled]) -> Score:
    """Let all labelled texts arrive, one after the other, and count what is linked to what.

    All are stored before, at once: a text is a candidate for those that arrive after it only, since the index
    gets to know it when it arrives. Questions reach the index in the order in which they are asked.
    """
    arriving = [_article(number, item.text) for number, item in enumerate(texts)]
    await _store(storage, arriving)
    score, groups, known = Score(), dict[str, str](), set[str]()
    for start in range(0, len(texts), JUDGED_AT_ONCE):
        some = arriving[start : start + JUDGED_AT_ONCE]
        found = await asyncio.gather(*(near.find(article) for article in some))
        for item, article, match in zip(texts[start:], some, found, strict=False):
            groups[article_id(article.outlet_id, article.url_key)] = item.group
            _count(score, item, match, groups, is_version=item.group in known)
            known.add(item.group)
    return score


def _count(
    score: Score, item: labelled.Labelled, match: Match | None, groups: dict[str, str], *, is_version: bool
) -> None:
    score.texts[item.kind] += 1
    score.versions[item.kind] += is_version
    if match is None:
        if is_version:
            score.errors.append(f"{item.kind} of {item.group} not linked")
        return
    right = groups[match.of] == item.group
    score.right += right
    score.wrong += not right
    score.linked[item.kind] += right
    score.mistakes[item.kind] += not right
    if not right:
        score.errors.append(f"{item.kind} of {item.group} linked to {groups[match.of]}: {match.jaccard:.2f}")


async def _window(bands: Bands, count: int) -> None:
    """Fill the index with that many articles, spread over the look-back, whose texts nobody asks for."""
    chance = Random(1)

    async def entries() -> AsyncIterator[Entry]:
        for n in range(count):
            first_seen = NOW - LOOK_BACK * chance.random()
            yield Entry(article_id("window", str(n)), chance.randbytes(BANDS * BAND_BYTES), first_seen)

    if await bands.fill(entries(), NOW, whole=True) is None:
        raise SystemExit(f"Redis did not take the window: {bands.trouble}")


async def _cpu(redis: Redis) -> float:
    facts = await redis.info("cpu")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime + float(facts["used_cpu_user"]) + float(facts["used_cpu_sys"])


async def _throughput(storage: Storage, near: Near, redis: Redis, count: int) -> tuple[float, float]:
    """Articles per CPU-second and per second, each the median of its parts.

    One in twelve is a copy of a stored article and is verified.
    """
    texts = [text for _, text in labelled.newsroom_texts(count, seed=11)]
    stored = [_article(n, text, "former") for n, text in enumerate(texts[: count // 12])]
    for article in stored:
        await near.find(article)
    await _store(storage, stored)
    arriving = [_article(n, text, "later") for n, text in enumerate(texts)]
    found, per_cpu, per_second = 0, list[float](), list[float]()
    for part in (arriving[start::PARTS] for start in range(PARTS)):
        waiting = iter(part)

        async def worker(waiting: Iterator[Article] = waiting) -> int:
            return sum([await near.find(article) is not None for article in waiting])

        cpu, clock = await _cpu(redis), time.perf_counter()
        found += sum(await asyncio.gather(*(worker() for _ in range(AT_ONCE))))
        cpu, clock = await _cpu(redis) - cpu, time.perf_counter() - clock
        per_cpu.append(len(part) / cpu)
        per_second.append(len(part) / clock)
    if found < len(stored):
        raise SystemExit(f"only {found} of {len(stored)} copies were found under load")
    return median(per_cpu), median(per_second)


def _place() -> str | None:
    """In memory where there is room: thousands of commits would measure the disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    return str(memory) if roomy and "TMPDIR" not in os.environ else None


async def _bench(window: int, quick: bool) -> dict[str, float | int]:
    texts = labelled.build(100 if quick else 1_000, every=6 if quick else 1)
    home = Path(tempfile.mkdtemp(prefix="warta-bench-", dir=_place()))
    try:
        async with EmbeddedValkey(home / "v", persistent=False).running() as server:
            redis = connect(server.url)
            storage = await Storage.open(f"sqlite:///{home}/bench.db", now=lambda: NOW)
            bands = Bands(redis, LOOK_BACK, epoch="bench")
            near = _near(storage, bands)
            before, began = (await redis.info("memory"))["used_memory"], time.perf_counter()
            await _window(bands, window)
            memory, filled = (await redis.info("memory"))["used_memory"] - before, time.perf_counter() - began
            score = await _judge(storage, near, texts)
            per_cpu, per_second = await _throughput(storage, near, redis, 1_500 if quick else 12_000)
            await storage.close()
            await redis.aclose()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for kind in sorted(score.texts):
        print(
            f"  {kind:<12} {score.texts[kind]:>6,}: {score.linked[kind]:,} of {score.versions[kind]:,} versions linked,"
            f" {score.mistakes[kind]} to another story"
        )
    for error in score.errors[:20]:
        print(f"  {error}")
    return {
        "precision": round(score.precision, 5),
        "recall": round(score.recall, 5),
        "articles_per_cpu_second": round(per_cpu),
        "articles_per_second": round(per_second),
        "links": score.right + score.wrong,
        "versions": sum(score.versions.values()),
        "window": window,
        "window_fill_seconds": round(filled, 1),
        "redis_bytes_per_article": round(memory / window),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--articles", type=int, help="in the window; a million by default, 5,000 with --quick")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    figures = asyncio.run(_bench(chosen.articles or (5_000 if chosen.quick else 1_000_000), chosen.quick))
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>26}  {value:,}")


if __name__ == "__main__":
    main()
