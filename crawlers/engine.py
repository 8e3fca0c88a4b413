"""One long-lived Scrapy engine inside the running asyncio loop: the only place that chooses a reactor.

Reactorless mode (the default) is still labelled experimental in Scrapy 2.19, so Twisted's reactor on asyncio
stays a setting; the download handler, and with it every fence, is the same in both.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, cast

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.logformatter import LogFormatter, LogFormatterResult

from config.model import Settings
from crawlers.exchange import Answer, Exchange, ExchangeFailedError
from crawlers.fences import Fences
from crawlers.handler import EXCHANGE
from crawlers.model import FailureKind
from crawlers.resolve import Lookup, system_lookup
from crawlers.settings import engine_settings


class SilentFormatter(LogFormatter):
    """Scrapy's line for each response, left out: the run writes its own."""

    def crawled(self, request: Request, response: Response, spider: Spider) -> LogFormatterResult:
        """No line; Scrapy takes None as that."""
        return None  # type: ignore[return-value]


class _IdleSpider(Spider):
    """An engine needs a spider; this one asks for nothing."""

    name = "warta"

    async def start(self) -> Any:
        for nothing in cast("tuple[Request, ...]", ()):
            yield nothing


class HostedEngine:
    """The engine of a crawler that somebody else runs (``scrapy crawl``)."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._exchanges: set[Exchange] = set()

    async def start(self) -> None:
        """Nothing to do: the crawler is up."""

    async def stop(self) -> None:
        """Abort what is in flight; the engine is not ours to stop."""
        for exchange in tuple(self._exchanges):
            exchange.abort()

    async def download(self, exchange: Exchange) -> Answer:
        """One request, one answer. Raises ExchangeFailedError; a cancelled caller leaves nothing running."""
        meta = {EXCHANGE: exchange, "verbatim_url": True}
        request = Request(exchange.target.href, meta=meta, dont_filter=True)
        self._exchanges.add(exchange)
        work = asyncio.ensure_future(self.crawler.engine.download_async(request))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            exchange.abort()
            with suppress(Exception, asyncio.CancelledError):
                await work
            raise
        finally:
            self._exchanges.discard(exchange)
        if exchange.answer is None:
            raise ExchangeFailedError(FailureKind.PROTOCOL, f"{exchange.target.href} gave no answer")
        return exchange.answer


class Engine:
    """Downloads exchanges. Knows no manners: robots, redirects and budgets are the fetcher's."""

    def __init__(self, settings: Settings, *, lookup: Lookup = system_lookup) -> None:
        self._settings = settings
        self._lookup = lookup
        self._hosted: HostedEngine | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bring the engine up in the running loop. Raises RuntimeError when it is up already."""
        if self._hosted is not None:
            raise RuntimeError("the engine has been started already")
        if self._settings.reactor == "asyncio":
            _install_reactor()
        crawler = Crawler(_IdleSpider, engine_settings(self._settings.reactor))
        crawler.fences = Fences(self._settings, self._lookup)  # type: ignore[attr-defined]
        crawler.spider = crawler._create_spider()
        crawler._apply_settings()
        crawler.engine = crawler._create_engine()
        # As Scrapy's own shell does: open, and serve only what comes through download_async.
        await crawler.engine.open_spider_async(close_if_idle=False)
        crawler.engine.pause()
        self._running = asyncio.create_task(crawler.engine.start_async(_start_request_processing=False))
        await asyncio.sleep(0)
        self._hosted = HostedEngine(crawler)

    async def download(self, exchange: Exchange) -> Answer:
        """One request, one answer. Raises ExchangeFailedError; a cancelled caller leaves nothing running."""
        if self._hosted is None:
            raise RuntimeError("the engine has not been started")
        return await self._hosted.download(exchange)

    async def stop(self) -> None:
        """Abort what is in flight, close every connection; stopping twice does no harm."""
        hosted, self._hosted = self._hosted, None
        if hosted is None:
            return
        await hosted.stop()
        await hosted.crawler.engine.close_async()
        if self._running is not None:
            await self._running


def _install_reactor() -> None:
    """Put Twisted's reactor on the running loop and start it without signal handlers; once a process."""
    from scrapy.utils.reactor import is_reactor_installed
    from twisted.internet import asyncioreactor

    if is_reactor_installed():
        return
    asyncioreactor.install(asyncio.get_running_loop())  # type: ignore[no-untyped-call]
    from twisted.internet import reactor

    reactor.startRunning(installSignalHandlers=False)
