"""Articles that fit, a page at a time, with counts by outlet over the newest of them."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from storage.database import Database
from storage.search import SearchQuery, matches, parse_query
from storage.storage import Storage
from storage.tables import articles

#: Hits that are counted by outlet, the newest.
COUNTED = 1_000
#: PostgreSQL reads the words of every candidate: it is asked for so many articles at a time, for so many seconds.
STRETCH, PATIENCE = 20_000, 0.06
#: Outlets that are counted.
FACETS = 30

_COLUMNS = tuple(
    articles.c[name]
    for name in ("seq", "id", "outlet_id", "title", "url", "published", "first_seen", "revision", "copy_of")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """How many of the newest hits an outlet has."""

    outlet_id: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A line of the list of articles."""

    seq: int
    id: str
    outlet_id: str
    title: str
    url: str
    published: datetime | None
    first_seen: datetime
    revision: int
    copy_of: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """A page of articles."""

    rows: tuple[Hit, ...]
    next: int | None
    facets: tuple[Facet, ...]


async def article_page(
    storage: Storage, *, outlet_id: str | None, query: str | None, since: datetime | None, after: int | None, limit: int
) -> Hits:
    """Articles that fit, the last stored first; the page may end before `limit` and go on (``next``)."""
    database = storage.database
    asked = parse_query(query) if query else None
    if asked is not None and not database.is_sqlite and outlet_id is None and since is None:
        return await stretch_by_stretch(database, asked, after, limit)
    a = articles.c
    conditions: list[Any] = []
    found: list[Any] = []
    if asked is not None:
        least = await _first_since(database, since) if since is not None else None
        # What narrows further has to see every hit; alone the newest are enough.
        some = None if outlet_id or since else max(limit + 1, COUNTED)
        found = [matches(asked, is_sqlite=database.is_sqlite, newest=some, before=after, least=least)]
        newest = None if since else COUNTED
        conditions.append(matches(asked, is_sqlite=database.is_sqlite, newest=newest, least=least))
    at_since = [a.first_seen >= since] if since is not None else []
    conditions += at_since
    at_outlet = [a.outlet_id == outlet_id] if outlet_id else []
    before = [a.seq < after] if after is not None else []
    wanted = select(*_COLUMNS).where(*(found or conditions), *at_since, *at_outlet, *before)
    newest_hits = select(a.seq, a.outlet_id).where(*conditions).order_by(a.seq.desc()).limit(COUNTED).subquery()
    by_outlet = select(newest_hits.c.outlet_id, func.count().label("hits")).group_by(newest_hits.c.outlet_id)
    async with database.read() as connection:
        rows = (await connection.execute(wanted.order_by(a.seq.desc()).limit(limit + 1))).all()
        facets = (await connection.execute(by_outlet.order_by(func.count().desc()).limit(FACETS))).all()
    hits = tuple(Hit(**row._asdict()) for row in rows[:limit])
    return Hits(
        rows=hits,
        next=hits[-1].seq if len(rows) > limit else None,
        facets=tuple(Facet(outlet_id=row.outlet_id, count=row.hits) for row in facets),
    )


async def stretch_by_stretch(database: Database, asked: SearchQuery, after: int | None, limit: int) -> Hits:
    """The newest articles first, until there are enough or the time is over; the page says where to go on."""
    a = articles.c
    fits = matches(asked, is_sqlite=database.is_sqlite)
    found: list[tuple[int, str]] = []
    ends = time.monotonic() + PATIENCE
    async with database.read() as connection:
        ceiling = after if after is not None else int(await connection.scalar(select(func.max(a.seq))) or 0) + 1
        while ceiling > 1 and len(found) < COUNTED:
            floor = max(1, ceiling - STRETCH)
            query = select(a.seq, a.outlet_id).where(a.seq >= floor, a.seq < ceiling, fits).order_by(a.seq.desc())
            found += [(row.seq, row.outlet_id) for row in await connection.execute(query.limit(COUNTED - len(found)))]
            ceiling = floor
            if time.monotonic() > ends:
                break
        shown = [seq for seq, _ in found[:limit]]
        rows = (await connection.execute(select(*_COLUMNS).where(a.seq.in_(shown)).order_by(a.seq.desc()))).all()
    # Where the last hit shown was, or, with fewer than a page, how far was looked.
    following = shown[-1] if len(found) > limit else ceiling
    counted = Counter(outlet for _, outlet in found).most_common(FACETS)
    return Hits(
        rows=tuple(Hit(**row._asdict()) for row in rows),
        next=following if len(found) > limit or ceiling > 1 else None,
        facets=tuple(Facet(outlet_id=outlet, count=count) for outlet, count in counted),
    )


async def _first_since(database: Database, since: datetime) -> int:
    """No article stored since then has a smaller ``seq``, but for some thousand that were written side by side."""
    a = articles.c
    async with database.read() as connection:
        first = await connection.scalar(select(a.seq).where(a.first_seen >= since).order_by(a.first_seen).limit(1))
        return max(0, (first or 0) - 10_000)


async def copies_of(storage: Storage, article_id: str, cluster: str) -> list[Hit]:
    """The other articles of a cluster."""
    a = articles.c
    query = select(*_COLUMNS).where(a.cluster == cluster, a.id != article_id).order_by(a.seq).limit(50)
    async with storage.database.read() as connection:
        return [Hit(**row._asdict()) for row in await connection.execute(query)]
