"""What the daemon says of itself, one row a fact: its outage, the reload it refused, the database's own id.

For whoever watches from outside the process: the CLI, the monitor, other workers.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from storage.database import Database
from storage.tables import facts

#: Before the id of an outlet, in the name of the fact that its pages give less than they used to.
DRIFT = "drift "


class Facts:
    """The table ``facts``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[str, Mapping[str, Any]]:
        """Every fact by name."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(facts.c.name, facts.c.value))
            return {row.name: row.value for row in rows}

    async def get(self, name: str) -> Mapping[str, Any] | None:
        """One fact, or None."""
        async with self._database.read() as connection:
            value: Mapping[str, Any] | None = await connection.scalar(select(facts.c.value).where(facts.c.name == name))
            return value

    async def put(self, name: str, value: Mapping[str, Any], now: datetime) -> None:
        """State a fact, in place of what was stated before."""
        insert = self._database.insert(facts)
        row = {"name": name, "value": dict(value), "changed_at": now}
        statement = insert.values(row).on_conflict_do_update(
            index_elements=[facts.c.name],
            set_={"value": insert.excluded.value, "changed_at": insert.excluded.changed_at},
        )
        async with self._database.write("facts") as connection:
            await connection.execute(statement)

    async def drop(self, name: str) -> None:
        """It is no longer so."""
        async with self._database.write("facts") as connection:
            await connection.execute(delete(facts).where(facts.c.name == name))

    async def prove(self, now: datetime) -> None:
        """Write, to know that it works. Raises StorageUnavailable when the database is full, locked or read-only."""
        async with self._database.write("facts") as connection:
            await connection.execute(update(facts).where(facts.c.name == "epoch").values(changed_at=now))

    async def epoch(self, now: datetime) -> str:
        """The id that this database got when it was first opened; another database has another."""
        known = await self.get("epoch")
        if known is None:
            insert = self._database.insert(facts)
            row = {"name": "epoch", "value": {"id": secrets.token_hex(8)}, "changed_at": now}
            async with self._database.write("facts") as connection:
                await connection.execute(insert.values(row).on_conflict_do_nothing())
            known = await self.get("epoch")
        assert known is not None
        return str(known["id"])
