"""Where feeds say that their changes are pushed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.model import SourceKind
from crawlers.discover import discover
from crawlers.hub import links, offer, withheld
from crawlers.model import Discovered, Fetched, Redirect
from storage.hubs import HubState, HubSubscription

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
URL = "https://kabar.test/feed"
ITEM = "<item><link>https://kabar.test/a/1</link></item>"


def read(body: str) -> Discovered:
    found = discover(SourceKind.FEED, body.encode(), url=URL, now=NOW, timezone=ZoneInfo("UTC"))
    assert isinstance(found, Discovered)
    return found


def answer(*headers: tuple[str, str], redirects: tuple[Redirect, ...] = ()) -> Fetched:
    final = redirects[-1].url if redirects else URL
    return Fetched(url=URL, final_url=final, status=200, headers=headers, body=b"", fetched_at=NOW, redirects=redirects)


RSS = f"""<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
<atom:link rel="hub" href="https://hub.test/"/><atom:link rel="self" href="/feed?own"/>{ITEM}</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="https://hub.test/"/>
<link rel="self" href="https://kabar.test/feed?own"/><entry><link href="https://kabar.test/a/1"/></entry></feed>"""
JSON = """{"version": "https://jsonfeed.org/version/1.1", "feed_url": "https://kabar.test/feed?own",
"hubs": [{"type": "rssCloud", "url": "https://no.test/"}, {"type": "WebSub", "url": "https://hub.test/"}, 7],
"items": [{"id": "1", "url": "https://kabar.test/a/1"}]}"""


@pytest.mark.parametrize("feed", [RSS, ATOM, JSON])
def test_feeds_name_hub_and_themselves(feed: str) -> None:
    found = offer(answer(), read(feed))

    assert (found.hubs, found.topic) == (("https://hub.test/",), "https://kabar.test/feed?own")


def test_a_listing_page_names_its_hub_in_its_head() -> None:
    page = """<html><head><base href="https://kabar.test/x/"><link rel="stylesheet hub" href="https://hub.test/">
    <link rel=self href="../indeks"></head>
    <body><link rel=hub href="https://reader.test/"><a href="/a/1">Harga cabai</a></body></html>"""
    found = discover(SourceKind.LISTING, page.encode(), url=URL, now=NOW, timezone=ZoneInfo("UTC"))
    assert isinstance(found, Discovered)

    assert offer(answer(), found).hubs == ("https://hub.test/",)
    assert offer(answer(), found).topic == "https://kabar.test/indeks"


def test_the_header_comes_before_the_document() -> None:
    header = '<https://first.test/>; rel="hub", </feed?h>; title="a, b"; rel=self, <https://second.test/>; rel="x hub"'
    found = offer(answer(("link", header)), read(RSS))

    assert found.hubs == ("https://first.test/", "https://second.test/")
    assert found.topic == "https://kabar.test/feed?h"


def test_a_feed_without_a_name_goes_by_its_lasting_address() -> None:
    nameless = RSS.replace('rel="self"', 'rel="other"')
    temporary = answer(redirects=(Redirect(302, "https://kabar.test/moved"),))
    permanent = answer(redirects=(Redirect(301, "https://kabar.test/moved"),))

    assert offer(answer(), read(nameless)).topic == URL
    assert offer(temporary, read(nameless)).topic == URL
    assert offer(permanent, read(nameless)).topic == "https://kabar.test/moved"


def test_a_feed_without_a_hub_offers_nothing() -> None:
    assert offer(answer(), read(f"<rss><channel>{ITEM}</channel></rss>")).hubs == ()


@pytest.mark.parametrize("header", ["<" * 50_000, "<a>" * 50_000 + "; rel=hub", "<javascript:1>; rel=hub", '<>;rel="'])
def test_hostile_headers_name_no_hub(header: str) -> None:
    assert not any(url.startswith("javascript") for url in links([header], URL).get("hub", ()))


def test_a_hub_is_held_to_account_for_news_it_had_time_to_push() -> None:
    hour = timedelta(hours=1)
    relied_upon = HubSubscription(
        id="i", source_id="s", hub="h", topic="t", secret="k", state=HubState.ACTIVE, created_at=NOW,
        verified_at=NOW - 5 * hour, pushed_at=NOW - hour, lease_until=NOW + hour,
    )  # fmt: skip
    news = [NOW - hour, NOW - timedelta(minutes=2), NOW - 9 * hour]

    assert withheld(relied_upon, news, NOW) == 1
    assert withheld(relied_upon, [None], NOW) == 1
    assert withheld(replace(relied_upon, pushed_at=None), news, NOW) == 0
    assert withheld(None, news, NOW) == 0
