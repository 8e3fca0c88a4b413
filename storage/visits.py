"""When the pages of stored articles are looked at again, and what is remembered of them.

A row is claimed by moving its time ahead, as sources are: after a crash it is due again a while later, and
nothing is asked twice at once. It moves for good in the transaction of what the visit came to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.identities import chunks
from storage.model import RunStatus, Trigger, Visit
from storage.tables import runs
from storage.visit_tables import edit_rates, visits

#: A claimed visit that nobody finished is due again after this long.
CLAIM = timedelta(minutes=15)
#: Visits of an outlet's step after which older ones fade: both counts are halved.
FADE_AT = 400


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is due at one outlet."""

    outlet_id: str
    pages: int
    oldest: datetime


class Visits:
    """The tables ``visits`` and ``edit_rates``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def backlog(self, now: datetime, limit: int) -> list[Backlog]:
        """Outlets with pages due, whose oldest has waited longest first; those being visited are left out."""
        v, r = visits.c, runs.c
        busy = select(r.outlet_id).where(r.status == RunStatus.RUNNING.value, r.trigger == Trigger.REVISIT.value)
        query = (
            select(v.outlet_id, func.count(), func.min(v.due_at))
            .where(v.due_at <= now, v.outlet_id.not_in(busy))
            .group_by(v.outlet_id)
            .order_by(func.min(v.due_at), v.outlet_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [Backlog(*row) for row in await connection.execute(query)]

    async def claim(self, outlet_id: str, now: datetime, limit: int) -> list[Visit]:
        """Take pages that are due, the longest due first; each comes with the time it was due at."""
        v = visits.c
        due = select(visits).where(v.outlet_id == outlet_id, v.due_at <= now).order_by(v.due_at, v.article_id)
        async with self._database.write("claim") as connection:
            found = [_visit(row) for row in await connection.execute(due.limit(limit).with_for_update())]
            ids = [visit.article_id for visit in found]
            await connection.execute(update(visits).where(v.article_id.in_(ids)).values(due_at=now + CLAIM))
        return found

    async def release(self, claimed: Iterable[Visit]) -> None:
        """Give claimed pages back as they were, for another time."""
        rows = [{"target": visit.article_id, "due": visit.due_at} for visit in claimed]
        if rows:
            statement = update(visits).where(visits.c.article_id == bindparam("target"))
            async with self._database.write("release") as connection:
                await connection.execute(statement.values(due_at=bindparam("due")), rows)

    async def save(self, done: Sequence[Visit], steps: Mapping[tuple[str, int], tuple[int, int]]) -> None:
        """Remember visits that brought no news, and count them: by outlet and step, visits and edits."""
        async with self._database.write("visits") as connection:
            await _update(connection, done)
            await tally(self._database, connection, steps)

    async def of(self, article_ids: Collection[str]) -> dict[str, Visit]:
        """What is remembered of the pages of these articles."""
        found: dict[str, Visit] = {}
        async with self._database.read() as connection:
            for chunk in chunks(sorted(article_ids)):
                rows = await connection.execute(select(visits).where(visits.c.article_id.in_(chunk)))
                found |= {row.article_id: _visit(row) for row in rows}
        return found

    async def rates(self, outlet_id: str) -> dict[int, tuple[int, int]]:
        """Step of the plan to the visits made lately and those that found a change."""
        e = edit_rates.c
        query = select(e.step, e.visits, e.edits).where(e.outlet_id == outlet_id)
        async with self._database.read() as connection:
            return {row.step: (row.visits, row.edits) for row in await connection.execute(query)}

    async def missing(self, outlet_id: str, since: datetime) -> tuple[int, int]:
        """Of the outlet's pages that were asked for since then: how many are missing, and how many there are."""
        v = visits.c
        absent = func.coalesce(func.sum(case((v.absent_since.is_not(None), 1), else_=0)), 0)
        query = select(absent, func.count()).where(v.outlet_id == outlet_id, v.visited_at >= since)
        async with self._database.read() as connection:
            gone, asked = (await connection.execute(query)).one()
        return int(gone), int(asked)

    async def spent(self, since: datetime) -> dict[str, int]:
        """Pages asked for again since then, by outlet."""
        v = visits.c
        query = select(v.outlet_id, func.count()).where(v.visited_at >= since, v.step > 0).group_by(v.outlet_id)
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}


async def remember_visits(database: Database, connection: AsyncConnection, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows of ``visits`` within a transaction; the later word wins."""
    ordered = sorted(rows, key=lambda row: row["article_id"])  # one order of locks
    if not ordered:
        return
    statement = database.insert(visits)
    names = [column.name for column in visits.c if column.name not in {"article_id", "outlet_id"}]
    upsert = statement.on_conflict_do_update(
        index_elements=[visits.c.article_id], set_={name: statement.excluded[name] for name in names}
    )
    await connection.execute(upsert, ordered)


async def tally(
    database: Database, connection: AsyncConnection, steps: Mapping[tuple[str, int], tuple[int, int]]
) -> None:
    """Count visits and edits by outlet and step, within a transaction."""
    rows = [
        {"outlet_id": outlet_id, "step": step, "visits": made, "edits": found}
        for (outlet_id, step), (made, found) in sorted(steps.items())
    ]
    if not rows:
        return
    statement = database.insert(edit_rates)
    said, old = statement.excluded, edit_rates.c

    def faded(name: str) -> Any:
        total = old[name] + said[name]
        # Two counts that are halved together keep their ratio.
        return case((old.visits + said.visits >= FADE_AT, total // 2), else_=total)

    upsert = statement.on_conflict_do_update(
        index_elements=[old.outlet_id, old.step], set_={"visits": faded("visits"), "edits": faded("edits")}
    )
    await connection.execute(upsert, rows)


async def _update(connection: AsyncConnection, done: Sequence[Visit]) -> None:
    """An update and no upsert: a page whose article was deleted meanwhile is not remembered."""
    names = ("due_at", "step", "visited_at", "etag", "last_modified", "idle", "absent_since", "absences", "absence")
    rows = [{"target": visit.article_id, **{f"to_{n}": getattr(visit, n) for n in names}} for visit in done]
    if rows:
        statement = update(visits).where(visits.c.article_id == bindparam("target"))
        await connection.execute(statement.values({n: bindparam(f"to_{n}") for n in names}), rows)


def _visit(row: Any) -> Visit:
    return Visit(**row._asdict())
