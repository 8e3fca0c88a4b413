"""What a source announces beyond its first answer: children of an index, next pages, archives of older items."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog

from config.model import Limits, Outlet, Source, SourceKind
from crawlers import children, gap
from crawlers.identity import url_key
from crawlers.model import (
    Discovered,
    DiscoveryFailed,
    FeedEntry,
    Fetched,
    FetchFailed,
    FetchResult,
    ListedSitemap,
    NotModified,
)
from crawlers.validators import Sent, is_whole
from storage.domains import registrable
from storage.model import SitemapChild, SourceState

log = structlog.get_logger(__name__)

#: Days that a listing with dates in its address is read back, and pages of one without, to close a gap.
DAYS_BACK = 7
PAGES_BACK = 5


class Ask(Protocol):
    """Get one part of the source."""

    def __call__(self, url: str, *, sent: Sent = ...) -> Awaitable[FetchResult]:
        """The answer; never raises for what the other side does."""
        ...


@dataclass(slots=True)
class ReadChild:
    """A child of an index after its fetch."""

    child: SitemapChild
    #: What it lists; None when it is unchanged or failed.
    entries: Sequence[FeedEntry] | None = None
    failed: bool = False


@dataclass(slots=True)
class Reading:
    """Everything that one poll found."""

    entries: list[FeedEntry]
    #: Answers beyond the first.
    pages: list[Discovered] = field(default_factory=list)
    #: Identities of the items that only archives still list.
    recovered: frozenset[str] = frozenset()
    #: What is remembered of this window; None where windows say nothing.
    window: list[str] | None = None
    #: Whether nothing of the last window is listed any more, and whether archives reached back to it.
    gap: bool = False
    closed: bool = False
    #: Children that were fetched, those that were only seen, and what each index lists.
    children: list[ReadChild] = field(default_factory=list)
    left: list[SitemapChild] = field(default_factory=list)
    listed: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        """Whether nothing was listed because no child had anything to say, which is no failure."""
        return bool(self.listed) and not any(read.failed for read in self.children)

    def children_after(self, news: frozenset[str], outlet: Outlet, now: datetime) -> list[SitemapChild]:
        """What to remember of the children, when `news` are the identities of what was not known."""
        done = list(self.left)
        for read in self.children:
            if read.failed:
                done.append(children.after_failure(read.child, now=now))
                continue
            brought = any(url_key(entry.url, outlet) in news for entry in read.entries or ())
            done.append(children.after_reading(read.child, news=brought, now=now))
        return done


@dataclass(slots=True, kw_only=True)
class Parts:
    """Reads the parts of one source in one poll; a part that fails costs only itself."""

    outlet: Outlet
    source: Source
    state: SourceState
    limits: Limits
    now: datetime
    ask: Ask
    read_answer: Callable[[Fetched], Awaitable[Discovered | DiscoveryFailed]]
    #: The source's address at a moment and on a page.
    address: Callable[[datetime, int], str]
    remembered: Callable[[str], Awaitable[dict[str, SitemapChild]]]

    async def read(self, first: Discovered, url: str, *, since: datetime | None) -> Reading:
        """All that belongs to the answer `first` of `url`; with `since`, back to that moment where it can be."""
        reading = Reading(list(first.entries))
        if first.children:
            await self._index(first, reading, since)
        elif self.source.kind is SourceKind.LISTING:
            await self._listing(first, reading, since)
        if not reading.listed and "{date" not in self.source.url:
            await self._window(first, reading, url)
        return reading

    # -- windows and archives -----------------------------------------------------------------

    async def _window(self, first: Discovered, reading: Reading, url: str) -> None:
        """Tell a gap, and close it by archives where the feed has them."""
        keys = [url_key(entry.url, self.outlet) for entry in reading.entries]
        if not keys:
            return
        reading.window = gap.window(keys)
        before = self.state.window
        if not before or gap.overlaps(before, keys):
            return
        reading.gap = True
        if self.source.kind is SourceKind.FEED:
            await self._archives(first, reading, url, before, set(keys))

    async def _archives(self, page: Discovered, reading: Reading, url: str, before: list[str], seen: set[str]) -> None:
        """Older pages, newest first, until one shares an item with the window before (RFC 5005, WordPress)."""
        recovered: set[str] = set()
        paged, done = page.paged or urlsplit(url).path.rstrip("/").endswith("/feed"), {url}
        for number in range(2, gap.ARCHIVES + 2):
            older = page.follow[0] if page.follow else gap.older_page(url, number) if paged else None
            if older is None or older in done or not _same_owner(older, url):
                break
            done.add(older)
            found = await self._get(older)
            keys = [url_key(entry.url, self.outlet) for entry in found.entries] if found else []
            if found is None or set(keys) <= seen:
                break  # a server that knows no pages gives the first again
            recovered |= set(keys) - seen
            seen |= set(keys)
            reading.pages.append(found)
            reading.entries += found.entries
            if gap.overlaps(before, keys):
                reading.closed = True
                break
            page = found
            if len(reading.entries) >= self.limits.items:
                break
        reading.recovered = frozenset(recovered)

    # -- listings -----------------------------------------------------------------------------

    async def _listing(self, first: Discovered, reading: Reading, since: datetime | None) -> None:
        """Its next pages; to close a gap, the days since then or more pages."""
        pages = self.source.listing.pages if self.source.listing else 1
        starts = [self.now]
        if since is not None and "{date" in self.source.url:
            days = min((self.now - since).days + 1, DAYS_BACK)
            starts += [self.now - timedelta(days=day) for day in range(1, days + 1)]
        elif since is not None:
            pages = max(pages, PAGES_BACK)
        done = {self.address(self.now, 0)}
        for at in starts:
            page = first
            if at != self.now and (other := await self._next_page(self.address(at, 0), reading, done)) is not None:
                page = other
            elif at != self.now:
                continue
            for index in range(1, pages):
                following = self._after(page, at, index)
                found = await self._next_page(following, reading, done) if following else None
                if found is None:
                    break
                page = found

    def _after(self, page: Discovered, at: datetime, index: int) -> str | None:
        if "{page}" in self.source.url or "{offset}" in self.source.url:
            return self.address(at, index) if page.entries else None
        return page.follow[0] if page.follow else None

    async def _next_page(self, url: str, reading: Reading, done: set[str]) -> Discovered | None:
        if url in done or len(reading.entries) >= self.limits.items:
            return None
        done.add(url)
        found = await self._get(url)
        if found is not None:
            reading.pages.append(found)
            reading.entries += found.entries
        return found

    # -- indexes ------------------------------------------------------------------------------

    async def _index(self, first: Discovered, reading: Reading, since: datetime | None) -> None:
        """The children that are worth a request, and theirs; the rest waits for the next poll."""
        remembered = await self.remembered(self.source.id)
        budget = self.limits.sitemap_children
        indexes: list[tuple[str, Sequence[ListedSitemap]]] = [(self.source.url, first.children)]
        seen = {self.source.url}
        while indexes and budget > 0:
            parent, listed = indexes.pop(0)
            plan = children.plan(
                listed, remembered, source_id=self.source.id, parent=parent, now=self.now, budget=budget, since=since
            )
            reading.listed[parent] = frozenset(item.url for item in listed)
            reading.left += plan.left
            for child in plan.fetch:
                if child.url in seen or len(reading.entries) >= self.limits.items:
                    continue  # what is not read now is as unknown at the next poll as it is now
                seen.add(child.url)
                budget -= 1
                found = await self._child(child, reading)
                if found is not None and found.children:
                    indexes.append((child.url, found.children))

    async def _child(self, child: SitemapChild, reading: Reading) -> Discovered | None:
        answer = await self.ask(child.url, sent=Sent(child.etag, child.last_modified))
        if isinstance(answer, NotModified):
            reading.children.append(ReadChild(child))
            return None
        digest = hashlib.sha256(answer.body).hexdigest() if isinstance(answer, Fetched) else None
        if digest is not None and digest == child.body_hash:
            reading.children.append(ReadChild(child))
            return None
        found = await self._understood(answer)
        if found is None:
            reading.children.append(ReadChild(child, failed=True))
            return None
        assert isinstance(answer, Fetched)
        whole = is_whole(answer.body, {problem.code for problem in found.problems})
        # An index is read again whenever it is fetched: its children change without it.
        keeps = whole and not found.children
        child = replace(
            child,
            etag=answer.etag if keeps else None,
            last_modified=answer.last_modified if keeps else None,
            body_hash=digest if keeps else None,
        )
        reading.children.append(ReadChild(child, found.entries))
        reading.pages.append(found)
        reading.entries += found.entries
        return found

    # -- one answer ---------------------------------------------------------------------------

    async def _get(self, url: str) -> Discovered | None:
        return await self._understood(await self.ask(url))

    async def _understood(self, answer: FetchResult) -> Discovered | None:
        """What the answer announces; None, and a line in the log, when it is nothing to read."""
        page: Any = await self.read_answer(answer) if isinstance(answer, Fetched) else None
        if isinstance(page, Discovered):
            return page
        why = page.message if isinstance(page, DiscoveryFailed) else None
        why = why or (answer.message if isinstance(answer, FetchFailed) else "not modified")
        log.warning("part of source failed", url=answer.url, message=why)
        return None


def _same_owner(one: str, other: str) -> bool:
    return registrable(urlsplit(one).hostname or "") == registrable(urlsplit(other).hostname or "")
