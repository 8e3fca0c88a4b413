"""What was read of robots.txt, shared by all workers: a shelf of notes in Redis that each may read and replace.

A note's meaning is `crawlers.robots_note`. Without Redis every worker keeps its own.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b

import structlog
from redis.asyncio import Redis

from storage.redis import FAILURES, reason_of

log = structlog.get_logger(__name__)

#: Longer notes are not shared: a host's rules must not fill everybody's memory.
MOST_BYTES = 256 * 1024


class RobotsShelf:
    """Notes by name. Never raises for Redis's sake."""

    def __init__(self, redis: Redis, *, prefix: str = "warta") -> None:
        self._redis = redis
        self._prefix = f"{prefix}:robots:"

    async def get(self, name: str) -> bytes | None:
        """The note, None when there is none or Redis is away."""
        try:
            found = await self._redis.get(self._key(name))
        except FAILURES as error:
            log.debug("robots not shared", reason=reason_of(error))
            return None
        return found if isinstance(found, bytes) else None

    async def put(self, name: str, note: bytes, life: timedelta) -> None:
        """Replace the note."""
        if len(note) > MOST_BYTES:
            return
        try:
            await self._redis.set(self._key(name), note, px=max(1, int(life.total_seconds() * 1000)))
        except FAILURES as error:
            log.debug("robots not shared", reason=reason_of(error))

    async def claim(self, name: str, life: timedelta) -> bool:
        """Whether the caller is the one to write the note now; True without Redis."""
        try:
            mine = await self._redis.set(self._key(name) + ":claim", b"1", nx=True, px=int(life.total_seconds() * 1000))
        except FAILURES as error:
            log.debug("robots not shared", reason=reason_of(error))
            return True
        return bool(mine)

    async def release(self, name: str) -> None:
        """Somebody else may write it."""
        try:
            await self._redis.delete(self._key(name) + ":claim")
        except FAILURES as error:
            log.debug("robots not shared", reason=reason_of(error))

    def _key(self, name: str) -> str:
        return self._prefix + blake2b(name.encode("utf-8", "replace"), digest_size=16).hexdigest()
