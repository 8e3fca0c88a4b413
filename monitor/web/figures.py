"""The numbers of the pages, read with indexes: none of these grows with the age of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select

from monitor.filters import Filter
from storage.database import Database
from storage.fates import fate_from
from storage.health_tables import flips, incidents, silences
from storage.model import Fate, FateKind, HealthState, RunStatus, SourceState
from storage.runs import run_id
from storage.sources import state_from
from storage.storage import Storage
from storage.tables import articles, fates, outbox, runs, sources

#: States of sources, the worst first; those from the beginning that somebody should look at.
STATES = tuple(str(state) for state in HealthState)
TROUBLED = STATES[: STATES.index(HealthState.NEW)]

#: An attempt this long overdue is late.
LATE = timedelta(minutes=5)

#: Weighed failures of a source that was never judged.
FAILING = 1.0

#: Names that a filter of sources may use.
SOURCE_NAMES = ("state", "outlet", "source", "kind", "reason")

#: Names that a filter of items may use, and how many items one page looks through.
ITEM_NAMES = ("fate", "outlet", "source", "rule")
ITEMS_LOOKED_THROUGH = 20_000

#: Fates in the order in which bars show them.
KINDS = tuple(str(kind) for kind in FateKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The overview's line of numbers."""

    articles_hour: int
    #: Median of the same hour on the seven days before; None before there was a week.
    usual_hour: int | None
    articles_day: int
    #: Seconds from publication to storage of the newest 500 articles of the last day; None without any.
    fresh_p50: float | None
    fresh_p95: float | None
    states: dict[str, int]
    pending: int
    oldest_pending: datetime | None
    overdue: int
    next_due: datetime | None


def state_case() -> ColumnElement[str]:
    """A source's state as SQL: as last judged, but a pause counts at once; before that as its own row tells it."""
    s = sources.c
    return case(
        (s.paused.is_(True), literal(HealthState.PAUSED.value)),
        (s.health_since.is_not(None), s.health),
        (s.gone_at.is_not(None), literal(HealthState.GONE.value)),
        (s.failures >= FAILING, literal(HealthState.FAILING.value)),
        else_=literal(HealthState.NEW.value),
    )


def state_of(state: SourceState) -> str:
    """The same for one source that was read."""
    if state.paused:
        return HealthState.PAUSED.value
    if state.health_since is not None:
        return state.health
    if state.gone_at is not None:
        return HealthState.GONE.value
    return (HealthState.FAILING if state.failures >= FAILING else HealthState.NEW).value


def sentence(state: SourceState) -> str:
    """Why it is in that state, as last judged."""
    if state.paused:
        return "A person stopped it"
    if state.health_said:
        return state.health_said
    if state.failures > 0:
        return f"{state.last_failure}: {state.last_failure_message or 'no more is known'}"
    return "Not polled yet" if state.last_attempt is None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceWish:
    """Which sources, as the filter words say."""

    states: Sequence[str] = ()
    outlets: Sequence[str] = ()
    kinds: Sequence[str] = ()
    reasons: Sequence[str] = ()
    ids: Sequence[str] = ()
    text: Sequence[str] = ()
    without: dict[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, wanted: Filter) -> SourceWish:
        """The filter as a wish for sources."""
        get = wanted.fields.get
        return cls(
            states=get("state", ()), outlets=get("outlet", ()), kinds=get("kind", ()), reasons=get("reason", ()),
            ids=get("source", ()), text=wanted.text, without=dict(wanted.without),
        )  # fmt: skip

    def conditions(self) -> list[Any]:
        """As SQL."""
        s = sources.c
        columns: dict[str, Any] = {
            "state": state_case(), "outlet": s.outlet_id, "kind": s.kind, "reason": s.last_failure, "source": s.id,
        }  # fmt: skip
        wanted = {
            "state": self.states, "outlet": self.outlets, "kind": self.kinds,
            "reason": self.reasons, "source": self.ids,
        }  # fmt: skip
        found: list[Any] = [s.removed_at.is_(None)]
        found += [_one_of(columns[name], values) for name, values in wanted.items() if values]
        found += [
            func.coalesce(_one_of(columns[name], values), literal(False)).is_(False)
            for name, values in self.without.items()
        ]
        for word in self.text:
            found.append(or_(*(c.icontains(word, autoescape=True) for c in (s.id, s.url, s.last_failure_message))))
        return found


def _one_of(column: Any, values: Sequence[str]) -> Any:
    return or_(*(column.startswith(v[:-1], autoescape=True) if v.endswith("*") else column == v for v in values))


async def source_page(
    database: Database, wish: SourceWish, *, offset: int, limit: int
) -> tuple[list[SourceState], int]:
    """A page of sources, the worst first, and how many fit in all."""
    state = state_case()
    order = case({name: position for position, name in enumerate(STATES)}, value=state)
    conditions = wish.conditions()
    async with database.read() as connection:
        total = await connection.scalar(select(func.count()).select_from(sources).where(*conditions))
        # The rows are wide: only their ids are sorted.
        query = select(sources.c.id).where(*conditions).order_by(order, sources.c.failures.desc(), sources.c.id)
        ids = list(await connection.scalars(query.limit(limit).offset(offset)))
        rows = {row.id: row for row in await connection.execute(select(sources).where(sources.c.id.in_(ids)))}
        return [state_from(rows[name]) for name in ids], int(total or 0)


async def source_ids(database: Database, wish: SourceWish) -> list[str]:
    """The ids of all sources that fit."""
    async with database.read() as connection:
        return list(await connection.scalars(select(sources.c.id).where(*wish.conditions())))


async def fates_of_sources(database: Database, ids: Sequence[str], since: datetime) -> dict[str, dict[str, int]]:
    """For each source what its runs since then discovered, by fate; without what they recognised from memory."""
    if not ids:
        return {}
    r = runs.c
    columns = {kind: r[kind] - r.known if kind == FateKind.UNCHANGED else r[kind] for kind in KINDS}
    sums = [func.coalesce(func.sum(column), 0).label(kind) for kind, column in columns.items()]
    query = select(r.source_id, *sums).where(r.source_id.in_(ids), r.id >= run_id(since, 0)).group_by(r.source_id)
    async with database.read() as connection:
        return {
            row.source_id: {kind: int(getattr(row, kind)) for kind in KINDS} for row in await connection.execute(query)
        }


async def now_line(storage: Storage, now: datetime) -> Now:
    """The numbers of this moment."""
    database = storage.database
    hour = timedelta(hours=1)
    s, f = sources.c, fates.c
    async with database.read() as connection:

        async def stored(since: datetime, until: datetime) -> int:
            a = articles.c
            query = select(func.count()).select_from(articles).where(a.first_seen >= since, a.first_seen < until)
            return int(await connection.scalar(query) or 0)

        usual = [await stored(now - timedelta(days=d) - hour, now - timedelta(days=d)) for d in range(1, 8)]
        oldest = await connection.scalar(select(func.min(articles.c.first_seen)))
        state = state_case()
        in_service = s.removed_at.is_(None)
        counted = await connection.execute(select(state, func.count()).where(in_service).group_by(state))
        states = {row[0]: row[1] for row in counted}
        pending, waiting = (
            await connection.execute(
                select(func.count(), func.min(f.discovered_at)).where(f.kind == FateKind.PENDING.value)
            )
        ).one()
        overdue, due = (
            await connection.execute(
                select(func.count(), func.min(s.next_attempt)).where(
                    in_service, s.paused.is_(False), s.next_attempt < now - LATE
                )
            )
        ).one()
        fresh = await _freshness(connection, now)
        return Now(
            articles_hour=await stored(now - hour, now + hour),
            usual_hour=sorted(usual)[3] if oldest is not None and oldest <= now - timedelta(days=7) else None,
            articles_day=await stored(now - timedelta(days=1), now + hour),
            fresh_p50=_quantile(fresh, 0.5),
            fresh_p95=_quantile(fresh, 0.95),
            states={name: states.get(name, 0) for name in STATES},
            pending=pending,
            oldest_pending=waiting,
            overdue=overdue,
            next_due=due,
        )


async def _freshness(connection: Any, now: datetime) -> list[float]:
    a = articles.c
    newest = (
        select(a.published, a.first_seen)
        .where(a.first_seen >= now - timedelta(days=1))
        .order_by(a.first_seen.desc())
        .limit(500)
    )
    rows = await connection.execute(newest)
    return sorted((row.first_seen - row.published).total_seconds() for row in rows if row.published is not None)


def _quantile(values: Sequence[float], share: float) -> float | None:
    return None if not values else max(0.0, values[min(len(values) - 1, int(share * len(values)))])


async def articles_by_hour(database: Database, now: datetime, hours: int) -> list[tuple[datetime, int]]:
    """Articles stored in each of the last hours, the oldest first; the last hour is not over."""
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
    a = articles.c
    counted = []
    async with database.read() as connection:
        for number in range(hours):
            start = first + timedelta(hours=number)
            inside = and_(a.first_seen >= start, a.first_seen < start + timedelta(hours=1))
            query = select(func.count()).select_from(articles).where(inside)
            counted.append((start, int(await connection.scalar(query) or 0)))
    return counted


async def arrivals_of_source(
    database: Database, source_id: str, since: datetime, zone: tzinfo, now: datetime
) -> list[list[int]]:
    """Items that were news to a source since then, by weekday (Monday first) and hour of `zone`."""
    f = fates.c
    query = (
        select(f.discovered_at, f.published)
        .where(f.source_id == source_id, f.reason == "new", f.discovered_at >= since)
        .order_by(f.id.desc())
        .limit(20_000)
    )
    grid = [[0] * 24 for _ in range(7)]
    async with database.read() as connection:
        for discovered, published in await connection.execute(query):
            # As the rhythm is learned: by the outlet's word where that can be true.
            said = published is not None and since <= published <= now and published <= discovered
            moment = (published if said else discovered).astimezone(zone)
            grid[moment.weekday()][moment.hour] += 1
    return grid


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemWish:
    """Which items, as the filter words say."""

    fates: Sequence[str] = ()
    outlets: Sequence[str] = ()
    sources: Sequence[str] = ()
    rules: Sequence[str] = ()
    text: Sequence[str] = ()
    without: Mapping[str, Sequence[str]] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, wanted: Filter) -> ItemWish:
        """The filter as a wish for items."""
        get = wanted.fields.get
        return cls(
            fates=get("fate", ()), outlets=get("outlet", ()), sources=get("source", ()), rules=get("rule", ()),
            text=wanted.text, without=wanted.without, since=wanted.since, until=wanted.until,
        )  # fmt: skip

    def conditions(self) -> list[Any]:
        """As SQL."""
        f = fates.c
        columns: dict[str, Any] = {"fate": f.kind, "outlet": f.outlet_id, "source": f.source_id, "rule": f.rule}
        wanted = {"fate": self.fates, "outlet": self.outlets, "source": self.sources, "rule": self.rules}
        found: list[Any] = [_one_of(columns[name], values) for name, values in wanted.items() if values]
        found += [
            func.coalesce(_one_of(columns[name], values), literal(False)).is_(False)
            for name, values in self.without.items()
        ]
        for word in self.text:
            found.append(or_(*(c.icontains(word, autoescape=True) for c in (f.url, f.title, f.detail))))
        if self.since is not None:
            found.append(f.discovered_at >= self.since)
        if self.until is not None:
            found.append(f.discovered_at < self.until)
        return found


async def item_page(
    database: Database, wish: ItemWish, *, before: int | None, limit: int
) -> tuple[list[Fate], int | None]:
    """The last discovered items that fit, and the id to go on behind; None at the end.

    At most :data:`ITEMS_LOOKED_THROUGH` items are looked through: a page may end with fewer than `limit` and go on.
    """
    f = fates.c
    async with database.read() as connection:
        newest = await connection.scalar(select(func.max(f.id)))
        ceiling = min(before or (newest or 0) + 1, (newest or 0) + 1)
        # Waiting items, and those of one outlet or source, have an index of their own.
        narrow = list(wish.fates) == [FateKind.PENDING.value] or len(wish.sources) == 1 or len(wish.outlets) == 1
        floor = 0 if narrow else max(0, ceiling - ITEMS_LOOKED_THROUGH)
        bounds = [f.id < ceiling, f.id >= floor]
        query = select(fates).where(*bounds, *wish.conditions()).order_by(f.id.desc()).limit(limit + 1)
        rows = [fate_from(row) for row in await connection.execute(query)]
    if len(rows) > limit:
        return rows[:limit], rows[limit - 1].id
    return rows, floor if floor > 0 else None


async def pulse(database: Database) -> str:
    """Changes whenever a run begins or ends, an article is stored or a source's state moves."""
    r = runs.c
    async with database.read() as connection:
        newest = await connection.scalar(select(func.max(r.id)))
        ended = await connection.scalar(
            select(func.count()).select_from(runs).where(r.status == RunStatus.RUNNING.value)
        )
        event = await connection.scalar(select(func.max(outbox.c.id)))
        fate = await connection.scalar(select(func.max(fates.c.id)))
        held = await connection.scalar(
            select(func.count()).select_from(sources).where(sources.c.removed_at.is_(None), sources.c.paused.is_(True))
        )
        flip = await connection.scalar(select(func.max(flips.c.id)))
        incident = (await connection.execute(select(func.max(incidents.c.id), func.max(incidents.c.ended_at)))).one()
        silence = (await connection.execute(select(func.max(silences.c.id), func.max(silences.c.ended_at)))).one()
    return f"{newest}.{ended}.{event}.{fate}.{held}.{flip}.{incident}.{silence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Numbers that only grow."""

    articles: int
    items: int
    events: int


async def totals(database: Database) -> Totals:
    """How many articles, items and events there have ever been, read off the growing numbers of their tables."""
    async with database.read() as connection:
        return Totals(
            articles=int(await connection.scalar(select(func.max(articles.c.seq))) or 0),
            items=int(await connection.scalar(select(func.max(fates.c.id))) or 0),
            events=int(await connection.scalar(select(func.max(outbox.c.id))) or 0),
        )


async def failures_since(database: Database, since: datetime) -> dict[str, int]:
    """Runs that failed, were skipped or missed since then, by reason."""
    r = runs.c
    query = select(r.reason, func.count()).where(r.id >= run_id(since, 0), r.reason.is_not(None)).group_by(r.reason)
    async with database.read() as connection:
        return {row[0]: row[1] for row in await connection.execute(query)}
