from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.model import Expectation
from storage.expectation import late, silent
from storage.rhythm import HOUR, Rhythm, learn

NOON = datetime(2026, 1, 26, 12, 0, tzinfo=UTC)  # a Monday
NOTHING = Expectation()


def watched(per_hour: int = 3, days: int = 14) -> Rhythm:
    rng = random.Random(2)
    at = NOON.timestamp() - days * 24 * HOUR
    rhythm = learn(Rhythm(), at, shown=20, fresh=[None] * 20, zone=UTC)
    while at < NOON.timestamp():
        at += HOUR
        hour = datetime.fromtimestamp(at - 1, UTC).hour
        fresh = [at - rng.random() * HOUR for _ in range(per_hour)] if 6 <= hour < 20 else []
        rhythm = learn(rhythm, at, shown=20, fresh=list(fresh), zone=UTC)
    return rhythm


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


def test_a_busy_desk_that_stops_is_late_within_hours_and_silent_within_more() -> None:
    rhythm = watched()
    found = []
    for n in range(1, 9):
        now = NOON + hours(n)
        found.append((
            late(NOTHING, rhythm, last_new=NOON, last_day=40, now=now, zone=UTC) is not None,
            silent(NOTHING, rhythm, last_new=NOON, now=now, zone=UTC) is not None,
        ))  # fmt: skip

    assert found[0] == (False, False)
    assert (True, False) in found
    assert found[-1] == (True, True)


def test_a_desk_is_not_late_at_night() -> None:
    evening = NOON.replace(hour=20) - timedelta(days=1)
    morning = NOON.replace(hour=5)

    assert late(NOTHING, watched(), last_new=evening, last_day=40, now=morning, zone=UTC) is None


def test_a_rhythm_of_a_day_accuses_nobody() -> None:
    rhythm = watched(days=1)

    assert late(NOTHING, rhythm, last_new=NOON - hours(24), last_day=0, now=NOON, zone=UTC) is None


def test_what_the_operator_expects_goes_before_what_was_learned() -> None:
    patient = Expectation(max_silence=timedelta(days=3))
    strict = Expectation(max_silence=hours(2))
    rhythm = watched()

    assert silent(patient, rhythm, last_new=NOON - timedelta(days=2), now=NOON, zone=UTC) is None
    sentence = silent(strict, rhythm, last_new=NOON - hours(3), now=NOON, zone=UTC)
    assert sentence == "no item for 3 h; 2 h is the longest expected of it"


def test_quiet_hours_do_not_count_and_accuse_nobody() -> None:
    jakarta = ZoneInfo("Asia/Jakarta")
    expect = Expectation(max_silence=hours(6), quiet_hours=frozenset({22, 23, 0, 1, 2, 3, 4}))
    evening = datetime(2026, 1, 25, 21, 0, tzinfo=jakarta)

    def say(now: datetime) -> str | None:
        return silent(expect, Rhythm(), last_new=evening, now=now, zone=jakarta)

    assert say(evening + hours(7)) is None  # four in the morning
    assert say(evening + hours(12)) is None  # nine: five hours awake
    assert say(evening + hours(14)) == "no item for 7 h, its quiet hours left out; 6 h is the longest expected of it"


@pytest.mark.parametrize(("last_day", "is_late"), [(4, True), (5, False), (9, False)])
def test_fewer_items_than_expected_in_a_day_are_late(last_day: int, is_late: bool) -> None:
    expect = Expectation(at_least=5)
    found = late(expect, watched(), last_new=NOON - hours(1), last_day=last_day, now=NOON, zone=UTC)

    assert (found is not None) == is_late


def test_one_a_week_is_late_after_a_week() -> None:
    expect = Expectation(at_least=1 / 7)

    def say(days: float) -> str | None:
        return late(expect, Rhythm(), last_new=NOON - timedelta(days=days), last_day=0, now=NOON, zone=UTC)

    assert say(6) is None
    assert say(8) == "no item for 8 d; one every 7 d is expected of it"
