"""Shared by all tests: where third-party material is, what CI may not skip, and a clock that is set."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from storage.database import Database

IN_CI = os.environ.get("CI") == "true"


@dataclass
class SetClock:
    """A clock that stands until it is moved."""

    moment: datetime

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> datetime:
        self.moment += by
        return self.moment


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command that sets up logging in this process sets it up for its own test only."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("blank") / "warta.db"

    async def migrate() -> None:
        database = Database(f"sqlite:///{path}")
        try:
            await database.migrate()
        finally:
            await database.close()

    asyncio.run(migrate())
    return path


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of third-party samples and suites; its tests skip when it is absent."""
    path = Path(os.environ.get("WARTA_SHARED", Path(__file__).parents[2] / "shared"))
    if not path.is_dir():
        pytest.skip("no ../shared here: third-party samples are not part of the project")
    return path


@pytest.fixture(scope="session")
def missing() -> Callable[[str], None]:
    """What to do without a service: skip on a laptop, fail in CI."""

    def decide(reason: str) -> None:
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)

    return decide


@pytest.fixture(scope="session")
def postgres_server(missing: Callable[[str], None]) -> Iterator[str]:
    """Address of a PostgreSQL server of the tests' own; its databases vanish with it."""
    with ExitStack() as stack:
        try:
            from bench.postgres import started

            server = stack.enter_context(started("pg"))
        except Exception as error:
            missing(f"no PostgreSQL server: {error!r}")
            raise
        yield server.get_uri()


@pytest.fixture(scope="session")
def fresh_postgres(postgres_server: str) -> Callable[[], str]:
    """Empties the one migrated database at each call: a database of its own per test takes ten times as long."""
    import psycopg

    import storage.storage  # noqa: F401 - every table is in the metadata
    from storage.database import Database
    from storage.tables import metadata

    def execute(uri: str, *statements: str) -> None:
        with psycopg.connect(uri, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    async def migrate() -> None:
        database = Database(url)
        try:
            await database.migrate()
        finally:
            await database.close()

    execute(postgres_server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE contract")
    url = postgres_server.replace("/postgres?", "/contract?")
    asyncio.run(migrate())
    names = ", ".join(table.name for table in metadata.sorted_tables)

    def make() -> str:
        execute(url, f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        return url

    return make
