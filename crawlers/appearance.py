"""When the items that a poll found had appeared. Pure.

A poll says that an item came since the last answer. The item's own word narrows that down where it can be true.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from crawlers import gap

#: Clocks of desks may differ from ours by this much, and items may be let out this long after their time.
AHEAD, BEHIND = timedelta(minutes=5), timedelta(hours=1)


def appeared(published: datetime | None, since: datetime, now: datetime) -> datetime:
    """When an item appeared that was found at `now` and was not there at `since`: the middle if it does not tell."""
    if published is None or not since - BEHIND <= published <= now + AHEAD:
        return since + (now - since) / 2
    return min(now, max(since, published))


def last_listed(
    listed: Iterable[tuple[str, datetime | None]],
    window: Collection[str] | None,
    before: Collection[str] | None,
    *,
    since: datetime | None,
    now: datetime,
) -> datetime | None:
    """When the last item appeared that the window `before` did not have, whoever had it first.

    `listed` are identities and published times of what the source shows. None for nothing, and at a first reading,
    which is no news.
    """
    anew = set(window or ()) - set(before or ())
    if not before or not anew:
        return None
    moments = [published for key, published in listed if gap.digest(key) in anew]
    return max((appeared(moment, since or now, now) for moment in moments), default=now)
