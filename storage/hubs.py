"""WebSub subscriptions, and what hubs pushed until a run has read it.

Knows nothing of HTTP and of when to ask; see `scheduler.websub`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from storage.content import clean_or_none
from storage.database import Database
from storage.hub_tables import hub_subscriptions, pushes
from storage.model import RunStatus
from storage.sources import affected, hold
from storage.tables import runs, sources

#: Pushes of one source that may wait; what comes then is left to a poll.
MOST_WAITING = 50

#: A hub that withheld news is believed again after this.
PROBATION = timedelta(days=1)


class HubState(StrEnum):
    """How far a subscription is."""

    OFFERED = "offered"  # named by the source, not asked for (any more)
    ASKED = "asked"  # the hub took the request and has still to verify it
    ACTIVE = "active"
    DENIED = "denied"
    LEAVING = "leaving"  # to be ended


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSubscription:
    """The row of one subscription; see `storage.hub_tables`."""

    id: str
    source_id: str
    hub: str
    topic: str
    secret: str
    state: HubState
    created_at: datetime
    callback: str | None = None
    act_at: datetime | None = None
    attempts: int = 0
    lease_until: datetime | None = None
    verified_at: datetime | None = None
    pushed_at: datetime | None = None
    missed_at: datetime | None = None
    digest: str | None = None
    pushes: int = 0
    ignored: int = 0
    message: str | None = None
    #: All that the source names, in its order; empty in rows of a version that knew only the one.
    hubs: tuple[str, ...] = ()

    def is_active(self, now: datetime) -> bool:
        """Whether the hub pushes, by its own word."""
        return self.state is HubState.ACTIVE and self.lease_until is not None and self.lease_until > now

    def is_proven(self, now: datetime) -> bool:
        """Whether news can be left to the hub: it has pushed, and withheld nothing for a day."""
        if not self.is_active(now) or self.pushed_at is None:
            return False
        return self.missed_at is None or (now - self.missed_at > PROBATION and self.pushed_at > self.missed_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What a hub pushed."""

    id: int
    topic: str
    content_type: str | None
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HubCounts:
    """Small numbers for a glance."""

    by_state: Mapping[HubState, int]
    #: Pushes that no run has read yet.
    waiting: int


class Hubs:
    """The tables ``hub_subscriptions`` and ``pushes``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- what sources offer -------------------------------------------------------------------

    async def offer(self, source_id: str, hubs: Sequence[str], topic: str, now: datetime) -> HubSubscription | None:
        """Make the source's subscription be one at a hub that the source names; the one it has is kept if it can be.

        Another is ended; without hubs there is none. The others are remembered, should this one not take it. Returns
        the one there is now.
        """
        known, named = await self.of(source_id), tuple(hubs)
        if known is not None and known.hub in named and known.topic == topic:
            if known.hubs != named:
                await self.change(known.id, hubs=list(named))
            return replace(known, hubs=named)
        if known is None and not hubs:
            return None
        found = HubSubscription(
            id=_name(), source_id=source_id, hub=hubs[0] if hubs else "", topic=topic, secret=_name(),
            state=HubState.OFFERED, created_at=now, act_at=now, hubs=named,
        )  # fmt: skip
        async with self._database.write("hubs") as connection:
            await connection.execute(_ending(hub_subscriptions.c.source_id == source_id, now))
            if hubs:
                await connection.execute(insert(hub_subscriptions).values(_row(found)))
        return found if hubs else None

    async def of(self, source_id: str) -> HubSubscription | None:
        """The subscription of a source, or None."""
        h = hub_subscriptions.c
        query = select(hub_subscriptions).where(h.source_id == source_id, h.state != HubState.LEAVING.value)
        async with self._database.read() as connection:
            row = (await connection.execute(query.order_by(h.created_at.desc()).limit(1))).one_or_none()
            return None if row is None else _subscription(row)

    # -- what is to be done -------------------------------------------------------------------

    async def get(self, subscription_id: str) -> HubSubscription | None:
        """One subscription by the last part of its callback's address."""
        query = select(hub_subscriptions).where(hub_subscriptions.c.id == subscription_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
            return None if row is None else _subscription(row)

    async def all(self) -> list[HubSubscription]:
        """Every subscription, by source."""
        query = select(hub_subscriptions).order_by(hub_subscriptions.c.source_id, hub_subscriptions.c.created_at)
        async with self._database.read() as connection:
            return [_subscription(row) for row in await connection.execute(query)]

    async def due(self, now: datetime, limit: int) -> list[HubSubscription]:
        """Those about which something is to be done, the longest waiting first."""
        h = hub_subscriptions.c
        query = select(hub_subscriptions).where(h.act_at <= now).order_by(h.act_at, h.id).limit(limit)
        async with self._database.read() as connection:
            return [_subscription(row) for row in await connection.execute(query)]

    async def change(self, subscription_id: str, **values: Any) -> bool:
        """Write fields of a subscription; False when it is gone."""
        if "message" in values:
            values["message"] = clean_or_none(values["message"])
        statement = update(hub_subscriptions).where(hub_subscriptions.c.id == subscription_id).values(**values)
        async with self._database.write("hubs") as connection:
            return bool(await affected(connection, statement))

    async def turn(self, subscription_id: str, **values: Any) -> None:
        """Go to another hub of the source, under another name and secret: the former one knows neither."""
        afresh: dict[str, Any] = {
            "id": _name(), "secret": _name(), "callback": None, "lease_until": None, "verified_at": None,
            "pushed_at": None, "missed_at": None, "digest": None,
        }  # fmt: skip
        await self.change(subscription_id, **(afresh | values))

    async def drop(self, subscription_id: str) -> None:
        """It is over."""
        async with self._database.write("hubs") as connection:
            await connection.execute(delete(hub_subscriptions).where(hub_subscriptions.c.id == subscription_id))

    async def retire(self, now: datetime) -> None:
        """End those of sources that are not in service any more."""
        h = hub_subscriptions.c
        gone = select(h.id).join_from(hub_subscriptions, sources, sources.c.id == h.source_id)
        async with self._database.read() as connection:
            left = gone.where(sources.c.removed_at.is_not(None), h.state != HubState.LEAVING.value)
            found = list(await connection.scalars(left.limit(500)))
        if found:
            async with self._database.write("hubs") as connection:
                await connection.execute(_ending(h.id.in_(found), now))

    async def readdress(self, callback: str | None, now: datetime) -> list[str]:
        """Start anew those that were asked with another callback; None: nobody listens. Their sources.

        Those that were never asked for are due.
        """
        h = hub_subscriptions.c
        other = h.callback.is_not(None) if callback is None else h.callback != callback
        query = select(h.id, h.source_id).where(other, h.state != HubState.LEAVING.value)
        fresh: dict[str, Any] = {
            "state": HubState.OFFERED.value, "callback": None, "act_at": now, "attempts": 0, "lease_until": None,
            "verified_at": None, "pushed_at": None, "message": None,
        }  # fmt: skip
        async with self._database.write("hubs") as connection:
            rows = [(row.id, row.source_id) for row in await connection.execute(query)]
            for name, _ in rows:
                renamed = update(hub_subscriptions).where(h.id == name).values(id=_name(), secret=_name(), **fresh)
                await connection.execute(renamed)
            await connection.execute(delete(hub_subscriptions).where(other, h.state == HubState.LEAVING.value))
            never = update(hub_subscriptions).where(h.callback.is_(None), h.act_at.is_(None))
            await connection.execute(never.values(act_at=now))
        return [source_id for _, source_id in rows]

    # -- what is pushed -----------------------------------------------------------------------

    async def push(self, subscription: HubSubscription, body: bytes, content_type: str | None, now: datetime) -> bool:
        """Keep what was pushed for a run, which becomes due; False when too much waits and a poll is due instead."""
        digest = hashlib.sha256(body).hexdigest()
        h, s = hub_subscriptions.c, sources.c
        async with self._database.write("push") as connection:
            locked = select(s.id, s.next_attempt).where(s.id == subscription.source_id).with_for_update()
            source = (await connection.execute(locked)).one()
            last = await connection.scalar(select(h.digest).where(h.id == subscription.id))
            counted = {"pushed_at": now, "pushes": h.pushes + 1, "digest": digest}
            await connection.execute(update(hub_subscriptions).where(h.id == subscription.id).values(**counted))
            if last == digest:
                return True
            waiting = select(func.count()).where(pushes.c.source_id == source.id)
            if (await connection.scalar(waiting) or 0) >= MOST_WAITING:
                sooner = min(source.next_attempt, now)
                await connection.execute(update(sources).where(s.id == source.id).values(next_attempt=sooner))
                return False
            row = {
                "source_id": source.id, "topic": subscription.topic, "content_type": clean_or_none(content_type),
                "body": body, "received_at": now,
            }  # fmt: skip
            await connection.execute(insert(pushes).values(row))
            # The end of a run that is under way makes it due.
            going = select(runs.c.id).where(runs.c.source_id == source.id, runs.c.status == RunStatus.RUNNING.value)
            idle = update(sources).where(s.id == source.id, ~going.exists())
            await connection.execute(idle.values(pushed_at=now))
        return True

    async def ignored(self, subscription_id: str) -> None:
        """Count a push that nobody vouched for."""
        await self.change(subscription_id, ignored=hub_subscriptions.c.ignored + 1)

    async def first(self, source_id: str) -> Push | None:
        """The push of a source that has waited longest, or None."""
        p = pushes.c
        query = (
            select(p.id, p.topic, p.content_type, p.body, p.received_at)
            .where(p.source_id == source_id)
            .order_by(p.id)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
            return None if row is None else Push(**row._asdict())

    async def read(self, source_id: str, token: int, push_id: int) -> None:
        """A run has read that push, under its token. Raises StaleToken."""
        async with self._database.write("push") as connection:
            await hold(connection, source_id, token)
            await connection.execute(delete(pushes).where(pushes.c.id == push_id))

    async def counts(self) -> HubCounts:
        """Small numbers for a glance."""
        state = hub_subscriptions.c.state
        async with self._database.read() as connection:
            rows = await connection.execute(select(state, func.count()).group_by(state))
            by_state = {HubState(name): int(count) for name, count in rows}
            waiting = await connection.scalar(select(func.count()).select_from(pushes))
        return HubCounts(by_state=by_state, waiting=int(waiting or 0))


def earliest_push(source_id: Any) -> Any:
    """The SQL of when the push of a source that has waited longest came; null without any."""
    return select(func.min(pushes.c.received_at)).where(pushes.c.source_id == source_id).scalar_subquery()


def _name() -> str:
    """192 random bits in characters that need no escaping."""
    return secrets.token_urlsafe(24)


def _ending(condition: Any, now: datetime) -> Any:
    going = hub_subscriptions.c.state != HubState.LEAVING.value
    ended = {"state": HubState.LEAVING.value, "act_at": now, "attempts": 0}
    return update(hub_subscriptions).where(condition, going).values(**ended)


def _row(subscription: HubSubscription) -> dict[str, Any]:
    values = {column.name: getattr(subscription, column.name) for column in hub_subscriptions.columns}
    return values | {"state": subscription.state.value, "hubs": list(subscription.hubs)}


def _subscription(row: Any) -> HubSubscription:
    values = row._asdict()
    return HubSubscription(**values | {"state": HubState(values["state"]), "hubs": tuple(values["hubs"] or ())})
