"""A feed that may take the place of one that is missing: found on the outlet's own pages, never applied by itself.

home page, the missing feed's own host ──► <link rel="alternate" type="application/rss+xml"> ──► each is read
──► the one that shares most items with what is known of the missing feed
"""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from config.model import Outlet, Source
from crawlers.decode import to_text
from crawlers.identity import absolute
from crawlers.model import Discovered, DiscoveryFailed, FeedEntry, Fetched, FetchResult, Purpose

#: Feeds that are tried, and characters of a page in which they are looked for.
CANDIDATES = 8
_HEAD = 262_144

_LINK = re.compile(r"<link\s([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z-]{1,30})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_FEED_TYPE = re.compile(r"application/(?:rss|atom|rdf|feed)\+(?:xml|json)|application/json", re.IGNORECASE)

Ask = Callable[[str, Purpose], Awaitable[FetchResult]]
Read = Callable[[Fetched], Awaitable[Discovered | DiscoveryFailed]]
#: How many of the entries are known under the source's own names, and how many by their address.
Known = Callable[[Sequence[FeedEntry]], Awaitable[tuple[int, int]]]


def feed_links(page: str, url: str) -> list[str]:
    """Feeds that the page at `url` announces (RSS autodiscovery), in its order."""
    found: dict[str, None] = {}
    for link in _LINK.finditer(page[:_HEAD]):
        said = {m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(link[1])}
        if "alternate" not in said.get("rel", "").lower().split() or not _FEED_TYPE.match(said.get("type", "")):
            continue
        if address := absolute(said.get("href", ""), url):
            found[address] = None
    return list(found)


async def search(
    source: Source, outlet: Outlet, *, ask: Ask, read: Read, known: Known, now: datetime
) -> dict[str, Any] | None:
    """The best replacement as a proposal (url, title, items, known, page, found_at), None when none shares an item."""
    taken = {s.url for s in outlet.sources}
    candidates: dict[str, str] = {}
    for page in pages(source, outlet):
        answer = await ask(page, Purpose.LISTING)
        if isinstance(answer, Fetched):
            text = to_text(answer.body, answer.content_type)
            candidates |= {url: page for url in feed_links(text, answer.final_url) if url not in candidates}
    best: tuple[tuple[int, int], dict[str, Any]] | None = None
    for url, page in _first(CANDIDATES, ((u, p) for u, p in candidates.items() if u not in taken)):
        answer = await ask(url, Purpose.FEED)
        feed = await read(answer) if isinstance(answer, Fetched) else None
        if not isinstance(feed, Discovered) or not feed.entries:
            continue
        rank = await known(feed.entries)
        if any(rank) and (best is None or rank > best[0]):
            best = rank, {
                "url": url, "title": feed.title, "items": len(feed.entries), "known": max(rank), "page": page,
                "found_at": now.isoformat(),
            }  # fmt: skip
    return best[1] if best else None


def pages(source: Source, outlet: Outlet) -> list[str]:
    """Where to look: the outlet's home page and the front page of the host that the feed was on."""
    parts = urlsplit(source.url)
    front = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
    return list(dict.fromkeys([outlet.homepage, front]))


def _first(count: int, items: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair, _ in zip(items, range(count), strict=False)]
