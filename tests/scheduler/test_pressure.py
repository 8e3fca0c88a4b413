"""More is due than can run: what the dispatcher does then."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from sqlalchemy import func, select

from config.load import load
from config.model import Settings
from scheduler.dispatch import Dispatcher
from scheduler.queue import CrawlMessage, CrawlQueue
from storage.embedded import EmbeddedValkey
from storage.model import RunStatus
from storage.sources import SourceDefinition
from storage.storage import Storage
from storage.tables import sources

OUTLETS, EACH = 40, 500
#: Sources of each outlet that go before all others.
URGENT = 2
BACKLOG, THREADS, AT_A_TIME = 64, 4, 16
MIB = 2**20


def _settings(place: Path) -> Settings:
    """40 outlets of 500 sources."""
    (place / "outlets").mkdir(parents=True)
    (place / "warta.yaml").write_text("outlets: [outlets/*.yaml]\n", encoding="utf-8")
    (place / "outlets" / "k.yaml").write_text(
        "name: K\nhomepage: https://k.test/\nsources: [{name: s, kind: feed, url: 'https://k.test/s'}]\n",
        encoding="utf-8",
    )
    found = load(place, {})
    (outlet,) = found.outlets
    (source,) = outlet.sources

    def named(number: int, n: int) -> Any:
        name = f"o{number:02}/s{n:03}"
        priority = 10 if n % (EACH // URGENT) == 0 else 100
        return replace(source, id=name, outlet_id=f"o{number:02}", url=f"https://k.test/{name}", priority=priority)

    outlets = [
        replace(outlet, id=f"o{number:02}", sources=tuple(named(number, n) for n in range(EACH)))
        for number in range(OUTLETS)
    ]
    return replace(found, outlets=tuple(outlets))


@pytest_asyncio.fixture
async def queue(tmp_path_factory: Any) -> AsyncIterator[CrawlQueue]:
    async with EmbeddedValkey(tmp_path_factory.mktemp("v"), persistent=False).running() as server:
        made = CrawlQueue(server.url)
        yield made
        made.close()


class SlowWorker:
    """Takes what is in the queue and ends as many runs as it is allowed to."""

    def __init__(self, storage: Storage, now: datetime) -> None:
        self.storage = storage
        self.now = now
        self.ended: list[CrawlMessage] = []
        self.allowed = asyncio.Semaphore(0)

    async def crawl(self, message: CrawlMessage) -> None:
        await self.allowed.acquire()
        outlet = message.source_id.partition("/")[0]
        run = await self.storage.runs.begin(message.source_id, outlet, "schedule", self.now, 1, "w", self.now)
        assert run is not None
        await self.storage.runs.finish(run.id, 1, RunStatus.OK, now=self.now, state={"last_attempt": self.now})
        self.ended.append(message)

    async def end(self, number: int) -> None:
        """Let so many more runs end."""
        wanted = len(self.ended) + number
        for _ in range(number):
            self.allowed.release()
        async with asyncio.timeout(60):
            while len(self.ended) < wanted:
                await asyncio.sleep(0.005)


async def test_of_twenty_thousand_due_sources_the_urgent_go_first_and_few_are_held(
    tmp_path: Path, queue: CrawlQueue
) -> None:
    now = datetime.now(UTC)
    settings = _settings(tmp_path / "c")
    storage = await Storage.open(f"sqlite:///{tmp_path / 'w.db'}", now=lambda: now)
    definitions = [
        SourceDefinition(id=s.id, outlet_id=s.outlet_id, kind="feed", url=s.url, priority=s.priority)
        for outlet in settings.outlets
        for s in outlet.sources
    ]
    await storage.sources.upsert(definitions, {d.id: now - timedelta(seconds=1) for d in definitions}, now)
    dispatcher = Dispatcher(storage, queue, lambda: settings, backlog=BACKLOG, now=lambda: now)
    worker = SlowWorker(storage, now)
    consumer = queue.worker(worker.crawl, asyncio.get_running_loop(), threads=THREADS)

    async def claimed() -> int:
        async with storage.database.read() as connection:
            return int(await connection.scalar(select(func.count()).where(sources.c.queued_at.is_not(None))) or 0)

    try:
        await dispatcher.tick()
        assert (await queue.depth()).waiting == BACKLOG
        consumer.start()
        tracemalloc.start()
        for _ in range(2):
            await worker.end(AT_A_TIME)
            await dispatcher.tick()
            depth = await queue.depth()
            assert depth.waiting <= BACKLOG
            assert await claimed() <= BACKLOG + 2 * THREADS
        grown, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        while len(worker.ended) < OUTLETS * URGENT:
            await worker.end(AT_A_TIME)
            await dispatcher.tick()
        await worker.end(AT_A_TIME)
    finally:
        tracemalloc.stop()
        await consumer.stop(timedelta(seconds=1))
        await storage.close()

    assert [m.priority for m in worker.ended[: OUTLETS * URGENT]] == [10] * OUTLETS * URGENT
    assert {m.priority for m in worker.ended[OUTLETS * URGENT + THREADS :]} == {100}
    # The table has 20,000 rows; a tick holds what has room in the queue.
    assert grown < 8 * MIB
    assert peak < 16 * MIB
