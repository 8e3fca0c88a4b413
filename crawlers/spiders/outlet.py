"""One outlet as an ordinary Scrapy spider: ``scrapy crawl outlet -a outlet=kontan -O kontan.jsonl``.

Reads sources and pages by the same functions as the daemon; stores nothing and remembers nothing.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from config.load import load
from config.model import Outlet, Source, SourceKind
from crawlers.discover import discover
from crawlers.fences import CONFIG
from crawlers.listing import expand, pages
from crawlers.manners import PURPOSE, RESULT
from crawlers.model import Discovered, FeedEntry, Normalized, Purpose
from crawlers.page import read_page

_PURPOSES = {
    SourceKind.FEED: Purpose.FEED,
    SourceKind.SITEMAP: Purpose.SITEMAP,
    SourceKind.LISTING: Purpose.LISTING,
}


class OutletSpider(Spider):
    """Crawls the sources of one outlet once and yields its articles as dictionaries."""

    name = "outlet"

    def __init__(self, outlet: str, config: str = "config", source: str | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.configuration = load(Path(config), os.environ)
        found = self.configuration.outlet(outlet)
        if found is None:
            known = ", ".join(sorted(known.id for known in self.configuration.outlets)) or "none"
            raise ValueError(f"there is no outlet {outlet!r} in {config}; known: {known}")
        self.outlet: Outlet = found
        self.outlet_id = found.id
        self.politeness = found.politeness
        self._only = source
        self._parts = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> OutletSpider:
        """As Scrapy builds its spiders; ``-a config=`` wins over the setting."""
        kwargs.setdefault("config", crawler.settings.get(CONFIG))
        return super().from_crawler(crawler, *args, **kwargs)

    async def start(self) -> AsyncIterator[Request]:
        """One request for each source, or for each page of a source that counts its pages."""
        for source in self.outlet.sources:
            if source.enabled and self._only in {None, source.name}:
                count = source.listing.pages if source.listing is not None and pages(source.url) else 1
                for number in range(count):
                    url = expand(source.url, _now(), self.outlet.timezone, number, source.listing)
                    yield self._ask_source(source, url)

    def parse_source(self, response: Response, source: Source) -> Iterator[Request]:
        """The articles that a source announces, and its further parts."""
        answer = response.meta[RESULT]
        found = discover(
            source.kind,
            answer.body,
            url=answer.final_url,
            content_type=answer.content_type,
            now=_now(),
            timezone=self.outlet.timezone,
            listing=source.listing,
            sitemap_follow=source.sitemap_follow,
            limits=self.configuration.limits,
        )
        if not isinstance(found, Discovered):
            self.logger.warning("%s", found.message)
            return
        for entry in found.entries:
            yield Request(
                entry.url,
                callback=self.parse_article,
                errback=self.missed,
                cb_kwargs={"entry": entry},
                meta={PURPOSE: Purpose.ARTICLE},
            )
        for url in found.follow if source.kind is not SourceKind.FEED else ():
            if self._parts >= self.configuration.limits.sitemap_children:
                return
            self._parts += 1
            yield self._ask_source(source, url)

    def parse_article(self, response: Response, entry: FeedEntry) -> Iterator[dict[str, Any]]:
        """The article of a page, if it is one."""
        found = read_page(response.meta[RESULT], self.outlet, entry, _now())
        if isinstance(found, Normalized):
            yield asdict(found.article)
        else:
            self.logger.info("%s is no article: %s (%s)", response.url, found.rule, found.detail)

    def missed(self, failure: Failure) -> None:
        """A request that gave nothing."""
        self.logger.warning("%s", failure.getErrorMessage())

    def _ask_source(self, source: Source, url: str) -> Request:
        return Request(
            url,
            callback=self.parse_source,
            errback=self.missed,
            cb_kwargs={"source": source},
            headers=dict(source.headers),
            meta={PURPOSE: _PURPOSES[source.kind]},
        )


def _now() -> datetime:
    return datetime.now(UTC)
