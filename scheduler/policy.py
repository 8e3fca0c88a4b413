"""When a source is polled next: pure functions of its schedule, its state, what just happened, and `now`.

    schedule (adaptive, every, cron)               when it pays, or when the operator wants it
      -> later, if it fails: linear back-off       weighed hard 1, soft 1/2, temporary 1/4
      -> never before the publisher's word         Retry-After, max-age, Expires, ttl, skipHours, skipDays

Each of these that moved the time is a :class:`Term` of the :class:`Decision`, in words. No clock is read here, and
jitter is a hash of the source and the slot: the same question has the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import cast

from apscheduler.triggers.cron import CronTrigger

from config.model import Adaptive, Cron, Every, Schedule
from config.units import span
from crawlers.fraction import fraction
from scheduler.rhythm import PRICE, TURN, Due, Reason, due, turn
from storage.rhythm import Rhythm, marks

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


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that bears on the next time."""

    #: A word of a closed set: rhythm, mark, window, overlap, silence, floor, ceiling, pulse, budget, every, cron,
    #: failures, age, retry_after, skip.
    name: str
    #: One sentence for a person.
    text: str
    #: The time as it stands after this.
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """When a source is polled next, and what led there, in order."""

    at: datetime
    terms: tuple[Term, ...]


def interval_of(schedule: Schedule, now: datetime, *, rhythm: Rhythm | None = None, price: float = PRICE) -> timedelta:
    """The usual time between two polls; for cron, between the next two moments it names."""
    match schedule:
        case Adaptive():
            return timedelta(seconds=_due(schedule, now, rhythm, price).seconds)
        case Every(interval=interval):
            return interval
        case Cron():
            first = _cron_after(schedule, now)
            return _cron_after(schedule, first) - first


def scheduled_after(
    schedule: Schedule, source_id: str, now: datetime, *, rhythm: Rhythm | None = None, price: float = PRICE
) -> datetime:
    """The first moment after `now` at which the schedule wants a poll."""
    match schedule:
        case Adaptive():
            return now + interval_of(schedule, now, rhythm=rhythm, price=price)
        case Every(interval=interval, jitter=jitter):
            slot = int(now.timestamp() // interval.total_seconds())
            shift = (2 * fraction(source_id, slot) - 1) * jitter
            return now + interval * (1 + shift)
        case Cron(jitter=jitter):
            moment = _cron_after(schedule, now)
            if jitter is None:
                return moment
            return moment + jitter * fraction(source_id, moment.isoformat())


def longest(schedule: Schedule, now: datetime) -> timedelta:
    """The longest wait that the schedule itself may choose at `now`, failures and publisher's word aside."""
    match schedule:
        case Adaptive(ceiling=ceiling):
            return ceiling
        case Every(interval=interval, jitter=jitter):
            return interval * (1 + jitter)
        case Cron(jitter=jitter):
            return _cron_after(schedule, now) - now + (jitter or timedelta(0))


def first_attempt(source_id: str, now: datetime, schedule: Schedule) -> datetime:
    """When a source that was never polled is polled: soon, but not all at one moment.

    A fixed interval is never waited for longer than it lasts.
    """
    spread = min(START_SPREAD, schedule.interval) if isinstance(schedule, Every) else START_SPREAD
    return now + spread * fraction(source_id)


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
    rhythm: Rhythm | None = None,
    price: float = PRICE,
) -> datetime:
    """When the source is polled next, all things considered: `decide` without its words."""
    return decide(
        schedule, source_id, now=now, failures=failures, worked_once=worked_once, word=word, rhythm=rhythm, price=price
    ).at


def decide(
    schedule: Schedule,
    source_id: str,
    *,
    now: datetime,
    failures: float = 0.0,
    worked_once: bool = True,
    word: PublisherWord | None = None,
    rhythm: Rhythm | None = None,
    price: float = PRICE,
) -> Decision:
    """When the source is polled next, and why.

    Never before `now`, never before the publisher's (capped) word. `rhythm` and `price` (of a request, in item
    seconds) matter to adaptive schedules only.
    """
    terms = _wanted(schedule, source_id, now, rhythm, price)
    if failures > 0:
        interval = terms[-1].at - now if isinstance(schedule, Adaptive) else interval_of(schedule, now)
        terms.append(_after_failures(terms[-1].at, interval, failures, worked_once, source_id, now))
    if word is not None:
        terms += _obey(terms[-1].at, word, source_id, now)
    return Decision(terms[-1].at, tuple(terms))


def _after_failures(
    moment: datetime, interval: timedelta, failures: float, worked_once: bool, source_id: str, now: datetime
) -> Term:
    wait = backed_off(interval, failures, worked_once=worked_once)
    # Up to a tenth later: sources that failed together do not come back together.
    later = max(moment, now + wait * (1 + 0.1 * fraction(source_id, now.isoformat())))
    ceiling = CEILING_WORKED if worked_once else CEILING_NEVER_WORKED
    capped = f", capped at {span(ceiling)}" if wait >= ceiling else ""
    text = f"failures weighing {failures:g} since the last success: {1 + failures:g} times the interval{capped}"
    return Term("failures", text, later)


def _wanted(schedule: Schedule, source_id: str, now: datetime, rhythm: Rhythm | None, price: float) -> list[Term]:
    match schedule:
        case Adaptive():
            return _adaptive_terms(schedule, now, _due(schedule, now, rhythm, price), rhythm, price)
        case Every(interval=interval, jitter=jitter):
            text = f"every {span(interval)}, as configured, give or take {jitter:.0%}"
        case Cron(expression=expression, timezone=timezone):
            text = f"cron {expression} ({timezone.key}), as configured"
    name = "every" if isinstance(schedule, Every) else "cron"
    return [Term(name, text, scheduled_after(schedule, source_id, now))]


def _due(schedule: Adaptive, now: datetime, rhythm: Rhythm | None, price: float) -> Due:
    return due(
        rhythm or Rhythm(),
        now.timestamp(),
        price=price,
        floor=schedule.floor.total_seconds(),
        ceiling=schedule.ceiling.total_seconds(),
        zone=schedule.timezone,
    )


_REASONS = {
    Reason.MARK: "mark: it times items for {marks} of the hour, and is asked just after",
    Reason.WINDOW: "window: {window:.0f} items are shown at once, and more might be gone by the time waiting pays",
    Reason.OVERLAP: "overlap: {fresh:.0f} of {window:.0f} items were new last time, the window was about to slide",
    Reason.SILENCE: "silence: by then its silence would be longer than it ever is, which is worth a look",
    Reason.FLOOR: "floor: not more often than every {floor}, as configured",
    Reason.CEILING: "ceiling: not less often than every {ceiling}, as configured",
}


def _adaptive_terms(schedule: Adaptive, now: datetime, found: Due, rhythm: Rhythm | None, price: float) -> list[Term]:
    rhythm = rhythm or Rhythm()
    at = now + timedelta(seconds=found.seconds)
    pace = found.rate * 3600
    if not rhythm.known:
        learned = f"nothing is known of its rhythm yet; taken for {pace:.2g} items an hour"
    else:
        learned = f"about {pace:.2g} items an hour at this hour of the week"
    terms = [Term("rhythm", f"{learned}: waiting outweighs a request after {found.items:.2g} more", at)]
    if rhythm.known and not 0.8 <= found.pulse <= 1.25:
        kind = "a burst" if found.pulse > 1 else "a lull"
        terms.append(Term("pulse", f"{kind}: {found.pulse:.2g} times the usual pace in the last hours", at))
    if price > PRICE * 1.01:
        longer = turn(price) / TURN
        terms.append(Term("budget", f"the request budget makes intervals {longer:.2g} times as long", at))
    if found.reason in _REASONS:
        words = _REASONS[found.reason].format(
            window=rhythm.window, fresh=rhythm.fresh, floor=span(schedule.floor), ceiling=span(schedule.ceiling),
            marks=" and ".join(f":{minute:02}" for minute, _ in marks(rhythm)),
        )  # fmt: skip
        name, _, text = words.partition(": ")
        terms.append(Term(name, text, at))
    return terms


def _obey(moment: datetime, word: PublisherWord, source_id: str, now: datetime) -> list[Term]:
    terms = []
    if word.min_interval is not None and moment < now + min(word.min_interval, PUBLISHER_CEILING):
        moment = now + min(word.min_interval, PUBLISHER_CEILING)
        asked = span(word.min_interval)
        text = f"the publisher asks for {asked} between polls (max-age, Expires, ttl, sy: or robots.txt's Crawl-delay)"
        terms.append(Term("age", text, moment))
    if word.not_before is not None and word.not_before > now:
        # Some seconds after, so that all who were told the same time do not come at once.
        floor = min(word.not_before, now + PUBLISHER_CEILING)
        floor += timedelta(seconds=30) * fraction(source_id, floor.isoformat())
        if moment < floor:
            moment = floor
            capped = ", of which a day is obeyed" if word.not_before > now + PUBLISHER_CEILING else ""
            text = f"the server said Retry-After: {span(word.not_before - now)}{capped}"
            terms.append(Term("retry_after", text, moment))
    allowed = _skip(moment, word)
    if allowed > moment:
        text = "the publisher asks not to be polled at that hour or day (skipHours, skipDays)"
        terms.append(Term("skip", text, allowed))
    return terms


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
