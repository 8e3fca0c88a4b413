"""How long a source usually is silent: gaps between its items, counted by length. Pure.

A gap is measured in *items that were to be expected in it* by the rhythm: an hour at noon may be eight, a night
one. So gaps of all hours say something about each other, and what a source's history says of its gaps holds at
any hour of the week. Were arrivals pure chance at the rhythm's rates, lengths would be exponential with mean 1 and
99 of 100 shorter than 4.6; batches, days off and moods of a desk make them longer, and that is what is learned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

#: Classes of length: the first takes all below 1, each other one is twice as wide as the one two before it.
CLASSES = 16
#: Share of a source's gaps that are shorter than its *usual gap*.
USUAL = 0.99
#: How often in a week chance may make a source late without a reason.
ODDS = 0.004
#: Gaps of pure chance that every source starts with; its own outweigh them.
PRIOR = 60.0


def class_of(items: float) -> int:
    """The class of a gap in which that many items were to be expected."""
    return 0 if items < 1 else min(CLASSES - 1, 1 + int(2 * math.log2(items)))


def _upper(index: int) -> float:
    return float(2 ** (index / 2))


def usual_gap(counts: Sequence[float], weight: float, share: float = USUAL) -> float:
    """Items expected in the gap that this share of the gaps stays below; `weight` is what one recent gap weighs.

    Never less than what chance alone would give.
    """
    chance = -math.log(1 - share)
    own = sum(counts) / weight
    if own <= 0:
        return chance
    allowed = (1 - share) * (own + PRIOR)
    beyond = 0.0
    for index in range(CLASSES - 1, 0, -1):
        upper, lower = _upper(index), _upper(index - 1)
        inside = counts[index] / weight + PRIOR * (math.exp(-lower) - math.exp(-upper))
        if beyond + inside > allowed:
            # Within a class lengths are spread evenly over the scale of the classes.
            share_inside = (allowed - beyond) / inside
            return max(chance, float(upper * (lower / upper) ** share_inside))
        beyond += inside
    return chance


def late_after(usual: float, weekly: float) -> float:
    """Items expected in a silence that chance makes once in 250 weeks, for a source with so many items a week.

    Two to three usual gaps: the more gaps a source has, the longer is the longest of them.
    """
    chance = -math.log(1 - USUAL)
    return math.log(max(20.0, weekly) / ODDS) * math.sqrt(usual / chance)
