"""Sitemap indexes: only what may bring news is fetched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawlers import children
from crawlers.model import ListedSitemap
from storage.model import SitemapChild

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def urlset(press: Any, *slugs: str) -> bytes:
    listed = "".join(f"<url><loc>{press.url(f'/a/{slug}')}</loc></url>" for slug in slugs)
    return f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{listed}</urlset>".encode()


def index(press: Any, *listed: tuple[str, str | None]) -> bytes:
    inside = "".join(
        f"<sitemap><loc>{press.url(path)}</loc>{f'<lastmod>{mod}</lastmod>' if mod else ''}</sitemap>"
        for path, mod in listed
    )
    return f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{inside}</sitemapindex>".encode()


@pytest.fixture
async def press(make_press: Any) -> Any:
    return await make_press(("main", "sitemap", "/sitemap.xml"))


async def test_a_child_whose_lastmod_is_unchanged_is_not_fetched(press: Any) -> None:
    press.publish("satu", "dua", "tiga")
    press.serves("/1.xml", urlset(press, "satu"))
    press.serves("/2.xml", urlset(press, "dua"))
    press.serves("/sitemap.xml", index(press, ("/1.xml", "2026-03-01T10:00:00Z"), ("/2.xml", "2026-03-01T11:00:00Z")))
    assert (await press.poll()).counts.stored == 2
    run = await press.poll()
    assert run.status == "ok"
    press.serves("/2.xml", urlset(press, "tiga", "dua"))
    press.serves("/sitemap.xml", index(press, ("/1.xml", "2026-03-01T10:00:00Z"), ("/2.xml", "2026-03-01T11:30:00Z")))
    assert (await press.poll()).counts.stored == 1
    assert (len(press.asked("/1.xml")), len(press.asked("/2.xml"))) == (1, 2)


async def test_validators_of_each_child_are_sent_to_it(press: Any) -> None:
    press.publish("satu")
    press.serves("/sitemap.xml", index(press, ("/1.xml", None)))
    press.serves("/1.xml", urlset(press, "satu"), 'ETag: "k1"')
    await press.poll()
    press.serves("/1.xml", b"", status="304 Not Modified")
    assert (await press.poll()).status == "ok"
    assert [asked.header("if-none-match") for asked in press.asked("/1.xml")] == [None, '"k1"']


async def test_dated_children_do_not_pile_up(press: Any) -> None:
    for day in range(1, 15):
        slug, path = f"hari{day}", f"/sitemap-{day:02}.xml"
        press.publish(slug)
        press.serves(path, urlset(press, slug))
        shown = [(f"/sitemap-{d:02}.xml", f"2026-03-{d:02}") for d in range(max(1, day - 2), day + 1)]
        press.serves("/sitemap.xml", index(press, *shown))
        await press.poll(days=1)
    remembered = await press.storage.children.of("kabar/main")
    assert sorted(url.rpartition("/")[2] for url in remembered) == [f"sitemap-{d}.xml" for d in (12, 13, 14)]
    assert await press.discovered() == {f"hari{day}" for day in range(1, 15)}


async def test_an_undated_child_without_news_is_retired_and_probed_and_comes_back(press: Any) -> None:
    press.publish("satu", "dua", "tiga")
    press.serves("/sitemap.xml", index(press, ("/1.xml", None), ("/2.xml", None)))
    press.serves("/1.xml", urlset(press, "satu"))
    for number in range(14):
        slug = f"baru{number}"
        press.publish(slug)
        press.serves("/2.xml", urlset(press, slug))
        await press.poll(hours=12)
    remembered = await press.storage.children.of("kabar/main")
    assert remembered[press.url("/1.xml")].retired_at is not None
    assert remembered[press.url("/2.xml")].retired_at is None
    before = len(press.asked("/1.xml"))
    await press.poll()
    assert len(press.asked("/1.xml")) == before
    press.serves("/1.xml", urlset(press, "satu", "dua"))
    assert (await press.poll(days=31)).counts.stored == 1
    assert (await press.storage.children.of("kabar/main"))[press.url("/1.xml")].retired_at is None


async def test_a_child_that_fails_is_tried_again_and_loses_nothing(press: Any) -> None:
    press.publish("satu", "dua")
    press.serves("/sitemap.xml", index(press, ("/1.xml", "2026-03-01"), ("/2.xml", "2026-03-01")))
    press.serves("/1.xml", urlset(press, "satu"))
    press.serves("/2.xml", b"", status="503 Service Unavailable")
    assert (await press.poll()).counts.stored == 1
    press.serves("/2.xml", urlset(press, "dua"))
    assert (await press.poll(minutes=30)).counts.stored == 1


async def test_an_index_in_an_index_is_read_to_its_leaves(press: Any) -> None:
    press.publish("satu", "dua")
    press.serves("/sitemap.xml", index(press, ("/news.xml", "2026-03-01")))
    press.serves("/news.xml", index(press, ("/leaf.xml", "2026-03-01")))
    press.serves("/leaf.xml", urlset(press, "satu"))
    assert (await press.poll()).counts.stored == 1
    press.serves("/sitemap.xml", index(press, ("/news.xml", "2026-03-02")))
    press.serves("/news.xml", index(press, ("/leaf.xml", "2026-03-02")))
    press.serves("/leaf.xml", urlset(press, "satu", "dua"))
    assert (await press.poll()).counts.stored == 1
    press.serves("/sitemap.xml", index(press, ("/else.xml", "2026-03-03")))
    press.serves("/else.xml", urlset(press, "satu"))
    await press.poll()
    assert list(await press.storage.children.of("kabar/main")) == [press.url("/else.xml")]


async def test_a_single_sitemap_keeps_its_validators(press: Any) -> None:
    press.publish("satu")
    press.serves("/sitemap.xml", urlset(press, "satu"), 'ETag: "s"')
    await press.poll()
    press.serves("/sitemap.xml", b"", status="304 Not Modified")
    assert (await press.poll()).status == "not_modified"


# -- the plan alone


def listed(*urls: str, lastmod: str | None = None, date: datetime | None = None) -> list[ListedSitemap]:
    return [ListedSitemap(url=url, lastmod=lastmod, date=date) for url in urls]


def plan_of(items: list[ListedSitemap], known: list[SitemapChild], **more: Any) -> list[str]:
    remembered = {child.url: child for child in known}
    made = children.plan(items, remembered, source_id="s", parent="i", now=NOW, **{"budget": 50, **more})
    return [child.url for child in made.fetch]


def test_at_first_sight_only_the_newest_are_read_and_the_rest_is_remembered() -> None:
    items = [ListedSitemap(url=f"u{n}", lastmod="2026-01-01", date=NOW - timedelta(days=n)) for n in range(200)]
    made = children.plan(items, {}, source_id="s", parent="i", now=NOW, budget=50)
    assert [child.url for child in made.fetch] == [f"u{n}" for n in range(50)]
    assert len(made.left) == 150
    known = [*made.fetch, *made.left]
    assert plan_of(items, known) == []
    changed = [*items[:-1], ListedSitemap(url="u199", lastmod="2026-02-01", date=NOW)]
    assert plan_of(changed, known) == ["u199"]


def test_without_dates_both_ends_of_the_list_may_grow() -> None:
    made = children.plan(listed(*(f"u{n}" for n in range(200))), {}, source_id="s", parent="i", now=NOW, budget=4)
    assert [child.url for child in made.fetch] == ["u0", "u1", "u198", "u199"]


def test_what_the_budget_leaves_out_is_still_new_at_the_next_poll() -> None:
    known = [SitemapChild(source_id="s", url="old", parent="i", fetched_at=NOW, lastmod="1")]
    items = [*listed("old", lastmod="1"), *listed("a", "b", "c", lastmod="2")]
    assert plan_of(items, known, budget=2) == ["a", "b"]


def test_a_lastmod_that_never_moves_is_checked_more_and_more_rarely() -> None:
    child = SitemapChild(source_id="s", url="u", parent="i", lastmod="2020-01-01")
    waits = []
    moment = NOW
    for _ in range(8):
        child = children.after_reading(child, news=False, now=moment)
        assert child.probe_at is not None
        waits.append((child.probe_at - moment).days)
        moment = child.probe_at
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_gap_asks_recent_children_again() -> None:
    known = [
        SitemapChild(source_id="s", url=url, parent="i", fetched_at=NOW, lastmod="1", probe_at=NOW + timedelta(days=9))
        for url in ("recent", "old")
    ]
    items = [
        ListedSitemap(url="recent", lastmod="1", date=NOW),
        ListedSitemap(url="old", lastmod="1", date=NOW - timedelta(days=9)),
    ]
    assert plan_of(items, known, since=NOW - timedelta(days=1)) == ["recent"]
    assert plan_of(items, known) == []
