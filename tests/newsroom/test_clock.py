from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsroom.clock import Clock

START = datetime(2026, 8, 14, 1, tzinfo=UTC)


class Ticks:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_newsroom_time_runs_at_its_speed() -> None:
    ticks = Ticks()
    clock = Clock(START, speed=60, ticks=ticks)
    ticks.seconds = 10
    assert clock.now() == START + timedelta(minutes=10)


def test_a_change_of_speed_does_not_jump() -> None:
    ticks = Ticks()
    clock = Clock(START, speed=60, ticks=ticks)
    ticks.seconds = 10
    clock.set_speed(0)
    ticks.seconds = 500
    assert clock.now() == START + timedelta(minutes=10)


def test_it_can_be_set_and_skipped_both_ways() -> None:
    clock = Clock(START, speed=0)
    assert clock.forward(timedelta(hours=5)) == START + timedelta(hours=5)
    assert clock.forward(-timedelta(hours=1)) == START + timedelta(hours=4)
    assert clock.set(START) == START


def test_a_clock_that_is_never_ahead_meets_the_wall_and_goes_on_with_it() -> None:
    ticks = Ticks()
    wall = {"now": START + timedelta(minutes=5)}
    clock = Clock(START, speed=60, never_ahead=True, ticks=ticks, wall=lambda: wall["now"])
    ticks.seconds = 4
    assert clock.now() == START + timedelta(minutes=4)
    ticks.seconds = 10
    assert clock.now() == wall["now"]
    wall["now"] += timedelta(seconds=3)
    assert clock.now() == wall["now"]


def test_naive_times_and_backward_speeds_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        Clock(datetime(2026, 8, 14))  # noqa: DTZ001
    with pytest.raises(ValueError, match="forwards"):
        Clock(START, speed=-1)
