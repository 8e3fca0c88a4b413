"""A database that cannot be read in part, or takes no writes: said in one kind of error, and over when it is over."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, NotSupportedError

from storage.database import read_only
from storage.errors import StorageCorrupt
from storage.storage import Storage


def _overwrite(path: Path, table: str, page: bytes | None) -> bytes:
    """Put `page`, or garbage, in place of the root page of a table; what was there."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = int(connection.execute("PRAGMA page_size").fetchone()[0])
        row = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    with path.open("r+b", buffering=0) as file:
        file.seek((int(row[0]) - 1) * size)
        before = file.read(size)
        file.seek((int(row[0]) - 1) * size)
        file.write(page or b"\xde\xad" * (size // 2))
    return before


async def test_a_page_that_cannot_be_read_is_said_until_everything_can_be_read_again(
    fresh_sqlite: Callable[[], str], clock: Any, make_desk: Callable[..., Any]
) -> None:
    url = fresh_sqlite()
    path = Path(url.removeprefix("sqlite:///"))
    right = _overwrite(path, "identities", None)
    storage = await Storage.open(url, now=clock)
    try:
        desk = make_desk(storage, clock)
        await desk.declare()
        with pytest.raises(StorageCorrupt, match=r"malformed.*warta audit"):
            await desk.publish("satu")
        assert storage.database.corrupt is not None
        assert [finding.check for finding in (await storage.audit.run()).findings][:1] == ["integrity"]
        await storage.database.reread()
        assert storage.database.corrupt is not None
    finally:
        await storage.close()

    _overwrite(path, "identities", right)
    storage = await Storage.open(url, now=clock)
    try:
        storage.database.corrupt = "what it said before"
        await storage.database.reread()
        assert storage.database.corrupt is None
        for fate in await storage.fates.pending(desk.source, clock(), 10):
            again = make_desk(storage, clock, token=1)
            await again.begin()
            await again.decide(fate)
        assert await storage.articles.count() == 1
    finally:
        await storage.close()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (DBAPIError, psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction")),
        (
            NotSupportedError,
            psycopg.errors.FeatureNotSupported("cannot set transaction read-write mode during recovery"),
        ),
    ],
)
def test_a_standby_is_a_database_that_is_away(kind: type[DBAPIError], error: Exception) -> None:
    assert read_only(kind("BEGIN", {}, error))
    assert not read_only(kind("BEGIN", {}, psycopg.errors.FeatureNotSupported("ON CONFLICT is not supported")))
