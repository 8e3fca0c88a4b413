"""Plain Scrapy spiders under the daemon's manners: every request they make goes through the fetcher.

A spider of one's own needs nothing for it; it gets ordinary responses. What the fetcher refuses or does not
get arrives at the errback as IgnoreRequest with the reason.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from scrapy import Request, signals
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from config.model import Politeness, Settings
from crawlers.engine import HostedEngine
from crawlers.fences import configuration
from crawlers.fetch import Fetcher
from crawlers.handler import EXCHANGE
from crawlers.model import Fetched, FetchRequest, NotModified, Purpose
from crawlers.robots import Robots
from storage.embedded import EmbeddedValkey
from storage.hosts import HostBudget
from storage.redis import connect
from storage.robots import RobotsShelf

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

#: Key of a request's meta: what is fetched (a Purpose); an article when it is not set.
PURPOSE = "purpose"
#: Key of a response's meta: the Fetched it was made from.
RESULT = "result"

#: Headers that describe the bytes on the wire, not the body that a response holds.
_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class MannersMiddleware:
    """Answers every request of a spider by the fetcher, which in turn downloads through the same engine."""

    def __init__(self, crawler: Crawler) -> None:
        settings = configuration(crawler)
        self._politeness: Politeness = getattr(crawler.spider, "politeness", None) or settings.politeness
        self._outlet: str = getattr(crawler.spider, "outlet_id", None) or "scrapy"
        self._redis: Redis = connect(_redis_url(settings))
        # With the daemon running its limits are shared; without it this process keeps its own.
        budget = HostBudget(self._redis, f"scrapy:{os.getpid()}")
        robots = Robots(_now, RobotsShelf(self._redis))
        self._fetcher = Fetcher(settings, budget, robots, _now, engine=HostedEngine(crawler))
        crawler.signals.connect(self._close, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy builds its middlewares."""
        return cls(crawler)

    async def process_request(self, request: Request) -> Response | None:
        """The answer, or None for what the fetcher itself sends."""
        if EXCHANGE in request.meta:
            return None
        if request.method != "GET":
            raise IgnoreRequest(f"{request.url}: only GET is fetched, not {request.method}")
        headers = tuple(
            (name.decode("latin-1"), b", ".join(values).decode("latin-1")) for name, values in request.headers.items()
        )
        asked = FetchRequest(
            url=request.url,
            purpose=request.meta.get(PURPOSE, Purpose.ARTICLE),
            outlet_id=self._outlet,
            headers=headers,
        )
        result = await self._fetcher.fetch(asked, self._politeness)
        if isinstance(result, Fetched):
            request.meta[RESULT] = result
            return _response(result, request)
        raise IgnoreRequest(f"{request.url} has not changed" if isinstance(result, NotModified) else result.message)

    async def _close(self) -> None:
        await self._redis.aclose()


def _response(result: Fetched, request: Request) -> Response:
    headers = Headers([(name, value) for name, value in result.headers if name not in _TRANSFER])
    kind = responsetypes.from_args(headers=headers, url=result.final_url, body=result.body)
    return kind(result.final_url, status=result.status, headers=headers, body=result.body, request=request)


def _redis_url(settings: Settings) -> str:
    return EmbeddedValkey(settings.data_dir).url if settings.redis == "embedded" else settings.redis


def _now() -> datetime:
    return datetime.now(UTC)
