"""Every moment that something waits for, moved together when the wall clock was set back.

Due times are wall-clock times. After a step back they lie as much too far ahead as the clock was moved: sources
that failed, items that are tried again, consumers that refused would all wait that long. So each wait keeps its
length. A wait that began in the second before the step was noticed ends early, which costs a request.

Visits to stored pages stay where they are: there are as many as articles, and none is urgent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, Table, bindparam, select, update

from storage.database import Database
from storage.delivery_tables import consumers, deliveries
from storage.health_tables import alert_messages
from storage.hub_tables import hub_subscriptions
from storage.tables import fates, sources

#: Where something waits for a moment.
_MOMENTS: Final = (
    (sources, sources.c.next_attempt),
    (sources, sources.c.not_before),
    (sources, sources.c.pending_at),
    (fates, fates.c.retry_at),
    (consumers, consumers.c.not_before),
    (deliveries, deliveries.c.next_attempt),
    (alert_messages, alert_messages.c.not_before),
    (hub_subscriptions, hub_subscriptions.c.act_at),
)


class Waits:
    """What waits in the whole database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def move(self, by: timedelta, now: datetime) -> int:
        """The clock was set by `by` and says `now`: what lies ahead is moved along. Returns how many waits those are.

        Messages that seem to have been sent in the future are taken for lost.
        """
        moved = 0
        async with self._database.write("waits") as connection:
            for table, moment in _MOMENTS:
                keys = list(table.primary_key)
                rows = (await connection.execute(select(*keys, moment).where(moment > now))).all()
                values = [_row(keys, row, row[-1] + by) for row in rows]
                if values:
                    await connection.execute(_statement(table, keys, moment), values)
                moved += len(values)
            lost = update(sources).where(sources.c.queued_at > now).values(queued_at=None)
            await connection.execute(lost)
        return moved


def _row(keys: list[Column[Any]], row: Any, moment: datetime) -> dict[str, Any]:
    return {f"its_{key.name}": value for key, value in zip(keys, row, strict=False)} | {"moment": moment}


def _statement(table: Table, keys: list[Column[Any]], moment: Column[Any]) -> Any:
    places = [key == bindparam(f"its_{key.name}", type_=key.type) for key in keys]
    return update(table).where(*places).values({moment.name: bindparam("moment", type_=moment.type)})
