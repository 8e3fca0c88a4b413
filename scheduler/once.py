"""One outlet once: by this process when no daemon is at work, else by asking the daemon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from config.model import Settings, Source
from crawlers.identity import url_key
from crawlers.model import FeedEntry, Purpose
from crawlers.recognise import entry_to_json
from crawlers.run import LEASE
from crawlers.single import Place
from scheduler import holder
from scheduler.lock import DataLock
from scheduler.plan import active_sources, apply, diff
from scheduler.rooms import Rooms
from scheduler.worker import Worker
from storage.model import CrawlRun, Discovery, Fate, RunStatus, Trigger
from storage.robots import RobotsShelf
from storage.sources import SourceDefinition
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
                budget=rooms.budget, name=name, now=now, bands=rooms.bands, shelf=RobotsShelf(rooms.redis),
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


async def store_here(
    settings: Settings, places: Sequence[Place], *, now: Callable[[], datetime]
) -> AsyncIterator[tuple[CrawlRun, list[Fate]]]:
    """Read the addresses one after the other as a crawl reads a source, and store what they give.

    An address at which nothing is configured becomes a source ``<outlet>/fetch`` for as long as it takes.
    """
    name = holder.name()
    with DataLock(settings.data_dir, role="fetch"):
        async with Rooms.open(settings, name=name, now=now) as rooms:
            for place in places:
                known = _knowing(settings, place)
                await _declare(rooms, place, now())
                worker = Worker(
                    settings=lambda known=known: known, storage=rooms.storage, seen=rooms.seen,  # type: ignore[misc]
                    leases=rooms.leases, budget=rooms.budget, name=name, now=now, bands=rooms.bands,
                )  # fmt: skip
                await worker.start()
                try:
                    run = await _stored(worker, rooms, place, now)
                    if run is not None:
                        yield run, await rooms.storage.fates.search(run_id=run.id, limit=10_000)
                finally:
                    await worker.stop(timedelta(seconds=5))
                    if place.source not in place.outlet.sources:
                        await rooms.storage.sources.remove([place.source.id], now())


def _knowing(settings: Settings, place: Place) -> Settings:
    """The settings with the place's outlet and source in them."""
    kept = tuple(s for s in place.outlet.sources if s.id != place.source.id)
    outlet = replace(place.outlet, sources=(*kept, place.source))
    if place.source not in place.outlet.sources:  # nobody comes back to it: what fails now has failed
        settings = replace(settings, limits=replace(settings.limits, page_attempts=1))
    return replace(settings, outlets=(*(o for o in settings.outlets if o.id != outlet.id), outlet))


async def _declare(rooms: Rooms, place: Place, now: datetime) -> None:
    source = place.source
    definition = SourceDefinition(id=source.id, outlet_id=source.outlet_id, kind=source.kind.value, url=source.url)
    await rooms.storage.sources.upsert([definition], {}, now)


async def _stored(worker: Worker, rooms: Rooms, place: Place, now: Callable[[], datetime]) -> CrawlRun | None:
    source = place.source
    if place.purpose is not Purpose.ARTICLE:
        return await worker.crawl(source.id, now(), Trigger.MANUAL)
    state = await rooms.storage.sources.get(source.id)
    lease = await rooms.leases.acquire(
        f"source:{source.id}", holder.name(), LEASE, floor=0 if state is None else state.fence
    )
    if lease is None:
        return None
    runs = rooms.storage.runs
    async with rooms.leases.held(lease):
        run = await runs.begin(
            source_id=source.id, outlet_id=source.outlet_id, trigger=Trigger.MANUAL, scheduled_for=now(),
            token=lease.token, worker=holder.name(), now=now(),
        )  # fmt: skip
        if run is None:
            return None
        found = Discovery(
            url=place.url, url_key=url_key(place.url, place.outlet), entry=entry_to_json(FeedEntry(url=place.url)),
            reason="manual",
        )  # fmt: skip
        await runs.discovered(run.id, lease.token, [found], 0, (), now())
        await runs.finish(run.id, lease.token, RunStatus.OK, now=now())
    await worker.crawl(source.id, now(), Trigger.RESUME)
    return await runs.get(run.id)
