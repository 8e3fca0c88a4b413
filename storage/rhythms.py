"""Rhythms of sources and what led to their next times, a row each, written with the end of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.model import Trigger
from storage.rhythm import Rhythm, pack, unpack
from storage.tables import rhythms, runs, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPoll:
    """When a source is polled next, what led there, and the rhythm as it is known by now."""

    at: datetime
    #: Each with ``name``, ``text`` and ``at`` (ISO 8601), in order.
    terms: tuple[Mapping[str, str], ...] = ()
    rhythm: Rhythm | None = None
    #: Requests a day at each price of :data:`scheduler.rhythm.PRICES`; empty for schedules without a price.
    demand: tuple[float, ...] = ()
    #: What the publisher asks, as fields of the source's state: ``not_before`` and ``said``.
    asked: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The row of one source."""

    source_id: str
    rhythm: Rhythm
    demand: tuple[float, ...]
    terms: tuple[Mapping[str, str], ...]
    decided_at: datetime


class Rhythms:
    """The table ``rhythms``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, source_id: str) -> Remembered | None:
        """What is known of one source; None before its first poll."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(rhythms).where(rhythms.c.source_id == source_id))).one_or_none()
        return None if row is None else _remembered(row)

    async def many(self, source_ids: Sequence[str] | None = None) -> dict[str, Remembered]:
        """What is known of these sources (None: all), by id."""
        query = select(rhythms)
        if source_ids is not None:
            query = query.where(rhythms.c.source_id.in_(source_ids))
        async with self._database.read() as connection:
            return {row.source_id: _remembered(row) for row in await connection.execute(query)}

    async def demands(self) -> list[tuple[str, tuple[float, ...]]]:
        """Outlet and demand of every source in service that has one."""
        query = (
            select(sources.c.outlet_id, rhythms.c.demand)
            .join(sources, sources.c.id == rhythms.c.source_id)
            .where(sources.c.removed_at.is_(None), ~sources.c.paused)
        )
        async with self._database.read() as connection:
            return [(outlet, tuple(demand)) for outlet, demand in await connection.execute(query) if demand]

    async def polls(self, since: datetime) -> dict[str, int]:
        """Runs that asked their source, by outlet, since that moment."""
        r = runs.c
        query = (
            select(r.outlet_id, func.count())
            .where(r.started_at >= since, r.trigger.not_in(_OF_PAGES))
            .group_by(r.outlet_id)
        )
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}


#: Runs that do not ask their source.
_OF_PAGES = (Trigger.RESUME.value, Trigger.PUSH.value, Trigger.REVISIT.value)


async def save(database: Database, connection: AsyncConnection, source_id: str, found: NextPoll, now: datetime) -> None:
    """Write the row of a source, in the transaction of `connection`."""
    insert = database.insert(rhythms)
    row: dict[str, Any] = {
        "source_id": source_id,
        "state": pack(found.rhythm or Rhythm()),
        "demand": [round(requests, 3) for requests in found.demand],
        "terms": [dict(term) for term in found.terms],
        "decided_at": now,
    }
    names = ("state", "demand", "terms", "decided_at")
    await connection.execute(
        insert.values(row).on_conflict_do_update(
            index_elements=[rhythms.c.source_id], set_={name: insert.excluded[name] for name in names}
        )
    )


def _remembered(row: Any) -> Remembered:
    return Remembered(
        source_id=row.source_id,
        rhythm=unpack(row.state),
        demand=tuple(row.demand),
        terms=tuple(row.terms),
        decided_at=row.decided_at,
    )
