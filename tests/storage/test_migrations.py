from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

import storage.search  # noqa: F401 - adds the full-text objects to the metadata
from storage.database import Database
from storage.errors import SchemaOutdated
from storage.storage import Storage
from storage.tables import metadata

_POSTGRES_CATALOG = (
    """
    SELECT table_name, column_name, data_type, is_nullable, column_default, generation_expression,
           col_description((quote_ident(table_name))::regclass, ordinal_position)
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    ORDER BY 1, ordinal_position
    """,
    """
    SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1, 2
    """,
    """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
    ORDER BY 1, 2
    """,
    """
    SELECT relname, obj_description(oid) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version' ORDER BY 1
    """,
)


def _catalog(connection: Connection) -> list[Any]:
    """Every object of the database, as it defines itself."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(
            text("SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version' ORDER BY 1, 2")
        )
        return [(row[0], row[1], _parts(row[2] or "")) for row in rows]
    return [tuple(row) for query in _POSTGRES_CATALOG for row in connection.execute(text(query))]


def _parts(sql: str) -> list[str]:
    """The columns and constraints of a definition, in whatever order."""
    head, parenthesis, rest = "".join(sql.replace('"', "").split()).partition("(")
    inside, _, tail = rest.rpartition(")")
    return [head + parenthesis + tail, *sorted(inside.split(","))]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes a database without a table."""
    numbers = itertools.count()
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / f'empty{next(numbers)}.db'}"
    server = request.getfixturevalue("postgres_server")
    prefix = f"empty_{abs(hash(str(tmp_path))):x}_"

    def make() -> str:
        name = f"{prefix}{next(numbers)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return str(server).replace("/postgres?", f"/{name}?")

    return make


async def test_migrations_make_exactly_what_the_metadata_says(empty: Callable[[], str]) -> None:
    migrated, created = Database(empty()), Database(empty())
    try:
        await migrated.migrate()
        async with created.write() as connection:
            await connection.run_sync(metadata.create_all)
        async with migrated.read() as first, created.read() as second:
            expected = await second.run_sync(_catalog)
            assert await first.run_sync(_catalog) == expected
            assert len(expected) > 40
    finally:
        await migrated.close()
        await created.close()


async def test_four_programs_may_migrate_an_empty_database_at_once(empty: Callable[[], str]) -> None:
    url = empty()
    databases = [Database(url) for _ in range(4)]
    try:
        versions = await asyncio.gather(*(database.migrate() for database in databases))
        assert len(set(versions)) == 1
        assert await databases[0].version() == versions[0]
    finally:
        for database in databases:
            await database.close()


async def test_migrating_twice_changes_nothing(url: str) -> None:
    database = Database(url)
    try:
        async with database.read() as connection:
            before = await connection.run_sync(_catalog)
        await database.migrate()
        async with database.read() as connection:
            assert await connection.run_sync(_catalog) == before
    finally:
        await database.close()


async def test_a_database_of_a_later_program_is_refused(empty: Callable[[], str], clock: Any) -> None:
    url = empty()
    database = Database(url)
    try:
        await database.migrate()
        async with database.write() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    finally:
        await database.close()

    with pytest.raises(SchemaOutdated, match="9999"):
        await Storage.open(url, now=clock)
    with pytest.raises(SchemaOutdated, match="warta migrate"):
        await Storage.open(url, now=clock, migrate=False)


async def test_an_empty_database_is_not_opened_unmigrated(empty: Callable[[], str], clock: Any) -> None:
    url = empty()
    Path(url.removeprefix("sqlite:///")).touch() if url.startswith("sqlite") else None

    with pytest.raises(SchemaOutdated, match="version None"):
        await Storage.open(url, now=clock, migrate=False)


def test_every_table_and_every_column_is_described() -> None:
    obvious = {"id", "article_id", "title", "subtitle", "editor", "section", "outlet_id", "url_key"}
    bare = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.comment is None and column.name not in obvious
    ]

    assert bare == []
    assert all(table.comment for table in metadata.sorted_tables)
