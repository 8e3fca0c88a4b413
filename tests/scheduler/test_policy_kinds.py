"""Each kind of schedule answers each question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.model import Adaptive, Cron, Every
from scheduler.policy import (
    CEILING_NEVER_WORKED,
    PublisherWord,
    decide,
    interval_of,
    longest,
    next_attempt,
    scheduled_after,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SIX = Cron(expression="0 6 * * *", timezone=ZoneInfo("UTC"))
LATER = Cron(expression="0 6 * * *", timezone=ZoneInfo("UTC"), jitter=timedelta(minutes=10))
ADAPTIVE = Adaptive(floor=timedelta(minutes=2), ceiling=timedelta(hours=6))
EVERY = Every(interval=timedelta(minutes=10), jitter=0.1)


@pytest.mark.parametrize(
    ("schedule", "most"),
    [
        (EVERY, timedelta(minutes=11)), (SIX, timedelta(hours=22)),
        (LATER, timedelta(hours=22, minutes=10)), (ADAPTIVE, timedelta(hours=6)),
    ],
)  # fmt: skip
def test_no_wait_is_longer_than_the_schedule_may_choose(schedule, most: timedelta) -> None:
    assert longest(schedule, NOW) == most
    assert NOW < scheduled_after(schedule, "a/b", NOW) <= NOW + most


def test_a_late_start_is_spread_and_always_the_same() -> None:
    starts = {scheduled_after(LATER, f"a/{n}", NOW) for n in range(40)}

    assert len(starts) > 30
    assert scheduled_after(LATER, "a/1", NOW) == scheduled_after(LATER, "a/1", NOW)


def test_an_adaptive_interval_lies_within_its_bounds() -> None:
    assert timedelta(minutes=2) <= interval_of(ADAPTIVE, NOW) <= timedelta(hours=6)


@pytest.mark.parametrize(("schedule", "name"), [(EVERY, "every"), (SIX, "cron")])
def test_a_decision_begins_with_the_schedule(schedule, name: str) -> None:
    assert decide(schedule, "a/b", now=NOW).terms[0].name == name


def test_hours_of_the_publisher_are_kept_and_never_is_not_an_answer() -> None:
    nine = PublisherWord(skip_hours=frozenset({8, 9}))
    weekend = PublisherWord(skip_days=frozenset({0, 1, 2, 3, 4, 5}))
    never = PublisherWord(skip_hours=frozenset(range(24)))

    assert next_attempt(EVERY, "a/b", now=NOW, word=nine).hour == 10
    assert next_attempt(EVERY, "a/b", now=NOW, word=weekend).weekday() == 6
    assert next_attempt(EVERY, "a/b", now=NOW, word=never) - NOW <= timedelta(minutes=11)


def test_a_day_that_never_comes_is_looked_for_again_later() -> None:
    never = Cron(expression="0 0 31 2 *", timezone=ZoneInfo("UTC"))

    assert scheduled_after(never, "a/b", NOW) == NOW + CEILING_NEVER_WORKED
