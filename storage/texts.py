"""Texts of stored articles, to compare another one with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from storage.database import Database
from storage.tables import articles


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredText:
    """An article as far as comparing it needs."""

    seq: int
    id: str
    outlet_id: str
    text: str
    body_hash: str
    published: datetime | None
    first_seen: datetime
    copy_of: str | None
    cluster: str | None


_COLUMNS = tuple(articles.c[name] for name in StoredText.__slots__)


class Texts:
    """The table ``articles``, asked for texts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def window(self, since: datetime, *, after: int = 0, batch: int = 200) -> AsyncIterator[StoredText]:
        """Articles first seen at or after `since` in order of arrival, from behind the `after`-th."""
        while True:
            query = select(*_COLUMNS).where(articles.c.seq > after, articles.c.first_seen >= since)
            found = await self._all(query.order_by(articles.c.seq).limit(batch))
            for row in found:
                yield row
            if len(found) < batch:
                return
            after = found[-1].seq

    async def by_reference(self, references: Sequence[str]) -> list[StoredText]:
        """Articles whose ids begin so; a reference is the first of 16 characters and may name none or several."""
        if not references:
            return []
        a = articles.c
        ranges = [and_(a.id >= name, a.id <= name + "z" * 16) for name in references]
        return await self._all(select(*_COLUMNS).where(or_(*ranges)))

    async def by_id(self, article_id: str) -> StoredText | None:
        """One article, or None."""
        found = await self._all(select(*_COLUMNS).where(articles.c.id == article_id))
        return found[0] if found else None

    async def _all(self, query: Any) -> list[StoredText]:
        async with self._database.read() as connection:
            return [StoredText(**row._asdict()) for row in await connection.execute(query)]
