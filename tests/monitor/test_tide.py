from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.tide import LEAST, Tide
from storage.rhythm import HOUR, Rhythm

NOON = 494_000 * HOUR
PULSE = Rhythm(until=NOON, recent=3.0, expected=3.0)


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
    assert level(tide, -3) == 1.0
    assert level(tide, 11, "Europe/Berlin") == 1.0


def test_when_all_stop_the_tide_has_a_floor() -> None:
    assert level(after(40, 0.0), 39) == LEAST


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


def test_pulses_that_are_old_say_nothing() -> None:
    tide = after(1, 0.0)
    tide.turn(NOON + 30 * HOUR)

    assert level(tide, 29) == level(tide, 0)


def test_it_survives_a_restart() -> None:
    tide, back = after(12, 0.4), Tide()
    back.load(tide.dump())

    assert level(back, 10) == pytest.approx(level(tide, 10), abs=0.001)
