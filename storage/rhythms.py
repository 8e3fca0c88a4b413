"""Rhythms of sources and what led to their next times, a row each, written with the end of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.model import FateKind, RunStatus, Trigger
from storage.rhythm import Rhythm, learn, pack, unpack
from storage.tables import fates, rhythms, runs, sources

#: How far back a lost rhythm is learned again, and from how many polls at most.
_HISTORY, _MOST_POLLS = timedelta(weeks=6), 5000


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

    async def relearned(self, source_id: str, now: datetime, zone: tzinfo) -> Rhythm:
        """The rhythm of a source whose row is lost or unreadable, from the runs and fates of the last six weeks.

        Its polls are gone through again in order; one that knows nothing where there are none.
        """
        r, f, since = runs.c, fates.c, now - _HISTORY
        polls = (
            select(r.id, r.started_at, r.discovered, r.trigger)
            .where(r.source_id == source_id, r.started_at >= since)
            .where(r.trigger.not_in([Trigger.RESUME.value, Trigger.REVISIT.value]))
            .where(r.status.in_([RunStatus.OK.value, RunStatus.NOT_MODIFIED.value]))
            .order_by(r.started_at)
            .limit(_MOST_POLLS)
        )
        known = [FateKind.REVISED.value, FateKind.UNCHANGED.value]
        items = (
            select(f.run_id, f.url_key, f.published)
            .where(f.source_id == source_id, f.discovered_at >= since, f.kind.not_in(known))
            .order_by(f.id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(polls)).all()
            found = (await connection.execute(items)).all() if rows else []
        fresh: dict[str, list[float | None]] = defaultdict(list)
        seen: set[str] = set()
        for item in found:
            if item.url_key not in seen:
                seen.add(item.url_key)
                fresh[item.run_id].append(None if item.published is None else item.published.timestamp())
        rhythm = Rhythm()
        for poll in rows:
            shown = None if poll.trigger == Trigger.PUSH.value else poll.discovered or None
            rhythm = learn(rhythm, poll.started_at.timestamp(), shown=shown, fresh=fresh[poll.id], zone=zone)
        return rhythm

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
