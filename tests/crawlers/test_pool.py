from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from crawlers.identity import body_hash
from crawlers.pool import ParseKilled, ParsePool

MEGA = 2**20


@pytest.fixture
async def pool() -> AsyncIterator[ParsePool]:
    pool = ParsePool(2, seconds=1.0, memory_bytes=256 * MEGA, preload=("crawlers.identity",))
    pool.start()
    yield pool
    await pool.stop()


def children(pool: ParsePool) -> list[int]:
    assert pool._pool is not None
    return list(pool._pool._pool_manager.worker_manager.workers)


async def test_a_function_runs_in_another_process(pool: ParsePool) -> None:
    assert await pool.run(os.getpid) != os.getpid()
    assert await pool.run(body_hash, "naik") == body_hash("naik")


async def test_what_the_function_raises_is_raised(pool: ParsePool) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await pool.run(int, "x")
    assert await pool.run(int, "7") == 7


async def test_an_exception_that_cannot_travel_arrives_as_its_text(pool: ParsePool) -> None:
    with pytest.raises(RuntimeError, match="Odd: x"):
        await pool.run(exec, "class Odd(Exception): pass\nraise Odd('x')", {})
    assert await pool.run(int, "7") == 7


async def test_a_runaway_computation_is_ended_and_its_neighbours_are_not(pool: ParsePool) -> None:
    results = await asyncio.gather(
        pool.run(sum, range(10**12)), *(pool.run(body_hash, str(n)) for n in range(20)), return_exceptions=True
    )
    assert isinstance(results[0], ParseKilled)
    assert results[0].kind == "time"
    assert results[1:] == [body_hash(str(n)) for n in range(20)]


async def test_a_call_that_only_waits_is_ended_too(pool: ParsePool) -> None:
    with pytest.raises(ParseKilled) as killed:
        await pool.run(time.sleep, 60, timeout=0.3)
    assert killed.value.kind == "time"
    assert await pool.run(int, "7") == 7


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS keeps no limit on address space")
async def test_too_much_memory_is_refused_and_some_is_not(pool: ParsePool) -> None:
    with pytest.raises(ParseKilled) as killed:
        await pool.run(bytearray, 2**30)
    assert killed.value.kind == "memory"
    assert len(await pool.run(bytearray, MEGA)) == MEGA


async def test_a_crash_is_told_and_costs_one_task(pool: ParsePool) -> None:
    with pytest.raises(ParseKilled) as killed:
        await pool.run(os._exit, 3)
    assert killed.value.kind == "crash"
    assert await pool.run(int, "7") == 7


async def test_the_pool_outlives_a_stranger_who_kills_idle_children(pool: ParsePool) -> None:
    await pool.run(int, "7")
    for _ in range(3):
        for pid in children(pool):
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.3)  # the pool's own watch looks every tenth of a second
        assert await pool.run(int, "7") == 7


async def test_the_pool_outlives_a_stranger_who_kills_children_at_work(pool: ParsePool) -> None:
    await pool.run(int, "7")
    sleeping = asyncio.ensure_future(pool.run(time.sleep, 0.9))
    await asyncio.sleep(0.2)
    for pid in children(pool):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ParseKilled):
        await sleeping
    assert await pool.run(int, "7") == 7


async def test_a_cancelled_call_frees_its_child(pool: ParsePool) -> None:
    tasks = [asyncio.ensure_future(pool.run(time.sleep, 600, timeout=600)) for _ in range(2)]
    await asyncio.sleep(0.3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(60):
        assert await pool.run(int, "7") == 7


async def test_children_are_replaced_after_their_tasks() -> None:
    pool = ParsePool(1, max_tasks=5, preload=("crawlers.identity",))
    try:
        pids = {await pool.run(os.getpid) for _ in range(20)}
    finally:
        await pool.stop()
    assert 3 <= len(pids) <= 6


async def test_stopping_ends_the_children_and_refuses_more() -> None:
    pool = ParsePool(2, preload=("crawlers.identity",))
    await pool.run(int, "7")
    pids = children(pool)
    await pool.stop()
    await pool.stop()
    for pid in pids:
        stat = Path(f"/proc/{pid}/stat")
        assert not stat.exists() or " Z " in stat.read_text(encoding="utf-8")
    with pytest.raises(RuntimeError, match="stopped"):
        await pool.run(int, "7")


async def test_stopping_does_not_wait_for_work_beyond_its_grace() -> None:
    pool = ParsePool(1, preload=("crawlers.identity",))
    await pool.run(int, "7")
    working = asyncio.ensure_future(pool.run(time.sleep, 600, timeout=600))
    await asyncio.sleep(0.2)
    async with asyncio.timeout(60):
        await pool.stop(grace=0.3)
    with pytest.raises(ParseKilled) as killed:
        await working
    assert killed.value.kind in {"stopped", "crash"}


async def test_children_do_not_load_the_parents_main_module(pool: ParsePool) -> None:
    assert await pool.run(eval, "'pytest' in __import__('sys').modules", {}) is False


async def test_a_clock_that_jumps_forward_costs_no_page(pool: ParsePool, monkeypatch: pytest.MonkeyPatch) -> None:
    await pool.run(int, "7")
    begun = iter([0.0])  # the first look is at the task's start; at every later one an hour has gone by

    def jumping() -> float:
        return time.time() + next(begun, 3600.0)

    monkeypatch.setattr("pebble.pool.process.time", SimpleNamespace(time=jumping, sleep=time.sleep))

    assert await pool.run(time.sleep, 0.5) is None
