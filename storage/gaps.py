"""How long a source usually is silent: gaps between its items, counted by length. Pure.

A gap is measured in *items that were to be expected in it* by the rhythm: an hour at noon may be eight, a night
one. So gaps of all hours say something about each other, and what a source's history says of its gaps holds at
any hour of the week. Were arrivals pure chance at the rhythm's rates, lengths would be exponential with mean 1 and
99 of 100 shorter than 4.6; batches, days off and moods of a desk make them longer, and that is what is learned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

#: Classes of length: the first takes all below 1, each other one is twice as wide as the one two before it.
CLASSES = 16
#: Share of a source's gaps that are shorter than its *usual gap*.
USUAL = 0.99
#: How often in a week chance may make a source late without a reason.
ODDS = 0.004
#: Variance of a day's output against what is usual of such a day, as a share of its square.
MOOD = 0.02
#: Items of the silences that matter, and the share of days that a week-end's day is like.
SILENCE_ITEMS, WEEKEND = 12.0, 2 / 7
#: Usual gaps after which a silence is told at the latest: in ordinary times, and while everybody brings little.
LONG, PATIENCE = 3.2, 4.1
#: Longer than this no gap counts: it is one that somebody was told of.
LONGEST = 12.0
#: Gaps of pure chance that every source starts with; its own outweigh them.
PRIOR = 200.0


def class_of(items: float) -> int:
    """The class of a gap in which that many items were to be expected."""
    return 0 if items < 1 else min(CLASSES - 1, 1 + int(2 * math.log2(items)))


#: By how much gaps of a class, the first left out, are longer than 1.
_EXCESS = tuple(
    min(LONGEST, (2.0 ** ((index - 1) / 2) + 2.0 ** (index / 2)) / 2) - 1 for index in range(1, CLASSES)
)  # fmt: skip


def usual_gap(counts: Sequence[float], weight: float) -> float:
    """Items expected in the gap that 99 of 100 gaps stay below; `weight` is what one recent gap weighs.

    Not read off the few longest gaps, which are holidays and chance, but from all that are longer than 1: by how much
    they are on average tells how fast longer ones get rare. Part of that is the source's way, part what is not known
    of its hours, so half of it is believed. Never less than what chance alone would give.
    """
    start = PRIOR * math.exp(-1)
    longer = counts[1:]
    excess = sum(map(mul, longer, _EXCESS)) / weight
    scale = (excess + start) / (sum(longer) / weight + start)
    return -math.log(1 - USUAL) * math.sqrt(max(1.0, scale))


def late_after(usual: float, weekly: float, days: float) -> float:
    """Items expected in a silence that chance makes once in 250 weeks, for a source with so many items a week.

    Two to three usual gaps: the more gaps a source has, the longer is the longest of them; and the fewer `days` it was
    watched, the less is known of what to expect. Days differ and what is known of an hour is a sample, so a silence is
    as likely as under a rate that is itself drawn (gamma): a negative binomial without an item.
    """
    known = SILENCE_ITEMS * days * WEEKEND
    shape = 1 / (MOOD + 1 / max(known, 1.0))
    scale = usual / -math.log(1 - USUAL)
    least = scale * shape * math.expm1(math.log(max(20.0, weekly) / ODDS) / shape)
    return min(least, LONG * usual)


def patience(usual: float) -> float:
    """Items usually expected in a silence that is told whatever excuses it."""
    return PATIENCE * usual
