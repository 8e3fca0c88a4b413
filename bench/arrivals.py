"""Arrival traces of news feeds: when each item appears, generated from a seed.

Rates follow what is known of real feeds: windows of 10 to 100 items that reach back from 1.2 hours (a wire) over
14 to 21 hours (most) to days (small sections); nights, lunch dips and week-ends after the desks' hours; markets
that are silent outside trading; morning editions; and bursts, in which a desk runs at several times its pace and
calms down over an hour or two. Items of one moment (an import from a wire) come in small batches.

Nothing here is known to a polling rule: a rule sees what a poll shows.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from newsroom.rhythm import HOURS

HOUR = 3600.0
DAY = 86_400.0

#: Relative output by local hour of each kind of desk.
SHAPES: dict[str, tuple[float, ...]] = {
    "desk": tuple(map(float, HOURS)),
    "wire": (8, 7, 6, 6, 8, 12, 17, 20, 22, 24, 24, 23, 20, 21, 23, 24, 23, 21, 19, 17, 16, 14, 12, 10),
    "market": (0, 0, 0, 0, 1, 3, 10, 22, 34, 38, 34, 30, 18, 26, 34, 38, 30, 14, 6, 3, 2, 1, 0, 0),
    "morning": (2, 2, 3, 12, 40, 55, 40, 20, 10, 8, 8, 6, 6, 6, 6, 6, 8, 10, 8, 4, 3, 2, 2, 2),
    "evening": (2, 1, 1, 1, 1, 2, 4, 6, 8, 10, 12, 14, 12, 12, 14, 16, 20, 28, 34, 34, 26, 16, 8, 4),
}  # fmt: skip

#: Output of a Saturday and a Sunday against a working day.
WEEKENDS: dict[str, tuple[float, float]] = {
    "desk": (0.5, 0.4), "wire": (0.75, 0.7), "market": (0.08, 0.08), "morning": (0.6, 0.5), "evening": (0.7, 0.8),
}  # fmt: skip

#: Feeds as probed (docs/polling.md): items in the window, hours they reach back on a working day, kind, UTC offset.
PROBED: tuple[tuple[int, float, str, float], ...] = (
    (50, 1.2, "wire", 7), (15, 2.5, "desk", 7), (25, 3.9, "desk", 7), (100, 8.5, "wire", 7), (25, 8.5, "market", 7),
    (25, 8.5, "wire", 3), (25, 17.0, "desk", 7), (25, 17.0, "desk", 7), (25, 17.0, "desk", 7), (100, 17.0, "desk", 7),
    (100, 31.0, "market", 7), (100, 45.0, "desk", 7), (100, 47.0, "market", 7), (20, 17.0, "desk", 0),
    (20, 17.0, "wire", -5), (50, 17.0, "desk", 8),
)  # fmt: skip

#: Minutes of the hour for which desks time items, and how often each is chosen. Of 392 published times in saved article
#: pages of as many places, 15 % are of the minute :00, 5 % of :30 and 4 % of :15, where chance would give 1.7 % each.
MARKS: tuple[tuple[int, float], ...] = ((0, 0.70), (30, 0.18), (15, 0.12))

#: The share of its items that a desk times is drawn evenly up to this: 19 % of all, as in those pages.
TIMED = 0.38

#: Shares of moments at which several items come at once, and of days with a burst.
BATCHES, BURST_DAYS = 0.08, 0.3

#: Windows and shapes of the other feeds; the reach of theirs is drawn evenly on a log scale between these hours.
WINDOWS = (10, 10, 15, 20, 20, 25, 30, 50, 50, 100)
REACH = (1.2, 24 * 14.0)


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed and all that it will ever show."""

    name: str
    #: Items that the feed shows at any moment: the newest.
    window: int
    #: Publication times in seconds since the trace's start (a Monday, 00:00 UTC), ascending.
    times: tuple[float, ...]
    #: Items an hour on average by hour of the week (0: Monday 00:00 UTC), and the share of them that is timed for a
    #: mark: what made the times, for :mod:`bench.bound`.
    rates: tuple[float, ...] = ()
    timed: float = 0.0


def feeds(seed: int, count: int, days: int) -> tuple[Feed, ...]:
    """`count` feeds over `days` days: the probed ones first, then drawn ones."""
    rng = random.Random(f"feeds {seed}")
    made = []
    for n in range(count):
        window, reach, shape, offset = PROBED[n] if n < len(PROBED) else _drawn(rng)
        rate = window / (reach * HOUR) * 24 * HOUR * 0.65  # the reach is that of a busy hour; a day has quiet ones
        timed = Timed(random.Random(f"marks {seed} {n}"))
        times = _times(rng, rate, shape, offset, days, timed)
        made.append(Feed(f"{shape}-{n}", window, times, _rates(rate, shape, offset), timed.share))
    return tuple(made)


def _drawn(rng: random.Random) -> tuple[int, float, str, float]:
    reach = math.exp(rng.uniform(math.log(REACH[0]), math.log(REACH[1])))
    shape = rng.choice(("desk", "desk", "desk", "market", "morning", "evening", "wire"))
    return rng.choice(WINDOWS), reach, shape, rng.choice((7, 7, 7, 8, 0, 1, -5))


class Timed:
    """A desk's way of holding items for a mark of their hour, to be let out within its minute; breaking news is not."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        #: Of the desk's items.
        self.share = rng.uniform(0, TIMED)
        self._minutes = [minute for minute, _ in MARKS]
        self._weights = [weight for _, weight in MARKS]

    def __call__(self, at: float) -> float:
        """The moment at which an item that is ready at `at` is let out."""
        if self._rng.random() >= self.share:
            return at
        minute = self._rng.choices(self._minutes, self._weights)[0]
        return at // HOUR * HOUR + (float(minute) + self._rng.random()) * 60


def _rates(per_day: float, shape: str, offset: float) -> tuple[float, ...]:
    """The average of what `_times` makes."""
    hours, rates = SHAPES[shape], []
    busy = per_day / sum(hours) * max(hours)
    for hour in range(168):
        local = int(hour + offset) % 168
        volume = WEEKENDS[shape][local // 24 - 5] if local >= 120 else 1.0
        batches = 1 + BATCHES * 2  # one becomes three on average
        burst = BURST_DAYS * 4.5 * busy / 16 if 6 <= local % 24 < 22 else 0.0
        rates.append(volume * (per_day * hours[local % 24] / sum(hours) * batches + burst))
    return tuple(rates)


def _times(rng: random.Random, per_day: float, shape: str, offset: float, days: int, timed: Timed) -> tuple[float, ...]:
    """Moments of one feed: days of differing output, hours after the shape, bursts and small batches."""
    hours = SHAPES[shape]
    weights = list(accumulate(hours))
    found: list[float] = []
    for day in range(-1, days + 1):
        weekday = day % 7
        volume = WEEKENDS[shape][weekday - 5] if weekday >= 5 else 1.0
        mean = per_day * volume * rng.uniform(0.8, 1.2)
        start = day * DAY - offset * HOUR
        for _ in range(_poisson(rng, mean)):
            at = start + bisect_right(weights, rng.random() * weights[-1]) * HOUR + rng.random() * HOUR
            found += [timed(at)] * (rng.randint(2, 4) if rng.random() < BATCHES else 1)
        if rng.random() < BURST_DAYS:
            found += _burst(rng, start + rng.uniform(6, 22) * HOUR, per_day / sum(hours) * max(hours) * volume)
    return tuple(sorted(t for t in found if 0 <= t < days * DAY))


def _burst(rng: random.Random, start: float, busy_hour: float) -> list[float]:
    """A story breaks: three to six times a busy hour's pace, decaying over an hour or two."""
    calm = rng.uniform(0.5, 1.5) * HOUR
    pace = busy_hour / HOUR * rng.uniform(3, 6)
    return [start + rng.expovariate(1 / calm) for _ in range(_poisson(rng, pace * calm))]


def _poisson(rng: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
