from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storage.volumes import usual, volumes

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([9, 9, 9, 9, 9, 9, 9], 9),
        ([90, 90, 90, 90, 90, 20, 30], 30),  # a Saturday a week ago brought as little
        ([0, 8, 9, 10, 11, 12, 50], 10),
        ([9, 9, 9, 9, 9, 9, 0], 0),
    ],
)
def test_usual_is_the_median_of_a_week_or_what_came_a_week_ago(before: list[int], expected: int) -> None:
    assert usual(before) == expected


async def test_the_last_hours_are_counted_beside_the_same_hours_of_the_days_before(desk: Any) -> None:
    for day in range(7):
        await desk.publish(f"pagi-{day}")
        desk.clock.advance(3 * HOUR)
        await desk.publish(f"siang-{day}")
        await desk.publish(f"siang-juga-{day}")
        desk.clock.advance(DAY - 3 * HOUR)
    desk.clock.advance(3 * HOUR)
    await desk.publish("hari-ini")
    now = desk.clock() + timedelta(seconds=1)

    assert await volumes(desk.storage.database, 2 * HOUR, now) == {desk.outlet: (1, 2)}
    assert await volumes(desk.storage.database, 6 * HOUR, now) == {desk.outlet: (1, 3)}


async def test_an_outlet_of_which_nothing_is_polled_is_not_counted(desk: Any) -> None:
    await desk.publish("satu")
    await desk.storage.sources.remove([desk.source], desk.clock())

    assert await volumes(desk.storage.database, HOUR, desk.clock()) == {}
