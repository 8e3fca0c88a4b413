from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import Adaptive, Cron, Every, Schedule
from scheduler.policy import (
    CEILING_NEVER_WORKED,
    CEILING_WORKED,
    PUBLISHER_CEILING,
    START_SPREAD,
    PublisherWord,
    backed_off,
    first_attempt,
    fraction,
    interval_of,
    next_attempt,
    scheduled_after,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TEN_MINUTES = Every(interval=timedelta(minutes=10), jitter=0.1)
JAKARTA, BERLIN = ZoneInfo("Asia/Jakarta"), ZoneInfo("Europe/Berlin")

moments = st.integers(0, 15 * 365 * 86_400).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
everies = st.builds(
    Every,
    interval=st.timedeltas(min_value=timedelta(seconds=5), max_value=timedelta(days=2)),
    jitter=st.floats(0, 0.5),
)
crons = st.builds(
    Cron,
    expression=st.sampled_from(["*/5 * * * *", "30 2 * * *", "0 0 29 2 *", "15 6-22 * * mon-fri"]),
    timezone=st.sampled_from([JAKARTA, BERLIN, ZoneInfo("America/New_York")]),
)
schedules = st.one_of(everies, crons)


def test_a_fixed_interval_is_kept_within_its_jitter() -> None:
    for n in range(200):
        wait = next_attempt(TEN_MINUTES, f"kontan/{n}", now=NOW) - NOW

        assert timedelta(minutes=9) <= wait <= timedelta(minutes=11)


def test_jitter_differs_by_source_and_not_by_asking_again() -> None:
    answers = {next_attempt(TEN_MINUTES, f"kontan/{n}", now=NOW) for n in range(50)}

    assert len(answers) > 45
    assert next_attempt(TEN_MINUTES, "kontan/1", now=NOW) == next_attempt(TEN_MINUTES, "kontan/1", now=NOW)


def test_cron_is_read_in_its_own_zone() -> None:
    at_six = Cron(expression="0 6 * * *", timezone=JAKARTA)

    assert next_attempt(at_six, "a/b", now=NOW) == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)


def test_cron_keeps_its_wall_time_over_the_end_of_summer_time() -> None:
    noon = Cron(expression="0 12 * * *", timezone=BERLIN)

    before = next_attempt(noon, "a/b", now=datetime(2026, 10, 24, 0, 0, tzinfo=UTC))
    after = next_attempt(noon, "a/b", now=before)

    assert before == datetime(2026, 10, 24, 10, 0, tzinfo=UTC)
    assert after == datetime(2026, 10, 25, 11, 0, tzinfo=UTC)


def test_a_cron_time_that_a_spring_night_skips_still_comes_once() -> None:
    skipped = Cron(expression="30 2 * * *", timezone=BERLIN)

    first = next_attempt(skipped, "a/b", now=datetime(2026, 3, 28, 12, 0, tzinfo=UTC))
    second = next_attempt(skipped, "a/b", now=first)

    assert first < second
    assert second <= datetime(2026, 3, 30, 1, 0, tzinfo=UTC)


def test_cron_finds_the_next_leap_day() -> None:
    leap = Cron(expression="0 0 29 2 *", timezone=JAKARTA)

    assert next_attempt(leap, "a/b", now=NOW).astimezone(JAKARTA).date().isoformat() == "2028-02-29"


def test_the_interval_of_cron_is_the_gap_between_its_next_two_moments() -> None:
    assert interval_of(Cron(expression="*/15 * * * *", timezone=JAKARTA), NOW) == timedelta(minutes=15)


def test_each_weighed_failure_costs_one_more_interval() -> None:
    ten = timedelta(minutes=10)

    assert backed_off(ten, 0.25, worked_once=True) == timedelta(minutes=12, seconds=30)
    assert backed_off(ten, 3, worked_once=True) == timedelta(minutes=40)


def test_back_off_ends_at_a_day_for_what_once_worked_and_a_month_for_what_never_did() -> None:
    ten = timedelta(minutes=10)

    assert backed_off(ten, 1e6, worked_once=True) == CEILING_WORKED
    assert backed_off(ten, 1e6, worked_once=False) == CEILING_NEVER_WORKED


def test_an_interval_longer_than_the_ceiling_is_not_shortened_by_failing() -> None:
    assert backed_off(timedelta(days=3), 5, worked_once=True) == timedelta(days=3)


def test_retry_after_is_obeyed_and_spread_afterwards() -> None:
    word = PublisherWord(not_before=NOW + timedelta(hours=2))

    answers = {next_attempt(TEN_MINUTES, f"s/{n}", now=NOW, word=word) for n in range(20)}

    assert min(answers) >= NOW + timedelta(hours=2)
    assert max(answers) <= NOW + timedelta(hours=2, seconds=30)


def test_an_absurd_retry_after_is_capped() -> None:
    word = PublisherWord(not_before=NOW + timedelta(days=4000))

    assert next_attempt(TEN_MINUTES, "s/1", now=NOW, word=word) <= NOW + PUBLISHER_CEILING + timedelta(minutes=1)


def test_ttl_and_max_age_are_a_floor() -> None:
    word = PublisherWord(min_interval=timedelta(hours=1))

    assert next_attempt(TEN_MINUTES, "s/1", now=NOW, word=word) == NOW + timedelta(hours=1)


def test_skipped_hours_and_days_are_left_out() -> None:
    # Monday 08:00 GMT; asked not to come until nine, and not on Mondays.
    hours = PublisherWord(skip_hours=frozenset({8}))
    days = PublisherWord(skip_days=frozenset({0}))

    assert next_attempt(TEN_MINUTES, "s/1", now=NOW, word=hours).hour == 9
    assert next_attempt(TEN_MINUTES, "s/1", now=NOW, word=days).weekday() == 1


def test_a_feed_that_skips_every_hour_is_polled_all_the_same() -> None:
    word = PublisherWord(skip_hours=frozenset(range(24)))

    assert next_attempt(TEN_MINUTES, "s/1", now=NOW, word=word) <= NOW + timedelta(minutes=11)


def test_first_attempts_are_soon_and_spread() -> None:
    waits = sorted(first_attempt(f"s/{n}", NOW, Adaptive()) - NOW for n in range(1000))

    assert waits[0] >= timedelta(0)
    assert waits[-1] < START_SPREAD
    assert waits[500] - waits[0] > START_SPREAD * 0.4


def test_a_first_attempt_waits_no_longer_than_the_interval() -> None:
    waits = [first_attempt(f"s/{n}", NOW, Every(interval=timedelta(seconds=2))) - NOW for n in range(100)]
    assert max(waits) <= timedelta(seconds=2)


@given(schedules, st.text(max_size=20), moments, st.floats(0, 1000), st.booleans())
def test_the_next_attempt_is_never_in_the_past(
    schedule: Schedule, source: str, now: datetime, failures: float, worked: bool
) -> None:
    assert next_attempt(schedule, source, now=now, failures=failures, worked_once=worked) > now


@given(everies, moments, st.floats(0, 500), st.floats(0, 500))
def test_more_failures_never_mean_an_earlier_attempt_than_the_back_off_of_fewer(
    schedule: Every, now: datetime, a: float, b: float
) -> None:
    few, many = sorted((a, b))
    interval = interval_of(schedule, now)

    assert backed_off(interval, few, worked_once=True) <= backed_off(interval, many, worked_once=True)


@given(
    everies,
    moments,
    st.timedeltas(timedelta(0), timedelta(hours=23)),
    st.timedeltas(timedelta(0), timedelta(hours=23)),
)
def test_the_publishers_word_is_a_floor_whatever_the_schedule(
    schedule: Every, now: datetime, age: timedelta, wait: timedelta
) -> None:
    word = PublisherWord(min_interval=age, not_before=now + wait)

    assert next_attempt(schedule, "s/1", now=now, word=word) >= now + max(age, wait)


@given(everies, moments, st.floats(0, 1e9))
def test_nobody_waits_beyond_the_ceiling(schedule: Every, now: datetime, failures: float) -> None:
    wait = next_attempt(schedule, "s/1", now=now, failures=failures, worked_once=False) - now

    assert wait <= max(CEILING_NEVER_WORKED, schedule.interval * 1.5) * 1.11


@pytest.mark.parametrize("parts", [("a",), ("a", "b"), ("ab", ""), ("", "ab")])
def test_fractions_are_within_the_unit_and_tell_their_parts_apart(parts: tuple[str, ...]) -> None:
    assert 0 <= fraction(*parts) < 1
    assert fraction("a", "b") != fraction("ab")


def test_the_schedule_alone_ignores_failures() -> None:
    assert scheduled_after(TEN_MINUTES, "s/1", NOW) == next_attempt(TEN_MINUTES, "s/1", now=NOW)
