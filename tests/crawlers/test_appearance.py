from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawlers import gap
from crawlers.appearance import appeared, last_listed

NOON = datetime(2026, 1, 26, 12, 0, tzinfo=UTC)
BEFORE = NOON - timedelta(minutes=40)


def minutes(n: float) -> datetime:
    return NOON + timedelta(minutes=n)


@pytest.mark.parametrize(
    ("published", "moment"),
    [
        (minutes(-30), minutes(-30)),
        (minutes(2), NOON),  # a clock that runs ahead
        (minutes(-60), BEFORE),  # listed a while after its time
        (minutes(-900), minutes(-20)),
        (minutes(300), minutes(-20)),
        (None, minutes(-20)),
    ],
)
def test_an_item_appeared_when_it_says_if_that_can_be_true(published: datetime | None, moment: datetime) -> None:
    assert appeared(published, BEFORE, NOON) == moment


def test_the_last_item_listed_anew_tells_and_known_ones_do_not() -> None:
    listed = [("a", minutes(-5)), ("b", minutes(-10)), ("c", minutes(-35))]
    before, window = gap.window(["a", "d"]), gap.window(["a", "b", "c"])

    assert last_listed(listed, window, before, since=BEFORE, now=NOON) == minutes(-10)


def test_nothing_anew_and_a_first_reading_are_no_news() -> None:
    listed, window = [("a", minutes(-5))], gap.window(["a"])

    assert last_listed(listed, window, window, since=BEFORE, now=NOON) is None
    assert last_listed(listed, window, None, since=None, now=NOON) is None
    assert last_listed([], None, window, since=BEFORE, now=NOON) is None
