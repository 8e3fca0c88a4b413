"""Items that slipped out of a feed's window between two polls come back, and the ledger says how."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from config.model import Listing, Selector
from storage.model import Trigger

ARCHIVE = "<atom:link rel='prev-archive' href='{}'/>"


async def reasons(press: Any, *slugs: str) -> set[str]:
    return {fate.reason for slug in slugs for fate in await press.fates(slug)}


async def burst(press: Any, start: str = "lama") -> list[str]:
    """A first poll of a window of three, then nine more items: six of them are in no window."""
    press.publish(*(f"{start}{n}" for n in range(3)))
    press.serves("/feed.xml", press.rss(press.items[:3]))
    await press.poll()
    news = [f"baru{n}" for n in range(9)]
    press.publish(*news)
    return news[:6]


async def test_a_gap_is_closed_through_archives(press: Any) -> None:
    lost = await burst(press)
    press.serves("/feed.xml", press.rss(press.items[:3], ARCHIVE.format("/arsip/2.xml")))
    press.serves("/arsip/2.xml", press.rss(press.items[3:6], ARCHIVE.format("/arsip/1.xml")))
    press.serves("/arsip/1.xml", press.rss(press.items[6:10]))
    run = await press.poll()
    assert (run.reason, run.counts.stored) == ("gap_closed", 9)
    assert await reasons(press, *lost) == {"gap"}
    assert await reasons(press, "baru8") == {"new"}
    assert (await press.poll()).reason is None


async def test_a_gap_is_closed_through_pages_of_wordpress(press: Any) -> None:
    generator = "<generator>https://wordpress.org/?v=6.8</generator>"
    lost = await burst(press)
    press.serves("/feed.xml", press.rss(press.items[:3], generator))
    press.serves("/feed.xml?paged=2", press.rss(press.items[3:6], generator))
    press.serves("/feed.xml?paged=3", press.rss(press.items[6:12], generator))
    run = await press.poll()
    assert run.reason == "gap_closed"
    assert await reasons(press, *lost) == {"gap"}
    assert not press.asked("/feed.xml?paged=4")


async def test_a_server_that_knows_no_pages_is_asked_once(press: Any) -> None:
    await burst(press)
    press.serves("/feed.xml", press.rss(press.items[:3], "<generator>wordpress</generator>"))
    run = await press.poll()
    assert run.reason == "gap_suspected"
    assert [asked.path for asked in press.web.asked if "paged" in asked.path] == ["/feed.xml?paged=2"]


async def test_archives_of_a_stranger_are_not_read(press: Any) -> None:
    await burst(press)
    press.serves("/feed.xml", press.rss(press.items[:3], ARCHIVE.format(press.url("/arsip/2.xml", "stranger.test"))))
    press.serves("/arsip/2.xml", press.rss(press.items[3:9]))
    assert (await press.poll()).reason == "gap_suspected"
    assert not press.asked("/arsip/2.xml")


async def test_archives_without_end_are_read_to_a_bound(press: Any) -> None:
    await burst(press)
    press.serves("/feed.xml", press.rss(press.items[:3], ARCHIVE.format("/arsip/0.xml")))
    for number in range(40):
        link = ARCHIVE.format(f"/arsip/{number + 1}.xml")
        press.serves(f"/arsip/{number}.xml", press.rss([f"jauh{number}"], link))
    assert (await press.poll()).reason == "gap_suspected"
    assert len([a for a in press.web.asked if a.path.startswith("/arsip/")]) == 10


@pytest.mark.parametrize("change", ["guids", "order", "silence"])
async def test_no_gap_is_seen_where_items_stay(press: Any, change: str) -> None:
    press.publish("satu", "dua", "tiga")
    press.serves("/feed.xml", press.rss())
    await press.poll()
    body = press.rss()
    if change == "guids":
        body = body.replace(b"'false'>", b"'false'>v2-")
    elif change == "order":
        body = press.rss(press.items[::-1])
    press.serves("/feed.xml", body)
    assert (await press.poll()).reason is None


async def test_an_emptied_feed_is_no_gap_and_forgets_no_window(press: Any) -> None:
    press.publish("satu")
    press.serves("/feed.xml", press.rss())
    await press.poll()
    before = (await press.state()).window
    press.serves("/feed.xml", press.rss([]))
    assert (await press.poll()).reason == "empty"
    assert (await press.state()).window == before


async def test_other_sources_are_asked_when_no_archive_closes_a_gap(make_press: Any) -> None:
    listing = Listing(link=(Selector("a.berita"),))
    press = await make_press(
        ("main", "feed", "/feed.xml"),
        ("map", "sitemap", "/news.xml"),
        {"name": "index", "kind": "listing", "path": "/indeks?tgl={date:%d-%m-%Y}", "listing": listing},
        ("second", "feed", "/second.xml"),
    )
    lost = await burst(press)
    press.serves("/feed.xml", press.rss(press.items[:3]))
    gap_since = (await press.state()).last_success
    run = await press.poll(days=2)
    assert run.reason == "gap_suspected"
    assert "2 other sources" in run.message
    asked = [await press.state(name) for name in ("map", "index", "second")]
    assert [s.gap_since for s in asked] == [gap_since, gap_since, None]
    assert [s.requested_at is not None for s in asked] == [True, True, False]

    def anchors(*slugs: str) -> str:
        return "".join(f"<a class=berita href='/a/{slug}'>Kabar {slug}</a>" for slug in slugs)

    press.serves("/indeks?tgl=03-03-2026", f"<html><body>{anchors('baru8')}</body></html>", "Content-Type: text/html")
    press.serves("/indeks?tgl=02-03-2026", f"<html><body>{anchors(*lost)}</body></html>", "Content-Type: text/html")
    run = await press.poll("index", Trigger.GAP)
    assert run.counts.stored == 6
    assert await reasons(press, *lost) == {"gap"}
    assert (await press.state("index")).gap_since is None


async def test_a_window_of_two_thousand_is_remembered_by_a_sample(press: Any) -> None:
    items = [f"s{n}" for n in range(1500)]
    from crawlers import gap

    before = gap.window(items)
    assert len(before) == gap.MOST
    assert gap.overlaps(before, [*items[1000:], "x"])
    assert not gap.overlaps(before, [f"t{n}" for n in range(1500)])


@pytest.mark.parametrize("rel", ["prev-archive", "next"])
async def test_archives_of_atom_and_json_feeds_are_found_too(press: Any, rel: str) -> None:
    from zoneinfo import ZoneInfo

    from config.model import SourceKind
    from crawlers.discover import discover
    from crawlers.model import Discovered

    entry = "<entry><id>a</id><title>A</title><link href='/a/a'/></entry>"
    link = f"<link rel='{rel}' href='arsip/1.xml'/>"
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>K</title>{link}{entry}</feed>"
    items = '[{"id": "1", "url": "https://k.example/1", "title": "Satu"}]'
    following = '"next_url": "https://k.example/arsip/1.xml"'
    feed = f'{{"version": "https://jsonfeed.org/version/1.1", {following}, "items": {items}}}'
    for body in (atom, feed):
        found = discover(
            SourceKind.FEED, body.encode(), url="https://k.example/feed", now=press.clock(), timezone=ZoneInfo("UTC")
        )
        assert isinstance(found, Discovered)
        assert found.follow == ("https://k.example/arsip/1.xml",)


async def test_a_poll_remembers_when_the_last_item_appeared_and_not_when_it_was_found(press: Any) -> None:
    press.publish("lama")
    press.serves("/feed.xml", press.rss())
    await press.poll()
    first = await press.state()
    since = press.clock()
    press.publish("baru")
    moment = since + timedelta(minutes=7)
    dated = f"<pubDate>{format_datetime(moment)}</pubDate></item>"
    press.serves("/feed.xml", press.rss().replace(b"</item>", dated.encode(), 1))
    await press.poll(minutes=40)
    told = (await press.state()).last_item
    press.publish("undated")
    press.serves("/feed.xml", press.rss())
    await press.poll(minutes=40)

    assert first.last_item is None  # a first reading is no news
    assert told == moment.replace(microsecond=0)
    assert (await press.state()).last_item == press.clock() - timedelta(minutes=20)
