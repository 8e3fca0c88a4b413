"""Arrival traces of news feeds: when each item appears, generated from a seed.

Rates follow what is known of real feeds: windows of 10 to 100 items that reach back from 1.2 hours (a wire) over
14 to 21 hours (most) to days (small sections); nights, lunch dips and week-ends after the desks' hours; markets
that are silent outside trading; morning editions; and bursts, in which a desk runs at several times its pace and
calms down over an hour or two.

Within an hour they follow published times, of which these were looked at:

- 378 article pages, one of each place, with a time to the second. 16 % are of minute :00, 5 % of :30 and 4 % of :15,
  where chance gives 1.7 % each: 21 % beyond chance. 29 % are of second 00, as times are that somebody entered.
- The 210 items that twelve desks of one newspaper brought from 04:00 to 13:48 of a working day. 29 % are of second 00
  there, too, and desks differ: six time nothing (1 of 107 items), three a part (18 of 55), three nearly all (42 of
  48). Of these three the busiest lets its items out at :02, :12, :22, :32 and :42 or a minute before, one an hour of
  the smallest comes at :00 or :30, and the third has no minutes of its own.
- Five feeds. The wire times nothing (0 of 20 items of second 00), four others 3 of 10, 4 and 2 of 9, and 3 of 3.
- The gaps between the items of eight busy desks: of 190 known to the second none is 0, of 261 one in 15 is below a
  minute, where chance would make one in 10. Items hardly come in batches. The gaps are more even than by chance:
  against the mean of their neighbours they have a standard deviation of 0.87 (0.59 to 1.16; 0.91 without the desk
  that times all). Chance makes 1.32, a gamma distribution of shape 1.7 makes 0.91.

Nothing here is known to a polling rule: a rule sees what a poll shows.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
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

#: What share of its items a desk times: as many desks time nothing, a part, and nearly all (least and most, weight).
TIMED: tuple[tuple[float, float, int], ...] = ((0.0, 0.05, 2), (0.2, 0.5, 1), (0.65, 0.95, 1))

#: Minutes of the hour for which most desks time items, and how often each is chosen.
CLOCK: dict[int, float] = {0: 0.70, 30: 0.18, 15: 0.12}

#: Of three desks that time items two do so by the clock. One in six has minutes of its own, ten apart, and one in six
#: none in particular. One that brings more than this in a busy hour does not hold nearly all of it for the full hour.
CLOCKED = 3.0

#: The shape of the gamma distribution of the gaps between a desk's items: 1 would be chance, more is more even.
EVENNESS = 1.7

#: The share of days with a burst.
BURST_DAYS = 0.3

#: Windows and shapes of the other feeds; the reach of theirs is drawn evenly on a log scale between these hours.
WINDOWS = (10, 10, 15, 20, 20, 25, 30, 50, 50, 100)
REACH = (1.2, 24 * 14.0)

#: Items of a busy hour of the fastest feed that was seen, wires aside: 100 in 8.5 hours of the probed ones; the twelve
#: desks of a newspaper brought five and less.
FASTEST = 12.0


@dataclass(frozen=True, slots=True)
class Burst:
    """A story breaks: a pace that decays."""

    #: Seconds since the trace's start.
    start: float
    #: Items an hour at first.
    pace: float
    #: Seconds in which the pace falls to the e-th part.
    calm: float


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed and all that it will ever show."""

    name: str
    #: Items that the feed shows at any moment: the newest.
    window: int
    #: Publication times in seconds since the trace's start (a Monday, 00:00 UTC), ascending.
    times: tuple[float, ...]
    #: What made the times, for :mod:`bench.bound`: items an hour by hour of the week (0: Monday 00:00 UTC) on average,
    #: the shares of them that are timed for minutes of the hour, and the bursts that came on top.
    rates: tuple[float, ...] = ()
    marks: Mapping[int, float] = field(default_factory=dict)
    bursts: tuple[Burst, ...] = ()


def feeds(seed: int, count: int, days: int) -> tuple[Feed, ...]:
    """`count` feeds over `days` days: the probed ones first, then drawn ones."""
    rng = random.Random(f"feeds {seed}")
    made = []
    for n in range(count):
        window, reach, shape, offset = PROBED[n] if n < len(PROBED) else _drawn(rng)
        rate = window / (reach * HOUR) * 24 * HOUR * 0.65  # the reach is that of a busy hour; a day has quiet ones
        busiest = max(_rates(rate, shape, offset, BURST_DAYS))
        timed = Timed(random.Random(f"marks {seed} {n}"), busiest, never=n == 0)  # the first is the wire
        times, bursts = _times(rng, rate, shape, offset, days, timed)
        made.append(Feed(f"{shape}-{n}", window, times, _rates(rate, shape, offset), timed.marks, bursts))
    return tuple(made)


def _drawn(rng: random.Random) -> tuple[int, float, str, float]:
    window, reach = 1, 0.0
    while window > FASTEST * reach:
        reach = math.exp(rng.uniform(math.log(REACH[0]), math.log(REACH[1])))
        window = rng.choice(WINDOWS)
    shape = rng.choice(("desk", "desk", "desk", "market", "morning", "evening", "wire"))
    return window, reach, shape, rng.choice((7, 7, 7, 8, 0, 1, -5))


class Timed:
    """A desk's way of holding items for a minute of their hour, to be let out within it; breaking news is not."""

    def __init__(self, rng: random.Random, busiest: float, *, never: bool = False) -> None:
        self._rng = rng
        least, most, _ = rng.choices(TIMED, [weight for *_, weight in TIMED])[0]
        #: Of the desk's items.
        self.share = 0.0 if never else rng.uniform(least, most)
        kind = rng.choices(("clock", "own", "any"), (4, 1, 1))[0]
        own = dict.fromkeys(range(rng.randrange(10), 60, 10), 1 / 6)
        by_clock = kind == "clock" and not (self.share > 0.5 and busiest > CLOCKED)
        self._minutes = CLOCK if by_clock else dict.fromkeys(range(60), 1 / 60) if kind == "any" else own

    @property
    def marks(self) -> dict[int, float]:
        """Of the desk's items, those of each minute that it times for; none where it is any minute."""
        by_minute = {minute: self.share * part for minute, part in self._minutes.items()}
        return by_minute if len(by_minute) < 60 else {}

    def __call__(self, at: float) -> float:
        """The moment at which an item that is ready at `at` is let out."""
        if self._rng.random() >= self.share:
            return at
        minute = self._rng.choices(list(self._minutes), list(self._minutes.values()))[0]
        return at // HOUR * HOUR + (float(minute) + self._rng.random()) * 60


def _rates(per_day: float, shape: str, offset: float, burst_days: float = 0.0) -> tuple[float, ...]:
    """The average of what `_times` makes, bursts on that share of the days."""
    hours, rates = SHAPES[shape], []
    busy = per_day / sum(hours) * max(hours)
    for hour in range(168):
        local = int(hour + offset) % 168
        volume = WEEKENDS[shape][local // 24 - 5] if local >= 120 else 1.0
        burst = burst_days * 4.5 * busy / 16 if 6 <= local % 24 < 22 else 0.0
        rates.append(volume * (per_day * hours[local % 24] / sum(hours) + burst))
    return tuple(rates)


def _times(
    rng: random.Random, per_day: float, shape: str, offset: float, days: int, timed: Timed
) -> tuple[tuple[float, ...], tuple[Burst, ...]]:
    """Moments of one feed: days of differing output, hours after the shape, gaps of some evenness, and bursts."""
    hours = SHAPES[shape]
    found: list[float] = []
    bursts = []
    for day in range(-1, days + 1):
        weekday = day % 7
        volume = WEEKENDS[shape][weekday - 5] if weekday >= 5 else 1.0
        start = day * DAY - offset * HOUR
        mean = per_day * volume * rng.uniform(0.8, 1.2)
        upto = list(accumulate((mean * hour / sum(hours) for hour in hours), initial=0.0))
        came = rng.random() * _gap(rng)
        while came < upto[-1]:
            hour = bisect_right(upto, came) - 1
            found.append(timed(start + (hour + (came - upto[hour]) / (upto[hour + 1] - upto[hour])) * HOUR))
            came += _gap(rng)
        if rng.random() < BURST_DAYS:
            bursts.append(_burst(rng, start + rng.uniform(6, 22) * HOUR, per_day / sum(hours) * max(hours) * volume))
            found += _burst_times(rng, bursts[-1])
    return tuple(sorted(t for t in found if 0 <= t < days * DAY)), tuple(bursts)


def _gap(rng: random.Random) -> float:
    """A gap between two items, in items expected."""
    return rng.gammavariate(EVENNESS, 1 / EVENNESS)


def _burst(rng: random.Random, start: float, busy_hour: float) -> Burst:
    """Three to six times a busy hour's pace, calming down over an hour or two."""
    calm = rng.uniform(0.5, 1.5) * HOUR
    return Burst(start, busy_hour * rng.uniform(3, 6), calm)


def _burst_times(rng: random.Random, burst: Burst) -> list[float]:
    count = _poisson(rng, burst.pace / HOUR * burst.calm)
    return [burst.start + rng.expovariate(1 / burst.calm) for _ in range(count)]


def _poisson(rng: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
