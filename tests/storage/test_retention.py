from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from config.model import OutletRetention
from config.model import Retention as Policy
from scheduler.retention import sweep
from storage.alerts import Message, Trouble
from storage.health import Change
from storage.model import FateKind
from storage.storage import Storage
from storage.tables import fates, raw_pages, runs

DAY = timedelta(days=1)


def trouble(key: str, now: Any) -> Trouble:
    return Trouble(rule="silent", key=key, severity="warning", title="t", sentence="s", began_at=now)


def told(incident_id: int | None) -> Message:
    return Message(
        incident_id=incident_id, channel="ops", kind="opened", number=0, severity="warning", title="t", body="b"
    )  # fmt: skip


@pytest.fixture
def count(storage: Storage) -> Any:
    async def rows(table: Any) -> int:
        async with storage.database.read() as connection:
            return int(await connection.scalar(select(func.count()).select_from(table)) or 0)

    return rows


async def test_an_article_that_was_let_go_is_not_announced_again(storage: Storage, desk: Any, clock: Any) -> None:
    old = await desk.publish("lama")
    clock.advance(2 * DAY)
    young = await desk.publish("baru")

    gone = await sweep(storage, Policy(articles=DAY), clock())
    assert gone == {"articles": 1, "raw_pages": 0, "runs": 0, "incidents": 0}

    assert await storage.articles.get(old.article_id) is None
    assert await storage.articles.get(young.article_id) is not None
    last = await storage.outbox.last()
    await desk.begin()
    (fate,) = await desk.discover("lama")
    again = await desk.decide(fate)
    assert (again.kind, again.event_id) == (FateKind.UNCHANGED, None)
    assert await storage.outbox.last() == last
    await desk.agrees()


async def test_an_outlet_may_keep_things_longer_or_shorter(
    storage: Storage, desk: Any, make_desk: Any, clock: Any, count: Any
) -> None:
    other = make_desk(storage, clock, source="kabar/utama")
    await other.declare()
    kept, dropped = await desk.publish("a"), await other.publish("b")
    clock.advance(3 * DAY)
    policy = Policy(
        articles=2 * DAY, raw_pages=2 * DAY,
        outlets=(("warta-pagi", OutletRetention(articles=9 * DAY)), ("kabar", OutletRetention(raw_pages=9 * DAY))),
    )  # fmt: skip
    gone = await sweep(storage, policy, clock())
    assert gone == {"articles": 1, "raw_pages": 1, "runs": 0, "incidents": 0}
    assert await storage.articles.get(kept.article_id) is not None
    assert await storage.articles.raw(kept.article_id) is None
    assert await storage.articles.get(dropped.article_id) is None
    shorter = Policy(articles=30 * DAY, outlets=(("warta-pagi", OutletRetention(articles=DAY)),))
    assert (await sweep(storage, shorter, clock()))["articles"] == 1
    assert await count(raw_pages) == 0
    await desk.agrees()


async def test_pages_go_by_age_and_by_size_the_oldest_first(
    storage: Storage, desk: Any, clock: Any, count: Any
) -> None:
    done = []
    for number in range(4):
        done.append(await desk.publish(f"k{number}"))
        clock.advance(DAY)
    async with storage.database.read() as connection:
        sizes = list(await connection.scalars(select(func.length(raw_pages.c.body))))
    assert (await sweep(storage, Policy(raw_pages=3 * DAY + DAY / 2), clock()))["raw_pages"] == 1
    assert (await sweep(storage, Policy(raw_pages_size=max(sizes) * 2), clock()))["raw_pages"] == 1
    assert (await sweep(storage, Policy(raw_pages_size=max(sizes) * 2), clock()))["raw_pages"] == 0
    assert await storage.articles.raw(done[1].article_id) is None
    assert await storage.articles.raw(done[2].article_id) is not None
    assert await count(raw_pages) == 2
    assert await storage.articles.count() == 4


async def test_old_runs_go_with_their_fates_unless_something_is_undecided(
    storage: Storage, desk: Any, clock: Any, count: Any
) -> None:
    await desk.publish("a")
    await desk.begin()
    await desk.discover("undecided")
    await storage.runs.interrupt_all(clock())
    clock.advance(2 * DAY)
    await desk.publish("b")
    before = await count(runs)

    assert (await sweep(storage, Policy(runs=DAY), clock()))["runs"] == 1
    assert await count(runs) == before - 1
    assert await count(fates) == 2
    assert [fate.url_key for fate in await storage.fates.pending(desk.source, clock(), 10)] == ["undecided"]
    await desk.agrees()


async def test_nothing_goes_that_nobody_let_go(storage: Storage, desk: Any, clock: Any) -> None:
    await desk.publish("a")
    clock.advance(3000 * DAY)
    assert await sweep(storage, Policy(), clock()) == {"articles": 0, "raw_pages": 0, "runs": 0, "incidents": 0}


async def test_what_is_over_goes_with_what_was_told_of_it_and_what_goes_on_stays(
    storage: Storage, desk: Any, clock: Any
) -> None:
    await desk.declare()
    first, _ = await storage.alerts.step(clock(), troubles=[trouble("a", clock()), trouble("b", clock())])
    over, goes_on = first
    await storage.alerts.tell([told(over.id), told(None)], clock())
    await storage.alerts.sent([waiting.id for waiting in await storage.alerts.messages(waiting=True)], clock())
    await storage.alerts.step(clock(), ended=[(over.id, clock())])
    await storage.alerts.silence(until=clock() + DAY, who="web", now=clock())
    for number, became in enumerate(("ok", "late", "ok")):
        change = Change(
            source_id=desk.source, outlet_id="warta-pagi", flips=number, was="new", became=became, sentence="s",
            evidence={}, began_at=clock(),
        )  # fmt: skip
        await storage.health.write([change], clock())
    clock.advance(3 * DAY)

    assert (await sweep(storage, Policy(incidents=4 * DAY), clock()))["incidents"] == 0
    # Two changes of state, the incident that is over, the message of a test, the silence.
    assert (await sweep(storage, Policy(incidents=DAY), clock()))["incidents"] == 5
    assert [incident.id for incident in await storage.alerts.recent()] == [goes_on.id]
    assert await storage.alerts.messages() == []
    assert [flip.number for flip in await storage.health.flips()] == [3]


async def test_an_incident_stays_until_everybody_was_told_that_it_is_over(storage: Storage, clock: Any) -> None:
    ((incident,), _) = await storage.alerts.step(clock(), troubles=[trouble("a", clock())])
    await storage.alerts.tell([told(incident.id)], clock())
    await storage.alerts.step(clock(), ended=[(incident.id, clock())])
    clock.advance(3 * DAY)

    assert (await sweep(storage, Policy(incidents=DAY), clock()))["incidents"] == 0
    (waiting,) = await storage.alerts.messages(waiting=True)
    await storage.alerts.sent([waiting.id], clock())
    assert (await sweep(storage, Policy(incidents=DAY), clock()))["incidents"] == 1
