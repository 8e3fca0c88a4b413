from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from config.model import Stream
from scheduler.delivery.stream import FIELDS, StreamTarget
from scheduler.delivery.target import TargetDown
from storage.embedded import EmbeddedValkey
from storage.events import Event
from storage.redis import connect
from storage.storage import Storage

KEY = "warta:articles"


@pytest_asyncio.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    client = connect(valkey.url)
    yield client
    await client.aclose()


async def entries(redis: Redis) -> list[tuple[str, dict[str, str]]]:
    found: Any = await redis.xrange(KEY)
    return [(i.decode(), {k.decode(): v.decode() for k, v in f.items()}) for i, f in found]


async def events_of(paper: Any, storage: Storage) -> list[Event]:
    await paper.publish("a")
    await paper.publish("b")
    await paper.revise("a", "lagi")
    return list((await storage.events.after(0, 10)).events)


async def test_entries_carry_the_event_under_its_own_number(redis: Redis, paper: Any, storage: Storage) -> None:
    events = await events_of(paper, storage)
    await StreamTarget(Stream(key=KEY), redis).send(events, replayed=False)
    found = await entries(redis)
    assert [i for i, _ in found] == ["1-0", "2-0", "3-0"]
    assert tuple(found[0][1]) == FIELDS
    assert [f["key"] for _, f in found] == [e.key for e in events]
    assert json.loads(found[2][1]["article"])["text"].startswith("Laporan a direvisi")
    assert found[0][1]["schema"] == "1"


async def test_a_batch_whose_answer_was_lost_is_not_added_twice(redis: Redis, paper: Any, storage: Storage) -> None:
    events = await events_of(paper, storage)
    target = StreamTarget(Stream(key=KEY), redis)
    await target.send(events[:2], replayed=False)
    await target.send(events, replayed=False)
    assert [i for i, _ in await entries(redis)] == ["1-0", "2-0", "3-0"]


async def test_replays_come_behind_the_last(redis: Redis, paper: Any, storage: Storage) -> None:
    events = await events_of(paper, storage)
    target = StreamTarget(Stream(key=KEY), redis)
    await target.send(events[:2], replayed=False)
    await target.send(events[:1], replayed=True)
    await target.send(events[2:], replayed=False)
    assert [i for i, _ in await entries(redis)] == ["1-0", "2-0", "2-1", "3-0"]


async def test_a_stream_older_than_the_database_takes_new_events_in_order(
    redis: Redis, paper: Any, storage: Storage
) -> None:
    await redis.xadd(KEY, {"key": "of another database"}, id="2-0")
    events = await events_of(paper, storage)
    await StreamTarget(Stream(key=KEY), redis).send(events, replayed=False)
    assert [f["key"] for _, f in await entries(redis)][1:] == [e.key for e in events]


async def test_a_stream_is_capped(redis: Redis, paper: Any, storage: Storage) -> None:
    (event,) = (await storage.events.after(0, 1)).events or (await events_of(paper, storage))[:1]
    target = StreamTarget(Stream(key=KEY, length=100), redis)
    for _ in range(5):
        await target.send([event] * 100, replayed=True)
    assert 100 <= await redis.xlen(KEY) <= 250


async def test_a_full_or_missing_redis_blames_no_event(redis: Redis, paper: Any, storage: Storage) -> None:
    events = await events_of(paper, storage)
    await redis.config_set("maxmemory", "1")
    with pytest.raises(TargetDown, match="OutOfMemory"):
        await StreamTarget(Stream(key=KEY), redis).send(events, replayed=False)
    await redis.config_set("maxmemory", "0")
    assert await entries(redis) == []
    away = connect("redis://127.0.0.1:1")
    target = StreamTarget(Stream(key=KEY), away, owned=True)
    with pytest.raises(TargetDown, match=KEY):
        await target.send(events, replayed=False)
    await target.close()
