from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from storage.events import EventFilter
from storage.model import Article, Change, FateKind, Visit
from storage.settle import REVISIONS
from storage.storage import Storage
from storage.tables import articles
from storage.visits import CLAIM, FADE_AT

HOUR = timedelta(hours=1)


@pytest.fixture
def plan(desk: Any) -> Callable[..., Visit]:
    def make(**more: Any) -> Visit:
        values = {"url": "https://warta-pagi.test/x", "due_at": desk.clock() + HOUR, "visited_at": desk.clock()}
        return Visit(article_id="", outlet_id="warta-pagi", **values | more)

    return make


async def store(desk: Any, key: str, visit: Visit, **more: Any) -> str:
    await desk.begin()
    (fate,) = await desk.discover(key)
    committed = await desk.decide(fate, visit=visit, **more)
    assert committed.article_id is not None
    return str(committed.article_id)


async def test_a_visit_is_written_with_its_article_and_comes_due(storage: Storage, desk: Any, plan: Any) -> None:
    name = await store(desk, "beras", plan(etag='"a"'))

    assert await storage.visits.backlog(desk.clock(), 10) == []
    now = desk.clock.advance(HOUR)
    (due,) = await storage.visits.backlog(now, 10)
    assert (due.outlet_id, due.pages) == ("warta-pagi", 1)
    (visit,) = await storage.visits.claim("warta-pagi", now, 10)
    assert (visit.article_id, visit.etag, visit.due_at) == (name, '"a"', now)


async def test_what_is_claimed_is_not_claimed_again_until_its_time_and_never_forgotten(
    storage: Storage, desk: Any, plan: Any
) -> None:
    await store(desk, "beras", plan())
    now = desk.clock.advance(HOUR)

    first = await storage.visits.claim("warta-pagi", now, 10)
    assert len(first) == 1
    assert await storage.visits.claim("warta-pagi", now, 10) == []
    assert len(await storage.visits.claim("warta-pagi", now + CLAIM, 10)) == 1
    await storage.visits.release(first)
    assert await storage.visits.claim("warta-pagi", now, 10) == first


async def test_the_longest_due_is_claimed_first_and_no_more_than_asked(storage: Storage, desk: Any, plan: Any) -> None:
    names = [await store(desk, f"k{n}", plan(due_at=desk.clock() + n * HOUR)) for n in (3, 1, 2)]
    now = desk.clock.advance(5 * HOUR)

    claimed = await storage.visits.claim("warta-pagi", now, 2)

    assert [v.article_id for v in claimed] == [names[1], names[2]]


async def test_visits_without_news_are_saved_and_counted_and_old_counts_fade(
    storage: Storage, desk: Any, plan: Any
) -> None:
    name = await store(desk, "beras", plan())
    known = (await storage.visits.of([name]))[name]

    await storage.visits.save([replace(known, step=1, due_at=None)], {("warta-pagi", 0): (FADE_AT - 2, 40)})
    await storage.visits.save([], {("warta-pagi", 0): (2, 2)})

    assert (await storage.visits.of([name]))[name].step == 1
    assert await storage.visits.rates("warta-pagi") == {0: (FADE_AT // 2, 21)}
    assert await storage.visits.spent(desk.clock()) == {"warta-pagi": 1}


async def test_a_deleted_article_takes_its_visit_along(storage: Storage, desk: Any, plan: Any) -> None:
    name = await store(desk, "beras", plan())
    known = (await storage.visits.of([name]))[name]
    await storage.articles.bury([name], "manual", desk.clock())

    await storage.visits.save([known], {})

    assert await storage.visits.of([name]) == {}


async def test_missing_pages_are_counted_among_those_asked_for_lately(storage: Storage, desk: Any, plan: Any) -> None:
    await store(desk, "a", plan(absent_since=desk.clock(), absences=1))
    await store(desk, "b", plan())
    await store(desk, "c", plan(visited_at=desk.clock() - 30 * HOUR))

    assert await storage.visits.missing("warta-pagi", desk.clock() - 24 * HOUR) == (1, 2)


async def test_a_retraction_is_told_once_for_each_state_and_a_return_makes_a_new_one(
    storage: Storage, desk: Any, plan: Any, write_article: Callable[..., Article]
) -> None:
    written = write_article("beras")
    name = await store(desk, "beras", plan(), what=written)
    gone = Change(event="retracted", detail={"how": "gone"})
    back = Change(event="revised", materiality=1.0, detail={"restored": True})

    for _ in range(2):
        for _ in range(2):
            await desk.begin()
            (fate,) = await desk.discover("beras")
            await desk.decide(fate, FateKind.UNCHANGED, of=name, rule="retracted", change=gone)
        stored = await storage.articles.get(name)
        assert stored is not None
        assert stored.retracted_at == desk.clock()
        await desk.begin()
        (fate,) = await desk.discover("beras")
        committed = await desk.decide(fate, FateKind.REVISED, written, of=name, change=back)
        assert committed.kind is FateKind.REVISED
    stored = await storage.articles.get(name)
    assert stored is not None
    assert (stored.retracted_at, stored.revision) == (None, 3)
    events = (await storage.events.after(0, 100)).events
    assert [e.event for e in events] == ["new", "retracted", "revised", "retracted", "revised"]
    assert len({e.key for e in events}) == 5
    await desk.agrees()


async def test_workers_that_find_an_article_gone_at_once_tell_it_once(
    storage: Storage, desk: Any, plan: Any, url: str
) -> None:
    name = await store(desk, "beras", plan())
    gone = Change(event="retracted", detail={"how": "gone"})
    other = await Storage.open(url, now=desk.clock)
    await desk.begin()
    looks = await desk.discover("beras", "beras-amp")
    decided = [desk.decided(fate, FateKind.UNCHANGED, of=name, rule="retracted", change=gone) for fate in looks]
    async with storage.database.write() as held:
        await held.execute(update(articles).values(section="beras"))  # whoever writes it waits for this
        told = [asyncio.create_task(at.writer.commit(one)) for at, one in zip((storage, other), decided, strict=True)]
        for _ in range(0 if storage.database.is_sqlite else 2000):
            if await held.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")) == 2:
                break
            await asyncio.sleep(0.005)
    await asyncio.gather(*told)
    await other.close()
    events = (await storage.events.after(0, 100)).events
    assert [e.event for e in events] == ["new", "retracted"]
    await desk.agrees()


async def test_a_return_is_told_of_an_article_that_has_all_its_revisions(
    storage: Storage, desk: Any, plan: Any, write_article: Callable[..., Article]
) -> None:
    name = await store(desk, "beras", plan())
    for number in range(REVISIONS):
        await desk.publish("beras", write_article("beras", f"Pukul {number}"))
    for kind, change in (
        (FateKind.UNCHANGED, Change(event="retracted", detail={"how": "gone"})),
        (FateKind.REVISED, Change(event="revised", materiality=1.0, detail={"restored": True})),
        (FateKind.REVISED, Change(event="revised", materiality=0.1, detail={})),
    ):
        await desk.begin()
        (fate,) = await desk.discover("beras")
        await desk.decide(fate, kind, of=name, change=change)
    stored = await storage.articles.get(name)
    assert stored is not None
    assert (stored.retracted_at, stored.revision) == (None, REVISIONS + 1)
    events = (await storage.events.after(0, 100)).events
    assert [e.event for e in events[-2:]] == ["retracted", "revised"]
    assert len({e.key for e in events}) == len(events)
    await desk.agrees()


async def test_consumers_choose_by_event_and_by_materiality_and_ask_for_what_is_old(
    storage: Storage, desk: Any, plan: Any, write_article: Callable[..., Article]
) -> None:
    await store(desk, "lama", plan(), backfilled=True)
    name = await store(desk, "beras", plan())
    for weight in (0.1, 0.6):
        await desk.begin()
        (fate,) = await desk.discover("beras")
        changed = write_article("beras", f"Naik {weight}.")
        await desk.decide(fate, FateKind.REVISED, changed, of=name, change=Change(event="revised", materiality=weight))

    async def told(**chosen: Any) -> list[tuple[str, float | None]]:
        found = await storage.events.after(0, 100, EventFilter(**chosen))
        return [(e.event, e.materiality) for e in found.events]

    assert await told() == [("new", None), ("revised", 0.1), ("revised", 0.6)]
    assert await told(backfilled=True, materiality=0.5) == [("backfilled", None), ("new", None), ("revised", 0.6)]
    assert await told(events=("revised",), materiality=0.5) == [("revised", 0.6)]
    assert await told(events=("backfilled",)) == [("backfilled", None)]
    await storage.deliveries.declare("cms", "webhook", desk.clock(), from_beginning=True)
    (lag,) = await storage.deliveries.lag(desk.clock(), {"cms": EventFilter(materiality=0.5)})
    assert lag.behind == 2
