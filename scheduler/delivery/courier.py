"""One consumer's deliveries, round by round.

::

    what waited and is due     one event an article ─► send ─► settle: accepted, or waiting again, or dead
    what is behind the cursor  events whose article has one waiting are put behind it
                               the others ─► send ─► settle, the cursor with it

Sending comes first, settling after: a crash between the two sends again (at least once). Within an
article nothing overtakes; a dead letter lets the later ones pass. When a consumer refuses everything it
is left alone for a while and then tried with a single event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from scheduler.delivery.policy import next_attempt, wait
from scheduler.delivery.target import Accepted, Held, Refused, Target, TargetDown
from storage.delivery import Consumer, Deliveries, Pending, Settlement
from storage.events import Event, EventFilter, Events
from storage.faults import point

log = structlog.get_logger(__name__)


class Courier:
    """Delivers to one consumer under one lease. Knows nothing of how a consumer is reached."""

    def __init__(
        self,
        *,
        consumer: Consumer,
        target: Target,
        where: EventFilter,
        give_up: timedelta,
        events: Events,
        deliveries: Deliveries,
        now: Callable[[], datetime],
        dice: Callable[[], float],
    ) -> None:
        self._consumer = consumer
        self._target = target
        self._where = where
        self._give_up = give_up
        self._events = events
        self._deliveries = deliveries
        self._now = now
        self._dice = dice
        #: Until then too few events wait to be sent.
        self._quiet_until: datetime | None = None
        self._seen = now()

    @property
    def consumer(self) -> Consumer:
        """How far it has got."""
        return self._consumer

    async def round(self) -> bool:
        """Send what can be sent now; True when there may be more at once.

        Raises DeliveryLost when another process delivers by now.
        """
        self._notice_a_step_back()
        consumer = self._consumer
        if consumer.not_before is not None and self._now() < consumer.not_before:
            return False
        limit = 1 if consumer.failures else self._target.batch
        waiting = await self._deliveries.due(consumer.name, self._now(), limit)
        if waiting:
            more = await self._send_waiting(waiting)
            if not more or limit == 1:
                return more
        return await self._send_next(limit) or len(waiting) == limit

    def _notice_a_step_back(self) -> None:
        """Waits that are kept here end when the wall clock goes back: they would last as long as it went."""
        now = self._now()
        if now < self._seen:
            self._quiet_until = None
            self._consumer = replace(self._consumer, not_before=None)
        self._seen = now

    async def _send_waiting(self, waiting: Sequence[Pending]) -> bool:
        """Try again; True unless the consumer is to be left alone."""
        found = await self._events.get([row.event_id for row in waiting])
        known = {row.event_id: row for row in waiting}
        events = [found[row.event_id] for row in waiting if row.event_id in found]
        # An event whose row the retention has taken away has nothing left to deliver.
        done = Settlement(accepted=[row.event_id for row in waiting if row.event_id not in found])
        return await self._deliver(events, done, known)

    def _waits(self, events: Sequence[Event], limit: int, now: datetime) -> bool:
        """Whether so few events are better sent together with later ones."""
        # One from the future was there before the clock went back, and has waited enough.
        if not events or len(events) == limit or events[0].created_at > now:
            return False
        self._quiet_until = events[0].created_at + self._target.patience
        return now < self._quiet_until

    async def _send_next(self, limit: int) -> bool:
        """Events behind the cursor; True when there may be more."""
        if self._quiet_until is not None and self._now() < self._quiet_until:
            return False
        page = await self._events.after(self._consumer.cursor, limit, self._where)
        now = self._now()
        if page.reached == self._consumer.cursor or self._waits(page.events, limit, now):
            return False
        held = await self._deliveries.held_articles(self._consumer.name, [e.article_id for e in page.events])
        done = Settlement(cursor=page.reached)
        done.pending = [self._behind(event, now) for event in page.events if event.article_id in held]
        going = await self._deliver([e for e in page.events if e.article_id not in held], done, {})
        return going and len(page.events) == limit

    async def _deliver(self, events: Sequence[Event], done: Settlement, known: dict[int, Pending]) -> bool:
        try:
            if events:
                point("before_publish")
            answers = await self._target.send(events, replayed=bool(known)) if events else []
            if events:
                point("after_publish")
        except TargetDown as error:
            await self._leave_alone(Settlement(), str(error))
            return False
        now = self._now()
        refusals = []
        for event, answer in zip(events, answers, strict=True):
            match answer:
                case Accepted():
                    done.accepted.append(event.id)
                case Held():
                    done.pending.append(known.get(event.id) or self._behind(event, now))
                case Refused():
                    refusals.append(answer.reason)
                    done.pending.append(self._refused(event, answer, known.get(event.id), now))
        if refusals and not done.accepted:
            await self._leave_alone(done, refusals[-1])
            return False
        if refusals:
            done.error = refusals[-1]
        if done.accepted and self._consumer.failures:
            done.failures, done.not_before = 0, None
            log.info("consumer takes events again", consumer=self._consumer.name)
        await self._settle(done)
        return True

    async def _leave_alone(self, done: Settlement, reason: str) -> None:
        failures = self._consumer.failures + 1
        done.failures, done.error = failures, reason
        done.not_before = self._now() + wait(failures, self._dice())
        await self._settle(done)
        log.warning(
            "consumer refuses events", consumer=self._consumer.name, failures=failures, reason=reason,
            again=done.not_before.isoformat(timespec="seconds"),
        )  # fmt: skip

    async def _settle(self, done: Settlement) -> None:
        await self._deliveries.settle(self._consumer.name, self._consumer.fence, done, self._now())
        change: dict[str, object] = {} if done.cursor is None else {"cursor": done.cursor}
        if done.failures is not None:
            change |= {"failures": done.failures, "not_before": done.not_before}
        self._consumer = replace(self._consumer, **change)  # type: ignore[arg-type]

    def _behind(self, event: Event, now: datetime) -> Pending:
        return Pending(
            consumer=self._consumer.name, event_id=event.id, article_id=event.article_id, status="waiting", attempts=0,
            next_attempt=now, first_failed=None, last_error=None,
        )  # fmt: skip

    def _refused(self, event: Event, answer: Refused, before: Pending | None, now: datetime) -> Pending:
        row = before or self._behind(event, now)
        first, attempts = row.first_failed or now, row.attempts + 1
        again = next_attempt(
            attempts, first, now, give_up=self._give_up, dice=self._dice(), retry_after=answer.retry_after
        )
        if again is None:
            log.warning(
                "dead letter", consumer=row.consumer, event_id=event.id, article=event.article_id, attempts=attempts,
                reason=answer.reason, message="warta deliver replay sends it again",
            )  # fmt: skip
        return replace(
            row,
            status="dead" if again is None else "waiting",
            attempts=attempts,
            first_failed=first,
            next_attempt=again or now,
            last_error=answer.reason[:500],
        )
