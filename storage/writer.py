"""The one door through which decided items reach the database, many in one transaction.

A batch is settled in four steps: load what it could touch, settle each item (:mod:`storage.settle`,
pure), write the rows, commit. When a batch fails because another process was faster it is settled
again from what is stored now; when one of its items is bad, each gets a savepoint of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.coverage import note
from storage.database import Database, refused, repeatable
from storage.errors import InvalidDecision, StorageError, StorageUnavailable
from storage.identities import chunks, find, remember
from storage.model import Committed, Decided, FateKind
from storage.outbox import append
from storage.settle import Changes, Head, Known, Prepared, Waiting, prepare, settle
from storage.tables import articles, fates, raw_pages, revisions, runs, sources, tombstones
from storage.visits import remember_visits, tally

#: Items in one transaction at most; beyond fifty the commit is no longer what costs.
BATCH = 50
#: Times a batch is settled again after losing a race.
ATTEMPTS = 5

_KINDS = tuple(kind.value for kind in FateKind if kind is not FateKind.PENDING)
_COUNT = (
    update(runs)
    .where(runs.c.id == bindparam("target"))
    .values(
        {name: runs.c[name] + bindparam(f"add_{name}") for name in _KINDS}
        | {"pending": runs.c.pending - bindparam("sub")}
    )
)

_ORIGINAL = (
    update(articles)
    .where(articles.c.cluster == bindparam("target"), articles.c.id != bindparam("original"))
    .values(copy_of=bindparam("original"))
)

Result = Committed | Exception


class Writer:
    """Takes decided items from any number of tasks and commits them in batches."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: asyncio.Queue[tuple[Prepared, asyncio.Future[Committed]] | None] = asyncio.Queue(BATCH * 4)
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def commit(self, decided: Decided) -> Committed:
        """Write one decided item and return when it is durable.

        Idempotent: an item that is decided already is left as it is, and said to be so.
        Raises StaleToken when the source's run has passed to another, InvalidDecision when this item
        cannot be stored, StorageUnavailable when nothing can (the item stays pending).
        """
        if self._closed:
            raise StorageUnavailable("the writer is closed: the daemon is stopping")
        try:
            item = prepare(decided)
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidDecision(f"fate {decided.fate_id}: its article cannot be stored: {error}") from error
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="storage writer")
        done: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        await self._queue.put((item, done))
        return await done

    async def close(self) -> None:
        """Commit what waits, then stop taking more."""
        self._closed = True
        if self._task is not None:
            await self._queue.put(None)
            await self._task
            self._task = None

    async def _run(self) -> None:
        going = True
        while going:
            batch = []
            entry = await self._queue.get()
            while entry is not None:
                batch.append(entry)
                if len(batch) == BATCH or self._queue.empty():
                    break
                entry = self._queue.get_nowait()
            going = entry is not None
            if batch:
                await self._answer(batch)

    async def _answer(self, batch: Sequence[tuple[Prepared, asyncio.Future[Committed]]]) -> None:
        results: Sequence[Result]
        try:
            results = await self._commit([item for item, _ in batch])
        except Exception as error:  # whatever it is, callers must not wait for ever
            results = [error] * len(batch)
        for (_, done), result in zip(batch, results, strict=True):
            if done.done():
                continue  # its caller was cancelled
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)

    async def _commit(self, items: Sequence[Prepared]) -> Sequence[Result]:
        for _ in range(ATTEMPTS):
            try:
                async with self._database.write() as connection:
                    return await self._settle(connection, items)
            except StorageError as error:
                return [error] * len(items)
            except Exception as error:  # drivers raise more than their own (OverflowError for a long number)
                if not (isinstance(error, IntegrityError) or repeatable(error)):
                    break
        return await self._one_by_one(items)

    async def _one_by_one(self, items: Sequence[Prepared]) -> Sequence[Result]:
        for _ in range(ATTEMPTS):
            with suppress(_Repeat):
                async with self._database.write() as connection:
                    return [await self._alone(connection, item) for item in items]
        raise StorageUnavailable("database: lost every race against other writers, try again")

    async def _alone(self, connection: AsyncConnection, item: Prepared) -> Result:
        try:
            async with connection.begin_nested():
                return (await self._settle(connection, [item]))[0]
        except Exception as error:
            if repeatable(error):
                raise _Repeat from error
            if isinstance(error, OperationalError | InterfaceError) and not refused(error):
                raise  # the database is away or full: the savepoint may be gone, and so the others
            bad = InvalidDecision(f"fate {item.decided.fate_id} cannot be stored: {getattr(error, 'orig', error)}")
            bad.__cause__ = error
            return bad

    async def _settle(self, connection: AsyncConnection, items: Sequence[Prepared]) -> list[Result]:
        known = await _load(connection, items)
        changes = Changes()
        results: list[Result] = []
        for item in items:
            try:
                results.append(settle(item, known, changes))
            except StorageError as error:
                results.append(error)
        events = await self._write(connection, changes)
        return [
            replace(result, event_id=events.get(result.fate_id)) if isinstance(result, Committed) else result
            for result in results
        ]

    async def _write(self, connection: AsyncConnection, changes: Changes) -> dict[int, int]:
        """Write the rows; returns the ids of events by the fates that made them."""
        await _many(connection, insert(articles), changes.articles)
        for row in changes.updates:  # rare, and one article may be revised twice in a batch
            await _many(connection, update(articles).where(articles.c.id == bindparam("target")), [row])
        await _many(connection, update(articles).where(articles.c.id == bindparam("target")), changes.clusters)
        for row in changes.originals:
            await _many(connection, _ORIGINAL, [row])
        await _many(connection, insert(revisions), changes.revisions)
        await _many(connection, insert(raw_pages), changes.raw_pages)
        await remember(self._database, connection, changes.identities.values())
        by_id = update(fates).where(fates.c.id == bindparam("target"))
        pending = FateKind.PENDING.value
        await _many(connection, by_id, [row for row in changes.fates if row["kind"] == pending])
        await _many(connection, by_id, [row | {"entry": "{}"} for row in changes.fates if row["kind"] != pending])
        counts = [
            {"target": run_id, "sub": sum(kinds.values())} | {f"add_{k}": kinds.get(FateKind(k), 0) for k in _KINDS}
            for run_id, kinds in sorted(changes.counts.items())
        ]
        await _many(connection, _COUNT, counts)
        await note(self._database, connection, changes.measured)
        await remember_visits(self._database, connection, changes.visits.values())
        await tally(self._database, connection, changes.edits)
        ids = await append(self._database, connection, changes.events)
        return dict(zip(changes.event_of, ids, strict=True))


class _Repeat(Exception):
    """PostgreSQL ended the transaction because of another one."""


async def _many(connection: AsyncConnection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        await connection.execute(statement, rows)


async def _load(connection: AsyncConnection, items: Sequence[Prepared]) -> Known:
    """What these items could touch; their sources' tokens, fates and articles are held until the commit."""
    named = sorted({item.decided.source_id for item in items})
    fences = select(sources.c.id, sources.c.fence).where(sources.c.id.in_(named)).order_by(sources.c.id)
    rows = await connection.execute(fences.with_for_update(read=True))
    held = {row.id: row.fence for row in rows}
    f = fates.c
    waiting = (
        select(f.id, f.run_id, f.source_id, f.kind, f.url_key, f.attempts, f.article_id, f.revision)
        .where(f.id.in_(sorted({item.decided.fate_id for item in items})))
        .order_by(f.id)
        .with_for_update()
    )
    found = {
        row.id: Waiting(
            row.run_id,
            row.source_id,
            FateKind(row.kind),
            row.url_key,
            row.attempts,
            row.article_id,
            row.revision,
        )
        for row in await connection.execute(waiting)
    }
    identities = await find(connection, [key for item in items for key in item.keys])
    owners = {key: identity.article_id for key, identity in identities.items()}
    touched = {item.article_id for item in items} | {item.decided.of for item in items} | set(owners.values())
    ids = sorted(name for name in touched if name is not None)
    return Known(held, found, await _heads(connection, ids), owners, await _buried(connection, ids))


async def _heads(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Head]:
    a = articles.c
    heads = {}
    for chunk in chunks(ids):
        retracted = a.retracted_at.is_not(None)
        columns = (a.id, a.revision, a.content_hash, a.body_hash, a.copy_of, a.cluster, retracted)
        # Held, so that two processes neither retract one revision twice nor retract what the other has just revised;
        # rows that name the article may be written meanwhile.
        query = select(*columns).where(a.id.in_(chunk)).order_by(a.id).with_for_update(key_share=True)
        heads.update({row.id: Head(*row) for row in await connection.execute(query)})
    return heads


async def _buried(connection: AsyncConnection, ids: Sequence[str]) -> set[str]:
    buried: set[str] = set()
    for chunk in chunks(ids):
        query = select(tombstones.c.article_id).where(tombstones.c.article_id.in_(chunk))
        buried.update(await connection.scalars(query))
    return buried
