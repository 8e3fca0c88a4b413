"""What is fuzzed: each target reads documents of one kind through the code the daemon runs."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from config.errors import ConfigError
from config.load import load
from config.model import Outlet, SourceKind
from crawlers import robots_rules
from crawlers.address import UnfetchableUrlError, parse_target
from crawlers.dates import read
from crawlers.discover import discover
from crawlers.identity import canonicalize, is_article, url_key
from crawlers.model import Fetched
from crawlers.page import read_pages
from crawlers.robots_rules import path_of

ROOT: Final = Path(__file__).resolve().parent.parent
_NOW: Final = datetime(2026, 11, 23, 3, tzinfo=UTC)
_WIB: Final = ZoneInfo("Asia/Jakarta")
_URL: Final = "https://www.koran.example/nasional/2026/11/23/sidang-molor"


@dataclass(frozen=True, slots=True)
class Target:
    """A reader of foreign documents and the documents it starts from."""

    #: Reads one document; whatever it raises is a finding.
    read: Callable[[bytes], object]
    #: Committed documents, as globs from the repository's root.
    committed: tuple[str, ...]
    #: Real ones, as globs from the shared directory.
    shared: tuple[str, ...] = ()
    #: Documents and fragments that are written here.
    written: tuple[bytes, ...] = ()
    #: Fragments that mean something in this kind of document.
    words: tuple[bytes, ...] = ()

    def seeds(self, shared: Path) -> Iterator[bytes]:
        """All documents there are."""
        yield from self.written
        for root, patterns in ((ROOT, self.committed), (shared, self.shared)):
            for path in sorted(p for pattern in patterns for p in root.glob(pattern)):
                data = path.read_bytes()
                yield gzip.decompress(data) if path.suffix == ".gz" else data


@cache
def _pack() -> tuple[Outlet, ...]:
    return load(ROOT / "config" / "warta.yaml", {}).outlets


def _page(body: bytes) -> object:
    """By the rules of one of the shipped outlets, chosen by the document so that a finding can be repeated."""
    outlet = _pack()[zlib.crc32(body) % len(_pack())]
    url = f"https://{outlet.hosts[0]}/nasional/2026/11/23/sidang-molor" if outlet.hosts else _URL
    page = Fetched(url=url, final_url=url, status=200, headers=(), body=body, fetched_at=_NOW)
    return read_pages((page,), outlet, None, _NOW)


def _discovery(*kinds: SourceKind) -> Callable[[bytes], object]:
    def discovery(body: bytes) -> object:
        kind = kinds[zlib.crc32(body) % len(kinds)]
        return discover(kind, body, url=_URL, now=_NOW, timezone=_WIB)

    return discovery


def _robots(body: bytes) -> object:
    rules = robots_rules.parse(body, "warta")
    return [rules.allowed(path) for path in ("/", "/a/b?c=d", path_of(_URL), "/" + "a" * 500, "/%7E/*$")]


def _date(body: bytes) -> object:
    return [read(text, timezone=_WIB, now=_NOW) for text in _texts(body)]


def _url(body: bytes) -> object:
    outlet = _pack()[zlib.crc32(body) % len(_pack())]
    for text in _texts(body):
        with suppress(UnfetchableUrlError):
            parse_target(text, _URL)
        canonicalize(text, outlet.urls)
        url_key(text, outlet)
        is_article(text, outlet)
    return None


def _texts(body: bytes) -> tuple[str, str]:
    return body.decode("utf-8", "replace"), body.decode("latin-1")


def _config(body: bytes) -> object:
    """An outlet's file beside a sound `warta.yaml`, and the same bytes as `warta.yaml`."""
    with tempfile.TemporaryDirectory(prefix="warta-fuzz-") as folder:
        main, outlet = Path(folder, "warta.yaml"), Path(folder, "koran.yaml")
        outlet.write_bytes(body)
        for text in (b"outlets: [koran.yaml]\n", body):
            main.write_bytes(text)
            try:
                load(main, {})
            except ConfigError:
                continue
    return None


_TAGS: Final = b"""<div>|</div>|<p>|</p>|<b>|<a href="//x">|</a>|<h1>|</h1>|<table>|<td>|<ul>|<li>|<br>|<svg>|<math>|\
<script>|</script>|<script type="application/ld+json">|{"@type":"NewsArticle","headline":|"author":|"datePublished":|\
"articleBody":|<meta property="og:title" content="|<time datetime="|<template>|<noscript>|<iframe>|<plaintext>|\
<form>|<select>|<figure>|<blockquote>|<x-y>|class="share"|class="byline"|id="S:1"|hidden |style="display:none"|\
Baca Juga: |Reporter: |Editor: |Jakarta - |KOMPAS.com - |(vyp/kna)|Sabtu (27/8)|<!-- pagination end -->"""
_FEED: Final = b"""<item>|</item>|<entry>|<link>|<guid>|<pubDate>|<description>|<![CDATA[<p>|]]></description>|\
<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>|&a;|<!ENTITY b "&a;&a;&a;">|xmlns:media="m"|<media:content url="|<ttl>|\
<skipHours><hour>|encoding="utf-16"|encoding="ebcdic"|<?xml version="1.1"?>|{"version":"https://jsonfeed.org/version/1.1",\
"items":[|"content_html":|xml:base="http://["|<url>|<loc>|<lastmod>|<sitemap>|<sitemapindex>"""
_DATES: Final = b"""Mon, 23 Nov 2026 10:15:00 +0700|2026-11-23T10:15:00+07:00|Jum'at, 20 November 2026 / 10.15 WIB|\
1 Jam 9 Menit lalu|kemarin|1606101300|null WIB|20261123T101500Z|23/11/2026|Nov 23rd, 2026 at 3pm|2026-327|\
12 Agt 2026 11:32 WITA|\xe0\xb9\x91\xe0\xb9\x92 \xe0\xb8\x9e.\xe0\xb8\xa2. 2569"""
_URLS: Final = b"""https://www.koran.example/a/b.html?utm_source=x#y|//koran.example:443/%7Ea/../b|http://[::1]:80/|\
http://0x7f.1/|https://xn--fsq.example/\xe5\xa4\xa9|https://user:pw@koran.example/|https://a\\b/c|javascript:alert(1)|\
http://1.1.1.1.1/|https://koran.example/read/2026/11/23/1234567/judul?page=all|https:/\\/\\koran.example"""
_ROBOTS: Final = b"""User-agent: *\nDisallow: /a*b$\nAllow: /a\nCrawl-delay: 10\nSitemap: https://x.example/s.xml\n|\
User-agent: warta\nUser-agent: GPTBot\nDisallow:\n|Disallow: /*?*&*=*/*$\n|Request-rate: 1/10s\n|Crawl-delay: 1e400\n"""

TARGETS: Final[dict[str, Target]] = {
    "page": Target(
        _page,
        ("tests/outlets/*/*/page*.html", "tests/corpus/page/*"),
        ("samples/html/*/*.html", "samples/html_shape_2026/*/*.html", "extraction-eval/data/*/html/*[05].html.gz"),
        words=tuple(_TAGS.split(b"|")),
    ),
    "feed": Target(
        _discovery(SourceKind.FEED, SourceKind.LISTING),
        ("tests/corpus/feed/*",),
        ("samples/feeds/*/*.xml",),
        words=tuple(_FEED.split(b"|")),
    ),
    "sitemap": Target(
        _discovery(SourceKind.SITEMAP),
        ("tests/corpus/sitemap/*",),
        ("samples/html_shape_2026/*/*.xml",),
        words=tuple(_FEED.split(b"|")),
    ),
    "robots": Target(
        _robots,
        ("tests/corpus/robots/*",),
        ("samples/robots/*.txt",),
        tuple(_ROBOTS.split(b"|")),
        (b"User-agent:", b"Disallow: ", b"Allow: ", b"*", b"$", b"Crawl-delay: "),
    ),
    "date": Target(
        _date, ("tests/corpus/date/*",), (), tuple(_DATES.split(b"|")), (b" WIB", b"+0700", b"lalu", b"AM", b"T")
    ),
    "url": Target(_url, ("tests/corpus/url/*",), (), tuple(_URLS.split(b"|")), (b"%25", b"://", b"[", b"xn--", b":80")),
    "config": Target(
        _config,
        ("config/outlets/*.yaml", "config/warta.yaml", "tests/corpus/config/*"),
        (),
        (),
        (
            b"sources:\n",
            b"  - ",
            b"&a ",
            b"*a",
            b"<<: ",
            b"!!python/object ",
            b"every: 10m",
            b"${HOME}",
            b"(a+)+$",
            b"? ",
        ),
    ),
}
