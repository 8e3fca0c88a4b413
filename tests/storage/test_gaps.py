from __future__ import annotations

import random

import pytest

from storage.gaps import CLASSES, class_of, late_after, usual_gap


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


def test_a_moody_desk_has_longer_usual_gaps_and_a_steady_one_never_shorter_than_chance() -> None:
    rng = random.Random(1)
    moody = [rng.expovariate(1) * (4 if rng.random() < 0.2 else 1) for _ in range(5000)]
    true = sorted(moody)[int(0.99 * len(moody))]

    assert usual_gap(counted(moody), 1.0) == pytest.approx(true, rel=0.2)
    assert usual_gap(counted([1.0] * 5000), 1.0) == pytest.approx(4.605, abs=0.01)


def test_a_few_long_gaps_say_little() -> None:
    assert usual_gap(counted([20.0] * 2 + [1.0] * 20), 1.0) < 20


def test_weights_of_later_days_cancel_out() -> None:
    lengths = [0.5] * 300 + [7.0] * 12

    assert usual_gap(counted(lengths, 8.0), 8.0) == pytest.approx(usual_gap(counted(lengths), 1.0))


def test_late_is_two_to_three_usual_gaps_and_later_for_who_has_more_of_them() -> None:
    rates = [late_after(4.6, weekly) for weekly in (1, 50, 500, 5000)]

    assert rates == sorted(rates)
    assert 1.8 * 4.6 <= rates[0] < rates[-1] <= 3.3 * 4.6
    assert 4.6 * 2 < late_after(9.2, 500) / 1.1 < 9.2 * 2
