"""A PostgreSQL that is stopped and started again under an open storage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from storage.errors import StorageUnavailable
from storage.storage import Storage

pytestmark = pytest.mark.postgres


def _end_every_connection(url: str) -> int:
    """What a restart does to its clients: all of them lose their connection, in the middle of whatever they do."""
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    return len(rows)


async def test_after_a_restart_work_goes_on_and_nothing_is_lost_or_twice(
    fresh_postgres: Callable[[], str], clock: Any, make_desk: Callable[..., Any]
) -> None:
    url = fresh_postgres()
    storage = await Storage.open(url, now=clock)
    try:
        desk = make_desk(storage, clock)
        await desk.declare()
        await desk.begin()
        fates = await desk.discover(*(f"k{n}" for n in range(60)))
        work = asyncio.gather(*(desk.decide(fate) for fate in fates), return_exceptions=True)
        await asyncio.sleep(0)
        ended = await asyncio.to_thread(_end_every_connection, url)
        results = await work

        broken = [r for r in results if isinstance(r, BaseException)]
        assert ended > 0
        assert all(isinstance(error, StorageUnavailable) for error in broken), broken[:1]
        with suppress(StorageUnavailable):  # the pool may hold another dead connection
            await storage.fates.pending(desk.source, clock(), 100)
        for fate in await storage.fates.pending(desk.source, clock(), 100):
            await desk.decide(fate)

        assert await storage.articles.count() == 60
        events = await storage.outbox.after(0, 1000)
        assert len({event.article_id for event in events}) == len(events) == 60
        assert (await storage.audit.run()).findings == ()
    finally:
        await storage.close()
