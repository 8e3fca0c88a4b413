"""Runs that fit a filter, the newest first."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select

from monitor.filters import Filter, FilterError
from storage.database import Database
from storage.model import CrawlRun, RunStatus
from storage.runs import run_from, run_id
from storage.tables import runs

#: Names that a filter of runs may use.
NAMES = ("outlet", "source", "status", "reason")
#: Runs looked through for what no index knows, before a page ends, found or not.
LOOKED_THROUGH = 10_000

_COLUMNS = {"outlet": runs.c.outlet_id, "source": runs.c.source_id, "status": runs.c.status, "reason": runs.c.reason}


async def find(
    database: Database, wanted: Filter, *, before: str | None = None, limit: int = 50
) -> tuple[list[CrawlRun], str | None]:
    """The newest runs that fit, and the id to go on behind; None at the end. Raises FilterError."""
    _check(wanted)
    rest = _looked_at(wanted)
    query: Any = select(runs).where(*_indexed(wanted, before)).order_by(runs.c.id.desc())
    most = max(LOOKED_THROUGH, limit + 1)
    looked = query.limit(most).subquery()
    if rest:
        query = select(looked).where(*(_on(condition, looked) for condition in rest)).order_by(looked.c.id.desc())
    async with database.read() as connection:
        found = [run_from(row) for row in await connection.execute(query.limit(limit + 1))]
        if len(found) > limit:
            return found[:limit], found[limit - 1].id
        if not rest:
            return found, None
        last, count = (await connection.execute(select(func.min(looked.c.id), func.count()).select_from(looked))).one()
    return found, last if count == most else None


async def find_all(
    database: Database, wanted: Filter, *, before: str | None = None, limit: int, patience: float = 60.0
) -> tuple[list[CrawlRun], str | None]:
    """The same, going on until there are `limit`, or none is left, or the time (seconds) is over."""
    found: list[CrawlRun] = []
    ends = time.monotonic() + patience
    while True:
        more, before = await find(database, wanted, before=before, limit=limit - len(found))
        found += more
        if before is None or len(found) >= limit or time.monotonic() > ends:
            return found, before


def _check(wanted: Filter) -> None:
    try:
        for value in (*wanted.fields.get("status", ()), *wanted.without.get("status", ())):
            RunStatus(value)
    except ValueError as error:
        raise FilterError(f"{error}; a status is one of {', '.join(RunStatus)}") from None


def _indexed(wanted: Filter, before: str | None) -> list[ColumnElement[bool]]:
    """What an index narrows: one value of a field each, and times."""
    found: list[ColumnElement[bool]] = []
    for name, values in wanted.fields.items():
        if name != "reason" and len(values) == 1 and not values[0].endswith("*"):
            found.append(_COLUMNS[name] == values[0])
    if wanted.since is not None:
        found.append(runs.c.id >= run_id(wanted.since, 0))
    if wanted.until is not None:
        found.append(runs.c.id < run_id(wanted.until, 0))
    if before is not None:
        found.append(runs.c.id < before)
    return found


def _looked_at(wanted: Filter) -> list[Any]:
    """What is left, as functions of the rows looked through."""
    found: list[Any] = []
    for name, values in wanted.fields.items():
        if name == "reason" or len(values) != 1 or values[0].endswith("*"):
            found.append((name, values, True))
    found += [(name, values, False) for name, values in wanted.without.items()]
    return found + [(None, (word,), True) for word in wanted.text]


def _on(condition: Any, looked: Any) -> ColumnElement[bool]:
    name, values, fits = condition
    columns = looked.c
    if name is None:
        text = (columns.id, columns.source_id, columns.status, columns.reason, columns.message)
        return or_(*(column.icontains(values[0], autoescape=True) for column in text))
    column = columns[_COLUMNS[name].name]
    one: ColumnElement[bool] = or_(
        *(
            column.startswith(value[:-1], autoescape=True) if value.endswith("*") else column == value
            for value in values
        )
    )
    return one if fits else func.coalesce(one, literal(False)).is_(False)
