from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from scheduler import queue as module
from scheduler.queue import CrawlMessage, CrawlQueue, CrawlWorker, QueueDepth
from storage.embedded import EmbeddedValkey
from storage.redis import RedisUnavailableError, connect

pytestmark = pytest.mark.redis

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[EmbeddedValkey]:
    home = Path(tempfile.mkdtemp(prefix="warta-"))
    valkey = EmbeddedValkey(home, persistent=False)
    await valkey.start()
    yield valkey
    await valkey.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest_asyncio.fixture
async def queue(server: EmbeddedValkey) -> AsyncIterator[CrawlQueue]:
    made = CrawlQueue(server.url)
    yield made
    made.close()


@pytest_asyncio.fixture
async def redis(server: EmbeddedValkey) -> AsyncIterator[Redis]:
    client = connect(server.url)
    yield client
    await client.aclose()


class Recorder:
    """A run that remembers, and that waits at a gate while it is closed."""

    def __init__(self) -> None:
        self.started: list[CrawlMessage] = []
        self.ended: list[CrawlMessage] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, message: CrawlMessage) -> None:
        self.started.append(message)
        await self.gate.wait()
        self.ended.append(message)


@asynccontextmanager
async def working(
    queue: CrawlQueue,
    run: Callable[[CrawlMessage], Awaitable[None]],
    threads: int = 4,
    *,
    grace: float = 5.0,
    max_age: timedelta = timedelta(minutes=30),
) -> AsyncIterator[CrawlWorker]:
    worker = queue.worker(run, asyncio.get_running_loop(), threads, max_age=max_age)
    worker.start()
    try:
        yield worker
    finally:
        await worker.stop(timedelta(seconds=grace))


async def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def settled(queue: CrawlQueue, depth: QueueDepth, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while await queue.depth() != depth:
            await asyncio.sleep(0.01)


async def test_what_is_sent_arrives_as_it_was_and_is_acknowledged(queue: CrawlQueue) -> None:
    sent = [await queue.send(f"kontan/s{n}", WHEN, "schedule", n) for n in range(20)]
    assert await queue.depth() == QueueDepth(waiting=20, taken=0)
    run = Recorder()
    async with working(queue, run):
        await eventually(lambda: len(run.ended) == 20)
        await settled(queue, QueueDepth(0, 0))
    assert sorted(run.ended, key=lambda one: one.priority) == sent


async def test_one_thread_keeps_the_order_and_a_manual_run_passes_the_others(queue: CrawlQueue) -> None:
    run = Recorder()
    run.gate.clear()
    async with working(queue, run, threads=1):
        for n in range(5):
            await queue.send(f"s{n}", WHEN, "schedule")
        await eventually(lambda: len(run.started) == 1)
        await queue.send("urgent", WHEN, "manual")
        await asyncio.sleep(0.4)
        run.gate.set()
        await eventually(lambda: len(run.ended) == 6)
    assert [one.source_id for one in run.ended] == ["s0", "urgent", "s1", "s2", "s3", "s4"]


async def test_messages_are_json_in_redis(queue: CrawlQueue, redis: Redis) -> None:
    await queue.send("kontan/rss", WHEN, "schedule")
    values = await redis.hvals("warta:queue:crawl.msgs")
    assert json.loads(values[0])["kwargs"]["source_id"] == "kontan/rss"


async def test_a_worker_takes_no_more_than_it_can_run(queue: CrawlQueue) -> None:
    run = Recorder()
    run.gate.clear()
    async with working(queue, run, threads=3):
        for n in range(10):
            await queue.send(f"s{n}", WHEN, "schedule")
        await settled(queue, QueueDepth(waiting=7, taken=3))
        run.gate.set()
        await eventually(lambda: len(run.ended) == 10)


async def test_a_crawl_that_raises_is_acknowledged_and_harms_no_other(queue: CrawlQueue) -> None:
    ended: list[str] = []

    async def run(message: CrawlMessage) -> None:
        if message.source_id == "bad":
            raise RuntimeError("a bug")
        ended.append(message.source_id)

    async with working(queue, run, threads=1):
        await queue.send("bad", WHEN, "schedule")
        await queue.send("good", WHEN, "schedule")
        await settled(queue, QueueDepth(0, 0))
    assert ended == ["good"]


async def test_stopping_lets_crawls_end_and_leaves_the_others_in_the_queue(queue: CrawlQueue) -> None:
    run = Recorder()
    run.gate.clear()
    async with working(queue, run, threads=2) as worker:
        for n in range(6):
            await queue.send(f"s{n}", WHEN, "schedule")
        await eventually(lambda: len(run.started) == 2)
        worker.drain()
        asyncio.get_running_loop().call_later(0.3, run.gate.set)
    assert len(run.ended) == 2
    assert await queue.depth() == QueueDepth(waiting=4, taken=0)


async def test_a_crawl_that_outlasts_the_grace_is_cancelled_and_given_back(queue: CrawlQueue) -> None:
    cancelled: list[str] = []

    async def run(message: CrawlMessage) -> None:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            cancelled.append(message.source_id)
            raise

    worker = queue.worker(run, asyncio.get_running_loop(), 2)
    worker.start()
    await queue.send("slow", WHEN, "schedule")
    await eventually(lambda: worker.running == 1)
    assert await worker.stop(timedelta(seconds=0.1)) == 1
    assert cancelled == ["slow"]
    assert await queue.depth() == QueueDepth(waiting=1, taken=0)


async def test_a_message_that_waited_too_long_is_dropped(queue: CrawlQueue) -> None:
    await queue.send("old", WHEN, "schedule")
    run = Recorder()
    async with working(queue, run, max_age=timedelta(microseconds=1)):
        await settled(queue, QueueDepth(0, 0))
    assert run.started == []


@pytest.mark.parametrize("garbage", ["\x80\x04.", "{}", "[]", "null", '{"args":1,"options":{}}', "[" * 50_000])
async def test_garbage_in_the_queue_harms_no_neighbour(queue: CrawlQueue, redis: Redis, garbage: str) -> None:
    await redis.hset("warta:queue:crawl.msgs", "evil", garbage)
    await redis.rpush("warta:queue:crawl", "evil")
    await queue.send("good", WHEN, "schedule")
    run = Recorder()
    async with working(queue, run):
        await eventually(lambda: len(run.ended) == 1)
        await settled(queue, QueueDepth(0, 0))
    assert await redis.zcard("warta:queue:crawl.XQ") == 1


async def test_nobody_that_ended_in_order_is_left_on_the_list_of_the_living(queue: CrawlQueue, redis: Redis) -> None:
    run = Recorder()
    async with working(queue, run):
        await queue.send("s", WHEN, "schedule")
        await eventually(lambda: len(run.ended) == 1)
    assert await redis.zcard("warta:queue:__heartbeats__") == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"source_id": 7},
        {"source_id": ""},
        {"source_id": "x" * 5000},
        {"scheduled_for": "2026-01-01T00:00:00"},
        {"scheduled_for": None},
        {"trigger": None},
        {"priority": "high"},
    ],
)
def test_a_message_with_a_wrong_field_is_refused(fields: dict[str, object]) -> None:
    good = CrawlMessage(source_id="s", scheduled_for=WHEN, trigger="schedule", sent_at=WHEN).encoded()
    assert CrawlMessage.decoded(good).source_id == "s"
    with pytest.raises(ValueError, match="not a crawl message"):
        CrawlMessage.decoded(good | fields)


async def test_busy_workers_keep_their_messages_although_nothing_is_fetched(
    queue: CrawlQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HEARTBEAT_MS", 600)
    monkeypatch.setattr(module, "_BEAT_SECONDS", 0.1)
    busy, idle = Recorder(), Recorder()
    busy.gate.clear()
    async with working(queue, busy, threads=1):
        await queue.send("long", WHEN, "schedule")
        await eventually(lambda: len(busy.started) == 1)
        async with working(queue, idle, threads=1):
            await asyncio.sleep(2)
            busy.gate.set()
            await eventually(lambda: len(busy.ended) == 1)
    assert idle.started == []


WORKER = """
import asyncio, sys
from scheduler import queue as module
from scheduler.queue import CrawlQueue
module._HEARTBEAT_MS = 1500
async def run(message):
    print(message.source_id, flush=True)
    await asyncio.sleep(600)
async def main():
    worker = CrawlQueue(sys.argv[1]).worker(run, asyncio.get_running_loop(), 2)
    worker.start()
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_the_message_of_a_worker_killed_in_the_middle_comes_back(
    queue: CrawlQueue, server: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HEARTBEAT_MS", 1500)
    monkeypatch.setattr(module, "_BEAT_SECONDS", 0.3)
    command = [sys.executable, "-c", WORKER, server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        await queue.send("kontan/rss", WHEN, "schedule")
        line = await asyncio.to_thread(victim.stdout.readline)
        assert line == b"kontan/rss\n"
        os.kill(victim.pid, signal.SIGKILL)
    run = Recorder()
    async with working(queue, run):
        await eventually(lambda: len(run.ended) == 1)
        await settled(queue, QueueDepth(0, 0))
    assert run.ended[0].source_id == "kontan/rss"


async def test_the_message_of_a_worker_known_to_be_dead_comes_back_without_a_wait(server: EmbeddedValkey) -> None:
    alive, dead = Recorder(), False
    alive.gate.clear()
    lost = CrawlQueue(server.url, holder="here:17")
    heir = CrawlQueue(server.url, holder="here:18", is_dead=lambda holder: dead and holder == "here:17")
    worker = lost.worker(alive, asyncio.get_running_loop(), 1)
    worker.start()
    await lost.send("kontan/rss", WHEN, "schedule")
    await eventually(lambda: len(alive.started) == 1)
    dead = True
    run = Recorder()
    try:
        async with working(heir, run):
            await eventually(lambda: len(run.ended) == 1, seconds=module._HEARTBEAT_MS / 2000)
    finally:
        await worker.stop(timedelta(0))
        lost.close()
        heir.close()


async def test_what_was_fetched_under_a_lost_answer_comes_back_while_the_worker_lives(
    queue: CrawlQueue, redis: Redis
) -> None:
    run = Recorder()
    async with working(queue, run, threads=2) as worker:
        broker = worker._broker
        await queue.send("first", WHEN, "schedule")
        await eventually(lambda: len(run.ended) == 1)
        await redis.hset("warta:queue:crawl.msgs", "lost", await stored(queue, redis))
        await redis.sadd(f"warta:queue:__acks__.{broker.broker_id}.crawl", "lost")
        await redis.replicaof("127.0.0.1", "1")
        consumer = worker._worker.consumers["crawl"].consumer
        await eventually(lambda: consumer._unsure)
        await redis.replicaof("no", "one")
        await eventually(lambda: len(run.ended) == 2)
    assert run.ended[1].source_id == "second"


async def stored(queue: CrawlQueue, redis: Redis) -> str:
    """A message as Redis keeps it, taken out of another queue of the same server."""
    other = CrawlQueue(queue._url, "other")
    await other.send("second", WHEN, "schedule")
    other.close()
    ((_, data),) = (await redis.hgetall("other:queue:crawl.msgs")).items()
    await redis.delete("other:queue:crawl", "other:queue:crawl.msgs")
    text = json.loads(data)
    text["options"]["redis_message_id"] = "lost"
    return json.dumps(text)


async def test_a_restarted_server_is_found_again_and_ends_are_acknowledged_late(
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = Path(tempfile.mkdtemp(prefix="warta-"))
    valkey = EmbeddedValkey(home)
    await valkey.start()
    queue = CrawlQueue(valkey.url)
    try:
        ended = await run_over_a_restart(valkey, queue)
    finally:
        queue.close()
        await valkey.stop()
        shutil.rmtree(home, ignore_errors=True)
    assert ended == ["during", "after"]
    said = capsys.readouterr().out
    assert said.count("queue lost") == 1
    assert said.count("queue is back") == 1


async def run_over_a_restart(valkey: EmbeddedValkey, queue: CrawlQueue) -> list[str]:
    run = Recorder()
    run.gate.clear()
    async with working(queue, run):
        await queue.send("during", WHEN, "schedule")
        await eventually(lambda: len(run.started) == 1)
        await asyncio.sleep(1.2)  # everysec: what is older than a second is on disk
        assert valkey._process is not None
        valkey._process.kill()
        run.gate.set()
        await eventually(lambda: len(run.ended) == 1)
        with pytest.raises(RedisUnavailableError):
            await queue.send("lost", WHEN, "schedule")
        await asyncio.sleep(1)
        valkey._process.wait()
        await valkey.start()
        await queue.send("after", WHEN, "schedule")
        await eventually(lambda: len(run.ended) == 2)
        await settled(queue, QueueDepth(0, 0))
    return [one.source_id for one in run.ended]


async def test_a_flushed_server_loses_messages_and_nothing_else(queue: CrawlQueue, redis: Redis) -> None:
    run = Recorder()
    run.gate.clear()
    async with working(queue, run, threads=1):
        for n in range(3):
            await queue.send(f"s{n}", WHEN, "schedule")
        await eventually(lambda: len(run.started) == 1)
        await redis.flushall()
        run.gate.set()
        await queue.send("again", WHEN, "schedule")
        await eventually(lambda: len(run.ended) == 2)
        await settled(queue, QueueDepth(0, 0))
    assert [one.source_id for one in run.ended] == ["s0", "again"]


async def test_a_read_only_server_pauses_the_queue_until_it_takes_writes(
    queue: CrawlQueue, redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Recorder()
    async with working(queue, run):
        await queue.send("one", WHEN, "schedule")
        await eventually(lambda: len(run.ended) == 1)
        await redis.replicaof("127.0.0.1", "1")
        with pytest.raises(RedisUnavailableError):
            await queue.send("two", WHEN, "schedule")
        await asyncio.sleep(1)
        await redis.replicaof("no", "one")
        await queue.send("three", WHEN, "schedule")
        await eventually(lambda: len(run.ended) == 2)
    assert capsys.readouterr().out.count("queue lost") == 1


async def test_two_workers_share_the_messages_and_none_is_run_twice(queue: CrawlQueue) -> None:
    one, two = Recorder(), Recorder()
    async with working(queue, one), working(queue, two):
        for n in range(200):
            await queue.send(f"s{n}", WHEN, "schedule")
        await eventually(lambda: len(one.ended) + len(two.ended) == 200)
        await settled(queue, QueueDepth(0, 0))
    assert len({message.source_id for message in one.ended + two.ended}) == 200
