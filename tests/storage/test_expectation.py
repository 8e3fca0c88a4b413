from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.model import Expectation
from storage.expectation import Watch, late, silent
from storage.rhythm import HOUR, Rhythm, learn, seconds_until_late

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


def watch(expect: Expectation = NOTHING, *, rhythm: Rhythm | None = None, **more: Any) -> Watch:
    values: dict[str, Any] = {
        "expect": expect, "rhythm": rhythm or watched(), "zone": UTC, "rhythm_zone": UTC, "last": NOON, "looked": NOON,
    }  # fmt: skip
    return Watch(**values | more)


def quiet(n: float, expect: Expectation = NOTHING, **more: Any) -> Watch:
    """Asked every hour for that long after noon, and nothing came."""
    rhythm = watched()
    for hour in range(1, round(n) + 1):
        rhythm = learn(rhythm, (NOON + hours(hour)).timestamp(), shown=None, fresh=[], zone=UTC)
    return watch(expect, rhythm=rhythm, **{"last": NOON, "looked": NOON + hours(n)} | more)


def test_a_busy_desk_that_stops_is_late_within_hours_and_silent_within_more() -> None:
    found = [
        (late(quiet(n), NOON + hours(n)) is not None, silent(quiet(n), NOON + hours(n)) is not None)
        for n in range(1, 24)
    ]

    assert found[0] == found[1] == (False, False)
    assert (True, False) in found[:6]
    assert found[-1] == (True, True)


def test_late_rests_on_an_answer_from_after_the_moment_it_became_late() -> None:
    asked = watched()
    for n in (1, 2):
        asked = learn(asked, (NOON + timedelta(minutes=n)).timestamp(), shown=None, fresh=[], zone=UTC)
    became = NOON + timedelta(seconds=120 + seconds_until_late(asked, UTC, 24 * HOUR))
    last = datetime.fromtimestamp(asked.last, UTC)

    def say(looked: datetime) -> bool:
        return late(watch(rhythm=asked, last=last, looked=looked), NOON + hours(20)) is not None

    assert not say(became - timedelta(seconds=5))
    assert say(became + timedelta(seconds=5))


def test_a_tide_excuses_a_silence_for_a_while_and_no_longer() -> None:
    def say(n: int, share: float) -> bool:
        tide = {int(NOON.timestamp() // HOUR) + hour: share for hour in range(-1, 24)}
        return late(quiet(n, tide=tide), NOON + hours(n)) is not None

    assert (say(5, 1.0), say(5, 0.4), say(6, 0.4), say(7, 0.4)) == (True, False, False, True)


def test_the_sentence_stays_true_while_time_goes_on() -> None:
    first, second = late(quiet(7), NOON + hours(7)), late(quiet(8), NOON + hours(8))

    assert first is not None
    assert second is not None
    assert first.sentence == second.sentence
    assert first.began == NOON
    assert first.evidence["expected_items"] < second.evidence["expected_items"]


def test_a_desk_is_not_late_at_night() -> None:
    evening = NOON.replace(hour=20)
    rhythm = learn(watched(), evening.timestamp(), shown=20, fresh=[evening.timestamp() - 9], zone=UTC)
    for n in range(1, 10):
        rhythm = learn(rhythm, (evening + hours(n)).timestamp(), shown=None, fresh=[], zone=UTC)

    assert late(watch(rhythm=rhythm, last=evening, looked=evening + hours(9)), evening + hours(9)) is None


def test_a_rhythm_of_days_accuses_nobody() -> None:
    rhythm = watched(days=5)
    for n in range(1, 24):
        rhythm = learn(rhythm, (NOON + hours(n)).timestamp(), shown=None, fresh=[], zone=UTC)

    assert late(watch(rhythm=rhythm, looked=NOON + hours(23)), NOON + hours(23)) is None


def test_what_the_operator_expects_goes_before_what_was_learned() -> None:
    patient, strict = Expectation(max_silence=timedelta(days=3)), Expectation(max_silence=hours(2))
    found = silent(quiet(23, strict), NOON + hours(23))

    assert silent(quiet(23), NOON + hours(23)) is not None
    assert silent(quiet(23, patient), NOON + hours(23)) is None
    assert found is not None
    assert found.sentence == "no item since Mon 26 Jan 12:00 (UTC); 2 h is the longest expected of it"


def test_quiet_hours_do_not_count_and_accuse_nobody() -> None:
    jakarta = ZoneInfo("Asia/Jakarta")
    expect = Expectation(max_silence=hours(6), quiet_hours=frozenset({22, 23, 0, 1, 2, 3, 4}))
    evening = datetime(2026, 1, 25, 21, 0, tzinfo=jakarta)

    def say(now: datetime) -> bool:
        return silent(watch(expect, zone=jakarta, last=evening, looked=now), now) is not None

    assert not say(evening + hours(7))  # four in the morning
    assert not say(evening + hours(12))  # nine: five hours awake
    assert say(evening + hours(14))


def test_quiet_hours_hold_on_the_night_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    expect = Expectation(max_silence=hours(2), quiet_hours=frozenset({22, 23, 0, 1, 2, 3, 4, 5}))
    evening = datetime(2026, 10, 24, 21, 30, tzinfo=berlin)  # the night has 25 hours

    def say(moment: str) -> bool:
        now = datetime.fromisoformat(moment).replace(tzinfo=berlin).astimezone(UTC)
        return silent(watch(expect, zone=berlin, last=evening.astimezone(UTC), looked=now), now) is not None

    assert not say("2026-10-25T07:20")
    assert say("2026-10-25T07:40")


@pytest.mark.parametrize(("last_day", "is_late"), [(4, True), (5, False), (9, False)])
def test_fewer_items_than_expected_in_a_day_are_late(last_day: int, is_late: bool) -> None:
    found = late(watch(Expectation(at_least=5), last_day=last_day), NOON)

    assert (found is not None) == is_late


def test_one_a_week_is_late_after_a_week() -> None:
    def say(days: float) -> bool:
        now = NOON + timedelta(days=days)
        return late(watch(Expectation(at_least=1 / 7), looked=now), now) is not None

    assert not say(6)
    assert say(8)
