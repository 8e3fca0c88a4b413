"""What each consumer was told of one article."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storage.database import Database
from storage.delivery import Consumer, Pending
from storage.delivery_tables import consumers, deliveries
from storage.tables import outbox

#: Events of an article that are shown, the newest.
EVENTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event of an article and one consumer."""

    event_id: int
    event: str
    revision: int
    happened: datetime
    consumer: str
    #: delivered, behind (not looked at yet), waiting, dead, or before (it happened before the consumer was known).
    status: str
    attempts: int
    error: str | None


async def told_of(database: Database, article_id: str) -> list[Told]:
    """Every event of an article with every consumer, the newest first; empty without consumers."""
    o, d = outbox.c, deliveries.c
    async with database.read() as connection:
        known = [Consumer(**row._asdict()) for row in await connection.execute(select(consumers))]
        if not known:
            return []
        events = (
            await connection.execute(
                select(outbox).where(o.article_id == article_id).order_by(o.id.desc()).limit(EVENTS)
            )
        ).all()
        names = [consumer.name for consumer in known]
        held = await connection.execute(select(deliveries).where(d.consumer.in_(names), d.article_id == article_id))
        rows = {(row.consumer, row.event_id): Pending(**row._asdict()) for row in held}
    return [
        _told(event, consumer, rows.get((consumer.name, event.id)))
        for event in events
        for consumer in sorted(known, key=lambda consumer: consumer.name)
    ]


def _told(event: Any, consumer: Consumer, row: Pending | None) -> Told:
    if row is not None:
        status = row.status
    elif event.id > consumer.cursor:
        status = "behind"
    else:
        status = "delivered" if event.created_at >= consumer.created_at or consumer.delivered else "before"
    return Told(
        event_id=event.id, event=event.event, revision=event.revision, happened=event.created_at,
        consumer=consumer.name, status=status, attempts=row.attempts if row else 0,
        error=row.last_error if row else None,
    )  # fmt: skip
