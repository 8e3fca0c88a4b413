"""Reading the dates that feeds, sitemaps and pages print, in any usual form and language.

:func:`read` is pure and takes time in proportion to the text, of which only the first
:data:`MAX_LENGTH` characters are looked at. It prefers None to a guess: a time that does not
exist, an offset beyond any zone or the zero value of a database is no date.

Forms: RFC 822, 2822, 3339, ISO 8601 (compact and ordinal too), HTTP, asctime, Unix time in
seconds or milliseconds, and written dates with or without weekday, commas, ``/`` or ``|``
(``Jum'at, 04 Juli 2025 | 12.00 WIB``), and spans (``1 Jam 9 Menit lalu``, ``kemarin``).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from crawlers.date_parts import LETTER, MARK, Parts, ReadDate, at, full_year
from crawlers.date_words import (
    AGO,
    DAY_WORDS,
    NOW_PHRASES,
    ONE,
    ONE_UNIT,
    THAI,
    TODAY_PHRASES,
    UNITS,
    fold,
)
from crawlers.zone_names import month_first

__all__ = ["ReadDate", "read", "read_date", "read_day"]

#: Characters looked at; a date and the words around it are far shorter.
MAX_LENGTH: Final = 200
#: Years below are the zero values of databases and languages (0000, 0001).
FIRST_YEAR: Final = 99
#: Years after are fillers such as 9999-12-31.
LAST_YEAR: Final = 2099
#: A date further ahead of `now` than this is a filler, not an announcement.
MAX_YEARS_AHEAD: Final = 4

#: The months in the units that are no fixed time.
_MONTHS_OF: Final = {UNITS["month"]: 1, UNITS["year"]: 12}
_LONGEST_ISO: Final = 32
_ISO: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d{3}(?:\d{3})?)?)?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)?)?",
    re.ASCII,
)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:t?\s?(\d{2})(\d{2})(\d{2})?(?:\.\d+)?)?(?![\d:/.-])(.*)")
_ORDINAL: Final = re.compile(r"(\d{4}|\d{2})-?(\d{3})")
_SHORT: Final = re.compile(r"(-?)(\d{2})(-?)(\d{2})(?:\3(\d{2}))?")
_EPOCH: Final = re.compile(r"(\d{9,10})(?:\.\d+)?|(\d{12,13})")
_NUMBER_OR_WORD: Final = re.compile(rf"\d+|{LETTER}(?:{LETTER}|[{MARK}])*")


def read_date(text: str, *, timezone: tzinfo | None = None, now: datetime | None = None) -> datetime | None:
    """The instant that `text` names, in UTC, or None; see :func:`read`."""
    found = read(text, timezone=timezone, now=now)
    return None if found is None else found.value


def read_day(text: str, *, timezone: tzinfo | None = None, now: datetime | None = None) -> date | None:
    """The calendar day that `text` names in `timezone`, or None."""
    found = read(text, timezone=timezone, now=now)
    return None if found is None else found.value.astimezone(timezone or UTC).date()


def read(text: str, *, timezone: tzinfo | None = None, now: datetime | None = None) -> ReadDate | None:
    """Read a date; never raises.

    `timezone` is the zone of times that name none (None: the zone of the language where it has
    one, else UTC). `now` (aware) anchors spans and dates without a year; without it they are None.
    """
    try:
        if len(text) <= _LONGEST_ISO and _ISO.fullmatch(text):
            return _iso(text, timezone, now)
        return _read(fold(text[:MAX_LENGTH]).strip(), timezone, now)
    except (ValueError, OverflowError, ArithmeticError):
        return None


def _iso(text: str, zone: tzinfo | None, now: datetime | None) -> ReadDate | None:
    """The one form that machines agree on, ten times faster than the way for all."""
    value = datetime.fromisoformat(text).replace(microsecond=0)
    has_zone = value.tzinfo is not None
    value = (value if has_zone else value.replace(tzinfo=zone or UTC)).astimezone(UTC)
    return ReadDate(value, has_time=len(text) > 10, has_zone=has_zone) if _plausible(value, now) else None


def _read(text: str, zone: tzinfo | None, now: datetime | None) -> ReadDate | None:
    if not text:
        return None
    found = _digits_only(text, zone)
    if found is None:
        parts = Parts(prefer_month=month_first(zone), thai=THAI.search(text) is not None)
        parts.take(text)
        if now is not None and not parts.full:
            found = _span(text, parts, zone or UTC, now)
        if found is None:
            found = parts.result(zone, now)
    return found if found is not None and _plausible(found.value, now) else None


def _plausible(value: datetime, now: datetime | None) -> bool:
    last = LAST_YEAR if now is None else now.year + MAX_YEARS_AHEAD
    return FIRST_YEAR <= value.year <= last


# -- digits alone -----------------------------------------------------------------------------


def _digits_only(text: str, zone: tzinfo | None) -> ReadDate | None:
    """Unix time and the forms of ISO 8601 that have no separators."""
    if epoch := _EPOCH.fullmatch(text):
        seconds = int(epoch[1]) if epoch[1] else int(epoch[2]) / 1000
        return ReadDate(datetime.fromtimestamp(seconds, UTC), has_time=True, has_zone=True)
    if compact := _COMPACT.match(text):
        return _compact(compact, zone)
    if ordinal := _ORDINAL.fullmatch(text):
        first = date(full_year(ordinal[1]), 1, 1)
        day = first + timedelta(days=int(ordinal[2]) - 1)
        return at(day, None, zone) if day.year == first.year and ordinal[2] != "000" else None
    if re.fullmatch(r"\d{4}", text):
        return at(date(int(text), 1, 1), None, zone)
    short = _SHORT.fullmatch(text)
    if short and (short[1] or short[5]):
        return at(date(full_year(short[2]), int(short[4]), int(short[5] or 1)), None, zone)
    return None


def _compact(found: re.Match[str], zone: tzinfo | None) -> ReadDate | None:
    day = date(int(found[1]), int(found[2]), int(found[3]))
    if found[4] is None:
        return at(day, None, zone) if not found[7].strip() else None
    rest = Parts()
    rest.clock = time(int(found[4]), int(found[5]), min(int(found[6] or 0), 59))
    rest.take(found[7])
    return at(day, rest.clock, zone, rest.zone)


# -- spans ------------------------------------------------------------------------------------


def _span(text: str, parts: Parts, zone: tzinfo, now: datetime) -> ReadDate | None:
    """``2 hours ago``, ``1 Jam 9 Menit lalu``, ``kemarin 10:30``, ``baru saja``."""
    if any(text.startswith(fold(phrase)) for phrase in NOW_PHRASES):
        return ReadDate(now.astimezone(UTC), has_time=True, has_zone=True)
    words = _NUMBER_OR_WORD.findall(text)
    if (back := _span_back(words)) is not None:
        value = _months_before(now.astimezone(zone), back.months) - timedelta(seconds=back.seconds)
        # "3 days ago" says nothing of the hour.
        has_time = not back.months and back.seconds < 86_400
        return ReadDate(value.astimezone(UTC), has_time=has_time, has_zone=True)
    days = next((DAY_WORDS[w] for w in words if w in DAY_WORDS), None)
    if days is None and any(phrase in text for phrase in TODAY_PHRASES):
        days = 0
    if days is None or parts.broken:
        return None
    local = now.astimezone(parts.zone or zone) - timedelta(days=days)
    clock = parts.time_of_day()
    if clock is None:
        return ReadDate(local.astimezone(UTC), has_time=False, has_zone=True)
    return at(local.date(), clock, zone, parts.zone)


@dataclass(slots=True)
class _Back:
    """A span; months and years are counted by the calendar."""

    months: int = 0
    seconds: int = 0

    def add(self, count: int, unit: int) -> None:
        """Add `count` units of `unit` seconds."""
        if unit in _MONTHS_OF:
            self.months += count * _MONTHS_OF[unit]
        else:
            self.seconds += count * unit


def _months_before(moment: datetime, months: int) -> datetime:
    if not months:
        return moment
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _span_back(words: list[str]) -> _Back | None:
    """The sum of `number unit` pairs in a text with a word for "ago", or None."""
    pairs = list(zip(words, [*words[1:], ""], strict=True))
    total, seen, ago = _Back(), False, False
    for word, after in pairs:
        bare = after.removesuffix("前").removesuffix("전")
        if word.isdecimal() and len(word) <= 4 and bare in UNITS:
            total.add(int(word), UNITS[bare])
            seen = True
            ago = ago or bare != after
        elif word in ONE and after in UNITS and len(after) > 1:
            total.add(1, UNITS[after])
            seen = True
        elif word in ONE_UNIT:
            total.add(1, ONE_UNIT[word])
            seen = True
        ago = ago or word in AGO
    if not ago and len(pairs) > 3 and words[:3] == ["il", "y", "a"]:
        ago = True
    return total if seen and ago else None
