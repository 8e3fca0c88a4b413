"""What a source normally brings by hour of the week: the measure that its silences are held against. Pure.

An average is a poor measure of that. A story that breaks lends an hour several times its pace, a feed that lists old
stories again brings a day's worth in minutes, and after a week or two every hour of the week was seen once or twice.
So what an hour brought counts up to what chance makes of the pace of the calmest days, and not at all where it brought
far more; and hours lean on their likes: those of a working day on all working days, a Saturday's on the Sunday's, and
both on the working hours as far as the week-end goes after them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

WORKING = 5
#: What an hour brought counts up to so many standard deviations above what is normal of it; items come in small
#: batches, which widens chance by a third; and one item is never too many.
DEVIATIONS, BATCHED, LEAST = 1.5, 1.3, 0.5
#: An hour that brought so many standard deviations more, and these items, is no example of the usual at all.
FAR, FAR_LEAST = 4.0, 3.0
#: Where more than this share of all items came in such hours, that is how the source brings them.
MOSTLY = 0.5
#: Working days that an hour's pace is first taken from: those on which it was calmest.
CALMEST = 2
#: Hours that must have been watched to outweigh what an hour's likes bring.
WORKING_LEAN, WEEKEND_LEAN = 12.0, 8.0
#: Items that outweigh the belief that a week-end brings as much as working days, and one of its days as the other.
LEVEL_ITEMS, DAY_ITEMS = 2.0, 20.0
#: Hours at the overall pace that every hour starts with, and how many items these are at most: else the nights of a
#: busy source would be taken for busy until many of them were watched.
START_HOURS, START_ITEMS = 0.3, 0.5
ROUNDS = 4

_Days = list[list[float]]


def norm(counts: Sequence[float], hours: Sequence[float]) -> tuple[float, ...]:
    """Items an hour by hour of the week (0 is Monday's first), from items and hours watched by the same."""
    came, watched = _by_day(counts), _by_day(hours)
    overall = sum(counts) / max(sum(hours), 1.0)
    start = min(START_HOURS, START_ITEMS / overall) if overall > 0 else START_HOURS
    first = (start * overall, start)
    paces = [_calmest(came, watched, hour, first) for hour in range(24)]
    levels = _levels(came, watched, paces)
    held, counted = came, watched
    for _ in range(ROUNDS):
        held, counted = _held(came, watched, paces, levels)
        paces = [_pace([(held[day][hour], counted[day][hour]) for day in range(WORKING)], first) for hour in range(24)]
        levels = _levels(held, counted, paces)
    return tuple(
        _leaning(held, counted, day, hour, paces[hour] * levels[day]) for day in range(7) for hour in range(24)
    )


def _by_day(values: Sequence[float]) -> _Days:
    return [list(values[24 * day : 24 * day + 24]) for day in range(7)]


def _calmest(came: _Days, watched: _Days, hour: int, first: tuple[float, float]) -> float:
    """The pace of an hour on the working days on which it was calmest."""
    seen = [(came[day][hour], watched[day][hour]) for day in range(WORKING) if watched[day][hour] > 0]
    return _pace(sorted(seen, key=lambda day: day[0] / max(day[1], START_HOURS))[:CALMEST], first)


def _pace(seen: list[tuple[float, float]], first: tuple[float, float]) -> float:
    """Items an hour, from items and hours of several days and those that every hour starts with."""
    return (sum(items for items, _ in seen) + first[0]) / (sum(length for _, length in seen) + first[1])


def _held(came: _Days, watched: _Days, paces: Sequence[float], levels: Sequence[float]) -> tuple[_Days, _Days]:
    """Items and hours that count: of more than usual a part, of far more nothing, unless that is most of what came."""
    usual = [
        [length * pace * level for length, pace in zip(seen, paces, strict=True)]
        for seen, level in zip(watched, levels, strict=True)
    ]
    far = [
        [items > due + FAR * math.sqrt(BATCHED * due) + FAR_LEAST for items, due in zip(brought, wanted, strict=True)]
        for brought, wanted in zip(came, usual, strict=True)
    ]
    if sum(map(_chosen, came, far)) > MOSTLY * sum(map(sum, came)):
        far = [[False] * 24] * 7
    held = [
        [0.0 if out else min(items, _most(due)) for items, due, out in zip(brought, wanted, outs, strict=True)]
        for brought, wanted, outs in zip(came, usual, far, strict=True)
    ]
    counted = [
        [0.0 if out else length for length, out in zip(seen, outs, strict=True)]
        for seen, outs in zip(watched, far, strict=True)
    ]
    return held, counted


def _chosen(values: list[float], which: list[bool]) -> float:
    return sum(value for value, chosen in zip(values, which, strict=True) if chosen)


def _most(usual: float) -> float:
    return usual + DEVIATIONS * math.sqrt(BATCHED * usual) + LEAST


def _levels(held: _Days, watched: _Days, paces: Sequence[float]) -> list[float]:
    """By day, its pace against a working day's."""
    due = [sum(length * pace for length, pace in zip(watched[day], paces, strict=True)) for day in (5, 6)]
    brought = [sum(held[day]) for day in (5, 6)]
    both = (sum(brought) + LEVEL_ITEMS) / (sum(due) + LEVEL_ITEMS)
    week_end = [(items + DAY_ITEMS * both) / (wanted + DAY_ITEMS) for items, wanted in zip(brought, due, strict=True)]
    return [1.0] * WORKING + week_end


def _leaning(held: _Days, watched: _Days, day: int, hour: int, pace: float) -> float:
    items, length = held[day][hour], watched[day][hour]
    if day < WORKING:
        return (items + WORKING_LEAN * pace) / (length + WORKING_LEAN)
    other = 11 - day
    return (items + held[other][hour] + WEEKEND_LEAN * pace) / (length + watched[other][hour] + WEEKEND_LEAN)
