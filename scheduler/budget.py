"""What a request costs: the price at which all sources together keep to the daily budgets. Pure.

Every source tells how many requests a day it would get at a row of prices (:func:`scheduler.rhythm.demand`).
The price of a budget is where the sum meets it; what was really asked in the last 24 hours corrects it.
Nobody is refused in turn: what is dearer waits longer everywhere, least where a request ends the most waiting.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scheduler.rhythm import PRICE, PRICES


@dataclass(frozen=True, slots=True)
class Prices:
    """What a request costs, in item seconds."""

    #: Of all sources, by the total budget.
    total: float = PRICE
    #: Outlet to the price of its own budget.
    outlets: dict[str, float] = field(default_factory=dict)
    #: What experience makes of each: outlet, or "" for the total, to a factor.
    corrections: dict[str, float] = field(default_factory=dict)

    def of(self, outlet_id: str) -> float:
        """The price for a source of that outlet: the dearest of those that hold."""
        return max(PRICE, self.total, self.outlets.get(outlet_id, 0.0))


def price(curves: Iterable[Sequence[float]], per_day: float, *, correction: float = 1.0) -> float:
    """The price at which sources with these demand curves ask `per_day` times a day, corrected by experience."""
    totals = [math.fsum(column) for column in zip(*curves, strict=True)]
    return _inverse(totals, per_day) * correction if totals else PRICE


def corrected(correction: float, *, spent: float, per_day: float, elapsed: float) -> float:
    """The correction after `elapsed` days in which `spent` requests were those of the last 24 hours.

    Curves know neither bursts nor publishers' words; what they miss is made good within days, and never so fast
    that a correction is answered by its opposite.
    """
    if spent <= 0:
        return correction
    return min(64.0, max(1 / 64, correction * math.exp(math.log(spent / per_day) * min(1.0, elapsed))))


def _inverse(totals: Sequence[float], per_day: float) -> float:
    """The price on the curve at which the requests are `per_day`, straight between its points on log scales."""
    if per_day >= totals[0]:
        return PRICES[0]
    for n in range(1, len(totals)):
        if per_day >= totals[n]:
            high, low = math.log(totals[n - 1]), math.log(totals[n])
            share = (high - math.log(per_day)) / (high - low) if high > low else 0.0
            return PRICES[n - 1] * math.exp(share * math.log(PRICES[n] / PRICES[n - 1]))
    return PRICES[-1]
