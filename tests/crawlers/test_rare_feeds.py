"""Feeds, sitemaps and answers at the edge of what is allowed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest

from config.model import Limits, SourceKind
from crawlers.address import UnfetchableUrlError, judge, parse_target
from crawlers.answer import _bad_status, retry_after
from crawlers.decode import codec_of, to_text
from crawlers.discover import discover
from crawlers.feed import read_each
from crawlers.model import Discovered, DiscoveryFailed, FailureKind, FeedEntry
from crawlers.zone_names import tz_database_zone

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def read(body: str | bytes, limits: Limits | None = None) -> Discovered | DiscoveryFailed:
    body = body.encode() if isinstance(body, str) else body
    return discover(SourceKind.FEED, body, url="https://a.test/rss", now=NOW, timezone=ZoneInfo("UTC"), limits=limits)


def codes(found: Discovered | DiscoveryFailed) -> list[str]:
    assert isinstance(found, Discovered), found
    return [problem.code for problem in found.problems]


def test_a_json_feed_without_a_version_or_with_too_many_items_says_so() -> None:
    items = [{"id": f"https://a.test/{n}", "title": str(n)} for n in range(5)]

    found = read(json.dumps({"items": items, "title": 7}), Limits(items=3))

    assert codes(found) == ["no_version", "too_many_items"]
    assert isinstance(found, Discovered)
    assert len(found.entries) == 3


def test_an_item_that_cannot_be_read_is_counted() -> None:
    def one(item: int) -> FeedEntry | None:
        if item == 1:
            raise ValueError(item)
        return None if item == 2 else FeedEntry(url="" if item == 3 else "https://a.test/")

    found = read_each(range(5), one)

    assert (len(found.entries), found.broken, found.lost, [at for at, _ in found.unlinked]) == (2, 1, 1, [1])


def test_items_without_an_address_are_shown_apart_in_their_place() -> None:
    found = read("<rss><channel><item><title>a</title></item><item><link>http://a.test/1</link></item></channel></rss>")

    assert isinstance(found, Discovered)
    assert [(at, entry.title, entry.url) for at, entry in found.unlinked] == [(0, "a", "")]
    assert [entry.url for entry in found.entries] == ["http://a.test/1"]
    assert "items_without_link" in codes(found)


def test_what_no_parser_can_save_is_a_failure_in_words() -> None:
    found = read("<rss><<gml:pos>1 x</gml:pos></rss>" + "&#xD800;" * 3)

    assert isinstance(found, DiscoveryFailed) or found.entries == ()


def test_escaped_brackets_survive_the_repair() -> None:
    body = "<rss><channel><item><title>1 &#60; 2 &#xD800;</title><link>http://a.test/1</link></item></channel></rss>"

    found = read(body)

    assert isinstance(found, Discovered)
    assert found.entries[0].title is not None
    assert found.entries[0].title.startswith("1 < 2")


def test_a_sitemap_of_too_many_places_is_cut_and_says_so() -> None:
    urls = "".join(f"<url><loc>https://a.test/{n}</loc></url>" for n in range(50_002))

    found = read(f"<urlset>{urls}</urlset>", Limits(items=100))

    assert isinstance(found, Discovered)
    assert len(found.entries) == 100
    assert "too_many_items" in codes(found)


@pytest.mark.parametrize(
        ("label", "codec"),
    [
        ("utf-16", "utf-16-le"), ("big5", "big5hkscs"), ("x-sjis", "cp932"), ("windows-874", "cp874"),
        ("iso88591", "cp1252"), ("ks_c_5601-1989", "cp949"), ("x-gbk", "gb18030"), ("cp1252", "cp1252"),
        ("x-mac-cyrillic", "mac-cyrillic"), ("idna", None), ("undefined", None), ("hz-gb-2312", None), ("x" * 50, None),
    ],
)  # fmt: skip
def test_labels_are_those_of_the_web(label: str, codec: str | None) -> None:
    assert codec_of(label) == codec


def test_a_stateful_encoding_is_read_by_its_label_and_hong_kong_characters_too() -> None:
    japanese = "日本のニュース".encode("iso2022_jp")

    assert to_text(japanese, "text/html; charset=iso-2022-jp") == "日本のニュース"
    vendors = b"\x1b$B-!\x1b(B"
    assert to_text(vendors, "text/html; charset=iso-2022-jp") == "①"
    assert to_text("〜".encode("euc_jp") + b"\xad\xa1 \xa5", "text/html; charset=euc-jp") != "～① "
    assert to_text("東京〜".encode("euc_jp") + b"\xad\xa1", "text/html; charset=x-euc-jp") == "東京～①"
    assert to_text("香港嘅新聞".encode("big5hkscs"), "text/html; charset=Big5") == "香港嘅新聞"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (999, FailureKind.PROTOCOL),
        (300, FailureKind.REDIRECT),
        (418, FailureKind.HTTP_4XX),
        (206, FailureKind.TRUNCATED),
    ],
)
def test_a_status_without_sense_has_a_name(status: int, kind: FailureKind) -> None:
    assert _bad_status(status, None)[0] is kind


def test_a_date_without_a_zone_is_taken_for_utc() -> None:
    assert retry_after("Mon, 23 Nov 2026 04:00:00 -0000", NOW) == timedelta(hours=1)
    assert retry_after("soon", NOW) is None


@pytest.mark.parametrize("carrier", ["::ffff:10.0.0.1", "2002:a00:1::", "64:ff9b::a00:1"])
def test_a_listed_carrier_is_as_open_as_what_it_carries(carrier: str) -> None:
    everything = (ip_network("::/0"),)

    assert not judge(carrier, everything).permitted
    assert judge(carrier, (*everything, ip_network("10.0.0.0/8"))).permitted


@pytest.mark.parametrize("url", ["http://./", "http://a.test/" + "é" * 3000])
def test_an_address_without_a_host_or_of_no_end_is_refused(url: str) -> None:
    with pytest.raises(UnfetchableUrlError):
        parse_target(url)


def test_zones_of_the_database_are_found_in_any_case_and_others_are_not() -> None:
    assert str(tz_database_zone("america/los_angeles")) == "America/Los_Angeles"
    assert tz_database_zone("Europe/Atlantis") is None
    assert tz_database_zone("../../etc/passwd") is None
