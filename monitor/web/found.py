"""Articles that fit, a page at a time, with counts of what they can be told apart by over the newest of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from monitor.articles import ArticleWish
from storage.database import Database
from storage.facets import ANYTHING, COLUMNS, tally
from storage.search import SearchQuery, matches, parse_query
from storage.storage import Storage
from storage.tables import articles

#: Hits that are counted, the newest.
COUNTED = 1_000
#: PostgreSQL reads the words of every candidate: it is asked for so many articles at a time at most, and for so many
#: seconds.
STRETCH, PATIENCE = 20_000, 0.05
#: What no index knows is looked for in so many articles at a time at most, and as long.
LOOKED_THROUGH = 5_000
#: At first it is so many; the time that they took says how many can be looked at in what is left.
AT_FIRST = 1_000
#: By so many articles the order of arrival may differ from the time of storage, when many write side by side.
SLACK = 10_000
#: Values that are shown of each facet, the most frequent; of days the newest.
FACETS = {"outlet": 30, "language": 10, "kind": 4, "section": 15, "tag": 15, "day": 10}

_COLUMNS = tuple(
    articles.c[name]
    for name in (
        "seq",
        "id",
        "outlet_id",
        "title",
        "url",
        "published",
        "first_seen",
        "revision",
        "copy_of",
        "retracted_at",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """How many of the hits that were counted have a value of `FACETS`."""

    name: str
    value: str
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
    retracted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """A page of articles."""

    rows: tuple[Hit, ...]
    next: int | None
    facets: tuple[Facet, ...]


async def article_page(storage: Storage, wanted: ArticleWish, *, after: int | None, limit: int) -> Hits:
    """Articles that fit, the last stored first; the page may end before `limit` and go on (``next``)."""
    database = storage.database
    asked = parse_query(wanted.query) if wanted.query else None
    outlet_id = wanted.having.outlet[0] if len(wanted.having.outlet) == 1 else None
    plain = replace(wanted.having, outlet=()) if outlet_id else wanted.having
    if plain != ANYTHING or wanted.without != ANYTHING or wanted.until is not None:
        return await _look_through(database, wanted, asked, after, limit)
    if asked is not None and not database.is_sqlite and outlet_id is None and wanted.since is None:
        return await stretch_by_stretch(database, asked, after, limit)
    a, since = articles.c, wanted.since
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
    at_outlet = [a.outlet_id == outlet_id] if outlet_id else []
    before = [a.seq < after] if after is not None else []
    shown = select(*_COLUMNS).where(*(found or conditions), *at_since, *at_outlet, *before)
    counted = select(*COLUMNS).where(*conditions, *at_since, *at_outlet).order_by(a.seq.desc()).limit(COUNTED)
    async with database.read() as connection:
        rows = (await connection.execute(shown.order_by(a.seq.desc()).limit(limit + 1))).all()
        facets = _facets((await connection.execute(counted)).all())
    hits = tuple(Hit(**row._asdict()) for row in rows[:limit])
    return Hits(rows=hits, next=hits[-1].seq if len(rows) > limit else None, facets=facets)


async def stretch_by_stretch(database: Database, asked: SearchQuery, after: int | None, limit: int) -> Hits:
    """The newest articles first, until there are enough or the time is over; the page says where to go on."""
    fits = matches(asked, is_sqlite=database.is_sqlite)
    return await _stretches(database, [fits], limit, stretch=STRETCH, floor=1, ceiling=await _ceiling(database, after))


async def _look_through(
    database: Database, wanted: ArticleWish, asked: SearchQuery | None, after: int | None, limit: int
) -> Hits:
    """The same for what no index knows."""
    a = articles.c
    least = await _first_since(database, wanted.since) if wanted.since is not None else 0
    ceiling = await _ceiling(database, after)
    if wanted.until is not None:
        ceiling = min(ceiling, await _last_until(database, wanted.until))
    fits = wanted.having.conditions(is_sqlite=database.is_sqlite)
    fits += [~condition for condition in wanted.without.conditions(is_sqlite=database.is_sqlite)]
    if wanted.since is not None:
        fits.append(a.first_seen >= wanted.since)
    if wanted.until is not None:
        fits.append(a.first_seen < wanted.until)
    return await _stretches(
        database, fits, limit, stretch=LOOKED_THROUGH, floor=max(1, least), ceiling=ceiling, asked=asked
    )


async def _stretches(
    database: Database, fits: Sequence[Any], limit: int, *, stretch: int, floor: int, ceiling: int,
    asked: SearchQuery | None = None,
) -> Hits:  # fmt: skip
    """From `ceiling` (not included) down to `floor`, at most `stretch` articles at a time, while patience lasts."""
    a = articles.c
    found: list[Any] = []
    began, top, some = time.monotonic(), ceiling, min(stretch, AT_FIRST)
    async with database.read() as connection:
        while ceiling > floor and len(found) < COUNTED and some:
            least = max(floor, ceiling - some)
            words = [] if asked is None else [_words(database, asked, least, ceiling)]
            query = select(*COLUMNS).where(a.seq >= least, a.seq < ceiling, *fits, *words).order_by(a.seq.desc())
            found += (await connection.execute(query.limit(COUNTED - len(found)))).all()
            ceiling = least
            took = time.monotonic() - began
            some = min(stretch, int((top - ceiling) / took * (PATIENCE - took))) if took < PATIENCE else 0
        shown = [row.seq for row in found[:limit]]
        rows = (await connection.execute(select(*_COLUMNS).where(a.seq.in_(shown)).order_by(a.seq.desc()))).all()
    # Where the last hit shown was, or, with fewer than a page, how far was looked.
    following = shown[-1] if len(found) > limit else ceiling
    return Hits(
        rows=tuple(Hit(**row._asdict()) for row in rows),
        next=following if len(found) > limit or ceiling > floor else None,
        facets=_facets(found),
    )


def _words(database: Database, asked: SearchQuery, least: int, before: int) -> Any:
    return matches(asked, is_sqlite=database.is_sqlite, least=least, before=before)


def _facets(rows: Sequence[Any]) -> tuple[Facet, ...]:
    """The most frequent values of each name, and the newest days."""
    counts = tally(rows)
    return tuple(
        Facet(name=name, value=value, count=count)
        for name, most in FACETS.items()
        for value, count in (
            sorted(counts[name].items(), reverse=True)[:most] if name == "day" else counts[name].most_common(most)
        )
    )


async def _ceiling(database: Database, after: int | None) -> int:
    """The first ``seq`` that is not looked at any more."""
    if after is not None:
        return after
    async with database.read() as connection:
        return int(await connection.scalar(select(func.max(articles.c.seq))) or 0) + 1


async def _last_until(database: Database, until: datetime) -> int:
    """No article stored before then has this ``seq`` or a greater one; see `_first_since`."""
    a = articles.c
    async with database.read() as connection:
        query = select(a.seq).where(a.first_seen < until).order_by(a.first_seen.desc()).limit(1)
        return int(await connection.scalar(query) or 0) + SLACK


async def _first_since(database: Database, since: datetime) -> int:
    """No article stored since then has a smaller ``seq``, but for some thousand that were written side by side."""
    a = articles.c
    async with database.read() as connection:
        first = await connection.scalar(select(a.seq).where(a.first_seen >= since).order_by(a.first_seen).limit(1))
        return max(0, (first or 0) - SLACK)


async def copies_of(storage: Storage, article_id: str, cluster: str) -> list[Hit]:
    """The other articles of a cluster."""
    a = articles.c
    query = select(*_COLUMNS).where(a.cluster == cluster, a.id != article_id).order_by(a.seq).limit(50)
    async with storage.database.read() as connection:
        return [Hit(**row._asdict()) for row in await connection.execute(query)]
