from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scheduler.delivery.policy import LONGEST, next_attempt, wait

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def test_waits_grow_to_an_hour_and_are_spread_by_half():
    assert [wait(n, 0.5).total_seconds() for n in range(1, 8)] == [5, 15, 45, 135, 405, 1215, 3600]
    assert wait(10_000, 0.5) == LONGEST
    assert wait(1, 0.0) == timedelta(seconds=3.75)
    assert wait(1, 0.999) < timedelta(seconds=6.25)


def test_a_day_of_refusals_makes_a_dead_letter_after_some_thirty_attempts():
    now, attempts = NOW, 0
    again: datetime | None = NOW
    while again is not None:
        now, attempts = again, attempts + 1
        again = next_attempt(attempts, NOW, now, give_up=DAY, dice=0.5)
    assert now == NOW + DAY
    assert 25 < attempts < 40


def test_a_consumers_word_on_when_to_come_again_is_heeded_up_to_an_hour():
    def after(seconds: float) -> timedelta:
        again = next_attempt(1, NOW, NOW, give_up=DAY, dice=0.5, retry_after=timedelta(seconds=seconds))
        assert again is not None
        return again - NOW

    assert after(1).total_seconds() == 5
    assert after(120).total_seconds() == 120
    assert after(10**8) == timedelta(hours=1)
