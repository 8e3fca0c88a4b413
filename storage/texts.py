"""Texts of stored articles, to compare another one with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, or_, select

from storage.database import Database
from storage.tables import articles
from storage.together import Together


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

#: Questions by reference that are asked of the database at once, at most.
_TOGETHER = 16


def _beginning(count: int) -> Select[Any]:
    """Articles whose ids begin with one of that many references: bound as r0, r1 …; their upper ends as e0, e1, too."""
    a = articles.c
    ranges = [and_(a.id >= bindparam(f"r{n}"), a.id <= bindparam(f"e{n}")) for n in range(count)]
    return select(*_COLUMNS).where(or_(*ranges))


#: By the number of references: a statement of its own for every number would be compiled anew most times.
_BY_REFERENCE = {count: _beginning(count) for count in (2, 4, 8, 16, 32)}
_MOST_REFERENCES = max(_BY_REFERENCE)


class Texts:
    """The table ``articles``, asked for texts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._questions = Together[Sequence[str], list[StoredText]](self._by_references, most=_TOGETHER)

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
        return await self._questions.answer(references) if references else []

    async def _by_references(self, questions: Sequence[Sequence[str]]) -> list[list[StoredText]]:
        """An answer to each of them, by one query; more when they name very many."""
        names = list(dict.fromkeys(name for references in questions for name in references))
        found: list[StoredText] = []
        for start in range(0, len(names), _MOST_REFERENCES):
            some = names[start : start + _MOST_REFERENCES]
            size = next(size for size in _BY_REFERENCE if size >= len(some))
            padded = some + some[-1:] * (size - len(some))
            ends = {f"e{n}": name + "z" * 16 for n, name in enumerate(padded)}
            found += await self._all(_BY_REFERENCE[size], {f"r{n}": name for n, name in enumerate(padded)} | ends)
        return [[text for text in found if text.id.startswith(tuple(references))] for references in questions]

    async def by_id(self, article_id: str) -> StoredText | None:
        """One article, or None."""
        found = await self._all(select(*_COLUMNS).where(articles.c.id == article_id))
        return found[0] if found else None

    async def _all(self, query: Any, values: dict[str, str] | None = None) -> list[StoredText]:
        async with self._database.read() as connection:
            return [StoredText(**row._asdict()) for row in await connection.execute(query, values or {})]
