from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import Adaptive
from scheduler.budget import Prices, corrected, price
from scheduler.policy import PublisherWord, decide, next_attempt
from scheduler.rhythm import (
    BURST,
    BUSY,
    FADING,
    PRICE,
    PRICES,
    SLOW,
    TURN,
    Ahead,
    Reason,
    demand,
    due,
    interval,
)
from storage.rhythm import HOUR, Rhythm, learn

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ADAPTIVE = Adaptive()


def steady(per_hour: float, *, days: int = 14, window: int = 100, until: datetime = NOW) -> Rhythm:
    """A source with the same pace at every hour, polled every half hour."""
    rng = random.Random(per_hour)
    at = until.timestamp() - days * 24 * HOUR
    rhythm, last = learn(Rhythm(), at, shown=window, fresh=[None] * window, zone=UTC), at
    following = last + rng.expovariate(per_hour / HOUR)
    while at < until.timestamp():
        at += HOUR / 2
        fresh = []
        while following <= at:
            fresh.append(following)
            following += rng.expovariate(per_hour / HOUR)
        rhythm = learn(rhythm, at, shown=window, fresh=fresh, zone=UTC)
    return rhythm


def wait(rhythm: Rhythm, *, cost: float = PRICE, at: datetime = NOW) -> float:
    return due(rhythm, at.timestamp(), price=cost, floor=1, ceiling=24 * HOUR, zone=UTC).seconds


def lost(wait: float) -> float:
    """What one item loses, in requests, while a request has its usual price."""
    faded = (1 + FADING) / FADING / BUSY * (wait / TURN) ** FADING
    return float(faded + (wait > TURN) * (1 / SLOW - 1 / BUSY)) * HOUR / TURN


@pytest.mark.parametrize("per_hour", [0.2, 0.8, 1.5, 6, 40])
def test_a_steady_source_is_asked_where_waiting_and_requests_are_cheapest(per_hour: float) -> None:
    waits = [30.0 * n for n in range(1, 12 * 120)]
    sums = itertools.accumulate(per_hour / HOUR * 30 * lost(wait - 15) for wait in waits)
    best = min(zip(waits, sums, strict=True), key=lambda found: (1 + found[1]) / found[0])[0]

    assert interval(per_hour / HOUR, PRICE) == pytest.approx(best, rel=0.02, abs=30)

    usual = replace(steady(per_hour), recent=0.0, expected=0.0)  # neither burst nor lull

    assert wait(usual) == pytest.approx(best, rel=0.35)


def test_intervals_grow_with_the_price_in_the_same_proportion() -> None:
    rhythm = steady(6)

    assert wait(rhythm, cost=4 * PRICE) == pytest.approx(4 ** (1 / (1 + FADING)) * wait(rhythm), rel=0.1)


def test_one_item_an_hour_and_three_are_asked_for_three_times_an_hour() -> None:
    assert 1 / wait(steady(1.1, days=60)) == pytest.approx(3 / HOUR, rel=0.2)
    assert 1 / wait(steady(2.9, days=60)) == pytest.approx(3 / HOUR, rel=0.2)


@given(st.floats(0, 100), st.floats(0, 100))
def test_more_items_are_never_asked_for_less_often(one: float, other: float) -> None:
    few, many = sorted((one / HOUR, other / HOUR))

    assert interval(few, PRICE) >= interval(many, PRICE)


def timed(minute: int, share: float = 0.5) -> Rhythm:
    """Three items an hour, of which a share comes within one minute of it; watched for two weeks."""
    rng, rhythm = random.Random(minute), Rhythm()
    start = NOW.timestamp() - 14 * 24 * HOUR
    for hour in range(14 * 24):
        fresh = [
            start + hour * HOUR + (minute * 60 + rng.random() * 60 if rng.random() < share else rng.random() * HOUR)
            for _ in range(3)
        ]
        rhythm = learn(rhythm, start + (hour + 1) * HOUR, shown=50, fresh=sorted(fresh), zone=UTC)
    return rhythm


@pytest.mark.parametrize("minute", [0, 15, 47])
def test_a_desk_that_times_its_items_is_asked_just_after(minute: int) -> None:
    rhythm = timed(minute)
    at, hits = NOW, 0
    for _ in range(12):
        found = due(rhythm, at.timestamp(), price=12 * PRICE, floor=60, ceiling=6 * HOUR, zone=UTC)
        at += timedelta(seconds=found.seconds)
        hits += found.reason is Reason.MARK and at.minute == (minute + 1) % 60

    assert hits >= 10
    assert (
        f":{minute:02} of the hour" in decide(ADAPTIVE, "a/b", now=NOW, rhythm=rhythm, price=12 * PRICE).terms[-1].text
    )


def test_the_loss_is_that_of_the_items_expected_one_by_one() -> None:
    ahead = Ahead(timed(30), UTC, NOW.timestamp())
    step = 5.0
    count = int(2 * HOUR / step)
    slow = sum(
        (ahead.items((n + 1) * step) - ahead.items(n * step)) * lost(2 * HOUR - (n + 0.5) * step) for n in range(count)
    )

    assert ahead.loss(0.0, 2 * HOUR, PRICE) == pytest.approx(slow, rel=0.01)


def test_a_burst_shortens_at_once_and_silence_lengthens_slowly() -> None:
    calm, at = steady(6), NOW + timedelta(minutes=10)
    moment = at.timestamp()
    burst = learn(calm, moment, shown=100, fresh=[moment - n * 30 for n in range(15)], zone=UTC)
    silent = learn(calm, moment, shown=None, fresh=[], zone=UTC)

    assert wait(burst, at=at) < 0.75 * wait(calm, at=at)
    assert 1 <= wait(silent, at=at) / wait(calm, at=at) < 1.3


def test_few_shared_items_shorten_whatever_the_rhythm_says() -> None:
    calm = steady(2, window=10)
    at = NOW + timedelta(minutes=30)
    slid = learn(calm, at.timestamp(), shown=10, fresh=[at.timestamp() - 60 * n for n in range(10)], zone=UTC)
    found = due(slid, at.timestamp(), price=1e9, floor=1, ceiling=24 * HOUR, zone=UTC)

    assert found.seconds <= 15 * 60
    assert found.reason in {Reason.OVERLAP, Reason.WINDOW}


def test_a_small_window_is_asked_before_it_may_slide() -> None:
    small, large = steady(10, window=10), steady(10, window=100)

    assert wait(small, cost=1e6) < 0.3 * wait(large, cost=1e6)
    assert wait(small, cost=1e6) < HOUR


def test_a_burst_does_not_fill_the_window_before_anybody_looks() -> None:
    quiet, busy = steady(2, days=28), steady(6, days=28, window=10)
    hours = tuple(6.0 if hour % 24 in range(8, 18) else 2.0 for hour in range(168))
    desk = replace(busy, counts=quiet.counts, hours=quiet.hours, norm=hours)  # busy by day, and slow at the moment
    found = due(desk, NOW.timestamp(), price=1e6, floor=1, ceiling=24 * HOUR, zone=UTC)
    night = replace(desk, norm=tuple(20 * pace for pace in hours))

    assert found.reason is Reason.WINDOW
    assert BURST * 6 * found.seconds / HOUR <= 10
    assert wait(night, cost=1e6) > 2 * found.seconds  # far from any busy hour


rhythms = st.builds(
    lambda counts, hours, minutes, recent, expected, window, fresh, span, pause: Rhythm(
        counts=tuple(counts), hours=tuple(hours), minutes=tuple(minutes),
        origin=NOW.timestamp(), until=NOW.timestamp() - pause,
        recent=recent, expected=expected, window=window, fresh=min(fresh, window), span=span,
    ),
    st.lists(st.floats(0, 500), min_size=168, max_size=168),
    st.lists(st.floats(0, 8), min_size=168, max_size=168),
    st.one_of(
        st.just([0.0] * 60),
        st.dictionaries(st.integers(0, 59), st.floats(0, 900), max_size=4).map(
            lambda timed: [1.0 + timed.get(minute, 0.0) for minute in range(60)]
        ),
    ),
    st.floats(0, 300), st.floats(0, 300), st.floats(0, 2000), st.floats(0, 2000), st.floats(0, 1e6), st.floats(0, 1e6),
)  # fmt: skip
schedules = st.builds(
    lambda floor, more, zone: Adaptive(floor=floor, ceiling=floor + more, timezone=zone),
    st.timedeltas(timedelta(seconds=1), timedelta(hours=2)),
    st.timedeltas(timedelta(0), timedelta(days=2)),
    st.sampled_from([ZoneInfo("UTC"), BERLIN, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("America/New_York")]),
)
#: Around the ends of summer time in Berlin and New York, leap days, and any other time.
moments = st.one_of(
    st.integers(0, 12 * 365 * 86_400).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s)),
    st.sampled_from(
        [datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
         datetime(2026, 3, 8, 6, 30, tzinfo=UTC), datetime(2028, 2, 28, 23, 30, tzinfo=UTC),
         datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)]
    ).flatmap(lambda m: st.integers(0, 7200).map(lambda s: m + timedelta(seconds=s))),
)  # fmt: skip
SECOND = timedelta(seconds=1)


@given(schedules, rhythms, moments, st.floats(1, 1e9))
def test_never_before_the_floor_and_never_beyond_the_ceiling(
    schedule: Adaptive, rhythm: Rhythm, now: datetime, cost: float
) -> None:
    found = next_attempt(schedule, "a/b", now=now, rhythm=rhythm, price=cost) - now

    assert schedule.floor <= found <= schedule.ceiling + SECOND


@given(schedules, rhythms, moments, st.floats(0, 40), st.floats(0, 40))
def test_more_failures_never_mean_an_earlier_attempt(
    schedule: Adaptive, rhythm: Rhythm, now: datetime, a: float, b: float
) -> None:
    few, many = (next_attempt(schedule, "a/b", now=now, rhythm=rhythm, failures=f) for f in sorted((a, b)))

    assert few <= many


@given(schedules, rhythms, moments, st.floats(1, 1e6), st.floats(1, 1e6))
def test_a_dearer_request_never_means_an_earlier_attempt(
    schedule: Adaptive, rhythm: Rhythm, now: datetime, a: float, b: float
) -> None:
    # A mark may draw a poll forward; the time that pays without one is never earlier.
    rhythm = replace(rhythm, minutes=(0.0,) * 60)
    cheap, dear = (next_attempt(schedule, "a/b", now=now, rhythm=rhythm, price=cost) for cost in sorted((a, b)))

    assert cheap <= dear + SECOND


@given(schedules, rhythms, moments, st.timedeltas(timedelta(0), timedelta(hours=23)))
def test_the_publishers_word_is_a_floor(schedule: Adaptive, rhythm: Rhythm, now: datetime, age: timedelta) -> None:
    word = PublisherWord(min_interval=age)

    assert next_attempt(schedule, "a/b", now=now, rhythm=rhythm, word=word) >= now + age


@given(schedules, rhythms, moments, st.floats(0, 10))
def test_every_decision_is_its_last_term_and_times_only_move_later(
    schedule: Adaptive, rhythm: Rhythm, now: datetime, failures: float
) -> None:
    word = PublisherWord(
        min_interval=timedelta(hours=1), not_before=now + timedelta(hours=3), skip_hours=frozenset({3})
    )
    found = decide(schedule, "a/b", now=now, rhythm=rhythm, failures=failures, word=word)
    times = [term.at for term in found.terms]

    assert times == sorted(times)
    assert times[-1] == found.at
    assert all(term.text and term.name for term in found.terms)


def test_a_decision_says_what_led_to_it() -> None:
    word = PublisherWord(not_before=NOW + timedelta(hours=5))
    found = decide(ADAPTIVE, "a/b", now=NOW, rhythm=steady(6), price=4 * PRICE, failures=1.5, word=word)
    told = {term.name: term.text for term in found.terms}

    assert "items an hour" in told["rhythm"]
    assert told["budget"] == "the request budget makes intervals 2.7 times as long"
    assert told["failures"].startswith("failures weighing 1.5 since the last success: 2.5 times the interval")
    assert told["retry_after"] == "the server said Retry-After: 5 h"


def test_nothing_known_is_said_to_be_so() -> None:
    assert "nothing is known" in decide(ADAPTIVE, "a/b", now=NOW).terms[0].text


def test_the_price_of_a_budget_makes_its_sources_keep_it() -> None:
    sources = [steady(pace) for pace in (0.1, 0.5, 2, 8, 30)]

    def curve(r: Rhythm) -> tuple[float, ...]:
        return demand(r, NOW.timestamp(), floor=120, ceiling=6 * HOUR, zone=UTC)

    curves = [curve(r) for r in sources]
    for budget in (60, 240, 900):
        cost = price(curves, budget)
        asked = sum(24 * HOUR / min(6 * HOUR, max(120, wait(r, cost=cost))) for r in sources)
        assert asked == pytest.approx(budget, rel=0.35)


def test_demand_falls_with_the_price() -> None:
    found = demand(steady(3), NOW.timestamp(), floor=120, ceiling=6 * HOUR, zone=UTC)

    assert list(found) == sorted(found, reverse=True)
    assert len(found) == len(PRICES)
    assert found[-1] == pytest.approx(4)  # the ceiling


def test_a_correction_settles_instead_of_swinging() -> None:
    # What the curves overlook: sources ask twice as often as they say. A day's count lags behind the price.
    correction, recent = 1.0, [200.0] * 24
    for _ in range(24 * 20):
        recent = [*recent[1:], 200 / math.sqrt(correction)]
        correction = corrected(correction, spent=sum(recent) / 24, per_day=100, elapsed=1 / 24)

    assert sum(recent) / 24 == pytest.approx(100, rel=0.1)


def test_the_dearest_price_holds() -> None:
    prices = Prices(total=900.0, outlets={"a": 2000.0, "b": 10.0})

    assert (prices.of("a"), prices.of("b"), Prices().of("c")) == (2000.0, 900.0, PRICE)
