"""Says when the Redis server would drop keys by itself: nothing is lost by it, but much becomes slower."""

from __future__ import annotations

from datetime import datetime

import structlog
from redis.asyncio import Redis

from storage.redis import FAILURES, eviction
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: Name of the fact.
FACT = "redis evicts"
EVERY_SECONDS = 60.0


async def look(redis: Redis, storage: Storage, now: datetime) -> str | None:
    """What is wrong with the server's eviction policy, kept as a fact while it is; None when nothing is.

    A server that does not answer is no news here.
    """
    try:
        wrong = eviction(await redis.info("memory"))
    except FAILURES:
        return None
    known = await storage.facts.get(FACT)
    if wrong is not None and known is None:
        log.warning("redis evicts keys", reason=wrong, message="copies are found from the database meanwhile")
        await storage.facts.put(FACT, {"reason": wrong, "since": now.isoformat()}, now)
    elif wrong is None and known is not None:
        log.info("redis keeps its keys again")
        await storage.facts.drop(FACT)
    return wrong
