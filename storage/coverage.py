"""What an outlet's pages give, field by field: counted by day for good, and page by page for the last of them.

The counts are written in the transaction of the item they belong to, so a crash loses none and counts none twice.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.coverage_tables import coverage, readings
from storage.database import Database
from storage.model import FIELDS, Measured
from storage.tables import articles, fates, revisions

#: Classes of body lengths in each doubling.
_CLASSES = 4
_SUMS = ("pages", "characters", *(f"{kind}_{name}" for kind in ("found", "ruled") for name in FIELDS))


def size_class(characters: int) -> int:
    """The class of a body of that length: 0 for none, else every 19 % another."""
    return 0 if characters < 1 else 1 + math.floor(_CLASSES * math.log2(characters))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Sums over some pages."""

    pages: int = 0
    #: Field to the number of pages that gave it, and to those where the outlet's own rules did.
    found: Mapping[str, int] = field(default_factory=dict)
    ruled: Mapping[str, int] = field(default_factory=dict)
    #: Class of body lengths to its pages and their characters.
    sizes: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, pages: Iterable[Measured]) -> Coverage:
        """The sums over these pages."""
        found: dict[str, int] = defaultdict(int)
        ruled: dict[str, int] = defaultdict(int)
        sizes: dict[int, tuple[int, int]] = {}
        count = 0
        for page in pages:
            count += 1
            for name in page.found:
                found[name] += 1
            for name in page.ruled:
                ruled[name] += 1
            size = size_class(page.characters)
            many, characters = sizes.get(size, (0, 0))
            sizes[size] = (many + 1, characters + page.characters)
        return cls(count, dict(found), dict(ruled), sizes)

    def without(self, other: Coverage) -> Coverage:
        """These pages less those, never below nothing."""
        sizes = {}
        for size, (pages, characters) in self.sizes.items():
            less, fewer = other.sizes.get(size, (0, 0))
            if pages > less:
                sizes[size] = (pages - less, max(characters - fewer, 0))
        return Coverage(
            max(self.pages - other.pages, 0),
            {name: max(count - other.found.get(name, 0), 0) for name, count in self.found.items()},
            {name: max(count - other.ruled.get(name, 0), 0) for name, count in self.ruled.items()},
            sizes,
        )

    def length(self, share: float) -> float:
        """The body length below which that share of the pages lies, to a few per cent; 0 without pages."""
        wanted, passed = share * sum(pages for pages, _ in self.sizes.values()), 0
        for _, (pages, characters) in sorted(self.sizes.items()):
            passed += pages
            if passed >= wanted:
                return characters / pages
        return 0.0


class CoverageBook:
    """The tables ``coverage`` and ``readings``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def total(self, outlet_id: str, rules: str, first: date, last: date) -> Coverage:
        """The sums over the days from `first` to `last`, both included, in UTC."""
        c = coverage.c
        sums = [func.sum(c[name]).label(name) for name in _SUMS]
        query = (
            select(c.size, *sums)
            .where(c.outlet_id == outlet_id, c.rules == rules, c.day.between(first.isoformat(), last.isoformat()))
            .group_by(c.size)
        )
        async with self._database.read() as connection:
            rows = [row._asdict() for row in await connection.execute(query)]
        return Coverage(
            sum(int(row["pages"]) for row in rows),
            {name: sum(int(row[f"found_{name}"]) for row in rows) for name in FIELDS},
            {name: sum(int(row[f"ruled_{name}"]) for row in rows) for name in FIELDS},
            {row["size"]: (int(row["pages"]), int(row["characters"])) for row in rows},
        )

    async def last(self, outlet_id: str, rules: str, limit: int) -> list[Measured]:
        """The pages read last, the newest first."""
        r = readings.c
        query = select(readings).where(r.outlet_id == outlet_id, r.rules == rules).order_by(r.id.desc()).limit(limit)
        async with self._database.read() as connection:
            return [
                Measured(
                    rules=row.rules, found=frozenset(row.found), ruled=frozenset(row.ruled), characters=row.characters
                )
                for row in await connection.execute(query)
            ]

    async def of_source(self, source_id: str, limit: int) -> Coverage:
        """What its newest articles hold: pages are counted by outlet, so this looks at what was stored.

        `limit` is a number of items with an article; `ruled` and `sizes` are empty.
        """
        f, a, r = fates.c, articles.c, revisions.c
        newest = select(f.article_id).where(f.source_id == source_id, f.article_id.is_not(None))
        newest = newest.order_by(f.id.desc()).limit(limit)
        images = (
            func.json_array_length(r.content, "$.images")
            if self._database.is_sqlite
            else func.jsonb_array_length(r.content["images"])
        )
        told = and_(a.published.is_not(None), a.published_from.not_in(("first_seen", "url"))).label("published")
        body = a.word_count.label("body")
        query = (
            select(a.title, a.authors, a.section, a.tags, images.label("image"), body, told)
            .join(revisions, and_(r.article_id == a.id, r.revision == a.revision))
            .where(a.id.in_(newest))
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return Coverage(len(rows), {name: sum(bool(getattr(row, name)) for row in rows) for name in FIELDS})

    async def trim(self, outlet_id: str, rules: str, keep: int) -> None:
        """Let all but the newest readings go; their days keep counting them."""
        r = readings.c
        these = (r.outlet_id == outlet_id, r.rules == rules)
        oldest = select(r.id).where(*these).order_by(r.id.desc()).offset(keep).limit(1)
        async with self._database.read() as connection:
            bound = await connection.scalar(oldest)
        if bound is not None:
            async with self._database.write("coverage") as connection:
                await connection.execute(delete(readings).where(*these, r.id <= bound))

    async def forget(self, before: date) -> int:
        """Delete the days before that one; the number of rows."""
        async with self._database.write("coverage") as connection:
            gone = await connection.execute(delete(coverage).where(coverage.c.day < before.isoformat()))
            return gone.rowcount


async def note(
    database: Database, connection: AsyncConnection, pages: Sequence[tuple[str, Measured, datetime]]
) -> None:
    """Count pages, each with its outlet and the moment of its decision, within a transaction."""
    if not pages:
        return
    rows: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for outlet_id, page, now in pages:
        key = (outlet_id, page.rules, now.date().isoformat(), size_class(page.characters))
        row = rows.setdefault(key, dict(zip(("outlet_id", "rules", "day", "size"), key, strict=True)))
        for name, value in _counts(page).items():
            row[name] = row.get(name, 0) + value
    statement = database.insert(coverage)
    added = {name: coverage.c[name] + statement.excluded[name] for name in _SUMS}
    key_columns = ["outlet_id", "rules", "day", "size"]
    await connection.execute(
        statement.on_conflict_do_update(index_elements=key_columns, set_=added),
        [rows[key] for key in sorted(rows)],  # one order of locks
    )
    await connection.execute(insert(readings), [_reading(*page) for page in pages])


def _counts(page: Measured) -> dict[str, int]:
    counts = {"pages": 1, "characters": page.characters}
    counts |= {f"found_{name}": int(name in page.found) for name in FIELDS}
    return counts | {f"ruled_{name}": int(name in page.ruled) for name in FIELDS}


def _reading(outlet_id: str, page: Measured, now: datetime) -> dict[str, Any]:
    return {
        "outlet_id": outlet_id,
        "rules": page.rules,
        "found": sorted(page.found),
        "ruled": sorted(page.ruled),
        "characters": page.characters,
        "read_at": now,
    }
