from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawlers.model import Discovered
from crawlers.poll import PollEnd
from scheduler.caching import declared, floor_of, freshness, publisher_word
from storage.model import RunStatus, SourceState

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

    word = publisher_word(end, state(), NOW)

    assert word.min_interval == timedelta(hours=1)
    assert word.skip_hours == {3}
    assert word.not_before is None


def state(**changes: Any) -> SourceState:
    return SourceState(id="s", outlet_id="o", kind="feed", url="u", next_attempt=NOW, **changes)


SAID = {"interval": 7200.0, "fresh": 600.0, "skip_hours": [3], "skip_days": [6]}
UNCHANGED = PollEnd(status=RunStatus.NOT_MODIFIED)


def test_what_a_feed_asked_holds_when_a_304_does_not_repeat_it() -> None:
    word = publisher_word(UNCHANGED, state(said=SAID), NOW)

    assert (word.min_interval, word.skip_hours, word.skip_days) == (timedelta(hours=2), {3}, {6})
    assert declared(UNCHANGED, state(said=SAID), NOW) == SAID


def test_a_304_updates_how_long_the_answer_is_fresh() -> None:
    fresher = replace(UNCHANGED, headers=(("cache-control", "max-age=9000"),))
    stale = replace(UNCHANGED, headers=(("cache-control", "no-cache"),))

    assert publisher_word(fresher, state(said=SAID), NOW).min_interval == timedelta(seconds=9000)
    assert declared(stale, state(said={"fresh": 600.0}), NOW) is None


def test_a_feed_takes_back_what_it_no_longer_asks() -> None:
    read = PollEnd(status=RunStatus.OK, discovered=Discovered(entries=(), format="rss"))

    assert declared(read, state(said=SAID), NOW) is None


def test_after_a_failure_the_wait_counts_from_the_last_success() -> None:
    failed = PollEnd(status=RunStatus.FAILED, headers=(("cache-control", "max-age=99999"),))

    def wait(**ago: float) -> timedelta | None:
        return publisher_word(failed, state(said=SAID, last_success=NOW - timedelta(**ago)), NOW).min_interval

    assert wait(minutes=90) == timedelta(minutes=30)
    assert wait(hours=3) is None
    assert publisher_word(failed, state(said=SAID), NOW).min_interval is None


def test_the_delay_that_robots_txt_asks_for_is_a_floor_of_polls_too() -> None:
    assert publisher_word(replace(UNCHANGED, crawl_delay=900.0), state(), NOW).min_interval == timedelta(minutes=15)


def test_the_floor_is_a_moment_of_a_day_at_most() -> None:
    patient = replace(UNCHANGED, retry_after=timedelta(days=9))

    assert floor_of(publisher_word(UNCHANGED, state(), NOW), NOW) is None
    assert floor_of(publisher_word(UNCHANGED, state(said=SAID), NOW), NOW) == NOW + timedelta(hours=2)
    assert floor_of(publisher_word(patient, state(said=SAID), NOW), NOW) == NOW + timedelta(days=1)
