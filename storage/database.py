"""One database, SQLite or PostgreSQL, behind two doors: :meth:`Database.read` and :meth:`Database.write`.

Knows nothing of articles or runs. On SQLite readers and the one writer have engines of their own:
a reader's transaction is deferred and can never wait for a lock it does not need, the writer's begins
with BEGIN IMMEDIATE, so that it waits for its turn at the start and never fails with a stale snapshot later.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage import faults
from storage.errors import SchemaOutdated, StorageCorrupt, StorageUnavailable

#: Seconds a writer waits for another process's transaction before it gives up.
BUSY_SECONDS = 20
#: Key of the advisory lock that lets one process migrate at a time ("warta" in ASCII).
MIGRATION_LOCK = 0x7761727461

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # FULL, not NORMAL: with NORMAL a power cut may take back the last transactions while Redis
    # still calls their articles seen and consumers have had their events. Batches pay for the sync.
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-32768",
    # 16 MiB: pages of raw HTML fill the default 4 MiB within a second of a busy day.
    "PRAGMA wal_autocheckpoint=4096",
    "PRAGMA journal_size_limit=67108864",
)

_dumps = partial(json.dumps, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """Whether the database answers."""

    ok: bool
    #: One sentence for a person when it does not.
    detail: str | None
    #: Seconds that a trivial query took.
    latency: float


def _async_url(url: str) -> URL:
    """The same address with the async driver's name in it; ValueError for other databases."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(f"database {parsed.render_as_string()}: use sqlite:///FILE or postgresql://HOST/NAME")


def _sqlite_engine(url: URL, *, begin: str, pool_size: int, read_only: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=60,
        json_serializer=_dumps,
        connect_args={"timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would begin transactions late and deferred
        cursor = connection.cursor()
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=8,
        max_overflow=8,
        pool_pre_ping=True,
        pool_recycle=1800,
        json_serializer=_dumps,
        connect_args={
            "connect_timeout": 10,
            "options": f"-c timezone=UTC -c lock_timeout={BUSY_SECONDS * 1000}"
            " -c idle_in_transaction_session_timeout=60000",
        },
    )


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


class Database:
    """The engines of one database."""

    def __init__(self, url: str) -> None:
        parsed = _async_url(url)
        #: What the database said when a page of it could not be read; None once all of it was read again.
        self.corrupt: str | None = None
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if parsed.database in {None, "", ":memory:"}:
                raise ValueError("SQLite in memory is lost with its connection: give a file, sqlite:///FILE")
            self.path: Path | None = Path(str(parsed.database))
            self._reader = _sqlite_engine(parsed, begin="BEGIN", pool_size=4, read_only=True)
            self._writer = _sqlite_engine(parsed, begin="BEGIN IMMEDIATE", pool_size=1, read_only=False)
        else:
            self.path = None
            self._writer = _postgres_engine(parsed)
            self._reader = self._writer.execution_options(postgresql_readonly=True)

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        if self.is_sqlite:
            await self._reader.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction. Raises StorageUnavailable when the database does not answer."""
        with _unavailable(self):
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, name: str = "") -> AsyncIterator[AsyncConnection]:
        """A transaction, committed when the block ends without an exception.

        `name` prefixes the crash points of :mod:`storage.faults`.
        Raises StorageUnavailable when the database does not answer, is full, read-only or stays locked, and
        StorageCorrupt, which is one, when a page of it cannot be read.
        """
        prefix = f"{name}." if name else ""
        with _unavailable(self):
            async with self._writer.begin() as connection:
                yield connection
                faults.point(f"{prefix}before_commit")
            faults.point(f"{prefix}after_commit")

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    async def migrate(self) -> str:
        """Bring the tables to this program's version and return it; safe when two start at once.

        All in one transaction that holds a lock: the second waits and then finds nothing to do.
        """
        async with self.write("migrate") as connection:
            if not self.is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            return await connection.run_sync(_upgrade)

    async def version(self) -> str | None:
        """The version of the tables, None for an empty database."""
        async with self.read() as connection:
            return await connection.run_sync(_current)

    async def require_current(self) -> None:
        """Raise SchemaOutdated unless the tables are of this program's version."""
        found, wanted = await self.version(), _head()
        if found != wanted:
            raise SchemaOutdated(f"database is at version {found}, this program needs {wanted}: run `warta migrate`")

    async def integrity_check(self) -> list[str]:
        """What the database itself finds wrong with its files; empty when all is well."""
        async with self.read() as connection:
            if self.is_sqlite:
                rows = await connection.execute(text("PRAGMA integrity_check(50)"))
                problems = [str(row[0]) for row in rows if row[0] != "ok"]
                broken = await connection.execute(text("PRAGMA foreign_key_check"))
                return problems + [f"{row[0]} row {row[1]}: no such row in {row[2]}" for row in broken]
            rows = await connection.execute(
                text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
            )
            return [f"index {row[0]} is not valid: REINDEX it" for row in rows]

    async def reread(self) -> None:
        """After a page could not be read: read everything, and take :attr:`corrupt` back when all of it is right.

        Raises StorageUnavailable. On PostgreSQL nothing is read, it is judged by the next error.
        """
        problems: list[str] = []
        if self.is_sqlite:
            async with self.read() as connection:
                rows = await connection.execute(text("PRAGMA quick_check(1)"))
                problems = [str(row[0]) for row in rows if row[0] != "ok"]
        self.corrupt = problems[0] if problems else None

    async def health(self) -> DatabaseHealth:
        """Ask something trivial; never raises for a database that is away."""
        started = time.perf_counter()
        try:
            async with self.read() as connection:
                await connection.execute(text("SELECT 1"))
        except StorageUnavailable as error:
            return DatabaseHealth(False, str(error), time.perf_counter() - started)
        return DatabaseHealth(True, None, time.perf_counter() - started)


class _unavailable:  # noqa: N801 - reads as a statement
    """Turns the driver's word for "away, full, locked, read-only or corrupt" into StorageUnavailable.

    Deadlocks, serialization failures and values too large keep their type: the writer deals with those.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if unreadable(error):
            self._database.corrupt = _said(error)
            raise StorageCorrupt(f"database is corrupt: {_said(error)}; see `warta audit`") from error
        away = isinstance(error, OperationalError | InterfaceError) or read_only(error)
        if away and not repeatable(error) and not refused(error):
            raise StorageUnavailable(f"database: {_said(error)}") from error
        if isinstance(error, PoolTimeout):
            raise StorageUnavailable("database: no free connection within 60 s") from error


def repeatable(error: BaseException | None) -> bool:
    """Whether PostgreSQL ended the transaction only because of another one (deadlock, serialization)."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in {"40001", "40P01"}


def unreadable(error: BaseException | None) -> bool:
    """Whether the database found a page of its own that it cannot read."""
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        # The search index in disagreement with its table is none of it: that is rebuilt, and hurts nobody else.
        return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} and code != sqlite3.SQLITE_CORRUPT_VTAB
    return getattr(cause, "sqlstate", None) in {"XX001", "XX002"}


def read_only(error: BaseException | None) -> bool:
    """Whether PostgreSQL takes no writes, as a standby does; SQLite says so in an OperationalError."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, DBAPIError) and (state == "25006" or (state == "0A000" and "recovery" in _said(error)))


def refused(error: BaseException | None) -> bool:
    """Whether PostgreSQL refused one value as too large for it (class 54), and is well otherwise."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", "") or "").startswith("54")


def _said(error: BaseException | None) -> str:
    return str(getattr(error, "orig", None) or error).strip()


def _head() -> str:
    return str(ScriptDirectory.from_config(_alembic_config()).get_current_head())


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> str:
    config = _alembic_config()
    found, head = _current(connection), _head()
    if found != head:
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise SchemaOutdated(f"database is at version {found}, which this program (at {head}) does not know")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return head
