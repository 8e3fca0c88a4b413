"""When a source is polled next: pure functions of its schedule, its state, what just happened, and `now`.

    schedule (every, cron)                         when the operator wants it
      -> later, if it fails: linear back-off       weighed hard 1, soft 1/2, temporary 1/4
      -> never before the publisher's word         Retry-After, max-age, Expires, ttl, skipHours, skipDays

No clock is read here, and jitter is a hash of the source and the slot: the same question has the same answer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import cast

from apscheduler.triggers.cron import CronTrigger

from config.model import Cron, Every, Schedule

#: Longest wait between two tries of a source that once worked, and of one that never did.
CEILING_WORKED = timedelta(days=1)
CEILING_NEVER_WORKED = timedelta(days=30)

#: A publisher may ask for this much patience; more is recorded and not obeyed.
PUBLISHER_CEILING = timedelta(days=1)

#: Sources that are new or late start within this time of each other.
START_SPREAD = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherWord:
    """What the publisher said about coming again, each None or empty when it said nothing."""

    #: Retry-After of a 429 or 503, as a moment.
    not_before: datetime | None = None
    #: The longest of Cache-Control max-age, Expires, RSS ttl, sy:updatePeriod.
    min_interval: timedelta | None = None
    #: GMT hours and weekdays (0 = Monday) without polls (RSS skipHours, skipDays).
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


def fraction(*parts: object) -> float:
    """A number in [0, 1) that depends on nothing but the parts."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def interval_of(schedule: Schedule, now: datetime) -> timedelta:
    """The usual time between two polls; for cron, between the next two moments it names."""
    match schedule:
        case Every(interval=interval):
            return interval
        case Cron():
            first = _cron_after(schedule, now)
            return _cron_after(schedule, first) - first


def scheduled_after(schedule: Schedule, source_id: str, now: datetime) -> datetime:
    """The first moment after `now` at which the schedule wants a poll."""
    match schedule:
        case Every(interval=interval, jitter=jitter):
            slot = int(now.timestamp() // interval.total_seconds())
            shift = (2 * fraction(source_id, slot) - 1) * jitter
            return now + interval * (1 + shift)
        case Cron(jitter=jitter):
            moment = _cron_after(schedule, now)
            if jitter is None:
                return moment
            return moment + jitter * fraction(source_id, moment.isoformat())


def first_attempt(source_id: str, now: datetime) -> datetime:
    """When a source that was never polled is polled: soon, but not all at one moment."""
    return now + START_SPREAD * fraction(source_id)


def backed_off(interval: timedelta, failures: float, *, worked_once: bool) -> timedelta:
    """The wait after failures: one interval more for each weighed failure, up to a ceiling.

    Linear, since with intervals of an hour doubling soon means never.
    """
    ceiling = CEILING_WORKED if worked_once else CEILING_NEVER_WORKED
    # Divided first: a timedelta overflows long after the ceiling.
    return max(interval, interval * min(1 + failures, ceiling / interval))


def next_attempt(
    schedule: Schedule,
    source_id: str,
    *,
    now: datetime,
    failures: float = 0.0,
    worked_once: bool = True,
    word: PublisherWord | None = None,
) -> datetime:
    """When the source is polled next, all things considered.

    Never before `now`, never before the publisher's (capped) word.
    """
    moment = scheduled_after(schedule, source_id, now)
    if failures > 0:
        wait = backed_off(interval_of(schedule, now), failures, worked_once=worked_once)
        # Up to a tenth later: sources that failed together do not come back together.
        moment = max(moment, now + wait * (1 + 0.1 * fraction(source_id, now.isoformat())))
    return moment if word is None else _obey(moment, word, source_id, now)


def _obey(moment: datetime, word: PublisherWord, source_id: str, now: datetime) -> datetime:
    if word.min_interval is not None:
        moment = max(moment, now + min(word.min_interval, PUBLISHER_CEILING))
    if word.not_before is not None and word.not_before > now:
        # Some seconds after, so that all who were told the same time do not come at once.
        floor = min(word.not_before, now + PUBLISHER_CEILING)
        moment = max(moment, floor + timedelta(seconds=30) * fraction(source_id, floor.isoformat()))
    return _skip(moment, word)


def _skip(moment: datetime, word: PublisherWord) -> datetime:
    if len(word.skip_hours) >= 24 or len(word.skip_days) >= 7:
        return moment  # "never" is not an answer that a feed can mean
    at = moment.astimezone(UTC)
    for _ in range(24 * 8):
        if at.weekday() not in word.skip_days and at.hour not in word.skip_hours:
            return at
        at = at.replace(minute=at.minute % 10, second=0, microsecond=0) + timedelta(hours=1)
    return moment


@lru_cache(maxsize=4096)
def _trigger(expression: str, timezone: str) -> CronTrigger:
    return CronTrigger.from_crontab(expression, timezone=timezone)


def _cron_after(schedule: Cron, now: datetime) -> datetime:
    trigger = _trigger(schedule.expression, schedule.timezone.key)
    moment = cast("datetime | None", trigger.get_next_fire_time(None, now + timedelta(microseconds=1)))
    if moment is None:  # the 31st of February: config refuses it, a changed tz database might not
        return now + CEILING_NEVER_WORKED
    return moment.astimezone(UTC)
