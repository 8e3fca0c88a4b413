"""One crawl of one source, from its address to stored articles. The function to read first is `Crawler.crawl`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog

from config.model import Adaptive, Limits, Outlet, RobotsPolicy, Source
from crawlers import whereabouts
from crawlers.fetch import Fetcher
from crawlers.item import ItemReader
from crawlers.model import (
    FAILURE_WEIGHT,
    FailureKind,
    FetchFailed,
    FetchRequest,
    FetchResult,
)
from crawlers.near import Near
from crawlers.outage import OF_THE_NETWORK, OutageDetector
from crawlers.poll import PollEnd, Poller
from crawlers.pool import ParsePool
from crawlers.visitor import Visitor
from crawlers.watch import DriftWatch
from storage.errors import StaleToken, StorageUnavailable
from storage.faults import point
from storage.leases import Leases
from storage.model import CrawlRun, Fate, FateKind, RunStatus, SourceState, Trigger
from storage.outages import REASON as OUTAGE
from storage.redis import RedisUnavailableError
from storage.rhythm import Rhythm, learn
from storage.rhythms import NextPoll, Remembered
from storage.seen import Seen
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: A run's lease outlives two missed renewals.
LEASE = timedelta(seconds=30)

#: Longest run of visits, and its end before its source is polled next.
REVISIT_TIME, REVISIT_MARGIN = timedelta(minutes=2), timedelta(seconds=1)

#: Ends of a fetch that say nothing about the network.
OF_OURSELVES = frozenset(
    {FailureKind.ROBOTS, FailureKind.ROBOTS_UNREADABLE, FailureKind.STORAGE, FailureKind.FORBIDDEN_ADDRESS}
)


class NextAttempt(Protocol):
    """The policy that says when a source is polled next; see `scheduler.policy`."""

    def __call__(
        self, source: Source, state: SourceState, end: PollEnd, *, rhythm: Rhythm, failures: float, now: datetime
    ) -> NextPoll:
        """The next attempt of `source` after `end`."""
        ...


class Crawler:
    """Runs crawls; holds what they share. Knows nothing of schedules, queues or how the parts were made."""

    def __init__(
        self,
        *,
        storage: Storage,
        seen: Seen,
        leases: Leases,
        fetcher: Fetcher,
        pool: ParsePool,
        lookup: Callable[[str], tuple[Outlet, Source] | None],
        limits: Limits,
        next_attempt: NextAttempt,
        worker: str,
        now: Callable[[], datetime],
        outage: OutageDetector | None = None,
        near: Near | None = None,
    ) -> None:
        self._storage = storage
        self._seen = seen
        self._leases = leases
        self._fetcher = fetcher
        self._pool = pool
        self._lookup = lookup
        self._limits = limits
        self._next_attempt = next_attempt
        self._worker = worker
        self._now = now
        self.outage = outage or OutageDetector()
        self._outage_began: datetime | None = None
        self._drift = DriftWatch(storage, now)
        self._items = ItemReader(
            storage=storage, seen=seen, fetch=self._fetch, pool=pool, limits=limits, now=now, near=near,
            drift=self._drift, outage=self.outage,
        )  # fmt: skip
        self._visitor = Visitor(
            storage=storage, fetch=self._fetch, items=self._items, now=now,
            outage=lambda: self.outage.since is not None,
        )  # fmt: skip
        self._poller = Poller(storage=storage, seen=seen, fetch=self._fetch, pool=pool, limits=limits, now=now)
        #: Monotonic time at which a run last ended; what "working" means for the watchdog.
        self.last_progress = time.monotonic()

    async def crawl(self, source_id: str, *, scheduled_for: datetime, trigger: Trigger) -> CrawlRun | None:
        """Run one crawl; the life of a run from top to bottom.

        ::

            lease (one run per source, anywhere)
              | begin: the fencing token goes to the source, older runs of it end as interrupted
              | poll: fetch the source -> FetchResult                                  [Poller.poll]
              |   | discover: feed, sitemap, listing -> FeedEntry*                     [child process]
              |   | recognise: Redis, then the database -> Discovery* (new, changed)
              |   | one transaction: each discovery is a pending fate
              | settle: every pending item of the source                               [in parallel]
              |   | fetch page -> extract, normalize [child process] -> decide
              |   | one transaction: article, revision, fate, outbox row; then seen is marked
              | finish: the run's end and the source's new state in one transaction

        Returns the finished run, or None when it could not begin. Raises nothing for what outlets do.
        """
        found = self._lookup(source_id)
        state = await self._storage.sources.get(source_id)
        if found is None or state is None or state.removed_at is not None:
            return None
        outlet, source = found
        try:
            lease = await self._leases.acquire(f"source:{source_id}", self._worker, LEASE, floor=state.fence)
        except RedisUnavailableError as error:
            await self._storage.runs.record_absent(
                state, RunStatus.SKIPPED, "storage", f"no lease: {error}", scheduled_for, self._now(), trigger
            )
            return None
        if lease is None and trigger is Trigger.REVISIT:  # a poll was faster; the visits stay due
            await self._storage.sources.unclaim(source_id)
            return None
        if lease is None:
            await self._storage.runs.record_absent(
                state, RunStatus.SKIPPED, "overlap", "the run before it is still going on",
                scheduled_for, self._now(), trigger,
            )  # fmt: skip
            return None
        async with self._leases.held(lease) as held:
            run = await self._storage.runs.begin(
                source_id=source_id, outlet_id=outlet.id, trigger=trigger, scheduled_for=scheduled_for,
                token=lease.token, worker=self._worker, now=self._now(),
            )  # fmt: skip
            if run is None:
                log.warning("run not begun", source=source_id, reason="a newer holder has written already")
                return None
            with structlog.contextvars.bound_contextvars(run=run.id, outlet=outlet.id, source=source_id):
                return await self._guarded(run, outlet, source, state, held.lost)

    async def _guarded(
        self, run: CrawlRun, outlet: Outlet, source: Source, state: SourceState, lost: asyncio.Event
    ) -> CrawlRun | None:
        """Run under the lease; whatever happens, the run gets an end."""
        work = asyncio.ensure_future(self._run(run, outlet, source, state))
        watch = asyncio.ensure_future(lost.wait())
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                log.warning("run abandoned", reason="its lease was lost")
            return await work if work.done() else None
        except StaleToken:
            log.warning("run abandoned", reason="another holder has written for this source")
            return None
        except asyncio.CancelledError:
            await asyncio.shield(
                self._close(run, RunStatus.INTERRUPTED, reason="shutdown", message="the worker was stopped")
            )
            raise
        except StorageUnavailable as error:
            log.warning("run failed", reason="storage", message=str(error))
            return await self._fail(run, str(FailureKind.STORAGE), str(error))
        except Exception as error:
            log.exception("run failed", reason="unexpected error")
            return await self._fail(run, "internal", f"{type(error).__name__}: {error}")
        finally:
            for task in (work, watch):
                task.cancel()
            await asyncio.gather(work, watch, return_exceptions=True)
            self.last_progress = time.monotonic()

    async def _run(self, run: CrawlRun, outlet: Outlet, source: Source, state: SourceState) -> CrawlRun | None:
        began = time.monotonic()
        if run.trigger is Trigger.RESUME:
            end = PollEnd(status=RunStatus.OK, reason="resume", message="pending items of earlier runs only")
        elif run.trigger is Trigger.PUSH:
            end = await self._poller.read_pushes(run, outlet, source, state)
        elif run.trigger is Trigger.REVISIT:
            return await self._revisit(run, outlet, source, state)
        else:
            end = self._excused(run, await self._poller.poll(run, outlet, source, state))
        fresh = await self._settle(run, outlet, source)
        changes: dict[str, Any] = dict(end.state)
        next_poll = None
        if run.trigger is Trigger.PUSH:
            next_poll = self._taught(source, state, end, await self._storage.rhythms.get(source.id))
        elif run.trigger is not Trigger.RESUME:
            remembered = await self._storage.rhythms.get(source.id)
            rhythm = remembered.rhythm if remembered else Rhythm()
            if not rhythm.known and state.last_success is not None:
                zone = source.schedule.timezone if isinstance(source.schedule, Adaptive) else UTC
                rhythm = await self._storage.rhythms.relearned(source.id, self._now(), zone)
            changes, next_poll = self._changes(source, state, end, rhythm, run.trigger)
        if fresh:
            changes["last_new"] = self._now()
        return await self._close(
            run, end.status, reason=end.reason, message=end.message, http_status=end.http_status,
            size=end.bytes, duration=time.monotonic() - began, state=changes, evidence=end.evidence,
            robots="ignored" if source.politeness.robots is RobotsPolicy.IGNORE else None, crawl_delay=end.crawl_delay,
            exchange=end.exchange, next_poll=next_poll,
        )  # fmt: skip

    async def _revisit(self, run: CrawlRun, outlet: Outlet, source: Source, state: SourceState) -> CrawlRun | None:
        """Look at stored pages again, in the time that is left before the source itself is polled."""
        began, now = time.monotonic(), self._now()
        until = min(now + REVISIT_TIME, state.next_attempt - REVISIT_MARGIN)
        message = await self._visitor.visit(run, outlet, source, until)
        return await self._close(
            run, RunStatus.OK, reason="revisit", message=message, duration=time.monotonic() - began
        )

    # -- settle -------------------------------------------------------------------------------

    async def _settle(self, run: CrawlRun, outlet: Outlet, source: Source) -> int:
        """Bring every pending item of the source that is due to its fate, oldest first; how many were news."""
        fresh = 0
        gate = asyncio.Semaphore(max(1, outlet.politeness.outlet_concurrency))
        for _ in range(100):  # a bound, should an item come back as pending and due for ever
            fates = await self._storage.fates.pending(run.source_id, now=self._now(), limit=200)
            if not fates:
                break
            await self._drift.look(outlet.id)

            async def one(fate: Fate) -> bool:
                async with gate:
                    return (await self._items.settle(fate, run, outlet, source)).kind is FateKind.STORED

            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(one(fate)) for fate in fates]
            except ExceptionGroup as several:  # a stale token or a lost database: the same for each
                raise several.exceptions[0] from several
            fresh += sum(task.result() for task in tasks)
            await self._drift.judge(outlet)
        return fresh

    # -- ends ---------------------------------------------------------------------------------

    def _taught(
        self, source: Source, state: SourceState, end: PollEnd, remembered: Remembered | None
    ) -> NextPoll | None:
        """What pushed items teach of the rhythm; the next poll stays when it is. None before the first poll."""
        if remembered is None:
            return None
        zone = source.schedule.timezone if isinstance(source.schedule, Adaptive) else UTC
        fresh = [None if moment is None else moment.timestamp() for moment in end.arrived]
        rhythm = learn(remembered.rhythm, self._now().timestamp(), shown=None, fresh=fresh, zone=zone)
        return NextPoll(at=state.next_attempt, terms=remembered.terms, rhythm=rhythm, demand=remembered.demand)

    def _excused(self, run: CrawlRun, end: PollEnd) -> PollEnd:
        """The end as it is, unless our own outage spoiled the poll: then it says nothing of the source."""
        kind = FailureKind(end.reason) if end.reason in set(FailureKind) else FailureKind.PARSE
        if end.status is not RunStatus.FAILED or not self.outage.is_ours(kind, run.started_at or self._now()):
            return end
        message = f"our own outage: {end.message}"
        return PollEnd(status=RunStatus.SKIPPED, reason=OUTAGE, message=message, bytes=end.bytes, hub=end.hub)

    def _changes(
        self, source: Source, state: SourceState, end: PollEnd, rhythm: Rhythm, trigger: Trigger
    ) -> tuple[dict[str, Any], NextPoll]:
        """The source's state after this poll; what our own outage spoiled changes only when it is next polled."""
        now = self._now()
        changes = dict(end.state)
        # Whoever asks by hand has a reason to think that it is mended: the back-off begins anew.
        failures = 0.0 if trigger is Trigger.MANUAL and end.reason != OUTAGE else state.failures
        if end.status is RunStatus.FAILED:
            failures += FAILURE_WEIGHT[FailureKind(end.reason) if end.reason in set(FailureKind) else FailureKind.PARSE]
            changes |= {"last_failure": end.reason, "last_failure_message": end.message}
        elif end.status in {RunStatus.OK, RunStatus.NOT_MODIFIED}:
            failures = 0.0
            changes |= {"last_success": now}
        next_poll = self._next_attempt(source, state, end, rhythm=rhythm, failures=failures, now=now)
        if end.reason != OUTAGE:
            changes |= next_poll.asked
        probe = whereabouts.not_before(changes.get("gone_at", state.gone_at), now)
        if probe is not None and probe > next_poll.at:
            term = {"name": "gone", "text": "it is gone and probed once a month", "at": probe.isoformat()}
            next_poll = replace(next_poll, at=probe, terms=(*next_poll.terms, term))
        changes |= {"last_attempt": now, "next_attempt": next_poll.at}
        if failures != state.failures:  # written only when meant: an outage that is just noticed forgives others
            changes["failures"] = failures
        return changes, next_poll

    async def _fail(self, run: CrawlRun, reason: str, message: str) -> CrawlRun | None:
        """End a run that broke off; when even that cannot be written, the next start gives it its end."""
        try:
            return await self._close(run, RunStatus.FAILED, reason=reason, message=message)
        except StorageUnavailable as error:
            log.warning("run left without an end", reason=str(error))
            return None

    async def _close(
        self,
        run: CrawlRun,
        status: RunStatus,
        *,
        reason: str | None,
        message: str | None,
        http_status: int | None = None,
        size: int = 0,
        duration: float | None = None,
        evidence: Mapping[str, Any] | None = None,
        robots: str | None = None,
        crawl_delay: float | None = None,
        exchange: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
        next_poll: NextPoll | None = None,
    ) -> CrawlRun | None:
        """Write the run's end and say it in one canonical line."""
        ended = await self._storage.runs.finish(
            run.id, run.token, status, reason=reason, message=message, now=self._now(),
            http_status=http_status, bytes=size, duration=duration, evidence=evidence, robots=robots,
            crawl_delay=crawl_delay, exchange=exchange, state=dict(state or {}), next_poll=next_poll,
        )  # fmt: skip
        point("after_finish")
        closed = await self._storage.runs.get(run.id) if ended else None
        if closed is None:
            log.warning("run abandoned", reason="another holder has written for this source")
            return None
        say = log.warning if status is RunStatus.FAILED else log.info
        counts = {k: v for k, v in _counts(closed).items() if v}
        say(
            "run finished", outcome=str(status), reason=reason, message=message, http=http_status,
            bytes=size, seconds=None if duration is None else round(duration, 3), **counts,
        )  # fmt: skip
        return closed

    async def _fetch(self, request: FetchRequest, source: Source | Outlet) -> FetchResult:
        """Fetch, and let the outage detector know how it went."""
        result = await self._fetcher.fetch(request, source.politeness)
        failure = result.kind if isinstance(result, FetchFailed) else None
        host = urlsplit(request.url).hostname or ""
        if failure not in OF_OURSELVES and self.outage.record(host, failure, self._now()):
            await self._tell_outage()
        return result

    async def _tell_outage(self) -> None:
        """Say it once in the log, and as a fact for whoever asks."""
        since, now = self.outage.since, self._now()
        if since is not None:
            self._outage_began = since
            weights = {str(kind): FAILURE_WEIGHT[kind] for kind in OF_THE_NETWORK}
            excused = await self._storage.outages.begin(self._worker, since, weights, now)
            message = "no host answers; nobody is blamed"
            log.warning("own outage began", since=since.isoformat(), excused=excused, message=message)
        elif self._outage_began is not None:
            due = await self._storage.outages.end(self._worker, self._outage_began, now)
            log.warning("own outage ended", due=due, message="hosts answer again; what was missed is made up for")
            self._outage_began = None


def _counts(run: CrawlRun) -> dict[str, int]:
    counts = run.counts
    return {
        "discovered": counts.discovered, "stored": counts.stored, "revised": counts.revised,
        "unchanged": counts.unchanged, "duplicate": counts.duplicate, "filtered": counts.filtered,
        "failed": counts.failed, "pending": counts.pending,
    }  # fmt: skip
