"""The schedule that holds for a source, out of what each level says of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from config.errors import ConfigProblem
from config.inherit import Chosen, Level, choose
from config.model import Cron, Every, Schedule
from config.zones import zone

DEFAULT_EVERY = timedelta(minutes=15)
DEFAULT_JITTER = 0.1

#: A schedule, where each part of it was written, and what does not fit together.
Resolved = tuple[Schedule, dict[str, Chosen], list[ConfigProblem]]


def effective_schedule(levels: Sequence[Level], outlet_timezone: str) -> Resolved:
    """The schedule that `levels`, most specific first, amount to.

    The most specific level that names `every` or `cron` decides the kind. Jitter of the other kind
    is passed over above that level (a share means nothing to a cron line) and is a problem at or
    below it.
    """
    kind_at = next((index for index, level in enumerate(levels) if _names_kind(level)), len(levels))
    deciding = levels[: kind_at + 1]
    cron = choose(deciding, "schedule", "cron")
    if cron.value is None:
        return _every(levels, deciding)
    return _cron(levels, deciding, cron, outlet_timezone)


def _names_kind(level: Level) -> bool:
    schedule = level.said.schedule
    return schedule is not None and (schedule.every is not None or schedule.cron is not None)


def _cron(levels: Sequence[Level], deciding: Sequence[Level], cron: Chosen, outlet_timezone: str) -> Resolved:
    timezone = choose(deciding, "schedule", "timezone", default=outlet_timezone)
    jitter = _jitter(levels, timedelta, None)
    problems = _misfits(deciding, timedelta, "a share is a jitter for intervals", "a duration such as 30s")
    schedule = Cron(expression=cron.value, timezone=zone(timezone.value), jitter=jitter.value)
    return schedule, {"cron": cron, "timezone": timezone, "jitter": jitter}, problems


def _every(levels: Sequence[Level], deciding: Sequence[Level]) -> Resolved:
    every = choose(levels, "schedule", "every", default=DEFAULT_EVERY)
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
