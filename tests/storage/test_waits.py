"""Waits after the wall clock was set back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from storage.model import FateKind
from storage.tables import sources

HOUR = timedelta(hours=1)


async def test_after_the_clock_went_back_nothing_waits_longer_than_it_was_to(desk: Any, clock: Any) -> None:
    await desk.declare()
    await desk.begin()
    (fate,) = await desk.discover("satu")
    ahead = clock() + timedelta(minutes=1)
    await desk.decide(fate, FateKind.PENDING, None, retry_at=ahead)
    storage = desk.storage
    async with storage.database.write() as connection:
        await connection.execute(
            update(sources).values(
                next_attempt=ahead, not_before=ahead, pending_at=ahead, failures=3.5, queued_at=clock()
            )
        )
    clock.moment -= HOUR

    assert await storage.waits.move(-HOUR, clock()) == 4

    (state,) = await storage.sources.all()
    soon = clock() + timedelta(minutes=1)
    assert (state.next_attempt, state.not_before, state.failures) == (soon, soon, 3.5)
    assert state.queued_at is None
    assert await storage.fates.pending(desk.source, soon, 10) != []
    assert await storage.waits.move(-HOUR, soon) == 0
