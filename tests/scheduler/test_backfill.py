"""What is old when it is first seen is stored and not announced as new."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench import archive
from crawlers.identity import url_key
from crawlers.model import FeedEntry
from crawlers.recognise import recognise
from newsroom.clock import WIB, Clock
from newsroom.press import Newsroom
from newsroom.serve import Running, running
from storage.events import EventFilter
from storage.identities import remember, row_for
from storage.model import FateKind, IdentityKey, IdentityKind

from .conftest import Desk

OUTLET, FEED, SITEMAP = "arahpena", "arahpena/terkini", "arahpena/sitemap"


@pytest.fixture
def press() -> Iterator[Running]:
    """A press that stands still shortly after a midnight of last year."""
    midnight = (datetime.now(WIB) - timedelta(days=370)).replace(hour=0, minute=20, second=0, microsecond=0)
    with running(Newsroom(clock=Clock(midnight.astimezone(UTC), speed=0), backlog_days=0)) as served:
        yield served


async def _heard(desk: Desk, *, backfilled: bool = False) -> list[str]:
    """Events that a consumer is told of."""
    return [event.event async for event in desk.rooms.storage.events.iterate(EventFilter(backfilled=backfilled))]


async def test_a_feed_full_of_old_stories_a_sitemap_of_last_year_and_other_guids_announce_nothing_as_new(
    desk: Desk,
) -> None:
    sources = [s.id for s in desk.settings.outlet("kabarniaga").sources]  # type: ignore[union-attr]
    sitemap = next(s for s in sources if "sitemap" in s)
    desk.newsroom.publish("kabarniaga", 4, channel="keuangan")
    feed = "kabarniaga/keuangan"

    stored = (await desk.crawl(feed)).counts.stored
    assert stored >= 4
    await desk.crawl(sitemap)
    desk.newsroom.misbehave("new_guids", source=feed)
    again = await desk.crawl(feed)

    assert again.counts.stored == 0
    assert await _heard(desk) == []
    assert set(await _heard(desk, backfilled=True)) == {"backfilled"}
    assert len(await desk.articles("kabarniaga")) == len(await _heard(desk, backfilled=True)) >= stored

    # Among them something of today is news.
    desk.newsroom.clock.set(datetime.now(UTC) - timedelta(hours=1))
    desk.newsroom.publish("kabarniaga", 1, channel="keuangan")
    await desk.crawl(feed)
    heard = await _heard(desk)
    assert set(heard) <= {"new", "copy"}
    assert "new" in heard


async def test_of_an_archive_that_nobody_has_read_yet_only_what_is_of_today_is_announced(short_dir: Path) -> None:
    outcome = archive.Outcome(items=30)

    with archive.served(30, datetime.now(UTC)) as (_, port):
        archive.write_config(short_dir, port)
        await archive.read(short_dir, outcome)

    assert [fates for _, fates, _ in outcome.polls] == [{"stored": 30}, {}, {"stored": 29}, {}]
    assert outcome.articles == 30 + 29  # the feed's and the sitemap's
    assert outcome.events == {"new": 1, "backfilled": 58}
    assert outcome.good


async def test_pages_of_old_stories_are_not_followed(desk: Desk) -> None:
    desk.newsroom.publish("gemanusa", 2)
    await desk.crawl()

    ids = [a.id for a in await desk.articles()]
    visits = await desk.rooms.storage.visits.of(ids)
    assert len(visits) == len(ids) >= 2
    assert {v.due_at for v in visits.values()} == {None}


async def test_an_archive_of_5000_known_stories_under_other_guids_is_all_known(desk: Desk) -> None:
    outlet = desk.settings.outlet("gemanusa")
    assert outlet is not None
    now = datetime.now(UTC)
    urls = [f"http://www.{outlet.id}.test/berita/{n}/lama" for n in range(5000)]
    keys = [IdentityKey(IdentityKind.URL, outlet.id, url_key(url, outlet)) for url in urls]
    rows = [
        row_for(key, article_id=f"{n:016}", fate=FateKind.STORED, entry_hash="", url_key=key.key, now=now)
        for n, key in enumerate(keys)
    ]
    database = desk.rooms.storage.database
    async with database.write() as connection:
        await remember(database, connection, rows)
    entries = [FeedEntry(url=url, guid=f"baru-{n}", title=f"Judul {n}") for n, url in enumerate(urls)]

    found = await recognise(
        entries, outlet, outlet.sources[0], seen=desk.rooms.seen, articles=desk.rooms.storage.articles, now=now,
        visits=desk.rooms.storage.visits,
    )  # fmt: skip

    assert (found.discoveries, found.known) == ((), 5000)


async def test_a_sign_of_a_change_that_meant_nothing_time_and_again_is_not_heeded_at_once(desk: Desk) -> None:
    desk.newsroom.publish("gemanusa", 1)
    await desk.crawl()
    outlet = desk.settings.outlet("gemanusa")
    assert outlet is not None
    stored = (await desk.articles())[0]
    storage, now = desk.rooms.storage, datetime.now(UTC)
    entry = FeedEntry(url=stored.article.url, title="Judul", updated=now)

    async def looks(at: datetime) -> int:
        await storage.articles.touch([], at)
        known = await storage.articles.identities([IdentityKey(IdentityKind.URL, outlet.id, stored.article.url_key)])
        name = IdentityKey(IdentityKind.GUID, outlet.sources[0].id, stored.article.url_key)
        await desk.rooms.seen.mark([dataclasses.replace(i, key=name, entry_hash="2former") for i in known.values()])
        found = await recognise(
            [entry], outlet, outlet.sources[0], seen=desk.rooms.seen, articles=storage.articles, now=at,
            visits=storage.visits,
        )  # fmt: skip
        return len(found.discoveries)

    visit = (await storage.visits.of([stored.id]))[stored.id]
    assert await looks(now) == 1
    await storage.visits.save([dataclasses.replace(visit, idle=3, visited_at=now)], {})
    assert await looks(now + timedelta(minutes=1)) == 0
    assert await looks(now + timedelta(minutes=30)) == 1


@pytest.mark.parametrize("misbehaviour", [None, "no_validators"])
async def test_a_304_and_the_same_bytes_renew_the_time_of_all_that_was_seen(
    desk: Desk, misbehaviour: str | None
) -> None:
    desk.newsroom.publish("gemanusa", 2)
    await desk.crawl()
    if misbehaviour is not None:
        desk.newsroom.misbehave(misbehaviour, source="gemanusa/rdf")
    redis, aged = desk.rooms.redis, 1_000_000
    keys = [key async for key in redis.scan_iter(match=b"ws:*") if await redis.pttl(key) > 0]
    for key in keys:
        await redis.pexpire(key, aged)

    run = await desk.crawl()

    assert run.status == "not_modified"
    assert len(keys) >= 4
    assert min([await redis.pttl(key) for key in keys]) > aged
