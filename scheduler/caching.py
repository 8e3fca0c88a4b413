"""What an answer says about when to come again (RFC 9111 freshness, RSS ttl, Syndication module), as a floor."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from crawlers.poll import PollEnd
from scheduler.policy import PUBLISHER_CEILING, PublisherWord
from storage.model import RunStatus, SourceState

#: Ends of a poll that read something, if only that nothing changed.
_READ = frozenset({RunStatus.OK, RunStatus.NOT_MODIFIED})

_MAX_AGE = re.compile(r"(?:^|[,\s])(?:s-maxage|max-age)\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NO_STORE = re.compile(r"(?:^|[,\s])(?:no-cache|no-store|must-revalidate)(?:$|[,\s=])", re.IGNORECASE)


def freshness(headers: Iterable[tuple[str, str]], now: datetime) -> timedelta | None:
    """How long the answer stays fresh, None when it does not say; ``Expires: 0`` says nothing.

    ``max-age`` wins over ``Expires`` (RFC 9111 section 5.3); ``Age`` is taken off.
    """
    fields = {name.lower(): value for name, value in headers}
    control = fields.get("cache-control", "")
    if _NO_STORE.search(control):
        return None
    ages = [int(seconds) for seconds in _MAX_AGE.findall(control)]
    if ages:
        age = int(fields["age"]) if fields.get("age", "").strip().isdigit() else 0
        return _positive(timedelta(seconds=max(0, min(ages) - age)))
    if "expires" in fields:
        return _positive(_moment(fields["expires"], now) - _moment(fields.get("date", ""), now))
    return None


def declared(end: PollEnd, state: SourceState, now: datetime) -> dict[str, Any] | None:
    """What is to be remembered of the publisher's word: a 304 repeats none of it, and a failure takes none of it back.

    Keys: ``interval`` and ``fresh`` (seconds), ``skip_hours`` and ``skip_days`` (numbers); None: nothing was asked.
    """
    remembered = dict(state.said or {})
    found = end.discovered
    if found is not None:
        spoken = {
            "interval": found.min_interval.total_seconds() if found.min_interval else None,
            "skip_hours": sorted(found.skip_hours),
            "skip_days": sorted(found.skip_days),
        }
        remembered = {name: value for name, value in spoken.items() if value}
    if end.status in _READ and (found is not None or _speaks(end.headers)):
        # RFC 9111 section 4.3.4: a 304 updates what was said of freshness where it says something.
        fresh = freshness(end.headers, now)
        remembered.pop("fresh", None)
        remembered |= {"fresh": fresh.total_seconds()} if fresh is not None else {}
    return remembered or None


def publisher_word(end: PollEnd, state: SourceState, now: datetime) -> PublisherWord:
    """All that the publisher asks after one poll, what it said before and did not repeat included."""
    said = declared(end, state, now) or {}
    spans = [timedelta(seconds=said[name]) for name in ("interval", "fresh") if name in said]
    read_at = now if end.status in _READ else state.last_success
    if read_at is not None and read_at < now:  # nothing was read now: the wait counts from when something was
        spans = [span - (now - read_at) for span in spans if span > now - read_at]
    elif read_at is None:
        spans = []
    if end.crawl_delay is not None:
        spans.append(timedelta(seconds=min(end.crawl_delay, 10**8)))
    return PublisherWord(
        not_before=now + end.retry_after if end.retry_after else None,
        min_interval=max(spans, default=None),
        skip_hours=frozenset(said.get("skip_hours", ())),
        skip_days=frozenset(said.get("skip_days", ())),
    )


def floor_of(word: PublisherWord, now: datetime) -> datetime | None:
    """The moment before which the source is not asked, whatever changes meanwhile in its schedule; a day at most."""
    moments = [word.not_before, now + min(word.min_interval, PUBLISHER_CEILING) if word.min_interval else None]
    latest = max((moment for moment in moments if moment is not None), default=None)
    return None if latest is None else min(latest, now + PUBLISHER_CEILING)


def _speaks(headers: Iterable[tuple[str, str]]) -> bool:
    return any(name.lower() in {"cache-control", "expires"} for name, _ in headers)


def _positive(span: timedelta) -> timedelta | None:
    return span if span > timedelta(0) else None


def _moment(value: str, now: datetime) -> datetime:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return now
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
