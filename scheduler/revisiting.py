"""Sends visits to stored pages when nothing fresher waits: the lowest of all work, and within the budgets.

A visit runs under a source of its outlet, whose lease it holds: the one with most time left before its own poll.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from config.model import Outlet, Settings
from crawlers.revisits import room
from scheduler.queue import CrawlQueue
from storage.model import RunStatus, SourceState, Trigger
from storage.storage import Storage

#: Behind every poll (whose priorities end at 10,000).
PRIORITY = 10_001
#: A source that is polled sooner than this is left alone.
LEAST_TIME = timedelta(seconds=2)
#: Outlets whose visits are sent at a time: a part of the worker's places.
PART = 8
_DAY = timedelta(days=1)


def host_of_visits(
    outlet: Outlet, states: Mapping[str, SourceState], now: datetime, *, least: timedelta = LEAST_TIME
) -> SourceState | None:
    """The source under which the outlet's visits run; None when none has the time."""
    free = [
        state
        for source in outlet.sources
        if source.enabled and (state := states.get(source.id)) is not None and _is_free(state, now, least)
    ]
    return max(free, key=lambda state: (state.next_attempt, state.id), default=None)


def _is_free(state: SourceState, now: datetime, least: timedelta) -> bool:
    return (
        state.removed_at is None
        and not state.paused
        and state.queued_at is None
        and state.requested_at is None
        and state.next_attempt >= now + least
    )


class Revisiting:
    """Finds outlets with visits due and sends one run for each. Knows nothing of what a visit is."""

    def __init__(
        self, storage: Storage, queue: CrawlQueue, settings: Callable[[], Settings], *, now: Callable[[], datetime]
    ) -> None:
        self._storage = storage
        self._queue = queue
        self._settings = settings
        self._now = now
        #: Outlet to the source under which its visits were sent last.
        self._sent: dict[str, str] = {}

    async def tick(self) -> int:
        """Send what is due; to be called only when no poll waits. Returns how many runs were sent."""
        settings, now = self._settings(), self._now()
        most = max(1, settings.worker_concurrency // PART)
        due = await self._storage.visits.backlog(now, most * 4)
        if not due:
            return 0
        outlets = {o.id: o for o in settings.outlets if o.enabled}
        running = {run.source_id for run in await self._storage.runs.list(statuses=[RunStatus.RUNNING], limit=1000)}
        found = await self._storage.sources.of_outlets(b.outlet_id for b in due)
        states = {state.id: state for state in found if state.id not in running}
        allowed = await self._allowed(settings, [b.outlet_id for b in due], now)
        sent = 0
        for backlog in due:
            outlet = outlets.get(backlog.outlet_id)
            if outlet is None or not allowed(backlog.outlet_id) or self._waits(backlog.outlet_id, states):
                continue
            state = host_of_visits(outlet, states, now)
            if state is None or not await self._claim(state, now):
                continue
            self._sent[outlet.id] = state.id
            await self._queue.send(state.id, now, str(Trigger.REVISIT), PRIORITY)
            sent += 1
            if sent == most:
                break
        return sent

    async def _claim(self, state: SourceState, now: datetime) -> bool:
        """Mark the source as queued; its own next poll stays as it is."""
        return await self._storage.sources.claim(state.id, state.next_attempt, state.next_attempt, now)

    def _waits(self, outlet_id: str, states: Mapping[str, SourceState]) -> bool:
        """Whether a run was sent that did not begin yet."""
        state = states.get(self._sent.get(outlet_id, ""))
        return state is not None and state.queued_at is not None

    async def _allowed(self, settings: Settings, outlet_ids: Iterable[str], now: datetime) -> Callable[[str], bool]:
        """Whether the budgets leave room for an outlet's visits."""
        own = {o.id: o.requests_per_day for o in settings.outlets if o.requests_per_day is not None}
        if settings.requests_per_day is None and not own.keys() & set(outlet_ids):
            return lambda _: True
        polls = await self._storage.rhythms.polls(now - _DAY)
        visits = await self._storage.visits.spent(now - _DAY)
        if room(settings.requests_per_day, sum(polls.values()), sum(visits.values())) <= 0:
            return lambda _: False
        return lambda outlet_id: room(own.get(outlet_id), polls.get(outlet_id, 0), visits.get(outlet_id, 0)) > 0
