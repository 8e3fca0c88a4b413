"""When a desk publishes: Indonesian office hours, thin week-ends, bursts."""

from __future__ import annotations

from bisect import bisect
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate

from newsroom import chance
from newsroom.clock import WIB

#: Relative output of each hour of a day, WIB: a morning peak, a lunch dip, an afternoon peak, a quiet night.
HOURS = (2, 1, 1, 1, 3, 8, 14, 19, 23, 25, 25, 22, 16, 20, 23, 24, 23, 20, 17, 15, 12, 9, 6, 4)

#: Output of a Saturday and of a Sunday against a working day.
WEEKEND = {5: 0.5, 6: 0.4}

#: Share of days on which something happens and one hour runs at several times its pace.
BURST_DAYS = 0.3


@lru_cache(maxsize=256)
def _weights(burst_hour: int, factor: int) -> tuple[int, ...]:
    return tuple(accumulate(w * factor if h == burst_hour else w for h, w in enumerate(HOURS)))


def day_of(moment: datetime) -> date:
    """The WIB calendar day of a moment."""
    return moment.astimezone(WIB).date()


def midnight(day: date) -> datetime:
    """The start of a WIB day, aware UTC."""
    return datetime.combine(day, time(), WIB).astimezone(UTC)


def publication_times(seed: int, outlet: str, day: date, per_day: float) -> tuple[datetime, ...]:
    """The moments, ascending and distinct, at which an outlet publishes on one WIB day.

    ``per_day`` is the mean of a working day. Depends on the arguments alone.
    """
    rng = chance.dice(seed, "rhythm", outlet, day.toordinal())
    count = max(1, round(per_day * WEEKEND.get(day.weekday(), 1.0) * rng.uniform(0.85, 1.15)))
    burst_hour, factor = -1, 1
    if rng.random() < BURST_DAYS:
        burst_hour, factor = rng.randrange(7, 21), rng.randrange(3, 6)
        count += round(per_day * 0.1 * (factor - 1) / 2)
    weights = _weights(burst_hour, factor)
    start = midnight(day)
    seconds: set[int] = set()
    while len(seconds) < min(count, 80_000):
        hour = bisect(weights, rng.randrange(weights[-1]))
        seconds.add(hour * 3600 + rng.randrange(3600))
    return tuple(start + timedelta(seconds=s) for s in sorted(seconds))
