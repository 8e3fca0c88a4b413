"""Is a source late or silent? Against what the operator expects of it, else against its own rhythm. Pure.

*Late* is less than there should be; *silent* is nothing at all for so long that waiting explains it no more.

By its rhythm a source is measured in its own *usual gap*: what 99 of 100 of its silences stay below, in items that
were to be expected (:mod:`storage.gaps`), so that it is short at a busy hour and long at night. A silence that chance
makes once in 250 weeks, two to three usual gaps, is late; twice that is silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from config.model import Expectation
from config.units import span
from storage.rhythm import Rhythm, silence, time_for

#: A rhythm is held against its source after a week of watching, so that it knows the week-end, and this many items.
LEAST_HOURS, LEAST_ITEMS = 168.0, 12.0

#: Silence is so many times as long as being late.
SILENT = 2.0

#: One answer without anything new may come from a stale cache.
LEAST_POLLS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is held against a source."""

    expect: Expectation
    rhythm: Rhythm
    #: The outlet's clock, and the one that the rhythm's hours are of.
    zone: tzinfo
    rhythm_zone: tzinfo
    #: When it last showed something new; before the first time, since when it is watched.
    last: datetime
    #: When it was last asked and answered: nothing is known of the time since.
    looked: datetime
    #: Items of the last 24 hours, where `at_least` needs it.
    last_day: int | None = None
    #: By hours since 1970, the share of its usual output that everybody brought (a holiday).
    tide: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Shortfall:
    """That a source brings less than it should: why, since when, and the numbers."""

    sentence: str
    began: datetime
    evidence: dict[str, Any]


def is_learned(rhythm: Rhythm) -> bool:
    """Whether the rhythm may be held against its source."""
    return rhythm.watched >= LEAST_HOURS and rhythm.items >= LEAST_ITEMS


def late(watch: Watch, now: datetime) -> Shortfall | None:
    """Why it is late at `now`, else None."""
    if _quiet(watch, now):
        return None
    if watch.expect.at_least is not None:
        return _too_few(watch, watch.expect.at_least, now)
    return _missing(watch, 1.0)


def silent(watch: Watch, now: datetime) -> Shortfall | None:
    """Why it is silent at `now`, else None."""
    if _quiet(watch, now):
        return None
    if watch.expect.max_silence is not None:
        return _too_long(watch, watch.expect.max_silence)
    return _missing(watch, SILENT)


def _missing(watch: Watch, times: float) -> Shortfall | None:
    """By the rhythm; the time in which nobody looked is not held against it."""
    rhythm, quiet = watch.rhythm, watch.expect.quiet_hours
    if not is_learned(rhythm) or rhythm.barren < LEAST_POLLS or watch.looked <= watch.last:
        return None
    missed = _items(watch, None)
    if missed < times * rhythm.late_after:
        return None
    # What keeps everybody quiet excuses a silence, for a while.
    if watch.tide and missed < times * rhythm.late_anyway and _items(watch, watch.tide) < times * rhythm.late_after:
        return None
    usual = rhythm.usual_gap
    gap = time_for(rhythm, watch.rhythm_zone, usual, since=watch.last, without=quiet)
    sentence = f"no item since {_told(watch.last, watch.zone)}; 99 of 100 of its silences end within {span(gap)} then"
    evidence = {
        "last_item": watch.last.isoformat(), "looked": watch.looked.isoformat(), "expected_items": round(missed, 1),
        "usual_gap_items": round(usual, 1), "usual_gap_seconds": round(gap.total_seconds()),
        "usual_gaps": round(missed / usual, 2), "polls_without_news": round(rhythm.barren),
    }  # fmt: skip
    return Shortfall(sentence, watch.last, evidence)


def _items(watch: Watch, tide: Mapping[int, float] | None) -> float:
    return silence(
        watch.rhythm, watch.rhythm_zone, since=watch.last.timestamp(), until=watch.looked.timestamp(),
        without=watch.expect.quiet_hours, quiet_zone=watch.zone, tide=tide,
    )  # fmt: skip


def _too_long(watch: Watch, longest: timedelta) -> Shortfall | None:
    began, looked = watch.last, max(watch.looked, watch.last)
    if _awake(watch, began, looked) <= longest:
        return None
    besides = ", quiet hours left out" if watch.expect.quiet_hours else ""
    text = f"no item since {_told(began, watch.zone)}; {span(longest)} is the longest expected of it{besides}"
    return Shortfall(text, began, {"last_item": began.isoformat(), "max_silence_seconds": longest.total_seconds()})


def _too_few(watch: Watch, per_day: float, now: datetime) -> Shortfall | None:
    if per_day < 1:
        due = timedelta(days=1 / per_day)
        if watch.looked - watch.last <= due:
            return None
        sentence = f"no item since {_told(watch.last, watch.zone)}; one every {span(due)} is expected of it"
        return Shortfall(sentence, watch.last, {"last_item": watch.last.isoformat(), "at_least_a_day": per_day})
    if watch.last_day is None or watch.last_day >= per_day or watch.rhythm.watched < 24:
        return None
    sentence = f"{watch.last_day} items in a day; at least {per_day:g} a day are expected of it"
    evidence = {"items_in_a_day": watch.last_day, "at_least_a_day": per_day}
    return Shortfall(sentence, now - timedelta(days=1), evidence)


def _told(moment: datetime, zone: tzinfo) -> str:
    """A moment for people, which stays true while time goes on."""
    name = getattr(zone, "key", "UTC")
    return f"{moment.astimezone(zone):%a %d %b %H:%M} ({name})"


def _quiet(watch: Watch, now: datetime) -> bool:
    return now.astimezone(watch.zone).hour in watch.expect.quiet_hours


def _awake(watch: Watch, since: datetime, until: datetime) -> timedelta:
    """Time between two moments outside the quiet hours; at most four weeks are looked at."""
    if not watch.expect.quiet_hours:
        return until - since
    at, total = max(since, until - timedelta(days=28)).astimezone(UTC), timedelta(0)
    while at < until:
        local = at.astimezone(watch.zone)
        since_full = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        length = min(timedelta(hours=1) - since_full, until - at)
        if local.hour not in watch.expect.quiet_hours:
            total += length
        at += length
    return total
