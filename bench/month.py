"""A newsroom month with faults injected: outlets, their feeds' items, and what goes wrong when.

Arrivals are those of :mod:`bench.arrivals` (desks, wires, markets, mornings, evenings; days of differing output,
bursts, batches, week-ends), for outlets of one to five feeds, with public holidays on top and now and then a
*republishing*: a dozen old stories listed again within minutes, which is odd and no fault.

Faults, each long over before the next of its outlet begins:

=============  =====================================================================================
``stall``      answers as ever, and lists nothing new: one feed or all of an outlet, 1 h to 6 days
``outage``     HTTP 503 or time-outs from all feeds of an outlet, 2 h to a day
``block``      HTTP 403 from all feeds of an outlet, 6 h to 3 days
``empty``      a well-formed feed without an item, 6 h to 2 days
``redesign``   pages of which the rules no longer find the body
=============  =====================================================================================

Beside these, one poll in 200 fails for no lasting reason, and once in the month our own network is down for hours.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from bench.arrivals import DAY, HOUR, PROBED, REACH, SHAPES, WEEKENDS, WINDOWS, _burst, _burst_times, _poisson

#: Days watched before anything is injected or judged, and days judged.
LEARNING, JUDGED = 9, 28
DAYS = LEARNING + JUDGED

#: Output of a holiday against the same weekday.
HOLIDAY = 0.45

#: Faults in the proportions in which they are injected.
KINDS = ("stall", "stall", "stall", "stall", "outage", "block", "empty", "redesign")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong from `start` to `end`, in seconds since the trace's start."""

    kind: str
    start: float
    end: float


@dataclass(slots=True)
class Feed:
    """One feed, the rate it was drawn from, and what goes wrong with it."""

    name: str
    outlet: str
    window: int
    shape: str
    #: Hours by which its clock is ahead of UTC.
    offset: float
    per_day: float
    #: Days, on its clock, on which it brings less.
    holidays: tuple[int, ...] = ()
    times: tuple[float, ...] = ()
    faults: list[Fault] = field(default_factory=list)

    def rate(self, moment: float) -> float:
        """Items a second that are usual at that moment: no holidays, moods or bursts."""
        local = moment + self.offset * HOUR
        weekday = int(local // DAY) % 7
        volume = WEEKENDS[self.shape][weekday - 5] if weekday >= 5 else 1.0
        hours = SHAPES[self.shape]
        return self.per_day * volume * hours[int(local % DAY // HOUR)] / sum(hours) / HOUR

    def usual(self, start: float, end: float) -> float:
        """Items usual between two moments."""
        return sum(length * self.rate(at + length / 2) for at, length in _pieces(start, end))

    def after(self, start: float, items: float) -> float:
        """The moment by which that many items are usual after `start`."""
        for at, length in _pieces(start, start + 120 * DAY):
            rate = self.rate(at + length / 2)
            if rate * length >= items:
                return at + items / rate
            items -= rate * length
        return math.inf

    def rests(self, start: float, end: float) -> bool:
        """Whether any of that time is a holiday."""
        first, last = (int((moment + self.offset * HOUR) // DAY) for moment in (start, end))
        return any(first <= day <= last for day in self.holidays)

    def fault_at(self, moment: float) -> Fault | None:
        """What is wrong at that moment."""
        return next((f for f in self.faults if f.start <= moment < f.end), None)


def _pieces(start: float, end: float) -> Iterator[tuple[float, float]]:
    at = start
    while at < end:
        length = min(HOUR - at % HOUR, end - at)
        yield at, length
        at += max(length, 1e-3)


@dataclass(frozen=True, slots=True)
class Month:
    """Everything that happens."""

    feeds: tuple[Feed, ...]
    #: From when to when our own network is down.
    own_outage: tuple[float, float]
    holidays: tuple[int, ...]


def month(seed: int, outlets: int) -> Month:
    """A month of `outlets` outlets."""
    rng = random.Random(f"month {seed}")
    holidays = tuple(sorted(rng.sample(range(LEARNING, DAYS), 2)))
    down = (LEARNING + rng.uniform(2, JUDGED - 2)) * DAY
    feeds: list[Feed] = []
    for number in range(outlets):
        feeds += _outlet(rng, number, holidays)
    for outlet in sorted({feed.outlet for feed in feeds}):
        _inject(rng, [feed for feed in feeds if feed.outlet == outlet])
    return Month(tuple(feeds), (down, down + rng.uniform(1, 6) * HOUR), holidays)


def _outlet(rng: random.Random, number: int, holidays: tuple[int, ...]) -> list[Feed]:
    _, _, shape, offset = rng.choice(PROBED) if rng.random() < 0.5 else (0, 0, rng.choice(sorted(SHAPES)), 7)
    made = []
    for part in range(rng.choice((1, 1, 2, 3, 5))):
        reach = math.exp(rng.uniform(math.log(REACH[0]), math.log(REACH[1])))
        window = rng.choice(WINDOWS)
        per_day = window / (reach * HOUR) * DAY * 0.65
        kept = holidays if offset in (7, 8) else ()
        feed = Feed(f"o{number}/{shape}{part}", f"o{number}", window, shape, offset, per_day, kept)
        feed.times = _times(rng, feed)
        made.append(feed)
    return made


def _times(rng: random.Random, feed: Feed) -> tuple[float, ...]:
    hours = SHAPES[feed.shape]
    weights = list(accumulate(hours))
    found: list[float] = []
    for day in range(-1, DAYS + 1):
        weekday = day % 7
        volume = WEEKENDS[feed.shape][weekday - 5] if weekday >= 5 else 1.0
        if day in feed.holidays:
            volume *= HOLIDAY
        # Batches make 1.16 items of one moment.
        mean = feed.per_day * volume * rng.uniform(0.8, 1.2) / 1.16
        start = day * DAY - feed.offset * HOUR
        for _ in range(_poisson(rng, mean)):
            at = start + bisect_right(weights, rng.random() * weights[-1]) * HOUR + rng.random() * HOUR
            found += [at] * (rng.randint(2, 4) if rng.random() < 0.08 else 1)
        if rng.random() < 0.3:
            busy_hour = feed.per_day / sum(hours) * max(hours) * volume
            found += _burst_times(rng, _burst(rng, start + rng.uniform(6, 22) * HOUR, busy_hour))
        if rng.random() < 0.01:
            again = start + rng.uniform(0, 24) * HOUR
            found += [again + rng.uniform(0, 300) for _ in range(rng.randint(5, 30))]
    return tuple(sorted(t for t in found if 0 <= t < DAYS * DAY))


def _inject(rng: random.Random, feeds: list[Feed]) -> None:
    """Some faults for each outlet, each after the former is long over."""
    at = LEARNING * DAY + rng.expovariate(1 / (4 * DAY))
    while at < (DAYS - 3) * DAY:
        kind = rng.choice(KINDS)
        struck = feeds if kind != "stall" or rng.random() < 0.4 else [rng.choice(feeds)]
        for feed in struck:
            end = min(at + _length(rng, kind, feed), DAYS * DAY)
            feed.faults.append(Fault(kind, at, end))
            if kind == "stall":
                feed.times = tuple(t for t in feed.times if not at <= t < end)
        at = max(f.faults[-1].end for f in struck) + 2 * DAY + rng.expovariate(1 / (4 * DAY))


def _length(rng: random.Random, kind: str, feed: Feed) -> float:
    if kind == "stall":
        return math.exp(rng.uniform(math.log(1.0), math.log(144.0))) * HOUR
    return {
        "outage": rng.uniform(2, 24) * HOUR, "block": rng.uniform(6, 72) * HOUR,
        "empty": rng.uniform(6, 48) * HOUR, "redesign": rng.uniform(3, 6) * DAY,
    }[kind]  # fmt: skip
