"""The newsroom's own time: settable, skippable, faster or slower than the wall."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as dtime
from zoneinfo import ZoneInfo

#: Western Indonesian Time, the zone of every outlet here and of every date printed without one.
WIB = ZoneInfo("Asia/Jakarta")


def wall() -> datetime:
    """The real time, aware UTC."""
    return datetime.now(UTC)


def dawn(now: datetime) -> datetime:
    """The last five o'clock in the morning in Jakarta that is at least two hours before ``now``.

    Little has been published by then, so what a press holds does not depend on the hour it is opened at.
    """
    morning = (now - timedelta(hours=2)).astimezone(WIB)
    day = morning.date() if morning.hour >= 5 else morning.date() - timedelta(days=1)
    return datetime.combine(day, dtime(5), WIB).astimezone(UTC)


class Clock:
    """Newsroom time: ``start`` plus ``speed`` times the real seconds gone by.

    Knows nothing of stories. With ``never_ahead`` it runs no further than the wall clock (at
    which it goes on at the wall's pace), so that a reader who distrusts dates in the future
    has nothing to distrust.
    """

    def __init__(
        self,
        start: datetime,
        *,
        speed: float = 1.0,
        never_ahead: bool = False,
        ticks: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = wall,
    ) -> None:
        """``start`` must be aware; ``ticks`` are real seconds; both sources of time are injectable."""
        if start.tzinfo is None:
            raise ValueError("the newsroom's clock needs an aware start, for example 2026-08-14T08:00:00+07:00")
        if speed < 0:
            raise ValueError(f"speed is {speed}; time runs forwards: give 0 (paused) or more")
        self.start = start.astimezone(UTC)
        self.never_ahead = never_ahead
        self._ticks = ticks
        self._wall = wall
        self._lock = threading.Lock()
        self._speed = speed
        self._base = self.start
        self._base_tick = ticks()

    @property
    def speed(self) -> float:
        """Newsroom seconds per real second."""
        return self._speed

    def now(self) -> datetime:
        """Newsroom time, aware UTC."""
        with self._lock:
            return self._read()

    def tick(self) -> float:
        """Real seconds, monotonic."""
        return self._ticks()

    def set(self, when: datetime) -> datetime:
        """Jump to a moment, forwards or back; the new time."""
        if when.tzinfo is None:
            raise ValueError("the newsroom's clock is set to aware times only")
        with self._lock:
            self._rebase(when.astimezone(UTC))
            return self._read()

    def forward(self, by: timedelta) -> datetime:
        """Skip ahead (or back, if negative); the new time."""
        with self._lock:
            self._rebase(self._read() + by)
            return self._read()

    def set_speed(self, speed: float) -> None:
        """Run at another pace from this moment on; 0 pauses."""
        if speed < 0:
            raise ValueError(f"speed is {speed}; time runs forwards: give 0 (paused) or more")
        with self._lock:
            self._rebase(self._read())
            self._speed = speed

    def _read(self) -> datetime:
        now = self._base + timedelta(seconds=(self._ticks() - self._base_tick) * self._speed)
        return min(now, self._wall()) if self.never_ahead else now

    def _rebase(self, when: datetime) -> None:
        self._base = when
        self._base_tick = self._ticks()
