"""What an answer says about when to come again (RFC 9111 freshness, RSS ttl, Syndication module), as a floor."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from crawlers.poll import PollEnd
from scheduler.policy import PublisherWord

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


def publisher_word(end: PollEnd, now: datetime) -> PublisherWord:
    """All that the publisher said in one poll."""
    found = end.discovered
    said = [freshness(end.headers, now), found.min_interval if found else None]
    return PublisherWord(
        not_before=now + end.retry_after if end.retry_after else None,
        min_interval=max((s for s in said if s is not None), default=None),
        skip_hours=found.skip_hours if found else frozenset(),
        skip_days=found.skip_days if found else frozenset(),
    )


def _positive(span: timedelta) -> timedelta | None:
    return span if span > timedelta(0) else None


def _moment(value: str, now: datetime) -> datetime:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return now
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
