"""Scrapy's settings: a settings module for plain ``scrapy crawl``, a dictionary for the daemon's engine.

Each line that differs from Scrapy's default says why.
"""

from __future__ import annotations

from typing import Any

BOT_NAME = "warta"
SPIDER_MODULES = ["crawlers.spiders"]
NEWSPIDER_MODULE = "crawlers.spiders"
#: ``warta.yaml`` or the directory that holds it; ``-s WARTA_CONFIG=...`` names another.
WARTA_CONFIG = "config"

#: asyncio alone: 1.0 ms of CPU a request instead of 3.7. ``crawlers.engine`` turns it on when asked.
TWISTED_REACTOR_ENABLED = False

#: Our fences stand in the handler; nothing but http and https is ever opened.
DOWNLOAD_HANDLERS: dict[str, str | None] = {
    "http": "crawlers.handler.FencedDownloadHandler",
    "https": "crawlers.handler.FencedDownloadHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
DOWNLOAD_VERIFY_CERTIFICATES = True

#: The host budget in front decides who waits; Scrapy's own slots must never hold a request.
CONCURRENT_REQUESTS = 0
CONCURRENT_REQUESTS_PER_DOMAIN = 1_000_000
DOWNLOAD_DELAY = 0
#: Tasks started for each response that a spider reads; 100 by default.
CONCURRENT_ITEMS = 4

#: Both run commands that come over a socket.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False

#: Redirects, retries, robots.txt, compression and cookies are decided in ``crawlers.fetch``, hop by hop.
_NO_MIDDLEWARES: dict[str, int | None] = {
    f"scrapy.downloadermiddlewares.{name}": None
    for name in (
        "offsite.OffsiteMiddleware",
        "robotstxt.RobotsTxtMiddleware",
        "httpauth.HttpAuthMiddleware",
        "downloadtimeout.DownloadTimeoutMiddleware",
        "defaultheaders.DefaultHeadersMiddleware",
        "useragent.UserAgentMiddleware",
        "retry.RetryMiddleware",
        "redirect.MetaRefreshMiddleware",
        "httpcompression.HttpCompressionMiddleware",
        "redirect.RedirectMiddleware",
        "cookies.CookiesMiddleware",
        "httpproxy.HttpProxyMiddleware",
        "stats.DownloaderStats",
        "httpcache.HttpCacheMiddleware",
    )
}
DOWNLOADER_MIDDLEWARES: dict[str, int | None] = {**_NO_MIDDLEWARES, "crawlers.manners.MannersMiddleware": 100}
COOKIES_ENABLED = False
RETRY_ENABLED = False
REDIRECT_ENABLED = False
ROBOTSTXT_OBEY = False
REFERER_ENABLED = False
URLLENGTH_LIMIT = 8192
#: Pickled queues and pickled exports run code of whoever can write the file.
FEED_EXPORTERS: dict[str, str | None] = {"marshal": None, "pickle": None}
FEED_EXPORT_ENCODING = "utf-8"
LOG_LEVEL = "INFO"


def engine_settings(reactor: str) -> dict[str, Any]:
    """Settings of the daemon's long-lived engine: it only downloads, so all that serves spiders is off."""
    return {
        "BOT_NAME": BOT_NAME,
        "TWISTED_REACTOR_ENABLED": reactor == "asyncio",
        "DOWNLOAD_HANDLERS": dict(DOWNLOAD_HANDLERS),
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "CONCURRENT_REQUESTS": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": CONCURRENT_REQUESTS_PER_DOMAIN,
        "CONCURRENT_ITEMS": CONCURRENT_ITEMS,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOADER_MIDDLEWARES": dict(_NO_MIDDLEWARES),
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {},
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "COOKIES_ENABLED": False,
        "RETRY_ENABLED": False,
        "REDIRECT_ENABLED": False,
        "STATS_CLASS": "scrapy.statscollectors.DummyStatsCollector",
        "STATS_DUMP": False,
        "LOG_FORMATTER": "crawlers.engine.SilentFormatter",
        "LOG_ENABLED": False,
    }
