"""Once a second: what is due goes to the queue, its next attempt moved first; visits when nothing else waits.

The sources table is the truth about what is due. A message that is lost costs one interval, a message too
many costs a refused lease; neither costs an article.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from config.model import Settings, Source
from scheduler.catch_up import RAMP, Ramp
from scheduler.clockwork import ClockJump
from scheduler.plan import active_sources
from scheduler.policy import first_attempt, interval_of, longest, next_attempt
from scheduler.queue import CrawlQueue
from scheduler.revisiting import Revisiting
from storage.model import RunStatus, SourceState, Trigger
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: A poll this much later than its time was missed, not late: nobody was there.
MISSED_AFTER = timedelta(minutes=2)

#: A message that nobody took up for this long, with an empty queue, is not waited for.
LOST_AFTER = timedelta(seconds=10)

#: Visits to stored pages are sent only while no more than this part of the backlog waits.
PRESSURE = 8

#: Sources that any outlet may have queued or running at a time.
LEAST_SHARE = 8


#: Sources looked at in one tick to find those that may go while hosts are spared.
OVERDUE = 2_000


class Dispatcher:
    """Moves due sources to the queue. Knows nothing of what a crawl is."""

    def __init__(
        self,
        storage: Storage,
        queue: CrawlQueue,
        settings: Callable[[], Settings],
        *,
        backlog: int,
        now: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._queue = queue
        self._settings = settings
        #: Messages that may wait in the queue; the rest waits in the table, where priority still counts.
        self._backlog = backlog
        self._now = now
        self._revisiting = Revisiting(storage, queue, settings, now=now)
        self._sources: dict[str, Source] = {}
        self._concurrency: dict[str, int] = {}
        self._fingerprint: str | None = None
        #: How hosts are spared after a time in which nobody asked; None: that is long ago.
        self._ramp: Ramp | None = None
        self._started = False
        #: Monotonic time of the last tick that ended well; what "working" means for the watchdog.
        self.last_tick = time.monotonic()

    async def tick(self) -> int:
        """Dispatch what is due, as far as the queue has room; returns how many were sent."""
        depth = await self._queue.depth()
        if depth.waiting == 0:
            # Nothing waits, and what a living worker takes begins at once: what is marked as queued for
            # a while was lost with an emptied Redis or is held by a dead worker.
            await self._storage.sources.forget_queued(before=self._now() - LOST_AFTER)
        room = self._backlog - depth.waiting
        sent = 0
        if room > 0:
            now = self._now()
            wanted = self._wanted()
            await self._look_back(now)
            # While hosts are spared what is due is more than what may go: enough is looked at to find that.
            limit = room if self._ramp is None else max(room, OVERDUE)
            for state in await self._storage.sources.due(now, limit, most=self._most):
                source = wanted.get(state.id)
                if source is not None and sent < room and self._may_go(state, now):
                    sent += await self._dispatch(source, state, now)
        if depth.waiting + sent <= self._backlog // PRESSURE:
            await self._revisiting.tick()
        self.last_tick = time.monotonic()
        return sent

    def _most(self, outlet_id: str) -> int:
        """Sources of one outlet that are queued or running at a time: enough to use its requests in flight."""
        return max(LEAST_SHARE, 2 * self._concurrency.get(outlet_id, 0))

    async def _look_back(self, now: datetime) -> None:
        """Begin to make up for what was missed when we come back, and end it when nothing is held back any more."""
        if not self._started:
            self._started = True
            due = await self._storage.sources.due(now, OVERDUE)
            if any(now - state.next_attempt > MISSED_AFTER and state.last_attempt for state in due):
                self._ramp = Ramp(now)
        window = next(reversed(await self._storage.outages.windows()), None)
        if (
            window is not None
            and timedelta(0) <= now - window.until < RAMP  # not before it, as after a clock that went back
            and (self._ramp is None or self._ramp.came_back < window.until)
        ):
            self._ramp = Ramp(window.until)
        if self._ramp is not None and (self._ramp.is_over(now) or now < self._ramp.came_back):
            self._ramp = None

    def _may_go(self, state: SourceState, now: datetime) -> bool:
        """Whether its host may be asked already, after a time in which nobody was."""
        if self._ramp is None or state.requested_at is not None or not self._ramp.concerns(state.next_attempt):
            return True
        if state.next_attempt > now or state.last_attempt is None:
            return True
        return self._ramp.admits(urlsplit(state.adopted_url or state.url).hostname or "", now)

    async def jumped(self, jump: ClockJump) -> None:
        """After the wall clock went back nothing waits longer than it was to, and no source than its schedule says."""
        if not jump.backward:
            return
        now = self._now()
        wanted = self._wanted()
        await self._storage.waits.move(jump.by, now)
        for state in await self._storage.sources.all():
            source = wanted.get(state.id)
            if source is None or state.failures > 0:
                continue
            latest = now + longest(source.schedule, now) * 1.5
            if state.next_attempt > latest:
                await self._storage.sources.reschedule(state.id, first_attempt(state.id, now, source.schedule))

    def _wanted(self) -> dict[str, Source]:
        settings = self._settings()
        if settings.fingerprint != self._fingerprint or not self._sources:
            self._sources, self._fingerprint = active_sources(settings.outlets), settings.fingerprint
            self._concurrency = {o.id: o.politeness.outlet_concurrency for o in settings.outlets}
        return self._sources

    async def _dispatch(self, source: Source, state: SourceState, now: datetime) -> bool:
        asked = state.requested_at is not None
        polls = asked or state.next_attempt <= now
        following = state.next_attempt
        if polls:
            following = next_attempt(
                source.schedule,
                source.id,
                now=now,
                failures=state.failures,
                worked_once=state.last_success is not None,
            )
        if state.queued_at is not None:
            # Still waiting in the queue: this poll does not happen, and is not forgotten either.
            if polls and not asked:
                await self._storage.sources.reschedule(state.id, following)
                await self._absent(state, RunStatus.SKIPPED, "overlap", "the run before it still waits", now)
            return False
        if not await self._storage.sources.claim(state.id, state.next_attempt, following, now):
            return False
        if polls and not asked:
            await self._record_missed(source, state, now)
        manual = Trigger.GAP if state.gap_since is not None else Trigger.MANUAL
        waiting = Trigger.RESUME if state.pushed_at is None else Trigger.PUSH
        trigger = manual if asked else Trigger.SCHEDULE if polls else waiting
        await self._queue.send(source.id, state.next_attempt if polls else now, str(trigger), source.priority)
        return True

    async def _record_missed(self, source: Source, state: SourceState, now: datetime) -> None:
        """One row for all the polls that did not happen while nobody was there."""
        late = now - state.next_attempt
        interval = interval_of(source.schedule, state.next_attempt)
        if state.last_attempt is None or late < max(MISSED_AFTER, interval):
            return
        count = int(late / interval)
        since = f"{state.next_attempt:%Y-%m-%d %H:%M:%S}Z"
        message = f"{count} polls from {since} on did not happen: no scheduler was at work"
        await self._absent(state, RunStatus.MISSED, "downtime", message, now)

    async def _absent(self, state: SourceState, status: RunStatus, reason: str, message: str, now: datetime) -> None:
        await self._storage.runs.record_absent(state, status, reason, message, state.next_attempt, now)
