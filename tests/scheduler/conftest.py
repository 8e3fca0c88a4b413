"""A worker on real stores that reads a served press; the press and its reader share one process."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from config.load import load
from config.model import Settings
from newsroom import outlets
from newsroom.clock import Clock, dawn
from newsroom.press import Newsroom
from newsroom.serve import Running, running
from scheduler.plan import active_sources, apply, diff
from scheduler.rooms import Rooms
from scheduler.worker import Worker
from storage.model import CrawlRun, Fate, StoredArticle, Trigger

OUTLET = "gemanusa"
#: Runs a test on SQLite and on PostgreSQL.
ON_BOTH = pytest.mark.parametrize(
    "database", ["embedded", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
SOURCE = "gemanusa/rdf"


@pytest.fixture
def press() -> Iterator[Running]:
    """A press that stands still at a morning with a few stories; tests publish what they need."""
    with running(Newsroom(clock=Clock(dawn(datetime.now(UTC)), speed=0), backlog_days=0)) as served:
        served.newsroom.publish(OUTLET, 2)
        yield served


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """Short, because sockets live below it."""
    path = Path(tempfile.mkdtemp(prefix="warta-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Address of the database: a file, or PostgreSQL for tests that ask for it by :data:`ON_BOTH`."""
    if getattr(request, "param", "embedded") == "embedded":
        return "embedded"
    return str(request.getfixturevalue("fresh_postgres")())


@pytest.fixture
def settings(press: Running, short_dir: Path, database: str) -> Settings:
    """All that the press offers, read in a hurry."""
    outlets.write_config(short_dir, press.port, every="1h", delay="1ms")
    found = load(short_dir / "warta.yaml", {})
    limits = dataclasses.replace(found.limits, page_retry=timedelta(0), page_attempts=3)
    return dataclasses.replace(found, limits=limits, parse_processes=1, database=database)


@dataclass
class Desk:
    """The worker at work, in verbs."""

    rooms: Rooms
    worker: Worker
    press: Running
    settings: Settings

    @property
    def newsroom(self) -> Newsroom:
        return self.press.newsroom

    async def crawl(self, source: str = SOURCE, trigger: Trigger = Trigger.SCHEDULE) -> CrawlRun:
        run = await self.worker.crawl(source, datetime.now(UTC), trigger)
        assert run is not None
        assert run.counts.adds_up
        return run

    async def articles(self, outlet: str = OUTLET) -> list[StoredArticle]:
        return [a async for _, a in self.rooms.storage.articles.iterate() if a.article.outlet_id == outlet]

    async def fates(self, run: CrawlRun) -> list[Fate]:
        return await self.rooms.storage.fates.search(run_id=run.id, limit=1000)

    async def announced(self) -> list[tuple[str, str, int]]:
        """(event, article, revision) of everything consumers have to hear."""
        return [(e.event, e.article_id, e.revision) for e in await self.rooms.storage.outbox.after(0, limit=10_000)]


@pytest_asyncio.fixture
async def desk(press: Running, settings: Settings) -> AsyncIterator[Desk]:
    def now() -> datetime:
        return datetime.now(UTC)

    async with Rooms.open(settings, name=f"test:{os.getpid()}", now=now) as rooms:
        plan = diff(active_sources(settings.outlets), await rooms.storage.sources.all(), now=now())
        await apply(plan, settings.outlets, rooms.storage.sources, now=now())
        worker = Worker(
            settings=lambda: settings, storage=rooms.storage, seen=rooms.seen, leases=rooms.leases,
            budget=rooms.budget, name="test", now=now,
        )  # fmt: skip
        await worker.start()
        yield Desk(rooms, worker, press, settings)
        await worker.stop(timedelta(seconds=1))
