"""The worker: one fetch engine, one parse pool, and the queue's threads that feed them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from config.model import Adaptive, Outlet, Schedule, Settings, Source
from crawlers.fetch import Fetcher
from crawlers.near import Near
from crawlers.poll import PollEnd
from crawlers.pool import ParsePool
from crawlers.robots import Robots
from crawlers.run import Crawler
from scheduler.budget import Prices
from scheduler.caching import declared, floor_of, publisher_word
from scheduler.policy import Decision, decide
from scheduler.pricing import PriceList
from scheduler.queue import CrawlMessage
from scheduler.rhythm import demand
from scheduler.websub.policy import safety_poll
from storage.bands import Bands
from storage.hosts import HostBudget
from storage.leases import Leases
from storage.model import CrawlRun, RunStatus, SourceState, Trigger
from storage.rhythm import Rhythm, learn
from storage.rhythms import NextPoll
from storage.robots import RobotsShelf
from storage.seen import Seen
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: Pages that one parsing child reads before it is replaced; leaks die with it.
TASKS_PER_CHILD = 500


def after_poll(
    source: Source,
    state: SourceState,
    end: PollEnd,
    *,
    rhythm: Rhythm,
    failures: float,
    now: datetime,
    prices: Prices | None = None,
) -> NextPoll:
    """The next attempt of a source, from the policy, what the poll taught, and what the publisher said in it."""
    zone = source.schedule.timezone if isinstance(source.schedule, Adaptive) else UTC
    if end.status in {RunStatus.OK, RunStatus.NOT_MODIFIED}:
        arrived = [None if moment is None else moment.timestamp() for moment in end.arrived]
        rhythm = learn(rhythm, now.timestamp(), shown=end.shown, fresh=arrived, zone=zone)
    worked_once = state.last_success is not None or failures == 0
    word = publisher_word(end, state, now)
    asked = {"not_before": floor_of(word, now), "said": declared(end, state, now)}
    if isinstance(source.schedule, Adaptive) and end.hub is not None and end.hub.is_proven(now):
        decision = safety_poll(
            source.schedule, source.id, now=now, failures=failures, worked_once=worked_once, word=word
        )
        return NextPoll(at=decision.at, terms=_terms(decision), rhythm=rhythm, asked=asked)
    decision = decide(
        source.schedule,
        source.id,
        now=now,
        failures=failures,
        worked_once=worked_once,
        word=word,
        rhythm=rhythm,
        price=(prices or Prices()).of(source.outlet_id),
    )
    demand = _demand(source.schedule, rhythm, now)
    return NextPoll(at=decision.at, terms=_terms(decision), rhythm=rhythm, demand=demand, asked=asked)


def _terms(decision: Decision) -> tuple[dict[str, str], ...]:
    return tuple({"name": t.name, "text": t.text, "at": t.at.isoformat()} for t in decision.terms)


def _demand(schedule: Schedule, rhythm: Rhythm, now: datetime) -> tuple[float, ...]:
    if not isinstance(schedule, Adaptive):
        return ()
    floor, ceiling = schedule.floor.total_seconds(), schedule.ceiling.total_seconds()
    return demand(rhythm, now.timestamp(), floor=floor, ceiling=ceiling, zone=schedule.timezone)


class Worker:
    """Takes messages and crawls. Knows nothing of what is due."""

    def __init__(
        self,
        *,
        settings: Callable[[], Settings],
        storage: Storage,
        seen: Seen,
        leases: Leases,
        budget: HostBudget,
        name: str,
        now: Callable[[], datetime],
        bands: Bands | None = None,
        shelf: RobotsShelf | None = None,
    ) -> None:
        self._settings = settings
        self._now = now
        self._prices = PriceList(storage)
        first = settings()
        self.fetcher = Fetcher(first, budget, Robots(now=now, shelf=shelf), now=now)
        self.pool = ParsePool(
            processes=first.parse_processes,
            max_tasks=TASKS_PER_CHILD,
            memory_bytes=first.limits.parse_bytes,
            seconds=first.limits.parse_seconds,
            preload=("crawlers.discover", "crawlers.page"),
        )
        self.crawler = Crawler(
            storage=storage, seen=seen, leases=leases, fetcher=self.fetcher, pool=self.pool, lookup=self._lookup,
            limits=first.limits, next_attempt=self._after_poll, worker=name, now=now,
            near=None if bands is None else Near(
                storage.texts, bands, look_back=first.dedupe.look_back, near=first.dedupe.near,
                agencies=self._agencies, now=now,
            ),
        )  # fmt: skip
        self._running: set[asyncio.Task[CrawlRun | None]] = set()

    def _lookup(self, source_id: str) -> tuple[Outlet, Source] | None:
        settings = self._settings()
        source = settings.source(source_id)
        outlet = settings.outlet(source_id.partition("/")[0])
        return None if source is None or outlet is None else (outlet, source)

    def _agencies(self) -> frozenset[str]:
        return frozenset(outlet.id for outlet in self._settings().outlets if outlet.agency)

    def _after_poll(
        self, source: Source, state: SourceState, end: PollEnd, *, rhythm: Rhythm, failures: float, now: datetime
    ) -> NextPoll:
        return after_poll(source, state, end, rhythm=rhythm, failures=failures, now=now, prices=self._prices.prices)

    @property
    def running(self) -> int:
        """Crawls under way."""
        return len(self._running)

    async def start(self) -> None:
        """Bring up the engine and the children."""
        await self.fetcher.start()
        self.pool.start()

    async def crawl(self, source_id: str, scheduled_for: datetime, trigger: Trigger) -> CrawlRun | None:
        """One crawl, known to `stop`."""
        await self._prices.refresh()
        task = asyncio.ensure_future(self.crawler.crawl(source_id, scheduled_for=scheduled_for, trigger=trigger))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await task

    async def take(self, message: CrawlMessage) -> None:
        """What the queue calls for each message; a message is done when its run has an end in the database."""
        try:
            await self.crawl(message.source_id, message.scheduled_for, Trigger(message.trigger))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # The due table tries again; the queue has no memory of failures to keep.
            log.error("crawl failed", source=message.source_id, reason=f"{type(error).__name__}: {error}")

    async def stop(self, grace: timedelta) -> None:
        """Let what runs finish within `grace`; interrupt the rest, whose items stay pending."""
        deadline = time.monotonic() + grace.total_seconds()
        if self._running:
            log.info("waiting for running crawls", crawls=len(self._running), seconds=grace.total_seconds())
            await asyncio.wait(self._running, timeout=max(0.0, deadline - time.monotonic()))
        for task in list(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=5)
        await self.fetcher.stop()
        await self.pool.stop()
