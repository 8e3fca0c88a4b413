"""The stores that a process works with: opened together, closed together, in the right order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from redis.asyncio import Redis

from config.model import Settings
from scheduler.holder import is_dead
from scheduler.places import database_url
from storage.bands import Bands
from storage.embedded import EmbeddedValkey
from storage.hosts import HostBudget
from storage.leases import Leases
from storage.redis import connect
from storage.seen import Seen
from storage.storage import Storage

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Rooms:
    """Everything opened."""

    settings: Settings
    storage: Storage
    redis: Redis
    redis_url: str
    seen: Seen
    leases: Leases
    budget: HostBudget
    bands: Bands
    now: Callable[[], datetime]
    #: The server we started, None when Redis is somebody else's.
    valkey: EmbeddedValkey | None = None
    #: Address of the monitor's pages, while this process serves them.
    pages: str | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, *, name: str, now: Callable[[], datetime]) -> AsyncIterator[Rooms]:
        """Start or reach Redis as `name`, open and migrate the database, fill the index when it is empty."""
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        async with AsyncExitStack() as stack:
            url = settings.redis
            valkey = None
            if settings.redis == "embedded":
                valkey = await stack.enter_async_context(EmbeddedValkey(settings.data_dir).running())
                url = valkey.url
            redis = connect(url)
            stack.push_async_callback(redis.aclose)
            storage = await Storage.open(database_url(settings), now=now)
            stack.push_async_callback(storage.close)
            epoch = await storage.facts.epoch(now())
            rooms = cls(
                settings=settings, storage=storage, redis=redis, redis_url=url,
                seen=Seen(redis, settings.seen_ttl, epoch=epoch), leases=Leases(redis, is_dead=is_dead),
                budget=HostBudget(redis, name), bands=Bands(redis, settings.dedupe.look_back, epoch=epoch),
                valkey=valkey, now=now,
            )  # fmt: skip
            await rooms.fill_seen()
            yield rooms

    async def fill_seen(self) -> None:
        """Rebuild the seen index from the database when Redis holds none."""
        if await self.seen.is_cold():
            since = self.now() - self.settings.seen_ttl
            await self.seen.rebuild(self.storage.articles.iter_identities(since))
