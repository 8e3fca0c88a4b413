"""The monitor, wired: its pages inside the daemon, or alone beside one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

import structlog
from redis.asyncio import Redis

from config.model import Monitor, Settings
from monitor.web.serve import serving
from monitor.web.site import Site
from scheduler.places import alive_file, database_url, log_file
from scheduler.rooms import Rooms
from storage.redis import connect
from storage.storage import Storage

log = structlog.get_logger(__name__)


@asynccontextmanager
async def inside(rooms: Rooms, settings: Callable[[], Settings], *, serve: bool) -> AsyncIterator[str | None]:
    """Serve the pages within the daemon; yields their address, None when they are not served.

    An address that cannot be listened on is logged: crawling goes on without pages.
    """
    monitor = settings().monitor
    if monitor is None or not serve:
        yield None
        return
    site = Site(
        storage=rooms.storage, settings=settings, monitor=monitor, now=rooms.now, log=log_file(rooms.settings),
        alive=alive_file(rooms.settings.data_dir), ping=lambda: written(rooms.redis), writes=True,
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        address = None
        try:
            address = await stack.enter_async_context(serving(site, fall_back=True))
            log.info("monitor served", address=address)
        except OSError as error:
            log.error("monitor not served", reason=str(error))
        yield address


async def written(redis: Redis) -> None:
    """Raises when Redis is away, full or read-only; an answer to PING says nothing of the last two."""
    await redis.set("warta:ready", "1", ex=60)


async def alone(
    settings: Settings, monitor: Monitor, now: Callable[[], datetime], ready: Callable[[str], None]
) -> None:
    """Serve the pages in a process of their own until SIGTERM or Ctrl-C. Raises AddressInUseError."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        storage = await Storage.open(database_url(settings), now=now, migrate=False)
        stack.push_async_callback(storage.close)
        ping = None
        if settings.redis != "embedded":
            redis = connect(settings.redis)
            stack.push_async_callback(redis.aclose)
            ping = redis.ping
        site = Site(
            storage=storage, settings=lambda: settings, monitor=monitor, now=now, log=log_file(settings),
            alive=alive_file(settings.data_dir), ping=ping,
        )  # fmt: skip
        ready(await stack.enter_async_context(serving(site)))
        await stop.wait()
