"""An installation that began embedded, moved to PostgreSQL and a Redis server of its own: `warta migrate --to`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from config.model import Settings, Stream
from scheduler.lock import DataLock
from scheduler.places import database_url
from storage.database import Database
from storage.embedded import EmbeddedValkey
from storage.move import MovedTable, MoveRefused, count, move
from storage.redis import connect
from storage.streams import CopiedStream, copy_manners, copy_streams, drop_streams

#: Told the table, what is done with it, how many rows were done and how many there are.
Say = Callable[[str, str, int, int], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """All that was moved, and compared."""

    tables: list[MovedTable]
    streams: list[CopiedStream]
    #: Hosts whose learned pace was taken along.
    hosts: int

    def facts(self) -> dict[str, Any]:
        """The same as JSON types."""
        return {
            "rows": {table.name: table.rows for table in self.tables},
            "digests": {table.name: table.digest for table in self.tables},
            "streams": {s.key: {"entries": s.entries, "groups": s.groups, "pending": s.pending} for s in self.streams},
            "hosts": self.hosts,
        }


async def move_installation(settings: Settings, to: str, redis: str | None, say: Say) -> Moved:
    """Move the embedded database to `to` and, with `redis`, what only the embedded Redis holds to that server.

    Raises AlreadyRunning while a daemon works on the data directory, MoveRefused or StreamExists for a target in use,
    ValueError for an address of another kind.
    """
    origin = database_url(settings)
    file = Database(origin)
    if file.path is None or not file.path.exists():
        await file.close()
        raise MoveRefused(f"there is no SQLite database at {origin.removeprefix('sqlite:///')} to move")
    if redis is not None and settings.redis != "embedded":
        await file.close()
        raise MoveRefused("redis in warta.yaml is not embedded: its server stays as it is, leave --redis out")
    async with AsyncExitStack() as stack:
        stack.enter_context(DataLock(settings.data_dir, role="migrate"))
        stack.push_async_callback(file.close)
        target = Database(to)
        stack.push_async_callback(target.close)
        await file.migrate()
        totals = await count(file)
        keys = [s.target.key for s in settings.deliver if isinstance(s.target, Stream) and s.target.redis is None]
        old, fresh = await _servers(settings, redis, stack)
        streams = [] if old is None or fresh is None else await copy_streams(old, fresh, keys)
        try:
            tables = await move(file, target, lambda name, what, done: say(name, what, done, totals[name]))
        except BaseException:
            if fresh is not None:
                await drop_streams(fresh, keys)
            raise
        hosts = 0 if old is None or fresh is None else await copy_manners(old, fresh)
    return Moved(tables, streams, hosts)


async def _servers(
    settings: Settings, redis: str | None, stack: AsyncExitStack
) -> tuple[Redis, Redis] | tuple[None, None]:
    """The embedded server, started for this, and the one that takes its place."""
    if redis is None:
        return None, None
    fresh = connect(redis)
    stack.push_async_callback(fresh.aclose)
    valkey = await stack.enter_async_context(EmbeddedValkey(settings.data_dir).running())
    old = connect(valkey.url)
    stack.push_async_callback(old.aclose)
    return old, fresh
