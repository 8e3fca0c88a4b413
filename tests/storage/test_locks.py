"""What a transaction that is still open holds back: each lock is seen to make the other side wait."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from storage.model import FateKind
from storage.outbox import append
from storage.settle import prepare

#: Real seconds given to the other side to do what it must not.
PATIENCE = 0.4


async def starts_and_waits(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Start the work and see that it cannot end now."""
    task = asyncio.create_task(work)
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    assert not done
    return task


async def test_no_event_becomes_visible_before_one_with_a_smaller_id(desk: Any) -> None:
    database = desk.storage.database
    event = {"event": "new", "article_id": "a", "revision": 1, "outlet_id": "pagi", "created_at": desk.clock()}

    async def another() -> int:
        async with database.write() as connection:
            return (await append(database, connection, [event]))[0]

    async with database.write() as connection:
        (first,) = await append(database, connection, [event])
        later = await starts_and_waits(another())
        assert await desk.storage.outbox.after(0, 10) == []

    assert await later > first
    assert [e.id for e in await desk.storage.outbox.after(0, 10)] == [first, later.result()]


async def test_no_run_takes_over_between_a_token_check_and_its_commit(desk: Any) -> None:
    await desk.begin()
    (fate,) = await desk.discover("beras")
    await desk.begin()  # the item's counters are now in a run that nobody else touches
    item = prepare(desk.decided(fate))

    async with desk.storage.database.write() as connection:
        await desk.storage.writer._settle(connection, [item])
        successor = await starts_and_waits(desk.begin())

    await successor
    assert (await desk.storage.fates.search())[0].kind is FateKind.STORED
    await desk.agrees()


async def test_an_item_that_two_writers_decide_is_counted_once(desk: Any) -> None:
    run = await desk.begin()
    fates = await desk.discover("beras", "gula", "kopi")
    decided = desk.decided(fates[0], FateKind.FAILED, rule="gone")

    async with desk.storage.database.write() as connection:
        await desk.storage.writer._settle(connection, [prepare(decided)])
        second = await starts_and_waits(desk.storage.writer.commit(decided))

    assert (await second).kind is FateKind.FAILED
    assert await desk.counts(run) == {"discovered": 3, "failed": 1, "pending": 2}
    await desk.agrees()


async def test_readers_do_not_wait_for_an_open_writer(desk: Any) -> None:
    await desk.publish("beras")

    async with desk.storage.database.write() as connection:
        await append(desk.storage.database, connection, [])
        assert await asyncio.wait_for(desk.storage.articles.count(), 5) == 1
        assert (await asyncio.wait_for(desk.storage.database.health(), 5)).ok
