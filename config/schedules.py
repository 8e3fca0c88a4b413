"""The schedule that holds for a source, out of what each level says of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from config.errors import ConfigProblem
from config.inherit import Chosen, Level, choose
from config.model import Adaptive, Cron, Every, Schedule
from config.zones import zone

DEFAULT_JITTER = 0.1

#: A schedule, where each part of it was written, and what does not fit together.
Resolved = tuple[Schedule, dict[str, Chosen], list[ConfigProblem]]


def effective_schedule(levels: Sequence[Level], outlet_timezone: str) -> Resolved:
    """The schedule that `levels`, most specific first, amount to.

    The most specific level that names `adaptive`, `every` or `cron` decides the kind; adaptive when none does.
    Jitter of the other kind is passed over above that level (a share means nothing to a cron line) and is a
    problem at or below it.
    """
    kind_at = next((index for index, level in enumerate(levels) if _names_kind(level)), len(levels))
    deciding = levels[: kind_at + 1]
    cron = choose(deciding, "schedule", "cron")
    if cron.value is not None:
        return _cron(levels, deciding, cron, outlet_timezone)
    every = choose(deciding, "schedule", "every")
    if every.value is not None:
        return _every(levels, deciding, every)
    return _adaptive(levels, outlet_timezone)


def _names_kind(level: Level) -> bool:
    schedule = level.said.schedule
    return schedule is not None and any((schedule.every, schedule.cron, schedule.adaptive is not None))


def _adaptive(levels: Sequence[Level], outlet_timezone: str) -> Resolved:
    floor = choose(levels, "schedule", "adaptive", "floor", default=Adaptive().floor)
    ceiling = choose(levels, "schedule", "adaptive", "ceiling", default=Adaptive().ceiling)
    schedule = Adaptive(floor=floor.value, ceiling=ceiling.value, timezone=zone(outlet_timezone))
    return schedule, {"floor": floor, "ceiling": ceiling}, _crossed(levels, floor, ceiling)


def _crossed(levels: Sequence[Level], floor: Chosen, ceiling: Chosen) -> list[ConfigProblem]:
    if floor.value <= ceiling.value:
        return []
    origin = floor.origin or ceiling.origin
    document, path = (origin.document, origin.path) if origin else (levels[0].document, levels[0].path)
    return [document.problem(path, f"the floor {floor} is above the ceiling {ceiling}", expected="floor <= ceiling")]


def _cron(levels: Sequence[Level], deciding: Sequence[Level], cron: Chosen, outlet_timezone: str) -> Resolved:
    timezone = choose(deciding, "schedule", "timezone", default=outlet_timezone)
    jitter = _jitter(levels, timedelta, None)
    problems = _misfits(deciding, timedelta, "a share is a jitter for intervals", "a duration such as 30s")
    schedule = Cron(expression=cron.value, timezone=zone(timezone.value), jitter=jitter.value)
    return schedule, {"cron": cron, "timezone": timezone, "jitter": jitter}, problems


def _every(levels: Sequence[Level], deciding: Sequence[Level], every: Chosen) -> Resolved:
    jitter = _jitter(levels, float, DEFAULT_JITTER)
    problems = _misfits(deciding, float, "a duration is a jitter for cron", "a share such as 10%")
    return Every(interval=every.value, jitter=jitter.value), {"every": every, "jitter": jitter}, problems


def _jitter(levels: Sequence[Level], kind: type, default: float | None) -> Chosen:
    for level in levels:
        chosen = choose((level,), "schedule", "jitter")
        if isinstance(chosen.value, kind):
            return chosen
    return Chosen(default)


def _misfits(deciding: Sequence[Level], kind: type, message: str, expected: str) -> list[ConfigProblem]:
    return [
        level.document.problem((*level.path, "schedule", "jitter"), message, expected=expected)
        for level in deciding
        if level.said.schedule is not None
        and level.said.schedule.jitter is not None
        and not isinstance(level.said.schedule.jitter, kind)
    ]
