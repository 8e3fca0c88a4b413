"""One address read as the daemon would read it, with nothing stored and nothing remembered.

What is configured for the address counts: a source's headers and listing rules, an outlet's manners and page
rules. An address of nobody is read by no rules at all, as an outlet of its own host would be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from config.model import Every, Outlet, Settings, Source, SourceKind
from crawlers.discover import discover
from crawlers.identity import belongs, host_of
from crawlers.listing import expand
from crawlers.model import (
    Discovered,
    DiscoveryFailed,
    FailureKind,
    Fetched,
    FetchFailed,
    FetchRequest,
    FetchResult,
    Normalized,
    Purpose,
    Rejected,
)
from crawlers.pages import Fetch, fetch_article, read_article, whole_page
from crawlers.pool import ParseKilled, ParsePool

KINDS: Final = {
    Purpose.FEED: SourceKind.FEED,
    Purpose.SITEMAP: SourceKind.SITEMAP,
    Purpose.LISTING: SourceKind.LISTING,
}
PURPOSES: Final = {kind: purpose for purpose, kind in KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose an address is, and how it is to be asked for."""

    url: str
    outlet: Outlet
    #: What is configured at exactly this address, else a source made for it.
    source: Source
    #: Whether the outlet stands in the configuration.
    configured: bool
    #: None: what it is shows when it answers.
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """What one address gave: entries, an article, or why there is neither."""

    place: Place
    purpose: Purpose
    result: FetchResult
    discovered: Discovered | DiscoveryFailed | None = None
    read: Normalized | Rejected | None = None

    @property
    def ok(self) -> bool:
        """Whether there is something to read."""
        return isinstance(self.discovered, Discovered) or isinstance(self.read, Normalized)


def place_of(
    url: str, settings: Settings, *, purpose: Purpose | None = None, outlet_id: str | None = None
) -> Place | None:
    """Whose `url` is: the outlet named, the one that has a source there, the one whose host it is, or nobody's.

    None when `outlet_id` names no configured outlet.
    """
    chosen = [o for o in settings.outlets if outlet_id in {None, o.id}]
    if not chosen:
        return None
    for outlet in chosen:
        for source in outlet.sources:
            if source.url == url and purpose in {None, PURPOSES[source.kind]}:
                return Place(url=url, outlet=outlet, source=source, configured=True, purpose=PURPOSES[source.kind])
    owner = chosen[0] if outlet_id is not None else next((o for o in chosen if belongs(url, o)), None)
    outlet = owner or _nobodys(url, settings)
    made = _source(url, outlet, purpose)
    return Place(url=url, outlet=outlet, source=made, configured=owner is not None, purpose=purpose)


def _nobodys(url: str, settings: Settings) -> Outlet:
    host = host_of(url).strip("[]") or "nowhere"
    return Outlet(
        id=host.replace(":", "-"),
        name=host,
        homepage=url,
        group=None,
        language="und",
        timezone=ZoneInfo("UTC"),
        hosts=(host_of(url) or host,),
        sources=(),
        politeness=settings.politeness,
    )


def _source(url: str, outlet: Outlet, purpose: Purpose | None) -> Source:
    return Source(
        id=f"{outlet.id}/fetch",
        outlet_id=outlet.id,
        name="fetch",
        kind=KINDS.get(purpose or Purpose.FEED, SourceKind.FEED),
        url=url,
        schedule=Every(interval=timedelta(days=1)),
        politeness=outlet.politeness,
    )


async def read_single(
    place: Place, settings: Settings, *, fetch: Fetch, pool: ParsePool, now: Callable[[], datetime]
) -> Single:
    """Ask for the address and read what comes. Raises nothing for what the other side does."""
    if place.purpose is Purpose.ARTICLE:
        return await _article(place, fetch=fetch, pool=pool, now=now)
    found = await _announced(place, settings, fetch=fetch, pool=pool, now=now)
    unknown = place.purpose is None and isinstance(found.discovered, DiscoveryFailed)
    if unknown and found.discovered.kind is FailureKind.NOT_A_FEED:  # type: ignore[union-attr]
        plain = whole_page(place.url, place.outlet) == place.url
        return await _article(place, fetch=fetch, pool=pool, now=now, answer=found.result if plain else None)
    return found


async def _announced(
    place: Place, settings: Settings, *, fetch: Fetch, pool: ParsePool, now: Callable[[], datetime]
) -> Single:
    source, outlet, purpose = place.source, place.outlet, place.purpose or Purpose.FEED
    kind = KINDS[purpose]
    url = place.url
    if kind is SourceKind.LISTING:
        url = expand(url, now=now(), timezone=outlet.timezone, page_index=0, listing=source.listing)
    request = FetchRequest(url=url, purpose=purpose, outlet_id=outlet.id, headers=source.headers)
    result = await fetch(request, source)
    if not isinstance(result, Fetched):
        return Single(place=place, purpose=purpose, result=result)
    read: Discovered | DiscoveryFailed
    try:
        read = await pool.run(
            partial(
                discover, kind, result.body,
                url=result.final_url, content_type=result.content_type, now=now(), timezone=outlet.timezone,
                listing=source.listing, sitemap_follow=source.sitemap_follow, limits=settings.limits,
            )
        )  # fmt: skip
    except ParseKilled as killed:
        read = DiscoveryFailed(kind=FailureKind.PARSE, message=f"{result.final_url}: the parser was ended: {killed}")
    return Single(place=place, purpose=purpose, result=result, discovered=read)


async def _article(
    place: Place, *, fetch: Fetch, pool: ParsePool, now: Callable[[], datetime], answer: FetchResult | None = None
) -> Single:
    """Read a page; `answer` is the plain page, where it has been fetched already."""
    purpose = Purpose.ARTICLE
    result, whole = (answer, False) if answer is not None else await fetch_article(fetch, place.url, place.outlet)
    if not isinstance(result, Fetched):
        return Single(place=place, purpose=purpose, result=result)
    try:
        read = await read_article(
            result, place.outlet, None, fetch=fetch, pool=pool, now=now, follow=not whole, patient=False
        )
    except ParseKilled as killed:
        read = Rejected(rule="parse", detail=f"the reader was ended: {killed}", url=result.final_url)
    if isinstance(read, FetchFailed):
        return Single(place=place, purpose=purpose, result=read)
    return Single(place=place, purpose=purpose, result=result, read=read)
