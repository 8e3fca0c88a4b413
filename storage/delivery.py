"""How far each consumer has got, and what it did not accept: the memory of delivery.

Every event up to a consumer's cursor was accepted, does not concern it, or has a row in ``deliveries``:
waiting to be tried again (or for another event of its article), or dead. The cursor and those rows change
in one transaction, after the consumer has answered: a crash repeats deliveries and loses none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, delete, exists, func, literal, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.columns import Timestamp
from storage.database import Database
from storage.delivery_tables import consumers, deliveries
from storage.errors import StorageError
from storage.events import EventFilter
from storage.identities import chunks
from storage.sources import affected
from storage.tables import articles, outbox


class DeliveryLost(StorageError):
    """Another process delivers to this consumer now; stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """How far one consumer has got."""

    name: str
    #: webhook, stream or files.
    kind: str
    #: Position in the outbox.
    cursor: int
    fence: int
    delivered: int
    #: Refusals since it last accepted.
    failures: int
    not_before: datetime | None
    last_delivered: datetime | None
    last_failed: datetime | None
    last_error: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An event behind the cursor that a consumer has not accepted."""

    consumer: str
    event_id: int
    article_id: str
    #: waiting or dead.
    status: str
    attempts: int
    next_attempt: datetime
    #: None: it waits behind another event of its article, or is a replay not tried yet.
    first_failed: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """What a consumer has still to get; all but `dead` is under way."""

    consumer: Consumer
    #: Events behind its cursor's place in the outbox that nobody has looked at.
    behind: int
    waiting: int
    dead: int
    #: Age of the oldest event it has still to get, dead ones aside; zero when there is none.
    age: timedelta


@dataclass(slots=True)
class Settlement:
    """What one round of sending came to."""

    #: None: only what was waiting was sent.
    cursor: int | None = None
    accepted: list[int] = field(default_factory=list)
    #: Rows to write, new or known.
    pending: list[Pending] = field(default_factory=list)
    #: A word on the consumer as a whole: refusals in a row and when to go on; left alone when None.
    failures: int | None = None
    not_before: datetime | None = None
    error: str | None = None


class Deliveries:
    """The tables ``consumers`` and ``deliveries``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def declare(self, name: str, kind: str, now: datetime, *, from_beginning: bool) -> Consumer:
        """The consumer of that name, made if it is not known: at the first event there is, or behind the last."""
        row: dict[str, Any] = {"name": name, "kind": kind, "created_at": now, "cursor": 0}
        async with self._database.write("declare") as connection:
            if not from_beginning:
                row["cursor"] = await connection.scalar(select(func.coalesce(func.max(outbox.c.id), 0)))
            await connection.execute(self._database.insert(consumers).values(row).on_conflict_do_nothing())
            await connection.execute(update(consumers).where(consumers.c.name == name).values(kind=kind))
        found = await self.get(name)
        assert found is not None
        return found

    async def get(self, name: str) -> Consumer | None:
        """One consumer, or None."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(consumers).where(consumers.c.name == name))).one_or_none()
            return None if row is None else Consumer(**row._asdict())

    async def all(self) -> list[Consumer]:
        """Every consumer there ever was, by name."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(consumers).order_by(consumers.c.name))
            return [Consumer(**row._asdict()) for row in rows]

    async def forget(self, name: str) -> bool:
        """Drop a consumer with all it had still to get."""
        async with self._database.write("forget") as connection:
            await connection.execute(delete(deliveries).where(deliveries.c.consumer == name))
            return await affected(connection, delete(consumers).where(consumers.c.name == name)) > 0

    async def take(self, name: str, token: int) -> Consumer:
        """Begin to deliver under the token of a lease; from here on older tokens cannot settle.

        Raises DeliveryLost when a later token has begun.
        """
        statement = update(consumers).where(consumers.c.name == name, consumers.c.fence <= token).values(fence=token)
        async with self._database.write("take") as connection:
            if not await affected(connection, statement):
                raise DeliveryLost(f"consumer {name}: token {token} is not in force, another process delivers")
        found = await self.get(name)
        assert found is not None
        return found

    async def due(self, name: str, now: datetime, limit: int) -> list[Pending]:
        """What may be tried now: of each article only its first waiting event, the oldest first."""
        d, earlier = deliveries.c, deliveries.alias("earlier")
        blocked = exists().where(
            earlier.c.consumer == d.consumer,
            earlier.c.article_id == d.article_id,
            earlier.c.event_id < d.event_id,
            earlier.c.status == "waiting",
        )
        query = (
            select(deliveries)
            .where(d.consumer == name, d.status == "waiting", d.next_attempt <= now, ~blocked)
            .order_by(d.event_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [Pending(**row._asdict()) for row in await connection.execute(query)]

    async def held_articles(self, name: str, article_ids: Sequence[str]) -> set[str]:
        """Those of the articles that have an event waiting; later ones must wait behind it."""
        d = deliveries.c
        held: set[str] = set()
        async with self._database.read() as connection:
            for chunk in chunks(sorted(set(article_ids))):
                query = select(d.article_id).where(d.consumer == name, d.article_id.in_(chunk), d.status == "waiting")
                held.update(await connection.scalars(query.distinct()))
        return held

    async def settle(self, name: str, token: int, done: Settlement, now: datetime) -> None:
        """Write what a round came to, in one transaction. Raises DeliveryLost, having written nothing."""
        values: dict[str, Any] = {"delivered": consumers.c.delivered + len(done.accepted)}
        if done.cursor is not None:
            values["cursor"] = done.cursor
        if done.accepted:
            values["last_delivered"] = now
        if done.failures is not None:
            values |= {"failures": done.failures, "not_before": done.not_before}
        if done.error is not None:
            values |= {"last_failed": now, "last_error": done.error[:500]}
        statement = update(consumers).where(consumers.c.name == name, consumers.c.fence == token).values(**values)
        async with self._database.write("deliver") as connection:
            if not await affected(connection, statement):
                raise DeliveryLost(f"consumer {name}: token {token} is not in force, another process delivers")
            d = deliveries.c
            for chunk in chunks(done.accepted):
                await connection.execute(delete(deliveries).where(d.consumer == name, d.event_id.in_(chunk)))
            await self._write(connection, done.pending)

    async def _write(self, connection: AsyncConnection, rows: Sequence[Pending]) -> None:
        if not rows:
            return
        statement = self._database.insert(deliveries)
        changed = ("status", "attempts", "next_attempt", "first_failed", "last_error")
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=[deliveries.c.consumer, deliveries.c.event_id],
                set_={column: statement.excluded[column] for column in changed},
            ),
            [{name: getattr(row, name) for name in Pending.__slots__} for row in rows],
        )

    async def replay(
        self, name: str, now: datetime, where: EventFilter, *, ids: Sequence[int] = (), dead_only: bool = False
    ) -> int:
        """Send events again that the consumer is past; returns how many. Those ahead of it come anyway.

        Replayed events go in the order of their ids, like all others of their article.
        """
        o = outbox.c
        cursor = select(consumers.c.cursor).where(consumers.c.name == name).scalar_subquery()
        conditions: list[Any] = [o.id <= cursor, *where.kinds()]
        if ids:
            conditions.append(o.id.in_(list(ids)[:10_000]))
        if where.outlets:
            conditions.append(o.outlet_id.in_(where.outlets))
        if where.since is not None:
            conditions.append(o.created_at >= where.since)
        if where.until is not None:
            conditions.append(o.created_at < where.until)
        if where.article_id is not None:
            conditions.append(o.article_id == where.article_id)
        if not where.copies:
            copy = exists().where(articles.c.id == o.article_id, articles.c.copy_of.is_not(None))
            conditions += [o.event != "copy", ~copy]
        if dead_only:
            d = deliveries.c
            conditions.append(exists().where(d.consumer == name, d.event_id == o.id, d.status == "dead"))
        columns = [
            literal(name), o.id, o.article_id, literal("waiting"), literal(0), literal(now, Timestamp), null(), null(),
        ]  # fmt: skip
        statement = self._database.insert(deliveries)
        upsert = statement.from_select(
            ["consumer", "event_id", "article_id", "status", "attempts", "next_attempt", "first_failed", "last_error"],
            select(*columns).where(*conditions),
        ).on_conflict_do_update(
            index_elements=[deliveries.c.consumer, deliveries.c.event_id],
            set_={"status": "waiting", "attempts": 0, "next_attempt": now, "first_failed": None, "last_error": None},
        )
        async with self._database.write("replay") as connection:
            count = await connection.scalar(select(func.count()).select_from(outbox).where(*conditions))
            await connection.execute(upsert)
            return int(count or 0)

    async def pending(self, name: str | None = None, *, status: str, limit: int = 100) -> list[Pending]:
        """Events of that status, the oldest first."""
        d = deliveries.c
        query = select(deliveries).where(d.status == status).order_by(d.event_id, d.consumer).limit(limit)
        async with self._database.read() as connection:
            rows = await connection.execute(query if name is None else query.where(d.consumer == name))
            return [Pending(**row._asdict()) for row in rows]

    async def discard(self, name: str, event_ids: Sequence[int]) -> int:
        """Give dead letters up; returns how many there were."""
        d, gone = deliveries.c, 0
        async with self._database.write("discard") as connection:
            for chunk in chunks(event_ids):
                dead = delete(deliveries).where(d.consumer == name, d.event_id.in_(chunk), d.status == "dead")
                gone += await affected(connection, dead)
        return gone

    async def lag(self, now: datetime, filters: Mapping[str, EventFilter] | None = None) -> list[Lag]:
        """What each consumer has still to get; with `filters` only those consumers, counting what concerns them."""
        known = [c for c in await self.all() if filters is None or c.name in filters]
        return [await self._lag(consumer, (filters or {}).get(consumer.name), now) for consumer in known]

    async def _lag(self, consumer: Consumer, where: EventFilter | None, now: datetime) -> Lag:
        o, d = outbox.c, deliveries.c
        ahead: list[Any] = [o.id > consumer.cursor]
        if where is not None and where.outlets:
            ahead.append(o.outlet_id.in_(where.outlets))
        ahead += (where or EventFilter()).kinds()
        waiting = case((d.status == "waiting", 1), else_=0)
        held = and_(d.consumer == consumer.name, d.status == "waiting")
        async with self._database.read() as connection:
            behind, oldest = (
                await connection.execute(select(func.count(), func.min(o.created_at)).where(*ahead))
            ).one()
            rows, alive = (
                await connection.execute(
                    select(func.count(), func.coalesce(func.sum(waiting), 0)).where(d.consumer == consumer.name)
                )
            ).one()
            first = select(func.min(d.event_id)).where(held).scalar_subquery()
            held_since = await connection.scalar(select(o.created_at).where(o.id == first)) if alive else None
        moments = [moment for moment in (oldest, held_since) if moment is not None]
        age = max(now - min(moments), timedelta(0)) if moments else timedelta(0)
        return Lag(consumer=consumer, behind=behind, waiting=int(alive), dead=rows - int(alive), age=age)
