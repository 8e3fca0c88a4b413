"""How fresh any rule could be that knows every desk's true rate of every hour, at so many requests.

Within an hour arrivals are random: whoever polls at intervals of d finds items at ages spread evenly up to d. To bring
half of the items under one age and 95 of 100 under another takes at least the requests that this linear programme says
(each hour of the week of each feed has its number of polls, the worth of a poll is the items that it brings under
either age). Its dual is maximised: every value of it is a bound, so a search that stops early stays on the safe side.

The bound is generous. The quietest hours need no poll at all, no window slides, and one poll an hour finds all that a
desk times for a minute of the hour at once. Bursts count as part of the rate: what a rule may gain beyond the bound is
what it makes of a burst while it lasts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.arrivals import Feed

#: Values tried for each of the two multipliers, per factor of ten.
_PER_DECADE = 4


def least_ratio(feeds: Sequence[Feed], per_hour: float, p50: float, p95: float) -> float:
    """The least r for which both r times `p50` and r times `p95` (minutes) are in reach at `per_hour` requests."""
    rates = np.concatenate([feed.rates for feed in feeds])
    timed = np.repeat([feed.timed for feed in feeds], [len(feed.rates) for feed in feeds])
    low, high = 0.05, 3.0
    while high - low > 0.005:
        middle = (low + high) / 2
        if _requests(rates, timed, middle * p50 / 60, middle * p95 / 60) <= 168 * per_hour:
            high = middle
        else:
            low = middle
    return high


def _requests(rates: NDArray[np.float64], timed: NDArray[np.float64], half: float, most: float) -> float:
    """Requests a week that half of the items within `half` hours and 95 of 100 within `most` take at the least."""
    polls = np.array([[0.0], [1.0], [1 / most], [1 / half]])
    at_mark = timed * np.minimum(1.0, polls)
    first = rates * ((1 - timed) * np.minimum(1.0, polls * half) + at_mark)
    second = rates * ((1 - timed) * np.minimum(1.0, polls * most) + at_mark)
    whole, best = rates.sum(), 0.0
    # A multiplier is what one item more under an age may cost, in requests.
    for u in np.logspace(-3, 1, 4 * _PER_DECADE + 1):
        for v in np.logspace(-3, 1, 4 * _PER_DECADE + 1):
            gained = (u * first + v * second - polls).max(axis=0).sum()
            best = max(best, float((0.5 * u + 0.95 * v) * whole - gained))
    return best
