"""When an article's page is looked at again: a pure policy; `now` and what is known are arguments.

plan of the outlet (1 h, 1 d, 7 d after first sight)
─► a visit that hardly ever finds an edit is made for a part of the articles only
─► one that often does is preceded by another, halfway
─► an article that was just edited is looked at once more soon
─► visits that were missed are made up by one
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawlers.fraction import fraction

#: What is assumed of a visit nothing is known of: one edit in ten, as if ten had been made.
PRIOR_VISITS, PRIOR_EDITS = 10, 1
#: Rate of edits below which visits are made in proportion, and the least part that is still visited.
WORTH, LEAST = 0.05, 0.1
#: Rate from which another visit is made before it.
LIVELY = 0.25
#: Visits come up to this part of the wait later, so that what was published together is not asked for together.
SPREAD = 0.1

#: Looks that a source gave the sign for and that found nothing: from this many on, further signs wait.
PATIENT_SIGNS = 2
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=10), timedelta(days=1)
#: Least wait after a visit that failed on its way.
_SOON = timedelta(minutes=30)

Rates = Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Next:
    """When the page is looked at next, and what step of the plan that is."""

    at: datetime
    step: int


def rate(rates: Rates, step: int) -> float:
    """The share of visits at that step which find an edit."""
    visits, edits = rates.get(step, (0, 0))
    return (edits + PRIOR_EDITS) / (visits + PRIOR_VISITS)


def share(rates: Rates, step: int) -> float:
    """The part of the articles that is visited at that step."""
    return max(LEAST, min(1.0, rate(rates, step) / WORTH))


def next_visit(
    article: str, first_seen: datetime, plan: Sequence[timedelta], *, now: datetime, rates: Rates, edited: bool = False
) -> Next | None:
    """The next visit of an article after one (or its first sight) at `now`; None when the plan is through.

    `article` is its id, from which its place in the spread and in the visited part follows; `edited` says that the
    look just now found a change.
    """
    age = now - first_seen
    following = [(step, after) for step, after in enumerate(plan) if after > age]
    if not following:
        return None
    if edited:
        soon = max(plan[0], age / 2)
        if age + soon < following[0][1]:
            return Next(now + soon, following[0][0])
    for step, after in following:
        if step > 0 and rate(rates, step) >= LIVELY:
            between = timedelta(seconds=math.sqrt(plan[step - 1].total_seconds() * after.total_seconds()))
            if between > age * 1.2:
                return Next(first_seen + _spread(article, step, between), step)
        if fraction(article, "share", step) < share(rates, step):
            return Next(first_seen + _spread(article, step, after), step)
    return None


def is_last(step: int, plan: Sequence[timedelta]) -> bool:
    """Whether that visit ends the plan: it asks for the whole page, so no validator that lies hides an edit."""
    return step >= len(plan) - 1


def postponed(visited_at: datetime | None, now: datetime) -> datetime:
    """When a visit is made up for that failed on its way: ever later, the longer the page has not been had."""
    gone = now - visited_at if visited_at is not None else timedelta(0)
    return now + min(max(gone / 4, _SOON), _LONGEST_WAIT)


def heeds_sign(idle: int, visited_at: datetime | None, now: datetime) -> bool:
    """Whether a source's word that an article changed is worth a look.

    Some sitemaps date everything to the moment they were made: after two looks in vain the third waits ten minutes,
    the next twenty, up to a day.
    """
    if visited_at is None or idle < PATIENT_SIGNS:
        return True
    wait = min(_FIRST_WAIT * 2.0 ** min(idle - PATIENT_SIGNS, 20), _LONGEST_WAIT)
    return now - visited_at >= wait


def room(budget: int | None, polls: int, visits: int, *, kept: float = 0.05) -> int:
    """Visits that a daily budget leaves after the polls and visits of the last day.

    Polls go first; a twentieth is kept for visits, or those would never be made where polls use up what there is.
    """
    if budget is None:
        return 1_000_000_000
    return max(0, budget - polls - visits, math.ceil(budget * kept) - visits)


def _spread(article: str, step: int, after: timedelta) -> timedelta:
    return after * (1 + SPREAD * fraction(article, "spread", step))
