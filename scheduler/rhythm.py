"""When asking pays: the adaptive schedule over a source's learned rhythm. Pure.

Items wait from the moment they appear until the next poll, and news loses most while it is fresh: what an item
loses grows with a power of its wait below one (:data:`FADING`). A poll is due when the loss of the items expected
to have appeared has reached the price of a request: with a constant rate that is the interval which makes losses
and requests together cheapest, and with a changing one it moves polls to where they end the most waiting. A dearer
request means longer intervals everywhere, in the same proportion.

Where a desk times its items for a minute of the hour (:func:`storage.rhythm.marks`), a poll just after it finds
them without a wait: a mark near the time that would pay draws the poll to itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from storage.expectation import is_learned
from storage.rhythm import HOUR, SLOTS, Forecast, Rhythm, marks, seconds_until_late

#: The power of its wait with which an item loses: 1 would make the mean age least, 0 poll in proportion to output.
FADING = 0.6

#: The wait at which an item has lost one item second per second, in seconds: it only sets the unit of a price.
REFERENCE = 1800.0

#: Price of a request while no budget makes it dearer, in item seconds: an item an hour is asked for twice an hour.
PRICE = 900.0 / (1 + FADING)

#: Prices at which a source says how many requests a day it would get (see `demand`).
PRICES = tuple(30.0 * 4.0**n for n in range(12))

#: The window is taken for about to slide at this many standard deviations above the expected number of items.
SAFETY = 3.0

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


def due(rhythm: Rhythm, now: float, *, price: float, floor: float, ceiling: float, zone: tzinfo) -> Due:
    """When the next poll pays, within `floor` and `ceiling` seconds from now."""
    ahead = Ahead(rhythm, zone, now)
    seconds, reason = ahead.until_loss(price, ceiling), Reason.CEILING
    if seconds < ceiling:
        seconds, drawn = ahead.drawn(seconds, price)
        reason = Reason.MARK if drawn else Reason.PAYS
    if seconds > ceiling:
        seconds, reason = ceiling, Reason.CEILING
    full = ahead.until_items(_bearable(rhythm.window), seconds)
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

    def loss(self, since: float, until: float) -> float:
        """What items that appear between two times will have lost by the second, in item seconds."""
        self._see(until)
        power, total = 1 + FADING, 0.0
        for start, end, rate in self._stretches:
            if since < end and start < until:
                total += rate * ((until - max(start, since)) ** power - max(0.0, until - end) ** power)
        total /= power
        for at, size in self._moments:
            if since < at < until:
                total += size * (until - at) ** FADING
        return float(total * REFERENCE ** (1 - FADING))

    def until_loss(self, price: float, most: float) -> float:
        """The wait after which the loss reaches `price`, or `most` if it does not before."""
        low = high = reached = 0.0
        while reached < price:
            if high >= most:
                return most
            self._see(high + 1.0)
            low, high = high, min(most, self._reach)
            reached = self.loss(0.0, high)
        for _ in range(30):
            if high - low < 0.5 or reached <= 1.002 * price:
                break
            # The loss grows about like a power of the wait.
            guess = high * (price / reached) ** (1 / (1 + FADING))
            guess = min(max(guess, low + 0.03 * (high - low)), high - 0.03 * (high - low))
            found = self.loss(0.0, guess)
            if found < price:
                low = guess
            else:
                high, reached = guess, found
        return high

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
        request = FADING * price
        pace = (request + self.loss(0.0, seconds)) / seconds
        best, chosen = math.inf, seconds
        for first in (seconds, *self._after_marks(0.0, seconds)):
            lost = self.loss(0.0, first)
            for second in (first + seconds, *self._after_marks(first, seconds)):
                cost = lost + self.loss(first, second) - pace * second
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
    rates = [forecast.usual(index) for index in range(SLOTS)]
    fewest, most, power = 1 / ceiling, 1 / floor, 1 / (1 + FADING)
    curve = []
    for price in PRICES:
        scale = REFERENCE ** (1 - FADING) / (1 + FADING) / price
        curve.append(sum(min(most, max(fewest, (rate * scale) ** power)) for rate in rates) * HOUR / 7)
    return tuple(curve)
