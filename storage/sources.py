"""The state of sources: what is due, what was learned at the last attempt, who may write.

Knows nothing of schedules; the caller says when the next attempt is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, and_, case, func, literal, null, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from config.model import Outlet
from storage.columns import Timestamp
from storage.database import Database
from storage.errors import StaleToken
from storage.identities import chunks
from storage.model import FateKind, RunStatus, SourceState
from storage.tables import fates, outlets, runs, sources

#: A message sent to the queue this long ago and never taken up is taken for lost.
QUEUE_PATIENCE = timedelta(minutes=15)

#: Sources of one outlet beyond this number wait until every other outlet had its turn, whatever their priority.
CROWD = 64

#: What a run may change of its source.
CHANGEABLE = frozenset(
    {
        "next_attempt",
        "last_attempt",
        "last_success",
        "last_new",
        "etag",
        "last_modified",
        "body_hash",
        "failures",
        "last_failure",
        "last_failure_message",
        "not_before",
        "moved_to",
        "moved_since",
        "adopted_url",
        "distrusted_at",
        "unaudited",
        "audits",
        "window",
        "gap_since",
        "gone_days",
        "gone_counted_at",
        "gone_at",
        "missing_since",
        "searched_at",
        "proposal",
        "said",
        "last_item",
    }
)

#: What belongs to an address, and is forgotten with it.
OF_THE_ADDRESS = (
    "etag", "last_modified", "body_hash", "moved_to", "moved_since", "not_before", "adopted_url", "distrusted_at",
    "window", "gap_since", "gone_counted_at", "gone_at", "missing_since", "searched_at", "proposal", "said",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDefinition:
    """What the configuration says of a source, as far as storage keeps it."""

    id: str
    outlet_id: str
    kind: str
    url: str
    priority: int = 100


class Sources:
    """The tables ``sources`` and ``outlets``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[SourceState]:
        """Every source, removed ones included, by id."""
        async with self._database.read() as connection:
            return [state_from(row) for row in await connection.execute(select(sources).order_by(sources.c.id))]

    async def of_outlets(self, outlet_ids: Iterable[str]) -> list[SourceState]:
        """Every source of these outlets, removed ones included."""
        found: list[SourceState] = []
        async with self._database.read() as connection:
            for chunk in chunks(sorted(set(outlet_ids))):
                rows = await connection.execute(select(sources).where(sources.c.outlet_id.in_(chunk)))
                found += [state_from(row) for row in rows]
        return found

    async def get(self, source_id: str) -> SourceState | None:
        """One source, or None."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(sources).where(sources.c.id == source_id))).one_or_none()
            return None if row is None else state_from(row)

    async def upsert(
        self,
        definitions: Sequence[SourceDefinition],
        next_attempts: Mapping[str, datetime],
        now: datetime,
    ) -> None:
        """Declare sources: unknown ones are added, removed ones come back, others are brought up to date.

        `next_attempts` holds the first attempt of added and returning sources (default: `now`); a source
        that is there already keeps its own. Another address forgets the validators of the former.
        """
        insert = self._database.insert(sources)
        said, old = insert.excluded, sources.c
        moved = or_(said.url != old.url, said.kind != old.kind)
        statement = insert.on_conflict_do_update(
            index_elements=[old.id],
            set_={
                "outlet_id": said.outlet_id,
                "kind": said.kind,
                "url": said.url,
                "priority": said.priority,
                "next_attempt": case((old.removed_at.is_not(None), said.next_attempt), else_=old.next_attempt),
                "removed_at": None,
                **{name: case((moved, null()), else_=old[name]) for name in OF_THE_ADDRESS},
                **{name: case((moved, 0), else_=old[name]) for name in ("unaudited", "audits", "gone_days")},
            },
        )
        rows = [
            {
                "id": d.id,
                "outlet_id": d.outlet_id,
                "kind": d.kind,
                "url": d.url,
                "priority": d.priority,
                "next_attempt": next_attempts.get(d.id, now),
            }
            for d in sorted(definitions, key=lambda d: d.id)
        ]
        if rows:
            async with self._database.write("sources") as connection:
                await connection.execute(statement, rows)

    async def remove(self, ids: Iterable[str], now: datetime) -> int:
        """Take sources out of service; their rows and history stay. Returns how many were in service."""
        return await self._update(
            ids, sources.c.removed_at.is_(None), removed_at=now, requested_at=None, queued_at=None
        )

    async def restore(self, ids: Iterable[str], next_attempt: datetime) -> int:
        """Put removed sources back in service. Returns how many had been removed."""
        return await self._update(ids, sources.c.removed_at.is_not(None), removed_at=None, next_attempt=next_attempt)

    async def due(self, now: datetime, limit: int, *, most: Callable[[str], int] | None = None) -> list[SourceState]:
        """Sources to run now, the most urgent first; among equals the outlets take turns.

        What of an outlet is queued or running already counts as its turns; `most` says how many it may have at
        a time. So one with thousands of sources never fills the queue.

        Due are those whose next attempt has come and whose server did not ask to wait longer, those
        with items to try again or a push to read, and, paused or not, those a person asked for.
        """
        s = sources.c
        not_waiting = or_(s.not_before.is_(None), s.not_before <= now)
        not_queued = or_(s.queued_at.is_(None), s.queued_at < s.pending_at, s.queued_at < now - QUEUE_PATIENCE)
        not_fetched = or_(s.queued_at.is_(None), s.queued_at < s.pushed_at, s.queued_at < now - QUEUE_PATIENCE)
        running = ~s.paused
        ids = union(
            select(s.id).where(s.removed_at.is_(None), s.next_attempt <= now, running, not_waiting),
            select(s.id).where(s.requested_at.is_not(None)),
            select(s.id).where(s.pending_at.is_not(None), s.pending_at <= now, running, not_queued),
            select(s.id).where(s.pushed_at.is_not(None), running, not_fetched),
        ).subquery()
        busy = _busy()
        turn = func.row_number().over(
            partition_by=s.outlet_id, order_by=(s.queued_at.is_not(None), s.priority, s.next_attempt, s.id)
        )
        ranked = (
            select(
                s.id,
                s.priority,
                s.next_attempt,
                s.requested_at,
                (turn + func.coalesce(busy.c.count, 0)).label("turn"),
            )
            .join_from(sources, busy, busy.c.outlet_id == s.outlet_id, isouter=True)
            .where(s.id.in_(select(ids.c.id)), s.removed_at.is_(None))
            .subquery()
        )
        r = ranked.c
        asked_last = case((and_(r.turn > CROWD, r.requested_at.is_(None)), 1), else_=0)
        first = select(r.id, r.turn).order_by(asked_last, r.priority, r.turn, r.next_attempt, r.id).limit(limit)
        async with self._database.read() as connection:
            turns: dict[str, int] = {row.id: row.turn for row in await connection.execute(first)}
            states: dict[str, SourceState] = {}
            for chunk in chunks(turns):
                found = await connection.execute(select(sources).where(s.id.in_(chunk)))
                states |= {row.id: state_from(row) for row in found}
        return [
            state
            for source_id, place in turns.items()
            if (state := states.get(source_id)) is not None
            and (most is None or place <= most(state.outlet_id) or state.queued_at or state.requested_at)
        ]

    async def claim(self, source_id: str, expected_next: datetime, next_attempt: datetime, now: datetime) -> bool:
        """Record the next attempt before this one is queued; False when another dispatcher was first."""
        s = sources.c
        changed = await self._update(
            [source_id],
            and_(s.next_attempt == expected_next, s.removed_at.is_(None)),
            next_attempt=next_attempt,
            queued_at=now,
            requested_at=None,
        )
        return changed == 1

    async def unclaim(self, source_id: str) -> None:
        """Forget that a message was queued (it could not be sent)."""
        await self._update([source_id], queued_at=None)

    async def forget_queued(self, before: datetime) -> int:
        """The same for every message sent before that moment (the queue is empty); how many they were."""
        statement = update(sources).where(sources.c.queued_at < before).values(queued_at=None)
        async with self._database.write("sources") as connection:
            return await affected(connection, statement)

    async def reschedule(self, source_id: str, next_attempt: datetime) -> bool:
        """Set the next attempt, as when the schedule changed; False for a source not in service."""
        return await self._update([source_id], sources.c.removed_at.is_(None), next_attempt=next_attempt) == 1

    async def update_state(self, source_id: str, token: int, **changes: Any) -> bool:
        """Write fields of :class:`SourceState` under a run's token; False when the token is stale."""
        values = allowed(changes)
        if not values:
            return True
        return await self._update([source_id], sources.c.fence == token, **values) == 1

    async def pause(self, ids: Iterable[str]) -> int:
        """Stop polling until resumed."""
        return await self._update(ids, sources.c.removed_at.is_(None), paused=True)

    async def resume(self, ids: Iterable[str]) -> int:
        """Poll again."""
        return await self._update(ids, sources.c.removed_at.is_(None), paused=False)

    async def request_run(self, ids: Iterable[str], now: datetime) -> int:
        """Ask for a run as soon as possible; returns how many sources are there to be asked."""
        return await self._update(ids, sources.c.removed_at.is_(None), requested_at=now)

    async def request_gap(self, ids: Iterable[str], since: datetime, now: datetime) -> int:
        """Ask for a run that looks back to `since`, for what another source may have missed; how many were asked.

        One that is asked already keeps the earlier moment.
        """
        return await self._update(
            ids,
            and_(sources.c.removed_at.is_(None), sources.c.gap_since.is_(None), ~sources.c.paused),
            requested_at=now,
            gap_since=since,
        )

    async def adopt(self, source_id: str, address: str | None, now: datetime) -> bool:
        """Poll `address` in place of the configured one from now on; None goes back. False for an unknown source."""
        forgotten = dict.fromkeys(OF_THE_ADDRESS) | {"unaudited": 0, "audits": 0, "gone_days": 0}
        values = forgotten | {"adopted_url": address, "failures": 0.0, "next_attempt": now}
        return await self._update([source_id], sources.c.removed_at.is_(None), **values) == 1

    async def set_outlets(self, known: Sequence[Outlet], now: datetime) -> None:
        """Make the table ``outlets`` say what the configuration says; rows of others are marked removed."""
        insert = self._database.insert(outlets)
        names = ("name", "homepage", "grp", "language", "timezone", "country", "enabled", "updated_at")
        statement = insert.on_conflict_do_update(
            index_elements=[outlets.c.id],
            set_={**{name: insert.excluded[name] for name in names}, "removed_at": None},
        )
        rows = [
            {
                "id": outlet.id,
                "name": outlet.name,
                "homepage": outlet.homepage,
                "grp": outlet.group,
                "language": outlet.language,
                "timezone": outlet.timezone.key,
                "country": outlet.country,
                "enabled": outlet.enabled,
                "updated_at": now,
            }
            for outlet in sorted(known, key=lambda outlet: outlet.id)
        ]
        wanted = {outlet.id for outlet in known}
        async with self._database.write("outlets") as connection:
            if rows:
                await connection.execute(statement, rows)
            present = await connection.scalars(select(outlets.c.id).where(outlets.c.removed_at.is_(None)))
            for gone in chunks(sorted(set(present) - wanted)):
                await connection.execute(update(outlets).where(outlets.c.id.in_(gone)).values(removed_at=now))

    async def _update(self, ids: Iterable[str], *conditions: Any, **values: Any) -> int:
        changed = 0
        async with self._database.write("sources") as connection:
            for chunk in chunks(sorted(set(ids))):
                statement = update(sources).where(sources.c.id.in_(chunk), *conditions).values(**values)
                changed += await affected(connection, statement)
        return changed


def _busy() -> Any:
    """Per outlet, its sources that are queued or running."""
    going = union(
        select(sources.c.outlet_id, sources.c.id).where(sources.c.queued_at.is_not(None)),
        select(runs.c.outlet_id, runs.c.source_id).where(runs.c.status == RunStatus.RUNNING.value),
    ).subquery()
    return select(going.c.outlet_id, func.count().label("count")).group_by(going.c.outlet_id).subquery()


def state_from(row: Any) -> SourceState:
    """The state a row of ``sources`` holds."""
    return SourceState(**row._asdict())


def allowed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, or TypeError for a field that a run may not write."""
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise TypeError(f"a run may not change {', '.join(sorted(unknown))} of its source")
    return dict(changes)


async def affected(connection: AsyncConnection, statement: Any) -> int:
    """Run an UPDATE or DELETE and count its rows."""
    result = await connection.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount


async def hold(connection: AsyncConnection, source_id: str, token: int) -> None:
    """Keep the source's token from changing until this transaction ends; StaleToken when it is another."""
    query = select(sources.c.fence).where(sources.c.id == source_id).with_for_update(read=True)
    fence = (await connection.execute(query)).scalar_one_or_none()
    if fence != token:
        raise StaleToken(source_id, token, fence)


def earliest_pending(source_id: Any, now: datetime) -> Any:
    """The SQL of a source's earliest retry: null without pending items, `now` for those never tried."""
    return (
        select(func.min(func.coalesce(fates.c.retry_at, literal(now, Timestamp))))
        .where(fates.c.kind == FateKind.PENDING.value, fates.c.source_id == source_id)
        .scalar_subquery()
    )
