"""When a story was published: one instant chosen among claims that contradict each other.

Measured on real pages: Detik writes Jakarta time with a ``Z``; Kompas has one instant twice, in UTC and naive;
Tempo writes ``null WIB``; feeds and pages differ by hours; templates print their own build time in the future.
The order that survives all of these: JSON-LD with an offset, the feed, visible text in the outlet's zone,
meta in the outlet's zone. A value in the future is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from crawlers.dates import read
from crawlers.model import DateCandidate

#: Clocks of publishers run ahead by less than this; such values are taken as `now`.
FUTURE = timedelta(minutes=5)
#: The web had no news before; earlier values are zeros of some clock.
_EARLIEST = datetime(1993, 1, 1, tzinfo=UTC)
#: Two claims this close are the same instant (visible text has minutes, feeds have seconds).
_SAME = timedelta(minutes=2)
#: Candidates looked at; a page with more repeats itself.
_MOST = 64

_SAYS_UTC = re.compile(r"(?:\dZ|[+-]00:?00|\b(?:GMT|UTC|UT))\s*$", re.IGNORECASE)
_URL_DAY = re.compile(r"/((?:19|20)\d{2})[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=[/_.-]|\d{6}|$)")

_CONFIDENCE = {"jsonld": 0.9, "feed": 0.85, "visible": 0.8, "sitemap": 0.8, "meta": 0.75, "url": 0.5, "http": 0.3}


@dataclass(frozen=True, slots=True)
class ReadCandidate:
    """A claim and the instant it was read as."""

    candidate: DateCandidate
    #: UTC; None when the text is no date.
    value: datetime | None
    has_time: bool = False
    has_zone: bool = False
    #: Why it was not taken, or what was mended: unreadable, future, too_old, false_utc.
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChosenTime:
    """The instant, where it came from, and all that was claimed."""

    #: UTC.
    value: datetime
    #: Source of the candidate, or ``first_seen``.
    source: str
    #: 0 to 1.
    confidence: float
    candidates: tuple[ReadCandidate, ...] = ()


def choose(
    candidates: Iterable[DateCandidate], *, timezone: ZoneInfo, now: datetime, role: str = "published"
) -> ChosenTime | None:
    """The best claim of that role, or None when none can be read.

    `timezone` is the outlet's, for times that name none; `now` is aware and bounds the future.
    """
    claims = [c for c in candidates if c.role == role][:_MOST]
    readings = [_read(claim, timezone, now) for claim in dict.fromkeys(claims)]
    readings = [_mend(reading, readings, timezone, now) for reading in readings]
    usable = sorted((r for r in readings if r.value is not None and r.note in {"", "false_utc"}), key=_rank)
    if not usable:
        return None
    best = _finer(usable, timezone)
    assert best.value is not None
    return ChosenTime(
        min(best.value, now.astimezone(UTC)), best.candidate.source, _confidence(best, usable), tuple(readings)
    )


def first_seen(at: datetime, readings: tuple[ReadCandidate, ...] = ()) -> ChosenTime:
    """The last resort: when we first had the page."""
    return ChosenTime(at.astimezone(UTC), "first_seen", 0.2, readings)


def url_candidate(url: str) -> DateCandidate | None:
    """The day in an address (``/2023/11/02/``, ``/20231102/``); digits after it are no reliable time."""
    match = _URL_DAY.search(url[:500])
    return DateCandidate("-".join(match.groups()), "url", "published", "address") if match else None


def _read(claim: DateCandidate, timezone: ZoneInfo, now: datetime) -> ReadCandidate:
    found = read(claim.text, timezone=timezone, now=now)
    if found is None:
        return ReadCandidate(claim, None, note="unreadable")
    note = "too_old" if found.value < _EARLIEST else "future" if found.value > now + FUTURE else ""
    return ReadCandidate(claim, found.value, found.has_time, found.has_zone, note)


def _mend(reading: ReadCandidate, others: list[ReadCandidate], timezone: ZoneInfo, now: datetime) -> ReadCandidate:
    """Local time labelled as UTC: shown by another claim with the same wall clock, or by lying in the future."""
    if reading.value is None or not reading.has_time or not _SAYS_UTC.search(reading.candidate.text[-40:]):
        return reading
    offset = timezone.utcoffset(reading.value.replace(tzinfo=None)) or timedelta(0)
    local = reading.value - offset
    if not offset or local > now + FUTURE:
        return reading
    honest = [o.value for o in others if o is not reading and o.value is not None and o.has_time and not _utc(o)]
    confirmed = any(abs(value - reading.value) <= _SAME for value in honest)
    contradicted = any(abs(value - local) <= _SAME for value in honest)
    if reading.note == "future" or (contradicted and not confirmed):
        return ReadCandidate(reading.candidate, local, True, True, "false_utc")
    return reading


def _utc(reading: ReadCandidate) -> bool:
    return reading.has_zone and bool(_SAYS_UTC.search(reading.candidate.text[-40:]))


def _rank(reading: ReadCandidate) -> int:
    """Smaller is better; the order of the module's first lines."""
    source = reading.candidate.source
    if source == "jsonld":
        return 0 if reading.has_zone else 6
    if source == "meta" and reading.has_zone:
        return 5 if _utc(reading) else 2
    return {"feed": 1, "sitemap": 3, "visible": 4, "meta": 6, "url": 8, "http": 9}.get(source, 7)


def _finer(usable: list[ReadCandidate], timezone: ZoneInfo) -> ReadCandidate:
    """The best claim, or one of the same day that also tells the time."""
    best = usable[0]
    if _tells_time(best, timezone):
        return best
    day = _day(best, timezone)
    return next((r for r in usable if _tells_time(r, timezone) and _day(r, timezone) == day), best)


def _tells_time(reading: ReadCandidate, timezone: ZoneInfo) -> bool:
    """Whether the claim is finer than a day; midnight sharp is a day written as a time."""
    if not reading.has_time or reading.value is None:
        return False
    local = reading.value.astimezone(timezone)
    return bool(local.hour or local.minute or local.second)


def _day(reading: ReadCandidate, timezone: ZoneInfo) -> object:
    return reading.value.astimezone(timezone).date() if reading.value else None


def _confidence(best: ReadCandidate, usable: list[ReadCandidate]) -> float:
    sure = _CONFIDENCE.get(best.candidate.source, 0.5)
    if not best.has_time:
        sure -= 0.2
    others = [abs(r.value - best.value) for r in usable if r is not best and r.value and best.value]
    if any(gap <= _SAME for gap in others):
        sure += 0.09
    elif others and min(others) > timedelta(days=1):
        sure -= 0.2
    return round(min(max(sure, 0.1), 0.99), 2)
