"""An article's pages: all at once where the outlet has an address for that, else one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

import structlog

from config.model import Outlet, Source
from crawlers.identity import belongs, host_of
from crawlers.model import (
    PASSING,
    FailureKind,
    FeedEntry,
    Fetched,
    FetchFailed,
    FetchRequest,
    FetchResult,
    Normalized,
    Purpose,
    Rejected,
)
from crawlers.page import ReadPages, read_pages
from crawlers.pool import ParsePool

log = structlog.get_logger(__name__)

#: Pages of one article that are fetched; longer ones are cut, as a feature of 30 pages is a gallery.
MAX_PAGES: Final = 10
#: Answers to the whole form that say nothing of the plain one.
_PLAIN_MAY_DO: Final = frozenset(
    {FailureKind.ROBOTS, FailureKind.NOT_FOUND, FailureKind.GONE, FailureKind.HTTP_4XX, FailureKind.REDIRECT}
)


class Fetch(Protocol):
    """Get one thing under somebody's manners."""

    def __call__(self, request: FetchRequest, source: Source | Outlet) -> Awaitable[FetchResult]:
        """The result; never raises for what the other side does."""
        ...


def whole_page(url: str, outlet: Outlet) -> str:
    """The address that shows all pages of an article at once; the plain one stays its key."""
    suffix = outlet.urls.full_page
    if not suffix:
        return url
    if suffix.startswith("?"):
        return url + (("&" + suffix[1:]) if "?" in url else suffix)
    return url.rstrip("/") + suffix


async def fetch_article(
    fetch: Fetch, url: str, outlet: Outlet, *, etag: str | None = None, last_modified: str | None = None
) -> tuple[FetchResult, bool]:
    """The article's page, and whether it is the whole article; validators make it a conditional request.

    Where the whole form is forbidden or missing, the plain page is asked for.
    """
    whole = whole_page(url, outlet)
    asked = replace(_request(whole, outlet), etag=etag, last_modified=last_modified)
    result = await fetch(asked, outlet)
    if whole != url and isinstance(result, FetchFailed) and result.kind in _PLAIN_MAY_DO:
        return await fetch(_request(url, outlet), outlet), False
    if whole != url and isinstance(result, Fetched) and result.redirects and not _is_whole(result.final_url, outlet):
        return await _whole_of(fetch, result, outlet)
    return result, whole != url


async def _whole_of(fetch: Fetch, first: Fetched, outlet: Outlet) -> tuple[FetchResult, bool]:
    """The whole form of the page that a redirect led to: many servers drop the suffix when they redirect."""
    again = await fetch(_request(whole_page(first.final_url, outlet), outlet), outlet)
    if not isinstance(again, Fetched):
        return first, False
    return replace(again, url=first.url, redirects=(*first.redirects, *again.redirects)), True


def _is_whole(url: str, outlet: Outlet) -> bool:
    suffix = outlet.urls.full_page
    return suffix is not None and suffix.lstrip("?") in url


async def read_article(
    first: Fetched,
    outlet: Outlet,
    entry: FeedEntry | None,
    *,
    fetch: Fetch,
    pool: ParsePool,
    now: Callable[[], datetime],
    follow: bool,
    patient: bool,
    doubted: bool = False,
) -> Normalized | Rejected | FetchFailed:
    """Read a page and, with `follow`, those after it as one article.

    A page that cannot be had now fails the whole while `patient`; otherwise the article is what there is.
    `doubted` as for :func:`crawlers.page.read_pages`.

    :raises crawlers.pool.ParseKilled: a page was too much for the reader.
    """
    pages = [first]
    found: ReadPages = await pool.run(read_pages, tuple(pages), outlet, entry, now(), doubted)
    seen = {first.url, first.final_url}
    while follow and _is_ours(found.next_url, first, outlet, seen) and len(pages) < MAX_PAGES:
        assert found.next_url is not None
        seen.add(found.next_url)
        result = await fetch(_request(found.next_url, outlet), outlet)
        if isinstance(result, FetchFailed):
            if patient and result.kind in PASSING:
                return result
            log.warning("article cut short", url=first.final_url, missing=found.next_url, reason=result.message)
            break
        if not isinstance(result, Fetched) or host_of(result.final_url) != host_of(first.final_url):
            break
        longer: ReadPages = await pool.run(read_pages, (*pages, result), outlet, entry, now(), doubted)
        if not isinstance(longer.read, Normalized) or result.final_url in seen - {found.next_url}:
            break
        pages.append(result)
        found = longer
    return replace(found.read, further=tuple(pages[1:])) if isinstance(found.read, Normalized) else found.read


def _is_ours(url: str | None, first: Fetched, outlet: Outlet, seen: set[str]) -> bool:
    return url is not None and url not in seen and host_of(url) == host_of(first.final_url) and belongs(url, outlet)


def _request(url: str, outlet: Outlet) -> FetchRequest:
    return FetchRequest(url=url, purpose=Purpose.ARTICLE, outlet_id=outlet.id)
