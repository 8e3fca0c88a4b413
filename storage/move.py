"""A whole SQLite database into an empty PostgreSQL one: every row, every counter, or nothing.

All is written in one transaction, read back and compared before it is committed, so an interrupted or refused move
leaves the target as empty as it was. Rows go as SQLite holds them, by COPY; times, truth values and JSON are text that
PostgreSQL reads as it is.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import JSON, Boolean, Float, LargeBinary, Table, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

import storage.storage  # noqa: F401 - every table is in the metadata
from storage.columns import Timestamp
from storage.database import Database
from storage.errors import StorageError
from storage.tables import metadata

#: Rows read at a time; a raw page has some ten kilobytes.
BATCH = 500

#: Tables that a migration makes on either side: its own, SQLite's, and the index of words.
_MADE = ("alembic_version", "sqlite_", "articles_search")

Row = Sequence[Any]
Canon = Callable[[Any], Any]
#: Told the table, whether it is being ``copied`` or ``compared``, and how many rows were.
Progress = Callable[[str, str, int], None]


class MoveRefused(StorageError):
    """The move did not happen; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class MovedTable:
    """What was moved of one table."""

    name: str
    rows: int
    #: Sum of the hashes of its rows, whatever their order; the same on both sides.
    digest: str


async def count(database: Database) -> dict[str, int]:
    """Rows of each table, in the order in which they are moved."""
    async with database.read() as connection:
        return {
            table.name: int(await connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in metadata.sorted_tables
        }


async def move(source: Database, target: Database, say: Progress) -> list[MovedTable]:
    """Copy everything and prove it. Nobody may write to `source` meanwhile.

    Raises MoveRefused, having changed nothing but the target's empty tables.
    """
    if not source.is_sqlite or target.is_sqlite:
        raise MoveRefused("only a SQLite database can be moved, and only to PostgreSQL")
    await source.require_current()
    await target.migrate()
    async with source.read() as reading, target.write("move") as writing:
        await _require_known(reading)
        await _require_empty(writing)
        moved = [await _move_table(table, reading, writing, say) for table in metadata.sorted_tables]
        await _set_counters(reading, writing)
    async with target.write("analyze") as writing:
        await writing.execute(text("ANALYZE"))
    return moved


async def _require_known(reading: AsyncConnection) -> None:
    """See that no table of the source would be left behind."""
    found = set(await reading.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))
    made = {name for name in found if name.startswith(_MADE)}
    if strange := sorted(found - made - set(metadata.tables)):
        raise MoveRefused(f"the database has tables that warta does not know, drop or move them: {', '.join(strange)}")


async def _require_empty(writing: AsyncConnection) -> None:
    """Lock every table and see that none has a row."""
    names = ", ".join(_quoted(table.name) for table in metadata.sorted_tables)
    await writing.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))
    for table in metadata.sorted_tables:
        if await writing.scalar(select(exists().select_from(table))):
            raise MoveRefused(
                f"the target is in use: its table {table.name} has rows. Give an empty database (CREATE DATABASE …)"
            )


async def _move_table(table: Table, reading: AsyncConnection, writing: AsyncConnection, say: Progress) -> MovedTable:
    names = ", ".join(_quoted(column.name) for column in table.columns)
    query = f"SELECT {names} FROM {_quoted(table.name)}"  # noqa: S608 - names of our own tables
    sent = _Digest([_from_sqlite(column.type) for column in table.columns])
    driver = (await writing.get_raw_connection()).driver_connection
    assert driver is not None
    async with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {_quoted(table.name)} ({names}) FROM STDIN") as copy,
        _rows(reading, query) as batches,
    ):
        async for rows in batches:
            for row in rows:
                sent.add(row)
                await copy.write_row(row)
            say(table.name, "copied", len(rows))
    kept = _Digest([_from_postgres(column.type) for column in table.columns])
    async with _rows(writing, query) as batches:
        async for rows in batches:
            for row in rows:
                kept.add(row)
            say(table.name, "compared", len(rows))
    if (sent.rows, sent.sum) != (kept.rows, kept.sum):
        raise MoveRefused(
            f"table {table.name} did not arrive as it was sent ({sent.rows:,} rows sent, {kept.rows:,} found, or other"
            " values): nothing was moved. `warta audit` tells whether the source is sound"
        )
    return MovedTable(table.name, sent.rows, f"{sent.sum:016x}")


@asynccontextmanager
async def _rows(connection: AsyncConnection, query: str) -> AsyncIterator[AsyncIterator[Sequence[Row]]]:
    """The rows in batches; the server's cursor is closed however the block ends."""
    result = await connection.stream(text(query))
    try:
        yield result.partitions(BATCH)
    finally:
        await result.close()


async def _set_counters(reading: AsyncConnection, writing: AsyncConnection) -> None:
    """Growing numbers go on behind the last that was ever given, deleted rows included."""
    given = {row.name: int(row.seq) for row in await reading.execute(text("SELECT name, seq FROM sqlite_sequence"))}
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = await writing.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
        if sequence is None:
            continue
        last = max(given.get(table.name, 0), int(await writing.scalar(select(func.max(column))) or 0))
        await writing.execute(select(func.setval(sequence, max(last, 1), last > 0)))


# -- the same value on both sides -----------------------------------------------------------------


class _Digest:
    """The sum of the hashes of rows."""

    def __init__(self, canons: Sequence[Canon]) -> None:
        self._canons = canons
        self.rows = 0
        self.sum = 0

    def add(self, row: Row) -> None:
        values = [None if value is None else canon(value) for canon, value in zip(self._canons, row, strict=True)]
        digest = blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self.sum = (self.sum + int.from_bytes(digest, "big")) % 2**64
        self.rows += 1


def _from_sqlite(kind: object) -> Canon:
    return _plain_json if isinstance(kind, JSON) else _shared(kind)


def _from_postgres(kind: object) -> Canon:
    if isinstance(kind, Timestamp):
        return _moment
    return _sorted_json if isinstance(kind, JSON) else _shared(kind)


def _shared(kind: object) -> Canon:
    if isinstance(kind, Boolean):
        return bool
    if isinstance(kind, Float):
        return float
    return bytes if isinstance(kind, LargeBinary) else _same


def _same(value: Any) -> Any:
    return value


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _plain_json(value: str) -> str:
    # PostgreSQL's numbers have no negative zero.
    return _sorted_json(json.loads(value, parse_float=lambda digits: float(digits) + 0.0))


def _sorted_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _quoted(name: str) -> str:
    return f'"{name}"'
