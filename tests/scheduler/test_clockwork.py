from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.clockwork import ClockJump, Clockwork, Every


class Clocks:
    """A wall clock and a monotonic clock that are moved by hand."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
        self.seconds = 1000.0

    def wall(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def pass_(self, seconds: float, *, wall: float | None = None) -> None:
        self.seconds += seconds
        self.moment += timedelta(seconds=seconds if wall is None else wall)


async def test_jobs_run_at_once_and_again() -> None:
    clockwork = Clockwork()
    twice = asyncio.Event()
    times = []

    async def job() -> None:
        times.append(1)
        if len(times) == 2:
            twice.set()

    clockwork.every(0.02, "job", job)
    clockwork.start()
    async with asyncio.timeout(5):
        await twice.wait()
    await clockwork.stop()


async def test_a_job_that_fails_runs_again_and_costs_no_other_job() -> None:
    clockwork = Clockwork()
    done = asyncio.Event()
    failed = []

    async def bad() -> None:
        failed.append(1)
        if len(failed) > 1:
            done.set()
        raise RuntimeError("on purpose")

    clockwork.every(0.02, "bad", bad)
    clockwork.start()
    async with asyncio.timeout(5):
        await done.wait()
    await clockwork.stop()

    assert len(failed) > 1


async def test_a_slow_job_is_never_started_beside_itself() -> None:
    clockwork = Clockwork()
    running, most, runs = 0, 0, 0
    enough = asyncio.Event()

    async def slow() -> None:
        nonlocal running, most, runs
        running += 1
        runs += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        if runs >= 3:
            enough.set()

    clockwork.every(0.01, "slow", slow)
    clockwork.start()
    async with asyncio.timeout(5):
        await enough.wait()
    await clockwork.stop()

    assert most == 1


@pytest.mark.parametrize(("wall", "by"), [(-3600.0, -3601), (3600.0, 3599)])
async def test_a_jump_of_the_wall_clock_is_noticed_and_jobs_are_set_right(wall: float, by: int) -> None:
    clocks = Clocks()
    heard: list[ClockJump] = []

    async def hear(jump: ClockJump) -> None:
        heard.append(jump)

    clockwork = Clockwork(wall=clocks.wall, monotonic=clocks.monotonic, on_jump=hear)
    clocks.pass_(1, wall=wall)

    jump = await clockwork.mend()

    assert jump is not None
    assert round(jump.by.total_seconds()) == by
    assert jump.backward is (by < 0)
    assert heard == [jump]


async def test_after_a_jump_back_a_job_that_would_sleep_for_an_hour_runs_now() -> None:
    clocks = Clocks()
    clockwork = Clockwork(wall=clocks.wall, monotonic=clocks.monotonic)
    ran = asyncio.Event()

    async def job() -> None:
        ran.set()

    clockwork.every(3600, "hourly", job)
    clockwork.start()
    async with asyncio.timeout(5):
        await ran.wait()
    ran.clear()
    clocks.pass_(1, wall=-3600)

    await clockwork.mend()

    async with asyncio.timeout(5):
        await ran.wait()
    await clockwork.stop()


async def test_slow_drift_never_adds_up_to_a_jump() -> None:
    clocks = Clocks()
    clockwork = Clockwork(wall=clocks.wall, monotonic=clocks.monotonic)

    for _ in range(100):
        clocks.pass_(1, wall=1.5)

        assert await clockwork.mend() is None


@pytest.mark.parametrize("away", [timedelta(seconds=3.2), timedelta(days=7), timedelta(days=3650)])
def test_times_that_were_jumped_over_are_one_run_and_the_beat_is_kept(away: timedelta) -> None:
    last = datetime(2026, 1, 1, tzinfo=UTC)
    now = last + away
    beat = Every(seconds=1, timezone=UTC)

    following = beat.get_next_fire_time(last, now)

    assert following is not None
    assert now < following <= now + timedelta(seconds=1)
    assert (following - last) % timedelta(seconds=1) == timedelta(0)
