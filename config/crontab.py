"""Crontab expressions, read as APScheduler will read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from apscheduler.triggers.cron import CronTrigger
from pydantic import PlainValidator, WithJsonSchema

from config import values

#: Any fixed moment will do to ask whether an expression ever fires.
_START = datetime(2024, 1, 1, tzinfo=UTC)
_EXPECTED = 'five fields: minute hour day month weekday, such as "*/5 6-22 * * mon-fri"'


@lru_cache(maxsize=10_000)
def refusal(expression: str) -> str:
    """Why an expression cannot be used; empty when it can.

    Weekdays must be names: APScheduler counts Monday as 0 where cron counts Sunday, so a number
    would quietly mean another day than its author thinks.
    """
    if len(expression) > 200:
        return "the expression is too long"
    fields = expression.split()
    if len(fields) != 5:
        return f"{len(fields)} fields instead of five"
    if re.search(r"(?<![/\w])\d", fields[4]):
        return "a weekday is a number, which cron programs count differently"
    try:
        trigger = CronTrigger.from_crontab(expression, timezone=UTC)
        fires = trigger.get_next_fire_time(None, _START)
    except (ValueError, OverflowError, TypeError) as error:
        return f"not a crontab expression: {str(error)[:200]}"
    return "" if fires else "no day fits this expression"


def _cron(value: object) -> str:
    text = values.text_of(value, _EXPECTED)
    if said := refusal(text):
        numbered = "weekday is a number" in said
        raise values.wrong(said, "sun, mon, tue, wed, thu, fri or sat" if numbered else _EXPECTED)
    return " ".join(text.split())


CronText = Annotated[
    str, PlainValidator(_cron), WithJsonSchema({"type": "string", "examples": ["*/5 6-22 * * mon-fri"]})
]
