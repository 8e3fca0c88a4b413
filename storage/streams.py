"""What one Redis server holds and no database does, brought to another: streams with their readers, and manners.

Everything else in Redis (the index of what was seen, bands, leases, the queue) is rebuilt from the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from storage.errors import StorageError
from storage.redis import FAILURES, RedisUnavailableError

_BATCH = 500
#: Redis's word for "without end" in a range of ids.
_LAST = b"+"


class StreamExists(StorageError):
    """The other server has a stream of that name already."""


@dataclass(frozen=True, slots=True)
class CopiedStream:
    """One stream, as it was copied."""

    key: str
    entries: int
    groups: int
    #: Entries that readers have taken and not acknowledged.
    pending: int


async def copy_streams(source: Redis, target: Redis, keys: Sequence[str]) -> list[CopiedStream]:
    """Copy streams under the same ids, with consumer groups, their places and what they have not acknowledged.

    Raises StreamExists before anything is written, RedisUnavailableError when a server fails; the target holds none of
    the streams then.
    """
    try:
        for key in keys:
            if await target.exists(key):
                raise StreamExists(
                    f"the target has a key {key!r} already; if an interrupted move left it there, delete it (DEL {key})"
                )
        try:
            return [await _copy(source, target, key) for key in keys if await source.exists(key)]
        except BaseException:
            await drop_streams(target, keys)
            raise
    except FAILURES as error:
        raise RedisUnavailableError("copy streams", error) from error


async def drop_streams(target: Redis, keys: Sequence[str]) -> None:
    """Take back what was copied."""
    if keys:
        await target.delete(*keys)


async def _copy(source: Redis, target: Redis, key: str) -> CopiedStream:
    entries, start = 0, b"-"
    while True:
        found: Any = await source.xrange(key, min=start, max=_LAST, count=_BATCH)
        pipeline = target.pipeline(transaction=False)
        for entry_id, fields in found:
            pipeline.xadd(key, fields, id=entry_id)
        await pipeline.execute()
        entries += len(found)
        if len(found) < _BATCH:
            break
        start = b"(" + found[-1][0]
    groups = await source.xinfo_groups(key)
    facts = await source.xinfo_stream(key)
    for group in groups:
        await target.xgroup_create(key, group["name"], id=group["last-delivered-id"], mkstream=True)
    if entries or groups:  # an empty stream without readers says nothing
        # Ids below the last one ever given are never given again, its entry deleted or not.
        await target.execute_command("XSETID", key, facts["last-generated-id"])  # type: ignore[no-untyped-call]
    pending = [await _copy_pending(source, target, key, group["name"]) for group in groups]
    return CopiedStream(key, entries, len(groups), sum(pending))


async def _copy_pending(source: Redis, target: Redis, key: str, group: bytes) -> int:
    count, start = 0, b"-"
    while True:
        found: list[dict[str, Any]] = await source.xpending_range(key, group, min=start, max=_LAST, count=_BATCH)
        pipeline = target.pipeline(transaction=False)
        for entry in found:
            pipeline.xclaim(
                key, group, entry["consumer"], 0, [entry["message_id"]], idle=entry["time_since_delivered"],
                retrycount=entry["times_delivered"], force=True, justid=True,
            )  # fmt: skip
        await pipeline.execute()
        count += len(found)
        if len(found) < _BATCH:
            return count
        start = b"(" + found[-1]["message_id"]


async def copy_manners(source: Redis, target: Redis, *, prefix: str = "warta") -> int:
    """What was learned of hosts: how long they are left alone, and at what pace they are asked; how many."""
    count = 0
    try:
        async for key in source.scan_iter(match=f"{prefix}:host:*", count=_BATCH, _type="HASH"):
            fields: Any = await source.hgetall(key)
            life = await source.pttl(key)
            if fields and life > 0 and not await target.exists(key):
                pipeline = target.pipeline(transaction=True)
                pipeline.hset(key, mapping=fields)
                pipeline.pexpire(key, life)
                await pipeline.execute()
                count += 1
    except FAILURES as error:
        raise RedisUnavailableError("copy what was learned of hosts", error) from error
    return count
