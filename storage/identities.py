"""What has been seen: reading and writing the rows of ``identities`` within a transaction.

Knows nothing of Redis; :mod:`storage.articles` offers these reads to the rest of the program.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.content import bounded
from storage.database import Database
from storage.model import FateKind, Identity, IdentityKey, IdentityKind
from storage.tables import identities

#: Values bound in one IN list.
CHUNK = 500
#: A sighting is written down again only after this long: 24 writes a day and item at most.
TOUCH_AFTER = timedelta(hours=1)

T = TypeVar("T")


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _groups(keys: Iterable[IdentityKey]) -> Iterator[tuple[IdentityKind, str, list[str]]]:
    """Keys by kind and scope, so that each query is one range of the primary key."""
    grouped: dict[tuple[IdentityKind, str], set[str]] = defaultdict(set)
    for key in keys:
        grouped[key.kind, key.scope].add(bounded(key.key))
    for (kind, scope), names in grouped.items():
        for chunk in chunks(sorted(names)):
            yield kind, scope, chunk


async def find(connection: AsyncConnection, keys: Sequence[IdentityKey]) -> dict[IdentityKey, Identity]:
    """Those of the keys that are known; keys not in the answer have never been seen."""
    asked: dict[IdentityKey, list[IdentityKey]] = defaultdict(list)
    for key in keys:
        asked[stored_key(key)].append(key)
    found: dict[IdentityKey, Identity] = {}
    for kind, scope, names in _groups(asked):
        query = select(identities).where(
            identities.c.kind == kind, identities.c.scope == scope, identities.c.key.in_(names)
        )
        for row in await connection.execute(query):
            for key in asked[IdentityKey(kind, scope, row.key)]:
                found[key] = _identity(key, row)
    return found


def stored_key(key: IdentityKey) -> IdentityKey:
    """The key as its row has it."""
    name = bounded(key.key)
    return key if name == key.key else IdentityKey(key.kind, key.scope, name)


def row_for(
    key: IdentityKey, *, article_id: str | None, fate: FateKind, entry_hash: str, url_key: str, now: datetime
) -> dict[str, Any]:
    """The row that remembers a sighting."""
    return {
        "kind": key.kind,
        "scope": key.scope,
        "key": bounded(key.key),
        "article_id": article_id,
        "fate": fate,
        "entry_hash": entry_hash,
        "url_key": bounded(url_key),
        "first_seen": now,
        "last_seen": now,
    }


async def remember(database: Database, connection: AsyncConnection, rows: Iterable[dict[str, Any]]) -> None:
    """Write sightings; one that knows no article never makes a key forget the article it names."""
    ordered = sorted(rows, key=lambda row: (row["kind"], row["scope"], row["key"]))  # one order of locks
    if not ordered:
        return
    insert = database.insert(identities)
    said, old = insert.excluded, identities.c
    keeps_article = and_(said.article_id.is_(None), old.article_id.is_not(None))
    statement = insert.on_conflict_do_update(
        index_elements=[old.kind, old.scope, old.key],
        set_={
            "article_id": func.coalesce(said.article_id, old.article_id),
            "fate": case((keeps_article, old.fate), else_=said.fate),
            "entry_hash": case((said.entry_hash == "", old.entry_hash), else_=said.entry_hash),
            "url_key": case((keeps_article, old.url_key), else_=said.url_key),
            "last_seen": said.last_seen,
        },
    )
    await connection.execute(statement, ordered)


async def touch(database: Database, keys: Sequence[IdentityKey], now: datetime) -> int:
    """Note that these were seen again; the number of rows that were stale enough to write."""
    stale = []
    async with database.read() as connection:
        for kind, scope, names in _groups(keys):
            query = select(identities.c.key).where(
                identities.c.kind == kind,
                identities.c.scope == scope,
                identities.c.key.in_(names),
                identities.c.last_seen < now - TOUCH_AFTER,
            )
            stale += [IdentityKey(kind, scope, name) for name in (await connection.scalars(query)).all()]
    if not stale:
        return 0  # the usual case, and it costs no write lock
    async with database.write("touch") as connection:
        for kind, scope, names in _groups(stale):
            await connection.execute(
                update(identities)
                .where(identities.c.kind == kind, identities.c.scope == scope, identities.c.key.in_(names))
                .values(last_seen=now)
            )
    return len(stale)


async def page(connection: AsyncConnection, since: datetime, after: IdentityKey | None, limit: int) -> list[Identity]:
    """Identities last seen at or after `since`, in the order of their keys, from behind `after`."""
    c = identities.c
    query = select(identities).where(c.last_seen >= since).order_by(c.kind, c.scope, c.key).limit(limit)
    if after is not None:
        query = query.where(
            or_(
                c.kind > after.kind,
                and_(c.kind == after.kind, c.scope > after.scope),
                and_(c.kind == after.kind, c.scope == after.scope, c.key > after.key),
            )
        )
    rows = await connection.execute(query)
    return [_identity(IdentityKey(IdentityKind(row.kind), row.scope, row.key), row) for row in rows]


def _identity(key: IdentityKey, row: Any) -> Identity:
    return Identity(
        key=key,
        article_id=row.article_id,
        fate=FateKind(row.fate),
        entry_hash=row.entry_hash,
        url_key=row.url_key,
    )
