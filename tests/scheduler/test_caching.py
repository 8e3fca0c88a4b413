from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawlers.model import Discovered
from crawlers.poll import PollEnd
from scheduler.caching import freshness, publisher_word
from storage.model import RunStatus

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("cache-control", "max-age=600")], 600),
        ([("Cache-Control", "public, MAX-AGE=600, stale-while-revalidate=30")], 600),
        ([("cache-control", 'max-age="600"')], 600),
        ([("cache-control", "max-age=600"), ("age", "500")], 100),
        ([("cache-control", "max-age=600, s-maxage=60")], 60),
        ([("expires", "Mon, 23 Nov 2026 08:20:00 GMT"), ("date", "Mon, 23 Nov 2026 08:00:00 GMT")], 1200),
        ([("expires", "Mon, 23 Nov 2026 08:20:00 GMT")], 1200),
        ([("cache-control", "max-age=60"), ("expires", "Mon, 23 Nov 2026 23:00:00 GMT")], 60),
    ],
)
def test_an_answer_says_how_long_it_is_fresh(headers: list[tuple[str, str]], seconds: int) -> None:
    assert freshness(headers, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("cache-control", "max-age=0")],
        [("cache-control", "no-cache, max-age=600")],
        [("cache-control", "max-age=600"), ("age", "900")],
        [("cache-control", "max-age=soon")],
        [("expires", "0")],
        [("expires", "-1")],
        [("expires", "Thu, 01 Jan 1970 00:00:00 GMT")],
        [("expires", "Mon, 99 Nov 2026 08:20:00 GMT")],
        [("cache-control", "my-max-age=600")],
    ],
)
def test_an_answer_that_says_nothing_useful_sets_no_floor(headers: list[tuple[str, str]]) -> None:
    assert freshness(headers, NOW) is None


def test_the_longest_of_all_that_was_said_counts() -> None:
    found = Discovered(entries=(), format="rss", min_interval=timedelta(hours=1), skip_hours=frozenset({3}))
    end = PollEnd(status=RunStatus.OK, headers=(("cache-control", "max-age=60"),), discovered=found)

    word = publisher_word(end, NOW)

    assert word.min_interval == timedelta(hours=1)
    assert word.skip_hours == {3}
    assert word.not_before is None
