"""Kept pages read once more: which there are, and the revisions that come of it.

A revision made here says of the article what is said now of the same page: the outlet changed nothing. So its
reason and its event are `reextracted`, the article keeps its address and key, and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.content import article_from, columns, document, unpack
from storage.database import Database
from storage.identities import find, remember, row_for
from storage.model import Article, FateKind, IdentityKey, IdentityKind, RawPage, StoredArticle
from storage.outbox import append
from storage.settle import REVISIONS
from storage.tables import articles, raw_pages, revisions

#: Pages in memory at a time; the largest have some megabytes.
BATCH = 40
EVENT = "reextracted"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPage:
    """An article with the newest of its kept pages."""

    #: Position in the order of arrival, to go on behind.
    seq: int
    stored: StoredArticle
    raw: RawPage


class Reextraction:
    """Reads ``raw_pages`` and writes revisions; safe beside a daemon, whose newer word always wins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, outlet_id: str | None, since: datetime | None, after: int = 0) -> int:
        """How many articles have a page to read."""
        query = select(func.count()).select_from(articles).where(*_conditions(outlet_id, since, after))
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    async def batches(
        self, outlet_id: str | None, since: datetime | None, after: int = 0
    ) -> AsyncIterator[Sequence[KeptPage]]:
        """Articles with their newest page in order of arrival, read in short transactions."""
        a = articles.c
        while True:
            query = (
                select(
                    a.seq, a.id, a.revision.label("newest"), a.first_seen, a.revised_at, a.copy_of, a.cluster,
                    revisions.c.content, raw_pages.c.url, raw_pages.c.content_type, raw_pages.c.fetched_at,
                    raw_pages.c.encoding, raw_pages.c.size, raw_pages.c.body,
                )
                .join(revisions, and_(revisions.c.article_id == a.id, revisions.c.revision == a.revision))
                .join(raw_pages, and_(raw_pages.c.article_id == a.id, raw_pages.c.revision == _newest_page()))
                .where(*_conditions(outlet_id, since, after))
                .order_by(a.seq)
                .limit(BATCH)
            )  # fmt: skip
            async with self._database.read() as connection:
                rows = (await connection.execute(query)).all()
            if not rows:
                return
            yield [
                KeptPage(
                    seq=row.seq,
                    stored=StoredArticle(
                        id=row.id, revision=row.newest, article=article_from(row.content), first_seen=row.first_seen,
                        revised_at=row.revised_at, copy_of=row.copy_of, cluster=row.cluster,
                    ),
                    raw=unpack(row),
                )
                for row in rows
            ]  # fmt: skip
            after = rows[-1].seq

    async def revise(self, stored: StoredArticle, article: Article, now: datetime) -> int | None:
        """Write what is said now as the next revision and return its number.

        None when the article has got another revision meanwhile, has been deleted, or has all that one may have.
        """
        article = replace(article, outlet_id=stored.article.outlet_id, url_key=stored.article.url_key)
        content, number = document(article), stored.revision + 1
        if number > REVISIONS:
            return None
        values = {k: v for k, v in columns(article, content).items() if k not in {"outlet_id", "url_key"}}
        claim = (
            update(articles)
            .where(articles.c.id == stored.id, articles.c.revision == stored.revision)
            .values(**values, revision=number, revised_at=now)
        )
        async with self._database.write("reextract") as connection:
            if (await connection.execute(claim)).rowcount != 1:
                return None
            hashes = {name: content[name] for name in ("title", "content_hash", "body_hash")}
            row = {
                "article_id": stored.id, "revision": number, "reason": "reextracted", "content": content,
                "run_id": None, "created_at": now, **hashes,
            }  # fmt: skip
            await connection.execute(insert(revisions), [row])
            key = IdentityKey(IdentityKind.BODY, article.outlet_id, article.body_hash)
            if not await self._is_known(connection, key):
                sighting = row_for(
                    key, article_id=stored.id, fate=FateKind.REVISED, entry_hash="", url_key=article.url_key, now=now
                )
                await remember(self._database, connection, [sighting])
            event = {
                "event": EVENT, "article_id": stored.id, "revision": number, "outlet_id": article.outlet_id,
                "created_at": now,
            }  # fmt: skip
            await append(self._database, connection, [event])
        return number

    @staticmethod
    async def _is_known(connection: AsyncConnection, key: IdentityKey) -> bool:
        """Whether the body belongs to an article already, which then keeps it."""
        known = (await find(connection, [key])).get(key)
        return known is not None and known.article_id is not None


def _conditions(outlet_id: str | None, since: datetime | None, after: int) -> list[ColumnElement[bool]]:
    a, kept, words = articles.c, raw_pages.alias("kept"), revisions.alias("words")
    has_page = select(kept.c.article_id).where(kept.c.article_id == a.id).correlate(articles).exists()
    # The page of the outlet's own last word may have been let go: an older page must not undo that word.
    later = (
        select(words.c.revision)
        .where(words.c.article_id == a.id, words.c.revision > _newest_page(), words.c.reason != "reextracted")
        .correlate(articles)
        .exists()
    )
    found: list[ColumnElement[bool]] = [a.seq > after, has_page, ~later]
    if outlet_id is not None:
        found.append(a.outlet_id == outlet_id)
    if since is not None:
        found.append(a.first_seen >= since)
    return found


def _newest_page() -> ScalarSelect[int]:
    pages = raw_pages.alias("pages")
    newest = select(func.max(pages.c.revision)).where(pages.c.article_id == articles.c.id)
    return newest.correlate(articles).scalar_subquery()
