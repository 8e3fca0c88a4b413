"""How fresh any rule could be that knows every desk's true rate of every hour, at so many requests.

Within an hour arrivals are random: whoever polls at intervals of d finds items at ages spread evenly up to d. To bring
half of the items under one age and 95 of 100 under another takes at least the requests that this linear programme says
(each hour of the week of each feed has its number of polls, the worth of a poll is the items that it brings under
either age). Its dual is maximised: every value of it is a bound, so a search that stops early stays on the safe side.

The bound is generous. The quietest hours need no poll at all, no window slides, and every poll comes when it finds as
many of the minutes that a desk times for as can be within such an age. What a rule may gain beyond it: bursts count as
part of the rate, so there is what it makes of one while it lasts, and gaps between items are more even than by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.arrivals import Feed

#: Values tried for each of the two multipliers, per factor of ten.
_PER_DECADE = 4


def least_ratio(feeds: Sequence[Feed], per_hour: float, p50: float, p95: float) -> float:
    """The least r for which both r times `p50` and r times `p95` (minutes) are in reach at `per_hour` requests."""
    rates = np.concatenate([feed.rates for feed in feeds])
    low, high = 0.05, 3.0
    while high - low > 0.005:
        middle = (low + high) / 2
        ages = [_hours(feeds, middle * age / 60) for age in (p50, p95)]
        low, high = (low, middle) if _requests(rates, *ages) <= 168 * per_hour else (middle, high)
    return high


@dataclass(frozen=True, slots=True)
class _Within:
    """What polls find within an age, by hour of the week of each feed, as shares of that hour's items."""

    #: Found of those that come at any minute, and of those that are timed, by one poll.
    even: NDArray[np.float64]
    at_marks: NDArray[np.float64]
    #: All that are timed.
    timed: NDArray[np.float64]

    def found(self, polls: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share that so many polls an hour find at most."""
        found = np.minimum(1 - self.timed, polls * self.even) + np.minimum(self.timed, polls * self.at_marks)
        return np.asarray(found, dtype=np.float64)

    def corners(self) -> NDArray[np.float64]:
        """The numbers of polls between which what they find grows along a straight line."""
        marked = self.at_marks > 0
        ends = ((1 - self.timed) / self.even, self.timed[marked] / self.at_marks[marked])
        return np.unique(np.round(np.concatenate(ends), 6))


def _hours(feeds: Sequence[Feed], age: float) -> _Within:
    """What polls find within `age` hours of these feeds."""
    timed = [sum(feed.marks.values()) for feed in feeds]
    caught = [max((_caught(feed.marks, minute, age) for minute in feed.marks), default=0.0) for feed in feeds]
    lengths = [len(feed.rates) for feed in feeds]
    share, at_marks = np.repeat(timed, lengths), np.repeat(caught, lengths)
    return _Within(np.minimum(1.0, age) * (1 - share), at_marks, share)


def _caught(marks: Mapping[int, float], minute: int, age: float) -> float:
    """What a poll just after that minute finds of those that were timed for it and for the minutes before it."""
    return sum(share for other, share in marks.items() if (minute - other) % 60 <= 60 * age)


def _requests(rates: NDArray[np.float64], half: _Within, most: _Within) -> float:
    """Requests a week that half of the items within one age and 95 of 100 within the other take at the least."""
    polls = np.concatenate([[0.0], half.corners(), most.corners()])[:, None]
    first, second = rates * half.found(polls), rates * most.found(polls)
    whole, best = rates.sum(), 0.0
    # A multiplier is what one item more under an age may cost, in requests.
    for u in np.logspace(-3, 1, 4 * _PER_DECADE + 1):
        for v in np.logspace(-3, 1, 4 * _PER_DECADE + 1):
            gained = (u * first + v * second - polls).max(axis=0).sum()
            best = max(best, float((0.5 * u + 0.95 * v) * whole - gained))
    return best
