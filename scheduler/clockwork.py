"""APScheduler as the clockwork, and the watchdog that keeps it awake.

APScheduler 3 sleeps until the wall clock says so: a clock set back an hour puts it to sleep for an hour. So a
loop on the monotonic clock compares the two clocks and sets jobs right that wait for a moment that will not come.
Its defaults drop work (a pool of 10, one second of grace): here every job coalesces and none misfires.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

log = structlog.get_logger(__name__)


class Every(IntervalTrigger):  # type: ignore[misc]
    """Fires once for all the times that were missed.

    APScheduler makes a list of them, and only then lets one run: after a clock that was set forward by a week, 600,000
    for each second's job, in which time nothing else runs.
    """

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next on the beat that is not over."""
        if previous_fire_time is not None and now - previous_fire_time >= self.interval:
            beats = (now - previous_fire_time) // self.interval
            previous_fire_time += beats * self.interval
        moment: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        return moment


#: A difference between the clocks that is no drift.
JUMP = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class ClockJump:
    """The wall clock moved against the monotonic one; positive is forward."""

    by: timedelta

    @property
    def backward(self) -> bool:
        """Whether moments that were due are now in the future."""
        return self.by < timedelta(0)


class Clockwork:
    """Runs coroutine functions at intervals; each is alone with itself, and its failure is its own."""

    def __init__(
        self,
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        on_jump: Callable[[ClockJump], Awaitable[None]] | None = None,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self.on_jump = on_jump
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._running: set[asyncio.Task[Any]] = set()
        self._offset = self._now_offset()
        self._watch: asyncio.Task[None] | None = None

    def every(self, seconds: float, name: str, job: Callable[[], Awaitable[Any]]) -> None:
        """Run `job` every so many seconds, the first time at once."""

        async def guarded() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running.add(task)
            try:
                await job()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("job failed", job=name)
            finally:
                self._running.discard(task)

        self._scheduler.add_job(
            guarded,
            Every(seconds=seconds, timezone=UTC),
            id=name,
            name=name,
            next_run_time=datetime.now(UTC),
        )

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()
        self._watch = asyncio.create_task(self._keep_awake(), name="clockwork watchdog")

    async def stop(self) -> None:
        """Start no job any more, and cancel those that run: each can be cut off and done again."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        running = [task for task in self._running if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def mend(self) -> ClockJump | None:
        """Compare the clocks; after a jump, set every job to run now. Returns the jump, if there was one."""
        offset = self._now_offset()
        jump = ClockJump(timedelta(seconds=offset - self._offset))
        if abs(jump.by) < JUMP:
            # Slow drift (NTP slewing) is followed, so that it never adds up to a jump.
            self._offset = offset
            return None
        self._offset = offset
        log.warning("clock jumped", seconds=round(jump.by.total_seconds(), 1), message="jobs are set right")
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))
        if self.on_jump is not None:
            await self.on_jump(jump)
        return jump

    async def _keep_awake(self) -> None:
        while True:
            await asyncio.sleep(1)  # the loop's timers are monotonic
            try:
                await self.mend()
            except Exception:
                log.exception("job failed", job="clockwork watchdog")

    def _now_offset(self) -> float:
        return self._wall().timestamp() - self._monotonic()
