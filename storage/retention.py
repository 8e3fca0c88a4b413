"""Deleting what is old or too much, in transactions short enough to hold nobody up.

Articles leave a tombstone, and what they were recognised by stays: nothing deleted is announced again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, delete, func, or_, select, tuple_

from storage.articles import Articles
from storage.database import Database
from storage.health_tables import alert_messages, flips, incidents, silences
from storage.model import RunStatus
from storage.runs import run_id
from storage.sources import affected
from storage.tables import articles, raw_pages, runs, sources

#: Rows deleted in one transaction.
BATCH = 500


class Retention:
    """What may be deleted, oldest first. Each method returns how many rows went."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def articles(
        self, before: datetime, now: datetime, *, only: str | None = None, but: Sequence[str] = ()
    ) -> int:
        """Articles first seen before that moment, of one outlet or of all but some, with revisions and pages.

        What consumers have still to hear of them arrives without its article.
        """
        a, gone = articles.c, 0
        query = select(a.id).where(a.first_seen < before, *_of(a.outlet_id, only, but)).order_by(a.first_seen)
        while True:
            async with self._database.read() as connection:
                ids = list(await connection.scalars(query.limit(BATCH)))
            gone += await Articles(self._database).bury(ids, "retention", now)
            if len(ids) < BATCH:
                return gone

    async def pages(self, before: datetime, *, only: str | None = None, but: Sequence[str] = ()) -> int:
        """Raw pages fetched before that moment, of one outlet or of all but some; their articles stay."""
        r = raw_pages.c
        query = select(r.article_id, r.revision).where(r.fetched_at < before)
        if only is not None or but:
            query = query.join(articles, articles.c.id == r.article_id).where(*_of(articles.c.outlet_id, only, but))
        gone = 0
        while count := await self._drop_pages(query.limit(BATCH)):
            gone += count
        return gone

    async def pages_beyond(self, size: int) -> int:
        """The oldest raw pages, until those that stay take no more than `size` bytes, compressed."""
        r, gone = raw_pages.c, 0
        async with self._database.read() as connection:
            total = int(await connection.scalar(select(func.coalesce(func.sum(func.length(r.body)), 0))) or 0)
        while total > size:
            query = select(r.article_id, r.revision, func.length(r.body)).order_by(r.fetched_at, r.article_id)
            async with self._database.read() as connection:
                rows = (await connection.execute(query.limit(BATCH))).all()
            chosen = []
            for article_id, revision, length in rows:
                if total <= size:
                    break
                total -= length
                chosen.append((article_id, revision))
            if not chosen:
                break
            gone += await self._drop(chosen)
        return gone

    async def runs(self, before: datetime) -> int:
        """Runs made before that moment, with the fates of their items; those with items undecided stay."""
        r, gone = runs.c, 0
        query = (
            select(r.id)
            .where(r.id < run_id(before, 0), r.pending == 0, r.status != RunStatus.RUNNING.value)
            .order_by(r.id)
            .limit(BATCH)
        )
        while True:
            async with self._database.write("retention") as connection:
                ids = list(await connection.scalars(query))
                gone += await affected(connection, delete(runs).where(r.id.in_(ids))) if ids else 0
            if len(ids) < BATCH:
                return gone

    async def incidents(self, before: datetime) -> int:
        """Changes of state and what was told of trouble, when it was over before that moment.

        The change to the state that a source is in stays, as does every incident that goes on and every message that
        is still to be sent.
        """
        f, i, m, s = flips.c, incidents.c, alert_messages.c, silences.c
        waits = and_(m.sent_at.is_(None), m.dropped_at.is_(None))
        present = select(sources.c.id).where(sources.c.id == f.source_id, sources.c.health_flips == f.number)
        old = (
            (flips, and_(f.noticed_at < before, ~present.exists())),
            (incidents, and_(i.ended_at < before, ~select(m.id).where(m.incident_id == i.id, waits).exists())),
            (alert_messages, and_(m.incident_id.is_(None), m.created_at < before, ~waits)),
            (silences, or_(s.until < before, s.ended_at < before)),
        )
        return sum([await self._of_table(table, condition) for table, condition in old])

    async def _of_table(self, table: Table, condition: Any) -> int:
        gone, query = 0, select(table.c.id).where(condition).order_by(table.c.id).limit(BATCH)
        while True:
            async with self._database.write("retention") as connection:
                ids = list(await connection.scalars(query))
                gone += await affected(connection, delete(table).where(table.c.id.in_(ids))) if ids else 0
            if len(ids) < BATCH:
                return gone

    async def _drop_pages(self, query: Any) -> int:
        async with self._database.read() as connection:
            chosen = [(row[0], row[1]) for row in await connection.execute(query)]
        return await self._drop(chosen) if chosen else 0

    async def _drop(self, keys: Sequence[tuple[str, int]]) -> int:
        r = raw_pages.c
        async with self._database.write("retention") as connection:
            return await affected(connection, delete(raw_pages).where(tuple_(r.article_id, r.revision).in_(keys)))


def _of(column: Any, only: str | None, but: Sequence[str]) -> list[Any]:
    conditions = [] if only is None else [column == only]
    return conditions + ([column.not_in(list(but))] if but else [])
