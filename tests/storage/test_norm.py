from __future__ import annotations

import random

import pytest

from storage.norm import norm

SATURDAY = 120


def week(per_hour: float = 2.0, weekend: float = 0.5) -> list[float]:
    """Items by hour of the week of a desk that works from six to twenty, without chance."""
    hours = [per_hour if 6 <= hour < 20 else 0.0 for hour in range(24)]
    return [items * (weekend if day >= 5 else 1.0) for day in range(7) for items in hours]


def seen(weeks: float) -> list[float]:
    return [weeks] * 168


def test_a_steady_desk_brings_what_it_brought() -> None:
    found = norm([2 * items for items in week()], seen(2))

    assert found[24 + 10] == pytest.approx(2.0, rel=0.05)
    assert found[SATURDAY + 10] == pytest.approx(1.0, rel=0.1)
    assert found[24 + 3] < 0.05


def test_a_story_that_broke_one_evening_does_not_make_evenings_busy() -> None:
    counts = week()
    counts[24 + 20] += 14
    counts[24 + 21] += 6

    found = norm(counts, seen(1))

    assert found[24 + 20] < 0.6
    assert max(found[day * 24 + 20] for day in (0, 2, 3, 4)) < 0.4


def test_stories_that_broke_on_most_evenings_of_two_weeks_do_not_either() -> None:
    counts = [2 * items for items in week()]
    for day, items in ((0, 110), (1, 50), (4, 105)):
        counts[day * 24 + 20] += items

    found = norm(counts, seen(2))

    assert max(found[day * 24 + 20] for day in range(5)) < 0.5


def test_nights_of_a_busy_desk_are_known_to_be_quiet_after_a_week() -> None:
    found = norm(week(per_hour=60.0), seen(1))

    assert max(found[day * 24 + 3] for day in range(7)) < 0.2


def test_what_always_comes_in_heaps_is_not_taken_for_nothing() -> None:
    rng, counts = random.Random(1), [0.0] * 168
    for day in range(28):
        counts[day % 7 * 24 + rng.randrange(24)] += 10

    assert sum(norm(counts, seen(4))) > 0.15 * 70


def test_old_stories_listed_again_do_not_make_a_slow_desk_quick() -> None:
    counts = week(per_hour=0.3)
    counts[SATURDAY + 12] += 25

    assert sum(norm(counts, seen(1))) < 1.2 * sum(week(per_hour=0.3))


def test_one_week_end_is_known_by_its_whole_days_and_not_hour_by_hour() -> None:
    rng = random.Random(3)
    lumpy = week()
    for hour in range(48):
        lumpy[SATURDAY + hour] = float(rng.choice((0, 3))) if lumpy[SATURDAY + hour] else 0.0
    level = sum(lumpy[SATURDAY:]) / (2 * sum(week()[:24]))

    found = norm(lumpy, seen(1))

    assert max(found[SATURDAY:]) < 2 * level * 2.0
    assert sum(found[SATURDAY:]) == pytest.approx(sum(lumpy[SATURDAY:]), rel=0.25)


def test_a_market_that_is_closed_at_the_week_end_is_expected_to_be() -> None:
    assert sum(norm([3 * items for items in week(weekend=0.0)], seen(3))[SATURDAY:]) < 1.0


def test_a_source_never_seen_has_a_norm_of_nothing() -> None:
    assert norm([0.0] * 168, [0.0] * 168) == (0.0,) * 168
