"""Which children of a sitemap index are worth a request, and what is remembered of each. Pure.

For each child that the index lists::

    never seen ───────────────────────► fetched; at the first sight of an index only the newest
    lastmod is another ───────────────► fetched
    lastmod is the same ──────────────► left alone; looked at again after a day, two, four … a month
    no lastmod ───────────────────────► fetched, until it brought no news for a while: then it is retired, and
                                        only looked at again after a day, two, four … a month
    not listed any more ──────────────► forgotten
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crawlers.model import ListedSitemap
from storage.model import SitemapChild

#: A child without lastmod is retired after so many fetches without news, the last news being this old.
QUIET_FETCHES = 8
QUIET_TIME = timedelta(days=3)

#: Waits between two looks at a child that says it has not changed, or that is retired.
FIRST_PROBE = timedelta(days=1)
LAST_PROBE = timedelta(days=30)

#: Wait after the first fetch that failed; it doubles up to a day.
RETRY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about the children of one index."""

    #: To be fetched, the most promising first, as they will be remembered when that is done.
    fetch: tuple[SitemapChild, ...]
    #: Seen for the first time and not fetched.
    left: tuple[SitemapChild, ...]


def plan(
    listed: Sequence[ListedSitemap],
    remembered: Mapping[str, SitemapChild],
    *,
    source_id: str,
    parent: str,
    now: datetime,
    budget: int,
    since: datetime | None = None,
) -> Plan:
    """Choose at most `budget` children.

    `listed` is in the order of promise. With `since`, children dated after it are fetched again too: items may
    have been missed from then on.
    """
    if not any(child.parent == parent for child in remembered.values()):
        return _first_sight(listed, source_id, parent, now, budget)
    chosen: list[tuple[int, SitemapChild]] = []
    for item in listed:
        known = remembered.get(item.url)
        if known is None:
            fresh = SitemapChild(source_id=source_id, url=item.url, parent=parent, lastmod=item.lastmod)
            chosen.append((1, fresh))
        elif (rank := _rank(item, known, now, since)) is not None:
            chosen.append((rank, replace(known, parent=parent, lastmod=item.lastmod)))
    chosen.sort(key=lambda pair: pair[0])
    return Plan(fetch=tuple(child for _, child in chosen[:budget]), left=())


def _first_sight(listed: Sequence[ListedSitemap], source_id: str, parent: str, now: datetime, budget: int) -> Plan:
    """The newest; where nothing is dated, either end of the list may be the growing one."""
    dated = any(item.date is not None for item in listed)
    if dated or len(listed) <= budget:
        wanted = list(listed[:budget])
    else:
        wanted = [*listed[: budget - budget // 2], *listed[len(listed) - budget // 2 :]]
    names = {item.url for item in wanted}

    def child(item: ListedSitemap, retired: datetime | None) -> SitemapChild:
        return SitemapChild(source_id=source_id, url=item.url, parent=parent, lastmod=item.lastmod, retired_at=retired)

    return Plan(
        fetch=tuple(child(item, None) for item in wanted),
        left=tuple(child(item, now) for item in listed if item.url not in names),
    )


def _rank(item: ListedSitemap, known: SitemapChild, now: datetime, since: datetime | None) -> int | None:
    """How soon to fetch a known child, None for not now."""
    if item.lastmod is not None and item.lastmod != known.lastmod:
        return 0
    if known.fetched_at is None:
        return None
    if since is not None and item.date is not None and item.date >= since:
        return 0
    if item.lastmod is None and known.retired_at is None:
        return 2
    return 3 if known.probe_at is not None and known.probe_at <= now else None


def after_reading(child: SitemapChild, *, news: bool, now: datetime) -> SitemapChild:
    """The child after a fetch that worked; `news` is whether it listed something that was not known."""
    quiet = 0 if news else child.quiet + 1
    changed = now if news else child.changed_at
    retired = None if news else child.retired_at
    if not news:
        lately = changed is not None and now - changed < QUIET_TIME
        if child.lastmod is None and quiet >= QUIET_FETCHES and not lately:
            retired = retired or now
    looks = max(quiet - QUIET_FETCHES, 0) if child.lastmod is None else max(quiet - 1, 0)
    return replace(
        child,
        fetched_at=now,
        changed_at=changed,
        quiet=quiet,
        retired_at=retired,
        probe_at=now + min(FIRST_PROBE * 2 ** min(looks, 10), LAST_PROBE),
    )


def after_failure(child: SitemapChild, *, now: datetime) -> SitemapChild:
    """The child after a fetch that gave nothing: tried again soon, then more and more rarely."""
    quiet = child.quiet + 1
    return replace(
        child,
        fetched_at=now,
        quiet=quiet,
        retired_at=(child.retired_at or now) if quiet >= QUIET_FETCHES else child.retired_at,
        probe_at=now + min(RETRY * 2 ** min(quiet - 1, 10), FIRST_PROBE),
    )
