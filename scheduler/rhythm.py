"""When asking pays: the adaptive schedule over a source's learned rhythm. Pure.

Items wait from the moment they appear until the next poll. A poll is due when the waiting that it ends, summed
over the items expected to have appeared, has reached the price of a request (in item seconds): with a constant
rate that is the interval which makes waiting and requests together cheapest, and with a changing one it moves polls
to where they end the most waiting. A dearer request means longer intervals everywhere, in the same proportion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from storage.expectation import is_learned
from storage.rhythm import HOUR, SLOTS, Forecast, Rhythm, seconds_until_late

#: Price of a request while no budget makes it dearer, in item seconds: an item an hour is asked for twice an hour.
PRICE = 450.0

#: Prices at which a source says how many requests a day it would get (see `demand`).
PRICES = tuple(30.0 * 4.0**n for n in range(12))

#: The window is taken for about to slide at this many standard deviations above the expected number of items.
SAFETY = 3.0


class Reason(StrEnum):
    """What decided the time of an adaptive poll."""

    PAYS = "pays"
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
    forecast = Forecast(rhythm, zone, now)
    seconds, reason, items, first = _pays(forecast, now, price, ceiling, _bearable(rhythm.window))
    limit = _overlap_limit(rhythm)
    if limit < seconds:
        seconds, reason = limit, Reason.OVERLAP
    late = _silence_limit(rhythm, zone, seconds)
    if late < seconds:
        seconds, reason = late, Reason.SILENCE
    if seconds < floor:
        seconds, reason = floor, Reason.FLOOR
    return Due(seconds, reason, items, first, forecast.pulse)


def _pays(
    forecast: Forecast, now: float, price: float, ceiling: float, bearable: float
) -> tuple[float, Reason, float, float]:
    """Walk the hours ahead until waiting reaches the price or the window is full."""
    at, items, waited, first = 0.0, 0.0, 0.0, -1.0
    for length, rate in forecast.pieces(now, now + ceiling):
        first = rate if first < 0 else first
        # items * x + rate * x * x / 2 = price - waited
        owed = price - waited
        pays = 2 * owed / (items + math.sqrt(items * items + 2 * rate * owed)) if owed > 0 else 0.0
        full = max(0.0, (bearable - items) / rate)
        step = min(pays, full)
        if step <= length:
            reason = Reason.PAYS if pays <= full else Reason.WINDOW
            return at + step, reason, items + rate * step, first
        waited += items * length + rate * length * length / 2
        items += rate * length
        at += length
    return ceiling, Reason.CEILING, items, first


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
    fewest, most = 1 / ceiling, 1 / floor
    curve = []
    for price in PRICES:
        scale = 1 / (2 * price)
        curve.append(sum(min(most, max(fewest, math.sqrt(rate * scale))) for rate in rates) * HOUR / 7)
    return tuple(curve)
