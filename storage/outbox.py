"""What consumers have to hear, in an order that a plain growing cursor can follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.tables import outbox

#: Key of the advisory lock that makes ids grow in the order of commits on PostgreSQL ("warto").
_ORDER_LOCK = 0x776172746F


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """One thing that happened to an article."""

    #: Position: an event with a greater id was committed later.
    id: int
    #: new, copy, backfilled, revised, reextracted, corrected, moved or retracted.
    event: str
    article_id: str
    revision: int
    outlet_id: str
    created_at: datetime
    #: As of :class:`storage.model.Change`.
    materiality: float | None = None
    detail: Mapping[str, Any] | None = None


#: What an event says beyond that it happened, when it says nothing.
_NOTHING: dict[str, Any] = {"materiality": None, "detail": None}


class Outbox:
    """The table ``outbox``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, cursor: int, limit: int) -> list[OutboxEvent]:
        """Events behind that id, in order; 0 is the beginning. None ever appears before one already read."""
        query = select(outbox).where(outbox.c.id > cursor).order_by(outbox.c.id).limit(limit)
        async with self._database.read() as connection:
            return [OutboxEvent(**row._asdict()) for row in await connection.execute(query)]

    async def last(self) -> int:
        """The id of the newest event, 0 without any."""
        async with self._database.read() as connection:
            return int(await connection.scalar(select(func.coalesce(func.max(outbox.c.id), 0))) or 0)


async def append(database: Database, connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Write events and return their ids; must be the last thing a transaction does.

    On PostgreSQL a sequence counts before the commit, so a reader that has seen event 6 could miss event 5
    of a slower transaction. The lock, held from here to the commit, makes ids grow as commits do.
    """
    if not rows:
        return []
    if not database.is_sqlite:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_ORDER_LOCK})"))
    statement = insert(outbox).returning(outbox.c.id, sort_by_parameter_order=True)
    return list((await connection.scalars(statement, [_NOTHING | row for row in rows])).all())
