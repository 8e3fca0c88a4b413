"""Events and articles as consumers read them: whole records, behind a cursor that misses nothing.

Every cursor that leaves warta is an id of the outbox. Ids grow in the order of commits, which
``articles.seq`` does not on PostgreSQL: a reader that pages by it could step over an article whose
transaction took longer than its neighbour's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.articles import ArticleFilter
from storage.database import Database
from storage.export import SCHEMA, iso, record_of
from storage.identities import chunks
from storage.search import match_count, matches, parse_query
from storage.tables import articles, outbox, revisions

#: An event is committed at most this long before or after the moment it is dated with.
_SLACK = timedelta(hours=1)

#: Articles that have the words and are looked at for one of a page, before all are.
_WINDOW = 4
#: Events that are looked through for each article of a page before PostgreSQL's index of words is asked.
_SPAN = 40

#: Every article has one of these, and it is its first.
FIRST_EVENTS = ("new", "copy", "backfilled")

#: Events of which the materiality says how much they matter.
WEIGHED = ("revised", "corrected")

#: Every event there is.
EVENTS = (*FIRST_EVENTS, "revised", "corrected", "moved", "retracted", "reextracted")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events; every condition given must hold."""

    #: Empty: all.
    outlets: tuple[str, ...] = ()
    #: False leaves out articles that are copies, with all that happens to them.
    copies: bool = True
    #: Dated at or after, and before.
    since: datetime | None = None
    until: datetime | None = None
    article_id: str | None = None
    #: Empty: all but `backfilled`, which are for who asks.
    events: tuple[str, ...] = ()
    #: True adds those where no events are named.
    backfilled: bool = False
    #: Leaves out revisions and corrections that are known to concern less of the content.
    materiality: float = 0.0

    def kinds(self) -> list[Any]:
        """The part on what happened, as SQL on the outbox."""
        o = outbox.c
        found: list[Any] = []
        if self.events:
            wanted = {*self.events, *(("backfilled",) if self.backfilled else ())}
            found.append(o.event.in_(sorted(wanted)))
        elif not self.backfilled:
            found.append(o.event != "backfilled")
        if self.materiality > 0:
            heavy = or_(o.materiality.is_(None), o.materiality >= self.materiality)
            found.append(or_(o.event.not_in(WEIGHED), heavy))
        return found


_ALL = EventFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to an article, with the article as it was then."""

    id: int
    #: new, copy, backfilled, revised, reextracted, corrected, moved or retracted.
    event: str
    article_id: str
    revision: int
    outlet_id: str
    created_at: datetime
    #: As of :class:`storage.model.Change`.
    materiality: float | None
    detail: dict[str, Any] | None
    #: The record of that revision (docs/consumers.md); None when the article has been deleted since.
    record: dict[str, Any] | None

    @property
    def key(self) -> str:
        """The same for every delivery of this event, after retries, restarts and replays; no other event has it.

        Every event but `retracted` is that of a revision of its own, and an article that was retracted is so until
        its next revision.
        """
        return f"{self.article_id}:{self.revision}:{self.event}"

    def envelope(self) -> dict[str, Any]:
        """What a consumer gets, as JSON types."""
        return {
            "schema": SCHEMA,
            "event_id": self.id,
            "key": self.key,
            "event": self.event,
            "article_id": self.article_id,
            "revision": self.revision,
            "outlet_id": self.outlet_id,
            "created_at": iso(self.created_at),
            "materiality": self.materiality,
            "detail": self.detail,
            "article": self.record,
        }


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, and where to go on."""

    events: tuple[Event, ...]
    #: Everything up to here was looked at, events that did not fit the filter included.
    reached: int


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Some articles as ``(cursor, record)``, and whether there are more."""

    records: tuple[tuple[int, dict[str, Any]], ...]
    more: bool


_EVENTS = (
    select(
        outbox.c.id.label("event_id"),
        outbox.c.event,
        outbox.c.article_id.label("id"),
        outbox.c.revision,
        outbox.c.outlet_id,
        outbox.c.created_at,
        outbox.c.materiality,
        outbox.c.detail,
        articles.c.first_seen,
        articles.c.copy_of,
        articles.c.cluster,
        articles.c.retracted_at,
        revisions.c.created_at.label("revised_at"),
        revisions.c.content,
    )
    .outerjoin(articles, articles.c.id == outbox.c.article_id)
    .outerjoin(
        revisions, and_(revisions.c.article_id == outbox.c.article_id, revisions.c.revision == outbox.c.revision)
    )
)

_RECORDS = (
    select(
        outbox.c.id.label("cursor"),
        articles.c.id,
        articles.c.revision,
        articles.c.first_seen,
        articles.c.revised_at,
        articles.c.copy_of,
        articles.c.cluster,
        articles.c.retracted_at,
        revisions.c.content,
    )
    .join(articles, articles.c.id == outbox.c.article_id)
    .join(revisions, and_(revisions.c.article_id == articles.c.id, revisions.c.revision == articles.c.revision))
    .where(outbox.c.event.in_(FIRST_EVENTS))
)


class Events:
    """The outbox joined with what its events speak of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, cursor: int, limit: int, where: EventFilter = _ALL) -> EventPage:
        """Events behind that id, in order; 0 is the beginning."""
        async with self._database.read() as connection:
            last = int(await connection.scalar(select(func.coalesce(func.max(outbox.c.id), 0))) or 0)
            conditions = [outbox.c.id > cursor, outbox.c.id <= last, *await _conditions(connection, where)]
            query = _EVENTS.where(*conditions).order_by(outbox.c.id).limit(limit)
            found = tuple(_event(row) for row in await connection.execute(query))
        return EventPage(found, found[-1].id if len(found) == limit else max(last, cursor))

    async def get(self, ids: Sequence[int]) -> dict[int, Event]:
        """These events by id; those that are no more are left out."""
        found: dict[int, Event] = {}
        async with self._database.read() as connection:
            for chunk in chunks(ids):
                rows = await connection.execute(_EVENTS.where(outbox.c.id.in_(chunk)))
                found.update((row.event_id, _event(row)) for row in rows)
        return found

    async def iterate(self, where: EventFilter = _ALL, *, after: int = 0, batch: int = 500) -> AsyncIterator[Event]:
        """All events behind that id, in short transactions."""
        while True:
            page = await self.after(after, batch, where)
            for event in page.events:
                yield event
            if len(page.events) < batch:
                return
            after = page.reached

    async def articles(
        self, where: ArticleFilter, *, after: int = 0, limit: int = 50, newest_first: bool = False
    ) -> RecordPage:
        """Articles at their newest revision, in the order in which they were announced.

        With `newest_first` the other way round; then `after` 0 begins at the newest.
        """
        place = _Place(after, limit, newest_first)
        async with self._database.read() as connection:
            if where.query is None:
                bounds = await _bounds(connection, where.since, where.until)
                conditions = [*where.conditions(is_sqlite=self._database.is_sqlite), *bounds]
                rows = await _read(connection, where, conditions, place)
            elif self._database.is_sqlite:
                rows = await _search_sqlite(connection, where, place)
            else:
                rows = await _search_postgres(connection, where, place)
        return RecordPage(tuple((row.cursor, record_of(row)) for row in rows[:limit]), len(rows) > limit)

    async def records(
        self, where: ArticleFilter, *, after: int = 0, batch: int = 500, newest_first: bool = False
    ) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """All articles that fit as ``(cursor, record)``, in short transactions."""
        while True:
            page = await self.articles(where, after=after, limit=batch, newest_first=newest_first)
            for cursor, record in page.records:
                yield cursor, record
            if not page.more:
                return
            after = page.records[-1][0]


@dataclass(frozen=True, slots=True)
class _Place:
    """Which page of articles."""

    after: int
    limit: int
    newest_first: bool


async def _read(
    connection: AsyncConnection,
    where: ArticleFilter,
    conditions: Sequence[Any],
    place: _Place,
    order: Any = outbox.c.id,
) -> Sequence[Any]:
    """One row more than the page has, if there is one."""
    query = _RECORDS.where(*conditions)
    if where.outlet_id is not None:
        query = query.where(outbox.c.outlet_id == where.outlet_id)
    if not where.backfilled:
        query = query.where(outbox.c.event != "backfilled")
    if place.newest_first:
        query = query.order_by(order.desc())
        query = query.where(outbox.c.id < place.after) if place.after else query
    else:
        query = query.where(outbox.c.id > place.after).order_by(order)
    return (await connection.execute(query.limit(place.limit + 1))).all()


async def _search_postgres(connection: AsyncConnection, where: ArticleFilter, place: _Place) -> Sequence[Any]:
    """The same for words: those that are in every fortieth article are found among the next ones, without the index.

    PostgreSQL has no idea how common a phrase is, and would fetch all that has it to sort it.
    """
    bounds = await _bounds(connection, where.since, where.until)
    conditions = [*where.conditions(is_sqlite=False), *bounds]
    span = place.limit * _SPAN
    if place.newest_first:
        start = place.after or int(await connection.scalar(select(func.max(outbox.c.id))) or 0)
        beginning: Any = outbox.c.id > start - span
    else:
        beginning = outbox.c.id <= place.after + span
    rows = await _read(connection, where, [*conditions, beginning], place)
    return rows if len(rows) > place.limit else await _read(connection, where, conditions, place)


async def _search_sqlite(connection: AsyncConnection, where: ArticleFilter, place: _Place) -> Sequence[Any]:
    """The same for words on SQLite, without reading all that has them.

    With its one writer ``seq`` counts as the outbox does, and it is the order in which the index finds words: it is
    asked for a window of articles from the page's place on, and for all behind that only when the other conditions
    leave too few of these.
    """
    asked, bounds = parse_query(where.query or ""), await _bounds(connection, where.since, where.until)
    others = [*replace(where, query=None).conditions(is_sqlite=True), *bounds]
    limits = await _seq_limits(connection, place, bounds)
    size = (place.limit + 1) * _WINDOW
    window = matches(
        asked, is_sqlite=True, newest=size if place.newest_first else None,
        oldest=None if place.newest_first else size, **limits,
    )  # fmt: skip
    rows = await _read(connection, where, [*others, window], place, articles.c.seq)
    if len(rows) > place.limit or (await connection.scalar(match_count(window)) or 0) < size:
        return rows
    everything = matches(asked, is_sqlite=True, **limits)
    return await _read(connection, where, [*others, everything], place, articles.c.seq)


async def _seq_limits(connection: AsyncConnection, place: _Place, bounds: Sequence[Any]) -> dict[str, int]:
    """Between which ``seq`` the articles of a page lie, as arguments of :func:`matches`."""
    first = select(articles.c.seq).join(outbox, outbox.c.article_id == articles.c.id)
    first = first.where(outbox.c.event.in_(FIRST_EVENTS), *bounds).limit(1)
    behind = outbox.c.id > place.after if not place.newest_first else outbox.c.id >= 0
    ahead = outbox.c.id < place.after if place.newest_first and place.after else outbox.c.id >= 0
    least = await connection.scalar(first.where(behind, ahead).order_by(outbox.c.id))
    last = await connection.scalar(first.where(behind, ahead).order_by(outbox.c.id.desc()))
    return {"least": int(least or 0), "before": int(last or 0) + 1}


async def _conditions(connection: AsyncConnection, where: EventFilter) -> list[Any]:
    found: list[Any] = [*where.kinds(), *await _bounds(connection, where.since, where.until)]
    if where.since is not None:
        found.append(outbox.c.created_at >= where.since)
    if where.until is not None:
        found.append(outbox.c.created_at < where.until)
    if where.outlets:
        found.append(outbox.c.outlet_id.in_(where.outlets))
    if not where.copies:
        found.append(outbox.c.event != "copy")
        found.append(or_(articles.c.id.is_(None), articles.c.copy_of.is_(None)))
    if where.article_id is not None:
        found.append(outbox.c.article_id == where.article_id)
    return found


async def _bounds(connection: AsyncConnection, since: datetime | None, until: datetime | None) -> list[Any]:
    """Ids between which events of that time lie, so that a page does not read the outbox from its beginning."""
    bounds: list[Any] = []
    if since is not None and (first := await _first_at(connection, since - _SLACK)) is not None:
        bounds.append(outbox.c.id >= first)
    if until is not None and (first := await _first_at(connection, until + _SLACK)) is not None:
        bounds.append(outbox.c.id <= first)
    return bounds


async def _first_at(connection: AsyncConnection, moment: datetime) -> int | None:
    o = outbox.c
    query = select(o.id).where(o.created_at >= moment).order_by(o.created_at, o.id).limit(1)
    found = await connection.scalar(query)
    return None if found is None else int(found)


def _event(row: Any) -> Event:
    return Event(
        id=row.event_id,
        event=row.event,
        article_id=row.id,
        revision=row.revision,
        outlet_id=row.outlet_id,
        created_at=row.created_at,
        materiality=row.materiality,
        detail=row.detail,
        record=None if row.content is None or row.first_seen is None else record_of(row),
    )
