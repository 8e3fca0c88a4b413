from __future__ import annotations

import gzip
import resource
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from config.model import Limits, SourceKind
from crawlers.discover import discover
from crawlers.model import Discovered, DiscoveryFailed, FailureKind

JAKARTA = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
URL = "https://www.pasar.example/sitemap.xml"
SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
IMAGE = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def read(body: str | bytes, *, follow: str | None = None, limits: Limits | None = None) -> Discovered:
    body = body.encode() if isinstance(body, str) else body
    found = discover(SourceKind.SITEMAP, body, url=URL, now=NOW, timezone=JAKARTA, sitemap_follow=follow, limits=limits)
    assert isinstance(found, Discovered), found
    return found


def url(path: str, more: str = "") -> str:
    return f"<url><loc>https://www.pasar.example/{path}</loc>{more}</url>"


NEWS_ITEM = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset {SITEMAP} {NEWS} {IMAGE}><url>
  <loc><![CDATA[
     https://nasional.pasar.example/news/rupiah-menguat?a=1&b=2
  ]]></loc><lastmod>2026-11-23T09:00:00+07:00</lastmod>
  <news:news><news:publication><news:name>Pasar</news:name><news:language>id</news:language></news:publication>
  <news:publication_date>2026-11-23T08:30:00+07:00</news:publication_date>
  <news:title>Rupiah &amp; bursa menguat</news:title><news:keywords>rupiah, bursa , </news:keywords></news:news>
  <image:image><image:loc>https://foto.pasar.example/1.jpg</image:loc></image:image>
</url></urlset>"""


def test_a_news_sitemap_with_wrapped_locations_is_read_whole() -> None:
    (entry,) = read(NEWS_ITEM).entries
    assert entry.url == "https://nasional.pasar.example/news/rupiah-menguat?a=1&b=2"
    assert entry.title == "Rupiah & bursa menguat"
    assert entry.published == datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    assert entry.updated == datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert entry.tags == ("rupiah", "bursa")
    assert entry.language == "id"
    assert entry.image == "https://foto.pasar.example/1.jpg"


def test_a_compressed_sitemap_is_read() -> None:
    assert read(gzip.compress(NEWS_ITEM.encode())).entries == read(NEWS_ITEM).entries


def test_a_truncated_compressed_sitemap_gives_what_came() -> None:
    body = gzip.compress(f"<urlset {SITEMAP}>{''.join(url(str(n)) for n in range(5000))}</urlset>".encode())
    found = read(body[: len(body) // 2], limits=Limits(items=10_000))
    assert 0 < len(found.entries) < 5000
    assert "not_well_formed" in {p.code for p in found.problems}


def test_a_bomb_is_refused() -> None:
    body = gzip.compress(b"<urlset>" + b" " * 2**28)
    found = discover(SourceKind.SITEMAP, body, url=URL, now=NOW, timezone=JAKARTA)
    assert isinstance(found, DiscoveryFailed)
    assert found.kind is FailureKind.TOO_LARGE


def index(*children: tuple[str, str]) -> str:
    parts = (
        f"<sitemap><loc>{loc}</loc>{f'<lastmod>{day}</lastmod>' if day else ''}</sitemap>" for loc, day in children
    )
    return f"<sitemapindex {SITEMAP}>{''.join(parts)}</sitemapindex>"


def test_the_children_of_an_index_are_followed_newest_first() -> None:
    found = read(
        index(
            ("https://x.example/post/2026-09.xml", ""),
            ("https://x.example/a.xml", "2026-10-01"),
            ("https://x.example/b.xml", "2026-11-22"),
            ("/sitemap-news.xml", ""),
            ("https://x.example/post/2026-11.xml", ""),
        )
    )
    assert found.format == "sitemapindex"
    assert [child.rpartition("/")[2] for child in found.follow] == [
        "sitemap-news.xml", "b.xml", "2026-11.xml", "a.xml", "2026-09.xml",
    ]  # fmt: skip
    assert found.follow[0] == "https://www.pasar.example/sitemap-news.xml"


def test_only_children_that_match_are_followed_and_not_too_many() -> None:
    found = read(
        index(
            *((f"https://x.example/news/{n:03}.xml", f"2026-01-{n % 28 + 1:02}") for n in range(80)), ("/tag.xml", "")
        ),
        follow="/news/",
        limits=Limits(sitemap_children=5),
    )
    assert len(found.follow) == 5
    assert all("/news/" in child for child in found.follow)
    assert "too_many_children" in {p.code for p in found.problems}


def test_the_newest_are_kept_when_there_are_too_many() -> None:
    body = f"<urlset>{''.join(url(str(n), f'<lastmod>2026-01-{n:02}</lastmod>') for n in range(1, 29))}</urlset>"
    found = read(body, limits=Limits(items=3))
    assert [entry.url.rpartition("/")[2] for entry in found.entries] == ["28", "27", "26"]
    assert {p.code for p in found.problems} == {"too_many_items"}


def test_a_broken_sitemap_is_read_up_to_where_it_breaks() -> None:
    found = read(f"\n\n<urlset {SITEMAP}>{url('a')}{url('b')}<url><loc>https://x.example/c")
    assert [entry.url.rpartition("/")[2] for entry in found.entries][:2] == ["a", "b"]
    assert "not_well_formed" in {p.code for p in found.problems}


def test_a_list_of_addresses_is_a_sitemap() -> None:
    found = read("https://x.example/a\r\nhttps://x.example/b\n\nnot one\n")
    assert found.format == "text"
    assert [entry.url for entry in found.entries] == ["https://x.example/a", "https://x.example/b"]
    assert {p.code for p in found.problems} == {"items_without_link"}


def test_a_feed_at_a_sitemaps_address_is_read_as_a_feed() -> None:
    found = read("<rss version='2.0'><channel><item><link>https://x.example/a</link></item></channel></rss>")
    assert (found.format, len(found.entries)) == ("rss", 1)


def test_an_empty_sitemap_says_so() -> None:
    assert {p.code for p in read(f"<urlset {SITEMAP}></urlset>").problems} == {"empty_feed"}


def test_nothing_is_brought_in_from_outside() -> None:
    found = read(
        '<!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
        f"<urlset>{url('&x;')}{url('&b;')}{url('good')}</urlset>"
    )
    assert found.entries[-1].url.endswith("/good")
    assert "root:" not in str(found)
    assert "aaaaaaaaaa" not in str(found)


def test_fifty_thousand_locations_take_little_memory_and_time() -> None:
    locations = (url(f"berita/{n}", "<lastmod>2026-11-01</lastmod>") for n in range(50_000))
    body = f"<urlset {SITEMAP}>{''.join(locations)}</urlset>"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    found = read(body)
    assert len(found.entries) == 2000
    assert time.process_time() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KiB


@pytest.mark.parametrize("body", ["<urlset>" + "<url>" * 100_000, "<urlset " + "a='b' " * 50_000, "<urlset><url/>" * 9])
def test_hostile_sitemaps_are_results(body: str) -> None:
    assert read(body).entries == ()
