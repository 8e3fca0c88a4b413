"""Incidents, what was told of them, and what is kept quiet: the memory of alerting.

An *incident* is related trouble from its beginning to its end, one row however many sources it is about. A
*message* is what one channel is told of one step of it; it is written in the transaction of that step and stays
until the channel took it, so it is sent at least once and after a restart not again. A *silence* keeps channels
from being told of some incidents for a while; the incidents stay visible.

For pages and commands: :meth:`Alerts.open`, :meth:`Alerts.recent`, :meth:`Alerts.incident`,
:meth:`Alerts.messages`, :meth:`Alerts.silences`, :meth:`Alerts.silence`, :meth:`Alerts.unsilence`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.content import clean
from storage.database import Database
from storage.health_tables import alert_messages, incidents, silences
from storage.sources import affected

#: Sources that an incident names; the others are counted.
NAMED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is wrong at one moment, as a rule finds it; with the same rule and key it is the same incident."""

    rule: str
    #: What it is about, within its rule.
    key: str
    #: info, warning or critical.
    severity: str
    #: A few words, and one or more sentences.
    title: str
    sentence: str
    began_at: datetime
    outlet_id: str | None = None
    #: Ids of the sources it is about.
    sources: tuple[str, ...] = ()
    #: Page of the monitor that shows it.
    path: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Trouble as it is remembered."""

    id: int
    rule: str
    key: str
    outlet_id: str | None
    severity: str
    title: str
    sentence: str
    #: The first of the sources that it is about, and how many there are.
    sources: tuple[str, ...]
    source_count: int
    path: str
    began_at: datetime
    noticed_at: datetime
    #: When it was last found to go on.
    seen_at: datetime
    #: None while it goes on.
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one channel is to be told; not yet in storage."""

    #: None for tests.
    incident_id: int | None
    channel: str
    #: opened, escalated, repeated, recovered or test.
    kind: str
    #: From 0 among those of one kind.
    number: int
    severity: str
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage(Message):
    """A message and what became of it."""

    id: int
    created_at: datetime
    not_before: datetime | None
    attempts: int
    last_error: str | None
    sent_at: datetime | None
    dropped_at: datetime | None

    @property
    def waits(self) -> bool:
        """Whether it is still to be sent."""
        return self.sent_at is None and self.dropped_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What nobody is to be told of until a moment; None fits anything."""

    id: int
    rule: str | None
    outlet_id: str | None
    source_id: str | None
    until: datetime
    who: str
    reason: str
    created_at: datetime
    ended_at: datetime | None

    def covers(self, incident: Incident | Trouble, now: datetime) -> bool:
        """Whether it holds at `now` for that incident; one of a single source only where that is all it is about."""
        if self.ended_at is not None or not self.created_at <= now < self.until:
            return False
        if self.rule is not None and self.rule != incident.rule:
            return False
        if self.outlet_id is not None and self.outlet_id != incident.outlet_id:
            return False
        return self.source_id is None or incident.sources == (self.source_id,)


class Alerts:
    """The tables ``incidents``, ``alert_messages`` and ``silences``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- incidents ----------------------------------------------------------------------------

    async def open(self) -> list[Incident]:
        """Incidents that go on, the oldest first."""
        return await self._incidents(select(incidents).where(incidents.c.ended_at.is_(None)).order_by(incidents.c.id))

    async def recent(
        self,
        *,
        outlet_id: str | None = None,
        rule: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Incident]:
        """Incidents, ended ones included, the last noticed first; `before` is the id of the last one seen."""
        i = incidents.c
        conditions: list[Any] = [
            column == value for column, value in ((i.outlet_id, outlet_id), (i.rule, rule)) if value is not None
        ]
        if since is not None:
            conditions.append(i.noticed_at >= since)
        if before is not None:
            conditions.append(i.id < before)
        return await self._incidents(select(incidents).where(*conditions).order_by(i.id.desc()).limit(limit))

    async def ended(self, since: datetime) -> list[Incident]:
        """Incidents that ended after that moment."""
        return await self._incidents(select(incidents).where(incidents.c.ended_at >= since).order_by(incidents.c.id))

    async def incident(self, incident_id: int) -> Incident | None:
        """One incident, or None."""
        found = await self._incidents(select(incidents).where(incidents.c.id == incident_id))
        return found[0] if found else None

    async def _incidents(self, query: Any) -> list[Incident]:
        async with self._database.read() as connection:
            return [_incident(row) for row in await connection.execute(query)]

    async def step(
        self, now: datetime, *, troubles: Sequence[Trouble] = (), ended: Iterable[tuple[int, datetime]] = ()
    ) -> tuple[list[Incident], list[Incident]]:
        """Bring incidents up to date; those that began now, and those that ended now.

        Trouble whose incident is open brings it up to date, other trouble opens one; `ended` names the incidents
        that are over, and when that was. What somebody else opened or ended meanwhile is not returned.
        """
        opened, closed = [], []
        insertion = self._database.insert(incidents)
        async with self._database.write("alerts") as connection:
            for trouble in troubles:
                row = _row(trouble, now)
                found = await _bring_up_to_date(connection, row)
                if not found:
                    added = await connection.execute(
                        insertion.values(row | {"noticed_at": now})
                        .on_conflict_do_nothing(
                            index_elements=[incidents.c.rule, incidents.c.key],
                            index_where=incidents.c.ended_at.is_(None),
                        )
                        .returning(incidents)
                    )
                    opened += [_incident(new) for new in added]
            for incident_id, moment in ended:
                over = await connection.execute(
                    update(incidents)
                    .where(incidents.c.id == incident_id, incidents.c.ended_at.is_(None))
                    .values(ended_at=moment)
                    .returning(incidents)
                )
                closed += [_incident(row) for row in over]
        return opened, closed

    # -- messages -----------------------------------------------------------------------------

    async def tell(self, messages: Iterable[Message], now: datetime) -> int:
        """Have these sent; those that were written before are not written again. How many were new."""
        count = 0
        insertion = self._database.insert(alert_messages)
        async with self._database.write("alerts") as connection:
            for message in messages:
                row = asdict(message) | {
                    "title": clean(message.title), "body": clean(message.body), "created_at": now,
                }  # fmt: skip
                statement = insertion.values(row).on_conflict_do_nothing().returning(alert_messages.c.id)
                count += len((await connection.execute(statement)).all())
        return count

    async def messages(
        self,
        *,
        incident_ids: Sequence[int] | None = None,
        channel: str | None = None,
        waiting: bool = False,
        before: int | None = None,
        limit: int = 100,
    ) -> list[StoredMessage]:
        """Messages, the newest first; `before` is the id of the last one seen."""
        m = alert_messages.c
        conditions: list[Any] = []
        if incident_ids is not None:
            conditions.append(m.incident_id.in_(incident_ids))
        if channel is not None:
            conditions.append(m.channel == channel)
        if waiting:
            conditions += [m.sent_at.is_(None), m.dropped_at.is_(None)]
        if before is not None:
            conditions.append(m.id < before)
        query = select(alert_messages).where(*conditions).order_by(m.id.desc()).limit(limit)
        async with self._database.read() as connection:
            return [StoredMessage(**row._asdict()) for row in await connection.execute(query)]

    async def sent(self, ids: Sequence[int], now: datetime) -> None:
        """The channel took them."""
        await self._mark(ids, sent_at=now, last_error=None)

    async def refused(self, ids: Sequence[int], error: str, not_before: datetime) -> None:
        """The channel did not take them; they are tried again."""
        await self._mark(ids, last_error=clean(error), not_before=not_before, attempts=alert_messages.c.attempts + 1)

    async def dropped(self, ids: Sequence[int], reason: str, now: datetime) -> None:
        """They are not sent any more."""
        await self._mark(ids, dropped_at=now, last_error=clean(reason))

    async def _mark(self, ids: Sequence[int], **values: Any) -> None:
        m = alert_messages.c
        statement = update(alert_messages).where(m.id.in_(ids), m.sent_at.is_(None), m.dropped_at.is_(None))
        async with self._database.write("alerts") as connection:
            await connection.execute(statement.values(**values))

    # -- silences -----------------------------------------------------------------------------

    async def silences(self, now: datetime, *, past: bool = False, limit: int = 1000) -> list[Silence]:
        """Silences that hold at `now`, the last made first; with `past` those that are over as well."""
        s = silences.c
        query = select(silences).order_by(s.id.desc()).limit(limit)
        if not past:
            query = query.where(s.until > now, s.ended_at.is_(None))
        async with self._database.read() as connection:
            return [Silence(**row._asdict()) for row in await connection.execute(query)]

    async def silence(
        self,
        *,
        until: datetime,
        who: str,
        now: datetime,
        reason: str = "",
        rule: str | None = None,
        outlet_id: str | None = None,
        source_id: str | None = None,
    ) -> Silence:
        """Tell nobody of such incidents until then; without a rule, an outlet and a source: of none at all.

        Raises ValueError for a moment that is over.
        """
        if until <= now:
            raise ValueError(f"a silence until {until:%F %T} would be over already")
        row = {
            "rule": rule, "outlet_id": outlet_id, "source_id": source_id, "until": until, "who": clean(who)[:200],
            "reason": clean(reason)[:1000], "created_at": now,
        }  # fmt: skip
        async with self._database.write("alerts") as connection:
            made = await connection.execute(insert(silences).values(row).returning(silences))
            return Silence(**made.one()._asdict())

    async def unsilence(self, silence_id: int, now: datetime) -> bool:
        """End a silence early; False when there is none of that number that still holds."""
        s = silences.c
        statement = update(silences).where(s.id == silence_id, s.ended_at.is_(None), s.until > now)
        async with self._database.write("alerts") as connection:
            return await affected(connection, statement.values(ended_at=now)) == 1


async def _bring_up_to_date(connection: AsyncConnection, row: dict[str, Any]) -> bool:
    i = incidents.c
    kept = ("severity", "title", "sentence", "sources", "source_count", "path", "seen_at")
    statement = update(incidents).where(i.rule == row["rule"], i.key == row["key"], i.ended_at.is_(None))
    return await affected(connection, statement.values({name: row[name] for name in kept})) > 0


def _row(trouble: Trouble, now: datetime) -> dict[str, Any]:
    return {
        "rule": trouble.rule,
        "key": clean(trouble.key),
        "outlet_id": trouble.outlet_id,
        "severity": trouble.severity,
        "title": clean(trouble.title),
        "sentence": clean(trouble.sentence),
        "sources": list(trouble.sources[:NAMED]),
        "source_count": len(trouble.sources),
        "path": trouble.path,
        "began_at": min(trouble.began_at, now),
        "seen_at": now,
    }


def _incident(row: Any) -> Incident:
    values = row._asdict()
    return Incident(**values | {"sources": tuple(values["sources"] or ())})
