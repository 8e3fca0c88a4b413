"""One outlet once: by this process when no daemon is at work, else by asking the daemon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta

from config.model import Settings, Source
from scheduler import holder
from scheduler.lock import DataLock
from scheduler.plan import active_sources, apply, diff
from scheduler.rooms import Rooms
from scheduler.worker import Worker
from storage.model import CrawlRun, RunStatus, Trigger
from storage.storage import Storage

#: Time for a running daemon to take up a request and finish it.
PATIENCE = timedelta(minutes=15)


async def crawl_here(
    settings: Settings, sources: Sequence[Source], *, now: Callable[[], datetime]
) -> AsyncIterator[CrawlRun]:
    """Crawl the sources one after the other with an engine of our own; yields each finished run."""
    name = holder.name()
    with DataLock(settings.data_dir, role="crawl"):
        async with Rooms.open(settings, name=name, now=now) as rooms:
            planned = diff(active_sources(settings.outlets), await rooms.storage.sources.all(), now=now())
            await apply(planned, settings.outlets, rooms.storage.sources, now=now())
            worker = Worker(
                settings=lambda: settings, storage=rooms.storage, seen=rooms.seen, leases=rooms.leases,
                budget=rooms.budget, name=name, now=now, bands=rooms.bands,
            )  # fmt: skip
            await worker.start()
            try:
                for source in sources:
                    run = await worker.crawl(source.id, now(), Trigger.MANUAL)
                    if run is not None:
                        yield run
            finally:
                await worker.stop(timedelta(seconds=5))


async def ask_daemon(
    storage: Storage, sources: Sequence[Source], *, now: Callable[[], datetime]
) -> AsyncIterator[CrawlRun]:
    """Have the running daemon crawl the sources; yields each run as it ends."""
    asked = now()
    waiting = {source.id for source in sources}
    await storage.sources.request_run(waiting, asked)
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while waiting:
            await asyncio.sleep(0.5)
            for run in await storage.runs.list(since=asked, limit=1000):
                manual = run.trigger is Trigger.MANUAL and run.status is not RunStatus.RUNNING
                if manual and run.source_id in waiting:
                    waiting.discard(run.source_id)
                    yield run
