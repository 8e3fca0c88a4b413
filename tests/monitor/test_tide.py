from __future__ import annotations

import random
from dataclasses import replace

import pytest

from monitor.tide import LEAST, Tide
from storage.rhythm import HOUR, Rhythm

NOON = 494_000 * HOUR
PULSE = Rhythm(origin=NOON, until=NOON, recent=3.0, expected=3.0, counts=(9.0,) * 168, hours=(9.0,) * 168)


def after(hours: int, share: float, sources: int = 20, tide: Tide | None = None) -> Tide:
    """Every source brought that share of its usual output for so many hours."""
    tide = tide or Tide()
    for n in range(1, hours + 1):
        for source in range(sources):
            tide.note("Asia/Jakarta", f"s{source}", replace(PULSE, until=NOON + n * HOUR, recent=3.0 * share))
        tide.turn(NOON + n * HOUR)
    return tide


def level(tide: Tide, hour: int, zone: str = "Asia/Jakarta") -> float:
    return tide.of(zone).get(int(NOON // HOUR) + hour, 1.0)


def test_an_ordinary_day_counts_whole() -> None:
    assert level(after(6, 0.95), 3) == 1.0


def test_on_a_holiday_hours_count_less_and_the_days_before_as_they_were() -> None:
    tide = after(12, 0.4)

    assert level(tide, 11) == pytest.approx(0.42, abs=0.05)
    assert level(tide, -3) == level(tide, 8)  # what became clear was so since midnight
    assert level(tide, -17) == 1.0
    assert level(tide, 11, "Europe/Berlin") == 1.0


def test_when_all_stop_the_tide_has_a_floor() -> None:
    assert LEAST <= level(after(40, 0.0), 39) < LEAST + 0.1


def test_a_few_sources_are_no_tide() -> None:
    assert level(after(12, 0.2, sources=4), 11) == 1.0


def test_one_giant_in_a_burst_does_not_hide_that_all_others_rest() -> None:
    tide = Tide()
    for n in range(1, 13):
        tide.note("Asia/Jakarta", "giant", replace(PULSE, until=NOON + n * HOUR, recent=400.0, expected=200.0))
        after_hour = replace(PULSE, until=NOON + n * HOUR, recent=1.2)
        for source in range(20):
            tide.note("Asia/Jakarta", f"s{source}", after_hour)
        tide.turn(NOON + n * HOUR)

    assert level(tide, 11) < 0.6


def test_pulses_that_are_old_say_nothing_and_a_holiday_is_over_after_a_day() -> None:
    tide = after(12, 0.4)
    before = level(tide, 11)
    tide.turn(NOON + 13 * HOUR)
    tide.turn(NOON + 16 * HOUR)
    tide.turn(NOON + 100 * HOUR)

    assert level(tide, 15) == pytest.approx(before, abs=0.15)
    assert level(tide, 99) == 1.0


def test_chance_in_a_few_outlets_on_an_ordinary_day_is_no_tide() -> None:
    rng, tide, lowest = random.Random(1), Tide(), 1.0
    for n in range(1, 24 * 28):
        for source in range(8):
            came = float(sum(rng.random() < 0.05 for _ in range(60)))
            tide.note("Asia/Jakarta", f"s{source}", replace(PULSE, until=NOON + n * HOUR, recent=came))
        tide.turn(NOON + n * HOUR)
        lowest = min(lowest, level(tide, n - 1))

    assert lowest > 0.8


def test_it_survives_a_restart() -> None:
    tide, back = after(12, 0.4), Tide()
    back.load(tide.dump())

    assert level(back, 10) == pytest.approx(level(tide, 10), abs=0.001)


def test_a_holiday_of_weeks_ago_is_not_taken_up_after_a_restart_and_one_of_now_is() -> None:
    back = Tide()
    back.load({"Asia/Jakarta": {str(int(NOON // HOUR) - 400): 0.4}, "Asia/Tokyo": {str(int(NOON // HOUR) - 1): 0.4}})
    back.turn(NOON + HOUR)

    assert level(back, 0) == 1.0
    assert level(back, 0, "Asia/Tokyo") == pytest.approx(0.42, abs=0.05)
