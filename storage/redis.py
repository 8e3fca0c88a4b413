"""Connections to Redis or Valkey, with bounded time and no repeated commands.

redis-py repeats a command by itself when its answer is lost; half of ours must not run twice
(a reservation, a lease, a push). So commands are sent once. Only getting a connection is tried
again, since nothing has been sent by then, and every caller decides what a failure means to it.

Replies are bytes; each module decodes its own at one place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from redis import BlockingConnectionPool as ThreadedPool
from redis import Redis as ThreadedRedis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry as ThreadedRetry

#: What any call to Redis can raise when the server is away, full, read-only or loading.
#: The OSError branch holds the time-outs of asyncio and of sockets.
FAILURES: tuple[type[Exception], ...] = (RedisError, OSError)

#: Pauses before the second and third attempt to get a connection, seconds.
#: Together longer than the embedded server takes to come back with a small data set.
_CONNECT_PAUSES = (0.05, 0.2)


class RedisUnavailableError(Exception):
    """Redis did not do what was asked; the cause is chained."""

    def __init__(self, action: str, cause: BaseException) -> None:
        super().__init__(f"Redis could not {action}: {reason_of(cause)}")
        self.action = action


def reason_of(error: BaseException) -> str:
    """One line for a person; redis-py names neither the class nor always a message."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text[:300]}" if text else name


def masked(url: str) -> str:
    """The URL without its password and query, fit for logs."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if "@" in netloc:
        user, _, host = netloc.rpartition("@")
        netloc = f"{user.partition(':')[0]}:***@{host}" if ":" in user else f"{user}@{host}"
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def _arguments(timeout: float, name: str) -> dict[str, Any]:
    """What both kinds of connection share."""
    return {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "health_check_interval": 30,
        "client_name": name,
        # RESP3 would switch on maintenance notifications that neither Valkey nor plain Redis sends.
        "protocol": 2,
        "decode_responses": False,
    }


class _Pool(BlockingConnectionPool):
    """Waits for a free connection and retries connecting, never a command."""

    async def get_connection(self, command_name: str | None = None, *keys: Any, **options: Any) -> AbstractConnection:
        for pause in _CONNECT_PAUSES:
            try:
                return await self._connected()
            except BusyLoadingError:
                raise
            except (RedisConnectionError, OSError):
                await asyncio.sleep(pause)
        return await self._connected()

    async def _connected(self) -> AbstractConnection:
        connection: AbstractConnection = await super().get_connection()  # type: ignore[no-untyped-call]
        return connection


def connect(
    url: str, *, timeout: timedelta = timedelta(seconds=5), connections: int = 32, name: str = "warta"
) -> Redis:
    """A client of `url` (``redis://``, ``rediss://``, ``unix://``); nothing is sent until it is used.

    `timeout` bounds connecting, each answer, and the wait for one of `connections`.
    Close it with ``aclose()``. Raises ValueError for a URL of another scheme.
    """
    pool = _Pool.from_url(
        url,
        max_connections=connections,
        timeout=timeout.total_seconds(),
        retry=Retry(NoBackoff(), 0),
        **_arguments(timeout.total_seconds(), name),
    )
    return Redis.from_pool(pool)


def connect_threaded(
    url: str, *, timeout: timedelta = timedelta(seconds=5), connections: int = 64, name: str = "warta"
) -> ThreadedRedis:
    """The same for code that runs in threads (the queue)."""
    pool = ThreadedPool.from_url(
        url,
        max_connections=connections,
        timeout=timeout.total_seconds(),
        retry=ThreadedRetry(NoBackoff(), 0),
        **_arguments(timeout.total_seconds(), name),
    )
    return ThreadedRedis.from_pool(pool)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisHealth:
    """What the server says of itself."""

    ok: bool
    #: Why it is not ok, one sentence.
    reason: str | None = None
    version: str | None = None
    used_bytes: int | None = None
    #: 0: no limit.
    max_bytes: int | None = None


async def health(redis: Redis) -> RedisHealth:
    """Whether the server answers, takes writes and forgets nothing by itself; never raises."""
    try:
        facts = await redis.info()
    except FAILURES as error:
        return RedisHealth(ok=False, reason=reason_of(error))
    used = int(facts.get("used_memory", 0))
    limit = int(facts.get("maxmemory", 0))
    return RedisHealth(
        ok=(reason := _complaint(facts, used, limit)) is None,
        reason=reason,
        version=str(facts.get("valkey_version") or facts.get("redis_version") or ""),
        used_bytes=used,
        max_bytes=limit,
    )


def eviction(facts: Mapping[str, Any]) -> str | None:
    """What is wrong with a server that drops keys when memory gets short; None for one that keeps them.

    `facts` are those of ``INFO memory``.
    """
    policy = str(facts.get("maxmemory_policy", "noeviction"))
    if not int(facts.get("maxmemory", 0)) or policy == "noeviction":
        return None
    return f"maxmemory-policy is {policy}, which drops keys silently; set noeviction"


def _complaint(facts: dict[str, Any], used: int, limit: int) -> str | None:
    if facts.get("role") != "master":
        return "the server is a replica and takes no writes; point the URL at the primary"
    if facts.get("aof_enabled") and facts.get("aof_last_write_status") == "err":
        return "the server cannot write its append-only file; look at its disk"
    if limit and used >= limit:
        return f"memory is full ({used:,} of {limit:,} bytes); raise maxmemory"
    return eviction(facts)
