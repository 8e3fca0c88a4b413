from __future__ import annotations

import gzip
import json
import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest
from lxml import html

from newsroom import ledger
from newsroom.press import Newsroom

FEEDS = (
    "kabarniaga/nasional",
    "kabarniaga/keuangan",
    "kabarniaga/industri",
    "kabarniaga/investasi",
    "kabarniaga/internasional",
    "lintasmenit/berita",
    "lintasmenit/finansial",
    "kantorberita/terkini",
    "kantorberita/ekonomi",
    "archipelagopost/atom",
    "gemanusa/rdf",
)
JSON_FEEDS = ("archipelagopost/business", "datakini/feed")
BODIES = {
    "kabarniaga": "tmpt-desk-kon",
    "lintasmenit": "itp_bodycontent",
    "arahpena": "read__content",
    "kantorberita": "wrap__article-detail-content",
    "archipelagopost": "article-body",
    "datakini": "entry-content",
    "gemanusa": "entry-content",
}


def listed(records: list[ledger.Record], source: str) -> dict[str, ledger.Record]:
    return {r.url: r for r in records if any(s.source == source and s.until is None for s in r.listed)}


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("source", FEEDS)
def test_feeds_list_exactly_what_the_ledger_says(newsroom: Newsroom, client: Any, source: str) -> None:
    newsroom.clock.forward(timedelta(hours=2))
    feed = feedparser.parse(client.get(client.source(source)).body)
    assert not feed.bozo
    expected = listed(ledger.records(newsroom, source.partition("/")[0]), source)
    assert {e.link for e in feed.entries} == set(expected)
    for entry in feed.entries:
        record = expected[entry.link]
        assert entry.title == record.title
        moment = entry.get("published_parsed") or entry.updated_parsed
        assert tuple(moment[:6]) == record.published.timetuple()[:6]


@pytest.mark.parametrize("source", JSON_FEEDS)
def test_json_feeds_list_exactly_what_the_ledger_says(newsroom: Newsroom, client: Any, source: str) -> None:
    feed = json.loads(client.get(client.source(source)).body)
    expected = listed(ledger.records(newsroom, source.partition("/")[0]), source)
    assert {i["url"]: i["title"] for i in feed["items"]} == {u: r.title for u, r in expected.items()}


@pytest.mark.parametrize("outlet", ["kabarniaga", "arahpena"])
def test_sitemaps_list_exactly_what_the_ledger_says(newsroom: Newsroom, client: Any, outlet: str) -> None:
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    index = client.get(client.source(f"{outlet}/sitemap")).body
    urls: set[str] = set()
    children = [e.text or "" for e in ElementTree.fromstring(index).iterfind("s:sitemap/s:loc", space)]
    for child in children:
        raw = client.get(child).body
        raw = gzip.decompress(raw) if child.endswith(".gz") else raw
        urls |= {e.text or "" for e in ElementTree.fromstring(raw).iterfind("s:url/s:loc", space)}
    assert urls == set(listed(ledger.records(newsroom, outlet), f"{outlet}/sitemap"))
    if outlet == "kabarniaga":
        assert b"<loc><![CDATA[" in index
        assert [c for c in children if c.endswith(".gz")]


@pytest.mark.parametrize(
    ("outlet", "query", "xpath", "step"),
    [
        (
            "kabarniaga",
            "?kanal=&tanggal=14&bulan=08&tahun=2026&pos=indeks&per_page={0}",
            "//li[@data-offset]//h1/a/@href",
            20,
        ),
        ("arahpena", "?site=all&date=2026-08-14&page={1}", "//a[@class='article-link']/@href", 20),
        ("lintasmenit", "?date=08%2F14%2F2026&page={1}", "//a[@class='media__link']/@href", 20),
    ],
)
def test_listings_of_a_day_page_through_the_whole_day(
    newsroom: Newsroom, client: Any, outlet: str, query: str, xpath: str, step: int
) -> None:
    newsroom.clock.forward(timedelta(hours=4))
    found: list[str] = []
    for page in range(40):
        url = client.source(f"{outlet}/indeks") + query.format(page * step, page + 1)
        links = [u if u.startswith("http") else f"http:{u}" for u in html.fromstring(client.get(url).body).xpath(xpath)]
        found += links
        if not links:
            break
        assert len(links) <= step
    start = newsroom.clock.start - timedelta(hours=8)
    records = ledger.records(newsroom, outlet, start)
    expected = {r.url for r in records if any(s.source == f"{outlet}/indeks" for s in r.listed)}
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_the_kabarniaga_index_repeats_the_same_eighteen_links_on_every_page(client: Any) -> None:
    pages = [html.fromstring(client.get(client.source("kabarniaga/indeks") + f"?per_page={n}").body) for n in (0, 20)]
    sides = [p.xpath("//div[@class='sidebar-right']//a/@href") for p in pages]
    assert len(sides[0]) == 18
    assert sides[0] == sides[1]


def test_whole_pages_hold_every_paragraph_of_the_ledger_inside_the_body(newsroom: Newsroom, client: Any) -> None:
    newsroom.clock.forward(timedelta(hours=2))
    for outlet, css in BODIES.items():
        for record in ledger.records(newsroom, outlet, newsroom.clock.start)[:25]:
            whole = next((a for a in record.aliases if a.endswith(("page=all", "single=1"))), record.url)
            page = html.fromstring(client.get(whole).text)
            body = flat(page.xpath(f"//*[contains(@class, '{css}')]")[0].text_content())
            for paragraph in (*record.paragraphs, *record.subheads):
                assert flat(paragraph) in body, (record.url, paragraph)
            assert flat(page.xpath("//h1")[0].text_content()).strip() == record.title


def test_every_alias_answers(newsroom: Newsroom, client: Any) -> None:
    for outlet in BODIES:
        for record in ledger.records(newsroom, outlet)[-6:]:
            for url in (record.url, *record.aliases):
                assert client.get(url).status == 200, url


def test_the_noise_of_real_pages_is_there(newsroom: Newsroom, client: Any) -> None:
    pages = [client.get(r.url).text for r in ledger.records(newsroom, "kabarniaga")[-80:]]
    bodies = [p[p.index('itemprop="articleBody"') :] for p in pages]
    for noise in (
        "Baca Juga: ",
        "KABARNIAGA.CO.ID",
        "<!-- pagination end -->",
        "\u00a0",
        "Google News",
        "Reporter: ",
        'div class="pagination"',
        "Editor: ",
        "Sumber: KANTORBERITA",
        "KABARNIAGA.CO.ID – ",
    ):
        assert any(noise in b for b in bodies), noise
    assert any("application/ld+json" in p for p in pages)
    assert any("application/ld+json" not in p for p in pages)
    detik = client.get(ledger.records(newsroom, "lintasmenit")[-1].url).text
    for noise in ("ADVERTISEMENT", "SCROLL TO CONTINUE WITH CONTENT", 'name="pubdate"', "linksisip"):
        assert noise in detik


def test_a_retracted_story_is_unlisted_gone_and_remembered(newsroom: Newsroom, client: Any) -> None:
    story = newsroom.publish("kabarniaga", channel="industri")[0]
    url = newsroom.house("kabarniaga").url(story)
    feed = client.source("kabarniaga/industri")
    tag = client.get(feed).headers["etag"]
    assert url in client.get(feed).text
    newsroom.clock.forward(timedelta(minutes=5))
    newsroom.retract("kabarniaga", story.number)
    again = client.get(feed, If_None_Match=tag)
    assert (again.status, url in again.text) == (200, False)
    assert client.get(url).status == 410
    record = next(r for r in ledger.records(newsroom, "kabarniaga") if r.key == story.key)
    assert record.retracted == newsroom.clock.now()
    assert all(s.until is not None for s in record.listed)


def test_a_story_pushed_out_of_a_feed_says_when(newsroom: Newsroom, client: Any) -> None:
    first = newsroom.publish("datakini")[0]
    newsroom.clock.forward(timedelta(minutes=1))
    newsroom.publish("datakini", 25)
    newsroom.clock.forward(timedelta(seconds=1))
    record = next(r for r in ledger.records(newsroom, "datakini") if r.key == first.key)
    assert [s.until for s in record.listed] == [first.published + timedelta(minutes=1)]
    assert newsroom.house("datakini").url(first) not in client.get(client.source("datakini/feed")).text
