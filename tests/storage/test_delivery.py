from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from storage.articles import ArticleFilter
from storage.delivery import DeliveryLost, Pending, Settlement
from storage.events import EventFilter
from storage.model import FateKind
from storage.storage import Storage
from storage.views import VIEWS


def refused(event_id: int, article_id: str, when: Any, status: str = "waiting") -> Pending:
    return Pending(
        consumer="cms", event_id=event_id, article_id=article_id, status=status, attempts=1, next_attempt=when,
        first_failed=when, last_error="HTTP 500",
    )  # fmt: skip


async def revise(desk: Any, key: str, what: Any) -> Any:
    await desk.begin()
    (fate,) = await desk.discover(key)
    return await desk.decide(fate, FateKind.REVISED, what)


async def test_an_event_carries_the_article_as_it_was_then(storage: Storage, desk: Any, write_article: Any) -> None:
    await desk.publish("beras")
    await revise(desk, "beras", write_article("beras", "Direvisi.", title="Harga beras turun"))
    page = await storage.events.after(0, 10)

    assert [(e.event, e.revision) for e in page.events] == [("new", 1), ("revised", 2)]
    first, second = (e.record for e in page.events)
    assert first is not None
    assert second is not None
    assert (first["title"], second["title"]) == ("Harga beras beras", "Harga beras turun")
    assert page.events[1].key == f"{page.events[1].article_id}:2:revised"
    assert page.reached == page.events[-1].id
    envelope = page.events[0].envelope()
    assert envelope["schema"] == 1
    assert envelope["article"]["first_seen"].endswith("Z")
    assert envelope["article"]["provenance"] == {"title": "rules"}
    assert "Direvisi." in second["text"]


async def test_a_page_reaches_past_what_does_not_fit(storage: Storage, desk: Any, make_desk: Any, clock: Any) -> None:
    other = make_desk(storage, clock, source="kabar/utama")
    await other.declare()
    await desk.publish("satu")
    await other.publish("dua")
    await desk.publish("tiga")
    last = await storage.outbox.last()

    page = await storage.events.after(0, 10, EventFilter(outlets=("kabar",)))

    assert [e.outlet_id for e in page.events] == ["kabar"]
    assert page.reached == last
    assert (await storage.events.after(last, 10)).reached == last
    assert [e.id async for e in storage.events.iterate(batch=1)] == sorted(
        e.id for e in (await storage.events.after(0, 10)).events
    )


async def test_copies_can_be_left_out_with_all_that_happens_to_them(
    storage: Storage, desk: Any, write_article: Any, clock: Any
) -> None:
    first = await desk.publish("asli", write_article("asli", "Sama."))
    copy = await desk.publish("salinan", write_article("salinan", "Sama.", title="Judul lain"))
    await storage.articles.retract(copy.article_id, clock())

    page = await storage.events.after(0, 10, EventFilter(copies=False))

    assert [e.article_id for e in page.events] == [first.article_id]
    assert len((await storage.events.after(0, 10)).events) == 3


async def test_events_of_deleted_articles_say_so(storage: Storage, desk: Any, clock: Any) -> None:
    done = await desk.publish("beras")
    await storage.articles.bury([done.article_id], "manual", clock())

    (event,) = (await storage.events.after(0, 10)).events

    assert event.record is None
    assert event.envelope()["article"] is None


async def test_articles_come_in_the_order_of_their_announcement(storage: Storage, desk: Any, clock: Any) -> None:
    for key in ("a", "b", "c"):
        await desk.publish(key)
        clock.advance(timedelta(hours=3))
    page = await storage.events.articles(ArticleFilter(), limit=2)
    rest = await storage.events.articles(ArticleFilter(), after=page.records[-1][0], limit=2)
    newest = await storage.events.articles(ArticleFilter(), limit=2, newest_first=True)

    assert [r["url_key"] for _, r in page.records] == ["a", "b"]
    assert (page.more, rest.more) == (True, False)
    assert [r["url_key"] for _, r in rest.records] == ["c"]
    assert [r["url_key"] for _, r in newest.records] == ["c", "b"]
    since = ArticleFilter(since=clock() - timedelta(hours=4), outlet_id="warta-pagi", query="harga", language="id")
    assert [r["url_key"] for _, r in (await storage.events.articles(since)).records] == ["c"]
    words = ArticleFilter(query="harga")
    assert [r["url_key"] for _, r in (await storage.events.articles(words, newest_first=True)).records] == [
        "c", "b", "a",
    ]  # fmt: skip
    assert [r["url_key"] async for _, r in storage.events.records(words, batch=2)] == ["a", "b", "c"]
    until = ArticleFilter(until=clock() - timedelta(hours=4))
    assert [r["url_key"] for _, r in (await storage.events.articles(until)).records] == ["a", "b"]
    assert [r["url_key"] async for _, r in storage.events.records(ArticleFilter(), batch=1)] == ["a", "b", "c"]


async def test_a_consumer_begins_where_it_was_told_to_and_stays_where_it_is(
    storage: Storage, desk: Any, clock: Any
) -> None:
    await desk.publish("beras")
    deliveries = storage.deliveries
    assert (await deliveries.declare("all", "stream", clock(), from_beginning=True)).cursor == 0
    late = await deliveries.declare("late", "stream", clock(), from_beginning=False)
    await desk.publish("gula")
    again = await deliveries.declare("late", "webhook", clock(), from_beginning=True)

    assert late.cursor == again.cursor == 1
    assert again.kind == "webhook"
    assert [c.name for c in await deliveries.all()] == ["all", "late"]


async def test_an_older_token_can_neither_begin_nor_settle(storage: Storage, clock: Any) -> None:
    await storage.deliveries.declare("cms", "webhook", clock(), from_beginning=True)
    await storage.deliveries.take("cms", 5)

    with pytest.raises(DeliveryLost):
        await storage.deliveries.take("cms", 4)
    await storage.deliveries.take("cms", 6)
    with pytest.raises(DeliveryLost):
        await storage.deliveries.settle("cms", 5, Settlement(cursor=9), clock())
    consumer = await storage.deliveries.get("cms")
    assert consumer is not None
    assert (consumer.cursor, consumer.fence) == (0, 6)


async def test_only_the_first_waiting_event_of_an_article_is_due(storage: Storage, clock: Any) -> None:
    deliveries = storage.deliveries
    await deliveries.declare("cms", "webhook", clock(), from_beginning=True)
    await deliveries.take("cms", 1)
    later = clock() + timedelta(minutes=5)
    rows = [refused(1, "a", later), refused(2, "a", clock()), refused(3, "b", clock()), refused(4, "b", clock())]
    await deliveries.settle("cms", 1, Settlement(cursor=4, pending=rows, error="HTTP 500"), clock())

    assert [row.event_id for row in await deliveries.due("cms", clock(), 10)] == [3]
    assert await deliveries.held_articles("cms", ["a", "b", "c"]) == {"a", "b"}
    clock.advance(timedelta(minutes=5))
    assert [row.event_id for row in await deliveries.due("cms", clock(), 10)] == [1, 3]

    dead = refused(1, "a", clock(), "dead")
    await deliveries.settle("cms", 1, Settlement(accepted=[3], pending=[dead]), clock())

    assert [row.event_id for row in await deliveries.due("cms", clock(), 10)] == [2, 4]
    assert [row.event_id for row in await deliveries.pending("cms", status="dead")] == [1]
    consumer = await deliveries.get("cms")
    assert consumer is not None
    assert (consumer.delivered, consumer.last_error) == (1, "HTTP 500")


async def test_a_replay_takes_what_the_consumer_is_past(
    storage: Storage, desk: Any, make_desk: Any, clock: Any
) -> None:
    other = make_desk(storage, clock, source="kabar/utama")
    await other.declare()
    first = await desk.publish("a")
    await other.publish("b")
    clock.advance(timedelta(days=1))
    third = await desk.publish("c")
    await desk.publish("d")
    deliveries = storage.deliveries
    await deliveries.declare("cms", "webhook", clock(), from_beginning=True)
    await deliveries.take("cms", 1)
    dead = refused(third.event_id, third.article_id, clock(), "dead")
    await deliveries.settle("cms", 1, Settlement(cursor=third.event_id, pending=[dead]), clock())

    async def replayed(where: EventFilter, **more: Any) -> list[int]:
        count = await deliveries.replay("cms", clock(), where, **more)
        found = [row.event_id for row in await deliveries.due("cms", clock(), 10)]
        assert count == len(found)
        await deliveries.settle("cms", 1, Settlement(accepted=found), clock())
        return found

    assert await replayed(EventFilter(), dead_only=True) == [third.event_id]
    assert await replayed(EventFilter()) == [1, 2, 3]
    assert await replayed(EventFilter(outlets=("kabar",))) == [2]
    assert await replayed(EventFilter(since=clock())) == [3]
    assert await replayed(EventFilter(until=clock())) == [1, 2]
    assert await replayed(EventFilter(article_id=first.article_id)) == [1]
    assert await replayed(EventFilter(), ids=[2, 4]) == [2]
    assert await deliveries.discard("cms", [third.event_id]) == 0


async def test_lag_counts_what_is_behind_and_what_waits(storage: Storage, desk: Any, clock: Any) -> None:
    done = await desk.publish("a")
    clock.advance(timedelta(minutes=10))
    await desk.publish("b")
    await desk.publish("c")
    deliveries = storage.deliveries
    await deliveries.declare("cms", "webhook", clock(), from_beginning=True)
    await deliveries.take("cms", 1)

    (lag,) = await deliveries.lag(clock())
    assert (lag.behind, lag.waiting, lag.dead, lag.age) == (3, 0, 0, timedelta(minutes=10))

    rows = [refused(1, done.article_id, clock()), refused(2, "x", clock(), "dead")]
    await deliveries.settle("cms", 1, Settlement(cursor=2, pending=rows), clock())
    (lag,) = await deliveries.lag(clock(), {"cms": EventFilter()})
    assert (lag.behind, lag.waiting, lag.dead, lag.age) == (1, 1, 1, timedelta(minutes=10))
    await deliveries.settle("cms", 1, Settlement(cursor=3, accepted=[1]), clock())
    (lag,) = await deliveries.lag(clock(), {"cms": EventFilter(outlets=("kabar",))})
    assert (lag.behind, lag.waiting, lag.dead, lag.age) == (0, 0, 1, timedelta(0))
    assert await deliveries.lag(clock(), {}) == []
    assert await deliveries.forget("cms")
    assert await deliveries.pending(status="dead") == []


@pytest.mark.parametrize("view", sorted(VIEWS))
async def test_every_view_answers(storage: Storage, desk: Any, clock: Any, view: str) -> None:
    await desk.publish("a")
    await storage.deliveries.declare("cms", "webhook", clock(), from_beginning=True)
    async with storage.database.read() as connection:
        rows = (await connection.execute(text(f"SELECT * FROM {view}"))).mappings().all()
    assert len(rows) == (0 if view == "outlet_v1" else 1)
