"""What a source normally brings by hour of the week: the measure that its silences are held against. Pure.

An average is a poor measure of that. A story that breaks lends an hour several times its pace, a feed that lists old
stories again brings a day's worth in minutes, and after a week or two every hour of the week was seen once or twice.
So what an hour brought counts up to what chance makes of the others' pace, and hours lean on their likes: those of a
working day on all working days, a Saturday's on the Sunday's, and both on the working hours as far as the week-end goes
after them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

WORKING = 5
#: What an hour brought counts up to so many standard deviations above what is normal of it; items come in small
#: batches, which widens chance by a third; and one item is never too many.
DEVIATIONS, BATCHED, LEAST = 1.5, 1.3, 0.5
#: Hours that must have been watched to outweigh what an hour's likes bring.
WORKING_LEAN, WEEKEND_LEAN = 12.0, 8.0
#: Items that outweigh the belief that a week-end brings as much as working days, and one of its days as the other.
LEVEL_ITEMS, DAY_ITEMS = 2.0, 20.0
#: Hours at the overall pace that every hour starts with.
START_HOURS = 0.3
ROUNDS = 2

_Days = list[list[float]]


def norm(counts: Sequence[float], hours: Sequence[float]) -> tuple[float, ...]:
    """Items an hour by hour of the week (0 is Monday's first), from items and hours watched by the same."""
    came, watched = _by_day(counts), _by_day(hours)
    overall = START_HOURS * sum(counts) / max(sum(hours), 1.0)
    paces = [_without_best(came, watched, hour, overall) for hour in range(24)]
    levels = _levels(came, watched, paces)
    held = came
    for _ in range(ROUNDS):
        held = [
            [min(items, _most(length * pace * level)) for items, length, pace in zip(brought, seen, paces, strict=True)]
            for brought, seen, level in zip(came, watched, levels, strict=True)
        ]
        paces = [
            (sum(day[hour] for day in held[:WORKING]) + overall)
            / (sum(day[hour] for day in watched[:WORKING]) + START_HOURS)
            for hour in range(24)
        ]
        levels = _levels(held, watched, paces)
    return tuple(
        _leaning(held, watched, day, hour, paces[hour] * levels[day]) for day in range(7) for hour in range(24)
    )


def _by_day(values: Sequence[float]) -> _Days:
    return [list(values[24 * day : 24 * day + 24]) for day in range(7)]


def _without_best(came: _Days, watched: _Days, hour: int, overall: float) -> float:
    """The pace of an hour on working days, that day left out which was the busiest then."""
    seen = [(came[day][hour], watched[day][hour]) for day in range(WORKING) if watched[day][hour] > 0]
    if len(seen) > 2:
        seen.remove(max(seen, key=lambda day: day[0] / max(day[1], START_HOURS)))
    return (sum(items for items, _ in seen) + overall) / (sum(length for _, length in seen) + START_HOURS)


def _levels(held: _Days, watched: _Days, paces: Sequence[float]) -> list[float]:
    """By day, its pace against a working day's."""
    due = [sum(length * pace for length, pace in zip(watched[day], paces, strict=True)) for day in (5, 6)]
    brought = [sum(held[day]) for day in (5, 6)]
    both = (sum(brought) + LEVEL_ITEMS) / (sum(due) + LEVEL_ITEMS)
    week_end = [(items + DAY_ITEMS * both) / (wanted + DAY_ITEMS) for items, wanted in zip(brought, due, strict=True)]
    return [1.0] * WORKING + week_end


def _most(usual: float) -> float:
    return usual + DEVIATIONS * math.sqrt(BATCHED * usual) + LEAST


def _leaning(held: _Days, watched: _Days, day: int, hour: int, pace: float) -> float:
    items, length = held[day][hour], watched[day][hour]
    if day < WORKING:
        return (items + WORKING_LEAN * pace) / (length + WORKING_LEAN)
    other = 11 - day
    return (items + held[other][hour] + WEEKEND_LEAN * pace) / (length + watched[other][hour] + WEEKEND_LEAN)
