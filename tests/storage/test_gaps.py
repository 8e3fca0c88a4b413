from __future__ import annotations

import math
import random

import pytest

from storage.gaps import CLASSES, LONG, class_of, late_after, patience, usual_gap


def counted(lengths: list[float], weight: float = 1.0) -> list[float]:
    counts = [0.0] * CLASSES
    for length in lengths:
        counts[class_of(length)] += weight
    return counts


def test_without_history_the_usual_gap_is_that_of_pure_chance() -> None:
    assert usual_gap(counted([]), 1.0) == pytest.approx(4.605, abs=0.01)


def test_pure_chance_is_recognised_as_such() -> None:
    rng = random.Random(1)

    assert usual_gap(counted([rng.expovariate(1) for _ in range(5000)]), 1.0) == pytest.approx(4.8, abs=0.5)


def test_a_desk_of_batches_has_longer_usual_gaps_and_a_steady_one_never_shorter_than_chance() -> None:
    rng = random.Random(1)
    batches = [rng.expovariate(1 / 1.4) for _ in range(5000)]
    true = sorted(batches)[int(0.99 * len(batches))]

    assert usual_gap(counted(batches), 1.0) == pytest.approx(math.sqrt(4.605 * true), rel=0.05)
    assert usual_gap(counted([1.0] * 5000), 1.0) == pytest.approx(4.605, abs=0.01)


def test_a_few_long_gaps_say_little() -> None:
    rng = random.Random(1)
    usual = [rng.expovariate(1) for _ in range(300)]

    assert usual_gap(counted([*usual, 20.0, 25.0, 40.0]), 1.0) < 1.25 * usual_gap(counted(usual), 1.0)


def test_weights_of_later_days_cancel_out() -> None:
    lengths = [0.5] * 300 + [7.0] * 12

    assert usual_gap(counted(lengths, 8.0), 8.0) == pytest.approx(usual_gap(counted(lengths), 1.0))


def test_late_is_two_to_three_usual_gaps_and_later_for_who_has_more_of_them() -> None:
    rates = [late_after(4.6, weekly, 28) for weekly in (1, 50, 500, 5000)]

    assert rates == sorted(rates)
    assert 1.8 * 4.6 <= rates[0] < rates[-1] <= LONG * 4.6
    assert late_after(9.2, 100, 28) == pytest.approx(2 * late_after(4.6, 100, 28))


def test_who_is_watched_for_a_short_time_is_given_more_of_it() -> None:
    by_days = [late_after(4.6, 100, days) for days in (7, 14, 28)]

    assert by_days == sorted(by_days, reverse=True)
    assert by_days[0] > 1.1 * by_days[-1]


def test_what_excuses_everybody_is_patience_that_ends_about_the_fourth_usual_gap() -> None:
    assert late_after(4.6, 10_000, 7) < patience(4.6)
    # What is learned of a usual gap is a little less than it is.
    assert patience(4.6) == pytest.approx(4 * 4.6, rel=0.03)
