"""When asking pays: the adaptive schedule over a source's learned rhythm. Pure.

Items wait from the moment they appear until the next poll. What an item loses grows with a power of its wait below
one (:data:`FADING`), since news loses most while it is fresh, and at one wait, the source's turn, at once: what is
older has missed its moment. At a steady pace the interval which makes losses and requests together cheapest is

- the turn itself where between :data:`SLOW` and :data:`BUSY` items come in an hour,
- shorter in busier hours, as a power of the pace,
- longer in slower ones, where a request finds too little (:func:`interval`).

Where the pace changes, a poll is due when the shares of intervals that have passed since the last make a whole one.
A dearer request means longer intervals everywhere, in the same proportion.

Where a desk times its items for a minute of the hour (:func:`storage.rhythm.marks`), a poll just after it finds
them without a wait: a mark near the time that would pay draws the poll to itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from storage.expectation import is_learned
from storage.rhythm import HOUR, SLOTS, Forecast, Rhythm, marks, seconds_until_late

#: The power of its wait with which an item loses: 1 would make the mean age least, 0 poll in proportion to output.
FADING = 0.4

#: Items an hour between which hours are asked at one interval, the turn. The first says what an item loses with it.
SLOW, BUSY = 1.0, 3.0

#: The turn while no budget makes a request dearer, in seconds.
TURN = 1200.0

#: Price of a request then, in item seconds: so long do the items that come in a turn at the busier pace wait together.
PRICE = BUSY / HOUR * TURN * TURN / 2

#: Prices at which a source says how many requests a day it would get (see `demand`).
PRICES = tuple(30.0 * 4.0**n for n in range(12))

#: The window is taken for about to slide at this many standard deviations above the expected number of items.
SAFETY = 3.0

#: A burst is taken for so many times the pace of a busy hour, one that nine of ten hours of the week stay below, and
#: for possible in hours that bring more than this share of it.
BURST, BUSIEST, AWAKE = 4.0, SLOTS * 9 // 10, 0.2

#: A mark between these shares of the wait that would pay may draw the poll to itself.
DRAWN = (0.45, 1.6)

#: So many of them are looked at, the nearest: a long wait has marks in every hour of it.
DRAWING = 4

#: A poll for a mark comes so many seconds after the minute has begun: when what it lets out is there.
AFTER_MARK = 60.0


class Reason(StrEnum):
    """What decided the time of an adaptive poll."""

    PAYS = "pays"
    MARK = "mark"
    WINDOW = "window"
    OVERLAP = "overlap"
    SILENCE = "silence"
    FLOOR = "floor"
    CEILING = "ceiling"


@dataclass(frozen=True, slots=True)
class Due:
    """When an adaptive source is due, in seconds from now, and why."""

    seconds: float
    reason: Reason
    #: Items expected to have come by then.
    items: float
    #: Items a second, now.
    rate: float
    #: Present pace over the usual one.
    pulse: float


def turn(price: float) -> float:
    """The source's turn at that price of a request, in seconds."""
    return float(TURN * (price / PRICE) ** (1 / (1 + FADING)))


def interval(rate: float, price: float) -> float:
    """How long to wait between polls where so many items a second come at a steady pace, in seconds."""
    return turn(price) * _turns(rate)


def _turns(rate: float) -> float:
    """The same in turns."""
    gap = 1 / max(rate * HOUR, 1e-9)
    gap = gap - 1 / SLOW + 1 / BUSY if gap > 1 / SLOW else min(gap, 1 / BUSY)
    return float((gap * BUSY) ** (1 / (1 + FADING)))


def due(rhythm: Rhythm, now: float, *, price: float, floor: float, ceiling: float, zone: tzinfo) -> Due:
    """When the next poll pays, within `floor` and `ceiling` seconds from now."""
    ahead = Ahead(rhythm, zone, now)
    seconds, reason = ahead.until_paying(price, ceiling), Reason.CEILING
    if seconds < ceiling:
        seconds, drawn = ahead.drawn(seconds, price)
        reason = Reason.MARK if drawn else Reason.PAYS
    if seconds > ceiling:
        seconds, reason = ceiling, Reason.CEILING
    full = min(ahead.until_items(_bearable(rhythm.window), seconds), _burst_limit(rhythm, ahead.rate))
    for limit, other in ((full, Reason.WINDOW), (_overlap_limit(rhythm), Reason.OVERLAP)):
        if limit < seconds:
            seconds, reason = limit, other
    late = _silence_limit(rhythm, zone, seconds)
    if late < seconds:
        seconds, reason = late, Reason.SILENCE
    if seconds < floor:
        seconds, reason = floor, Reason.FLOOR
    return Due(seconds, reason, ahead.items(seconds), ahead.rate, ahead.forecast.pulse)


@dataclass(slots=True)
class Ahead:
    """What is expected of a source from `now` on, seen no further than asked; times are seconds from `now`."""

    rhythm: Rhythm
    zone: tzinfo
    now: float
    forecast: Forecast = field(init=False)
    _marks: tuple[tuple[int, float], ...] = field(init=False)
    #: Share of the items that come at any minute.
    _even: float = field(init=False)
    _reach: float = field(init=False, default=0.0)
    #: Start, end, items a second.
    _stretches: list[tuple[float, float, float]] = field(init=False, default_factory=list)
    #: Time and items of the marks.
    _moments: list[tuple[float, float]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.forecast = Forecast(self.rhythm, self.zone, self.now)
        self._marks = marks(self.rhythm)
        self._even = 1 - sum(share for _, share in self._marks)
        self._see(1.0)

    @property
    def rate(self) -> float:
        """Items a second at this hour, those at marks included."""
        return self._stretches[0][2] / self._even

    def items(self, until: float) -> float:
        """Items expected in so many seconds."""
        self._see(until)
        total = sum(rate * (min(end, until) - start) for start, end, rate in self._stretches if start < until)
        return total + sum(size for at, size in self._moments if at <= until)

    def loss(self, since: float, until: float, price: float) -> float:
        """What items that appear between two times will have lost by the second, in requests."""
        self._see(until)
        whole, power, faded, late = turn(price), 1 + FADING, 0.0, 0.0
        for start, end, rate in self._stretches:
            if since < end and start < until:
                start = max(start, since)
                faded += rate * ((until - start) ** power - max(0.0, until - end) ** power) / power
                late += rate * max(0.0, min(end, until - whole) - start)
        for at, size in self._moments:
            if since < at < until:
                faded += size * (until - at) ** FADING
                late += size * (until - at > whole)
        # Such that `interval` is where a steady source's losses and requests together are least.
        lost = faded * power / FADING / BUSY / whole**FADING + late * (1 / SLOW - 1 / BUSY)
        return float(lost * HOUR / whole)

    def until_paying(self, price: float, most: float) -> float:
        """The wait after which the next poll pays, or `most` if that is longer."""
        left, seen = 1.0, 0
        while True:
            if seen == len(self._stretches):
                self._see(self._reach + 1.0)
            start, end, rate = self._stretches[seen]
            length = interval(rate / self._even, price)
            if start + left * length <= end or end >= most:
                return min(most, start + left * length)
            left -= (end - start) / length
            seen += 1

    def until_items(self, items: float, most: float) -> float:
        """The wait after which so many items are expected, or `most` if they are not before."""
        if self.items(most) < items:
            return most
        low, high = 0.0, most
        while high - low > 0.5:
            middle = (low + high) / 2
            low, high = (low, middle) if self.items(middle) >= items else (middle, high)
        return high

    def drawn(self, seconds: float, price: float) -> tuple[float, bool]:
        """The best of the wait that pays and those that end just after a mark near it, looking two polls ahead."""
        if not self._marks:
            return seconds, False
        pace = (1 + self.loss(0.0, seconds, price)) / seconds
        best, chosen = math.inf, seconds
        for first in (seconds, *self._after_marks(0.0, seconds)):
            lost = self.loss(0.0, first, price)
            for second in (first + seconds, *self._after_marks(first, seconds)):
                cost = lost + self.loss(first, second, price) - pace * second
                if cost < best:
                    best, chosen = cost, first
        return chosen, chosen != seconds

    def _after_marks(self, since: float, seconds: float) -> list[float]:
        low, high = since + DRAWN[0] * seconds, since + DRAWN[1] * seconds
        self._see(high)
        near = [at + AFTER_MARK for at, _ in self._moments if low <= at + AFTER_MARK <= high]
        return sorted(near, key=lambda at: abs(at - since - seconds))[:DRAWING]

    def _see(self, until: float) -> None:
        """Look so far ahead, hour by hour."""
        while self._reach < until:
            start = self._reach
            end, rate = self.forecast.piece(self.now + start)
            self._reach = end - self.now
            self._stretches.append((start, self._reach, rate * self._even))
            for minute, share in self._marks:
                at = -(self.now + start) % HOUR  # to the full hour
                at = start + (at + minute * 60.0) % HOUR
                if at < self._reach:
                    self._moments.append((at, rate * HOUR * share))


def _bearable(window: float) -> float:
    """Items that may be expected before the window might slide past one of them."""
    if window < 1:
        return math.inf
    root = (math.sqrt(SAFETY * SAFETY + 4 * (window + 1)) - SAFETY) / 2
    return max(0.5, root * root - 1)


def _burst_limit(rhythm: Rhythm, rate: float) -> float:
    """When a burst that begins now may have filled the window; endless at night and while nothing is normal yet."""
    if rhythm.window < 1 or rhythm.normed <= 0:
        return math.inf
    busy = sorted(rhythm.norm)[BUSIEST] / HOUR
    return math.inf if rate <= AWAKE * busy else rhythm.window / (BURST * busy)


def _overlap_limit(rhythm: Rhythm) -> float:
    """At the pace of the last interval, when half the window would be new; endless while little was."""
    if rhythm.window < 1 or rhythm.span <= 0 or rhythm.fresh < 0.5 * rhythm.window:
        return math.inf
    return rhythm.span * 0.5 * rhythm.window / rhythm.fresh


def _silence_limit(rhythm: Rhythm, zone: tzinfo, within: float) -> float:
    """When the silence would make the source late: asked then, so that it is known at once; endless for no silence."""
    if rhythm.barren < 1 or not is_learned(rhythm):
        return math.inf
    return seconds_until_late(rhythm, zone, within) + 1.0


def demand(rhythm: Rhythm, now: float, *, floor: float, ceiling: float, zone: tzinfo) -> tuple[float, ...]:
    """Requests a day that the source would get at each of `PRICES`."""
    forecast = Forecast(rhythm, zone, now)
    turns = [_turns(forecast.usual(index)) for index in range(SLOTS)]
    return tuple(_requests(turns, turn(price), floor, ceiling) for price in PRICES)


def _requests(turns: Sequence[float], whole: float, floor: float, ceiling: float) -> float:
    """Requests a day of a source that waits so many turns in the hours of its week."""
    return sum(HOUR / min(ceiling, max(floor, whole * several)) for several in turns) / 7
