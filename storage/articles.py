"""Articles and their revisions, for whoever reads: the crawl, the CLI, the API, the export."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import identities as sightings
from storage.content import article_from, unpack
from storage.database import Database
from storage.facets import ANYTHING, Traits
from storage.identities import chunks
from storage.model import Article, Identity, IdentityKey, RawPage, StoredArticle
from storage.outbox import append
from storage.search import matches, parse_query
from storage.tables import articles, raw_pages, revisions, tombstones


class ArticleHead(NamedTuple):
    """What deciding about a known article needs of it."""

    content_hash: str
    revision: int
    title: str
    body_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One state of an article."""

    article_id: str
    revision: int
    #: first, revised, corrected, moved or reextracted.
    reason: str
    article: Article
    run_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """Some articles, and where to go on."""

    articles: tuple[StoredArticle, ...]
    #: Give it as `after` for the page behind this one; None at the end.
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleFilter:
    """Which articles; every condition given must hold."""

    outlet_id: str | None = None
    #: Stored at or after, and before.
    since: datetime | None = None
    until: datetime | None = None
    #: Full text, see :func:`storage.search.parse_query`.
    query: str | None = None
    cluster: str | None = None
    #: BCP 47 tag, exactly as stored.
    language: str | None = None
    #: False leaves copies out.
    copies: bool = True
    #: False leaves out what was old when it was first seen; heeded where articles come in order of announcement.
    backfilled: bool = True
    #: What it can be told apart by, and what it must have nothing of.
    having: Traits = ANYTHING
    without: Traits = ANYTHING

    def conditions(self, *, is_sqlite: bool) -> list[Any]:
        """The same as SQL."""
        a, found = articles.c, []
        if self.outlet_id is not None:
            found.append(a.outlet_id == self.outlet_id)
        if self.since is not None:
            found.append(a.first_seen >= self.since)
        if self.until is not None:
            found.append(a.first_seen < self.until)
        if self.query is not None:
            found.append(matches(parse_query(self.query), is_sqlite=is_sqlite))
        if self.cluster is not None:
            found.append(a.cluster == self.cluster)
        if self.language is not None:
            found.append(a.language == self.language)
        if not self.copies:
            found.append(a.copy_of.is_(None))
        found += self.having.conditions(is_sqlite=is_sqlite)
        found += [~condition for condition in self.without.conditions(is_sqlite=is_sqlite)]
        return found


_EVERYTHING = ArticleFilter()

_STORED = select(
    articles.c.seq,
    articles.c.id,
    articles.c.revision,
    articles.c.first_seen,
    articles.c.revised_at,
    articles.c.copy_of,
    articles.c.cluster,
    articles.c.retracted_at,
    revisions.c.content,
).join(revisions, and_(revisions.c.article_id == articles.c.id, revisions.c.revision == articles.c.revision))


class Articles:
    """The tables ``articles``, ``revisions``, ``raw_pages`` and ``identities``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, article_id: str) -> StoredArticle | None:
        """One article at its newest revision, or None."""
        async with self._database.read() as connection:
            row = (await connection.execute(_STORED.where(articles.c.id == article_id))).one_or_none()
            return None if row is None else _stored(row)

    async def content_hash(self, article_id: str) -> ArticleHead | None:
        """Hashes, revision and title of one article, or None."""
        a = articles.c
        query = select(a.content_hash, a.revision, a.title, a.body_hash).where(a.id == article_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
            return None if row is None else ArticleHead(*row)

    async def list(
        self, where: ArticleFilter = _EVERYTHING, *, limit: int = 50, after: int | None = None
    ) -> ArticlePage:
        """Articles, the last stored first."""
        query = _STORED.where(*where.conditions(is_sqlite=self._database.is_sqlite))
        if after is not None:
            query = query.where(articles.c.seq < after)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(articles.c.seq.desc()).limit(limit + 1))).all()
        more = len(rows) > limit
        return ArticlePage(tuple(map(_stored, rows[:limit])), rows[limit - 1].seq if more else None)

    async def iterate(
        self, where: ArticleFilter = _EVERYTHING, *, after: int = 0, batch: int = 500
    ) -> AsyncIterator[tuple[int, StoredArticle]]:
        """Articles in order of arrival with their ``seq``, for exports of any size.

        Read in short transactions, so that a slow consumer holds nothing up.
        """
        conditions = where.conditions(is_sqlite=self._database.is_sqlite)
        while True:
            query = _STORED.where(articles.c.seq > after, *conditions)
            async with self._database.read() as connection:
                rows = (await connection.execute(query.order_by(articles.c.seq).limit(batch))).all()
            for row in rows:
                yield row.seq, _stored(row)
            if len(rows) < batch:
                return
            after = rows[-1].seq

    async def count(self, where: ArticleFilter = _EVERYTHING) -> int:
        """How many there are."""
        query = select(func.count()).select_from(articles)
        async with self._database.read() as connection:
            conditions = where.conditions(is_sqlite=self._database.is_sqlite)
            return int(await connection.scalar(query.where(*conditions)) or 0)

    async def revisions(self, article_id: str) -> builtins.list[Revision]:  # `list` is a method here
        """Every revision of an article, the first first."""
        query = select(revisions).where(revisions.c.article_id == article_id).order_by(revisions.c.revision)
        async with self._database.read() as connection:
            return [
                Revision(
                    article_id=row.article_id,
                    revision=row.revision,
                    reason=row.reason,
                    article=article_from(row.content),
                    run_id=row.run_id,
                    created_at=row.created_at,
                )
                for row in await connection.execute(query)
            ]

    async def raw(self, article_id: str, revision: int | None = None) -> RawPage | None:
        """The page a revision (default: the newest that has one) was read from, or None."""
        query = select(raw_pages).where(raw_pages.c.article_id == article_id)
        if revision is not None:
            query = query.where(raw_pages.c.revision == revision)
        async with self._database.read() as connection:
            row = (await connection.execute(query.order_by(raw_pages.c.revision.desc()).limit(1))).one_or_none()
            return None if row is None else unpack(row)

    async def identities(self, keys: Sequence[IdentityKey]) -> dict[IdentityKey, Identity]:
        """Those of the keys that have been seen, and where they went."""
        async with self._database.read() as connection:
            return await sightings.find(connection, keys)

    async def touch(self, keys: Sequence[IdentityKey], now: datetime) -> int:
        """Note that these were seen again; rows younger than an hour are left alone."""
        return await sightings.touch(self._database, keys, now)

    async def iter_identities(self, since: datetime, batch: int = 2000) -> AsyncIterator[Identity]:
        """Identities seen at or after `since`, from which Redis is rebuilt.

        Keys longer than 400 characters come as the hash they are kept under.
        """
        after: IdentityKey | None = None
        while True:
            async with self._database.read() as connection:
                found = await sightings.page(connection, since, after, batch)
            for identity in found:
                yield identity
            if len(found) < batch:
                return
            after = found[-1].key

    async def retract(self, article_id: str, now: datetime) -> int | None:
        """Mark an article as no longer shown by its outlet and tell consumers.

        Returns the id of the event; None for an unknown or already retracted article.
        """
        statement = (
            update(articles)
            .where(articles.c.id == article_id, articles.c.retracted_at.is_(None))
            .values(retracted_at=now)
            .returning(articles.c.id, articles.c.revision, articles.c.outlet_id)
        )
        async with self._database.write("retract") as connection:
            row = (await connection.execute(statement)).one_or_none()
            if row is None:
                return None
            event = {
                "event": "retracted",
                "article_id": row.id,
                "revision": row.revision,
                "outlet_id": row.outlet_id,
                "created_at": now,
            }
            return (await append(self._database, connection, [event]))[0]

    async def bury(self, ids: Sequence[str], reason: str, now: datetime) -> int:
        """Delete articles with their revisions and pages; a tombstone keeps each from coming back as new."""
        buried = 0
        async with self._database.write("bury") as connection:
            for chunk in chunks(sorted(set(ids))):
                buried += await _bury(connection, chunk, reason, now)
        return buried


async def _bury(connection: AsyncConnection, ids: Sequence[str], reason: str, now: datetime) -> int:
    a = articles.c
    rows = (await connection.execute(select(a.id, a.outlet_id, a.url_key).where(a.id.in_(ids)))).all()
    if rows:
        graves = [
            {
                "article_id": row.id,
                "outlet_id": row.outlet_id,
                "url_key": row.url_key,
                "reason": reason,
                "deleted_at": now,
            }
            for row in rows
        ]
        await connection.execute(insert(tombstones), graves)
        await connection.execute(delete(articles).where(a.id.in_([row.id for row in rows])))
    return len(rows)


def _stored(row: Any) -> StoredArticle:
    return StoredArticle(
        id=row.id,
        revision=row.revision,
        article=article_from(row.content),
        first_seen=row.first_seen,
        revised_at=row.revised_at,
        copy_of=row.copy_of,
        cluster=row.cluster,
        retracted_at=row.retracted_at,
    )
