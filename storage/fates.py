"""What became of each discovered item: reading; :mod:`storage.writer` decides them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, union

from storage.content import bounded, clean
from storage.database import Database
from storage.model import Fate, FateKind
from storage.tables import fates


class Fates:
    """The table ``fates``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self, source_id: str, now: datetime, limit: int) -> list[Fate]:
        """Items of a source that wait for a decision and may be tried now, the oldest first."""
        f = fates.c
        query = (
            select(fates)
            .where(
                f.kind == FateKind.PENDING.value,
                f.source_id == source_id,
                or_(f.retry_at.is_(None), f.retry_at <= now),
            )
            .order_by(f.id)
            .limit(limit)
        )
        return await self._read(query)

    async def explain(self, value: str, outlet_id: str | None = None, limit: int = 100) -> list[Fate]:
        """Every fate of the item with that URL, URL key, GUID or article id, the newest first."""
        f, value = fates.c, clean(value)
        # One after the other, each by its own index: with an outlet, SQLite would rather read all of that outlet.
        conditions = (f.url == value, f.url_key == bounded(value), f.guid == value, f.article_id == value)
        ids = union(*(select(f.id).where(condition) for condition in conditions))
        query = select(fates).where(f.id.in_(ids))
        if outlet_id is not None:
            query = query.where(f.outlet_id == outlet_id)
        return await self._read(query.order_by(f.id.desc()).limit(limit))

    async def count_since(self, outlet_id: str, since: datetime) -> int:
        """Items of an outlet that were discovered since."""
        f = fates.c
        query = select(func.count()).select_from(fates).where(f.discovered_at >= since, f.outlet_id == outlet_id)
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    async def search(
        self,
        *,
        run_id: str | None = None,
        source_id: str | None = None,
        outlet_id: str | None = None,
        kinds: Sequence[FateKind] = (),
        rule: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Fate]:
        """Fates that meet every condition given, the newest first; `before` is the last id seen."""
        f = fates.c
        conditions: list[Any] = [
            column == value
            for column, value in (
                (f.run_id, run_id),
                (f.source_id, source_id),
                (f.outlet_id, outlet_id),
                (f.rule, rule),
            )
            if value is not None
        ]
        if kinds:
            conditions.append(f.kind.in_([kind.value for kind in kinds]))
        if since is not None:
            conditions.append(f.discovered_at >= since)
        if until is not None:
            conditions.append(f.discovered_at < until)
        if before is not None:
            conditions.append(f.id < before)
        return await self._read(select(fates).where(*conditions).order_by(f.id.desc()).limit(limit))

    async def _read(self, query: Any) -> list[Fate]:
        async with self._database.read() as connection:
            return [fate_from(row) for row in await connection.execute(query)]


def fate_from(row: Any) -> Fate:
    """The fate a row of ``fates`` holds."""
    values = row._asdict()
    return Fate(**values | {"kind": FateKind(values["kind"])})
