"""Is a source late or silent? Against what the operator expects of it, else against its own rhythm. Pure.

*Late* is fewer items than there should be; *silent* is none at all for longer than it can be by chance.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from config.model import Expectation
from config.units import span
from storage.rhythm import Rhythm, expected_items

#: Hours of watching before a rhythm may be held against its source: three days and nights.
LEAST_HOURS = 72.0

#: Items that the rhythm let expect since the last one. By chance alone none of five comes once in 150 such times,
#: none of twelve once in 160,000; days differ by more than chance, hence not fewer.
LATE_ITEMS = 5.0
SILENT_ITEMS = 12.0


def late(
    expect: Expectation, rhythm: Rhythm, *, last_new: datetime, last_day: int, now: datetime, zone: tzinfo
) -> str | None:
    """One sentence when it is late, else None.

    `last_new` is when its last item came (or, before the first, since when it is watched), `last_day` the number of
    items of the last 24 hours, `zone` the outlet's clock.
    """
    if _quiet(expect, now, zone):
        return None
    if expect.at_least is not None:
        return _too_few(expect.at_least, rhythm, last_new, last_day, now)
    return _missing(expect, rhythm, last_new, now, zone, LATE_ITEMS)


def silent(expect: Expectation, rhythm: Rhythm, *, last_new: datetime, now: datetime, zone: tzinfo) -> str | None:
    """One sentence when it is silent, else None; arguments as for `late`."""
    if _quiet(expect, now, zone):
        return None
    if expect.max_silence is not None:
        awake = _awake(expect, last_new, now, zone)
        if awake <= expect.max_silence:
            return None
        besides = ", its quiet hours left out" if expect.quiet_hours else ""
        return f"no item for {span(awake)}{besides}; {span(expect.max_silence)} is the longest expected of it"
    return _missing(expect, rhythm, last_new, now, zone, SILENT_ITEMS)


def _missing(
    expect: Expectation, rhythm: Rhythm, last_new: datetime, now: datetime, zone: tzinfo, least: float
) -> str | None:
    if rhythm.watched < LEAST_HOURS:
        return None
    expected = expected_items(rhythm, last_new, now, zone, without=expect.quiet_hours)
    if expected < least:
        return None
    return f"no item for {span(now - last_new)}, in which about {expected:.0f} were to be expected by its rhythm"


def _too_few(per_day: float, rhythm: Rhythm, last_new: datetime, last_day: int, now: datetime) -> str | None:
    if per_day < 1:
        due = timedelta(days=1 / per_day)
        if now - last_new <= due:
            return None
        return f"no item for {span(now - last_new)}; one every {span(due)} is expected of it"
    if last_day >= per_day or rhythm.watched < 24:
        return None
    return f"{last_day} items in the last day; at least {per_day:g} a day are expected of it"


def _quiet(expect: Expectation, now: datetime, zone: tzinfo) -> bool:
    return now.astimezone(zone).hour in expect.quiet_hours


def _awake(expect: Expectation, since: datetime, now: datetime, zone: tzinfo) -> timedelta:
    """Time from `since` to `now` outside the quiet hours; at most four weeks are looked at."""
    at, total = max(since, now - timedelta(days=28)), timedelta(0)
    while at < now:
        local = at.astimezone(zone)
        since_full = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        length = min(timedelta(hours=1) - since_full, now - at)
        if local.hour not in expect.quiet_hours:
            total += length
        at += length
    return total
