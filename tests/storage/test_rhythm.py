from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.rhythm import (
    HOUR,
    PULSE_LEAST,
    PULSE_MOST,
    SLOTS,
    Forecast,
    Rhythm,
    expected_gap,
    expected_items,
    learn,
    marks,
    pack,
    seconds_until_late,
    silence,
    slot,
    time_for,
    unpack,
)

MONDAY = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
DAY = 24 * HOUR
BERLIN = ZoneInfo("Europe/Berlin")
#: Bytes of the norm in a row.
NORM = 8 + 4 * 168


def watched(days: int, *, hours: range = range(8, 18), per_hour: float = 4.0, every: float = 1800.0) -> Rhythm:
    """A desk that publishes in those hours of the day, polled regularly."""
    rng = random.Random(1)
    times = sorted(
        MONDAY + d * DAY + h * HOUR + rng.random() * HOUR
        for d in range(days) for h in hours for _ in range(int(per_hour))
    )  # fmt: skip
    rhythm, at = learn(Rhythm(), MONDAY, shown=20, fresh=[None] * 20, zone=UTC), MONDAY
    while at < MONDAY + days * DAY:
        before, at = at, at + every
        fresh = [t for t in times if before < t <= at]
        rhythm = learn(rhythm, at, shown=20, fresh=fresh, zone=UTC)
    return rhythm


def forecast(rhythm: Rhythm, at: float) -> Forecast:
    return Forecast(rhythm, UTC, at)


def test_busy_hours_are_told_from_quiet_ones_within_days() -> None:
    usual = forecast(watched(4), MONDAY + 4 * DAY).usual

    assert usual(4 * 24 + 10) * HOUR == pytest.approx(4, rel=0.35)  # a Friday never seen
    assert usual(4 * 24 + 3) * HOUR < 0.5


def test_a_day_takes_after_the_other_days_until_it_was_seen() -> None:
    rates = forecast(watched(5), MONDAY + 5 * DAY)

    assert rates.usual(5 * 24 + 12) > 5 * rates.usual(5 * 24 + 2)  # Saturday


def test_old_habits_fade() -> None:
    rhythm = watched(7)
    at = MONDAY + 7 * DAY
    for _ in range(8 * 7 * 24):
        at += HOUR
        rhythm = learn(rhythm, at, shown=20, fresh=[], zone=UTC)

    assert forecast(rhythm, at).usual(10) < 0.35 * forecast(watched(7), MONDAY + 7 * DAY).usual(10)


def test_a_burst_raises_the_pace_at_once_and_is_over_within_hours() -> None:
    rhythm = watched(14)
    at = MONDAY + 14 * DAY + 10 * HOUR
    rhythm = learn(rhythm, at - HOUR, shown=20, fresh=[], zone=UTC)
    burst = learn(rhythm, at, shown=20, fresh=[at - n * 60 for n in range(19)], zone=UTC)

    assert forecast(burst, at).pulse > 2
    assert forecast(burst, at + 6 * HOUR).pulse < 1.2


def test_one_quiet_hour_proves_little_and_a_quiet_day_never_that_all_is_over() -> None:
    rhythm = watched(14)
    at = MONDAY + 14 * DAY + 8 * HOUR
    rhythm = learn(rhythm, at, shown=20, fresh=[], zone=UTC)
    after_one = learn(rhythm, at + HOUR, shown=20, fresh=[], zone=UTC)
    after_all = after_one
    for n in range(2, 10):
        after_all = learn(after_all, at + n * HOUR, shown=20, fresh=[], zone=UTC)

    assert forecast(after_one, at + HOUR).pulse > 0.35
    assert PULSE_LEAST <= forecast(after_all, at + 9 * HOUR).pulse < forecast(after_one, at + HOUR).pulse


def test_the_first_window_teaches_already() -> None:
    fresh = [MONDAY - n * 600 for n in range(25)]

    rhythm = learn(Rhythm(), MONDAY, shown=25, fresh=list(fresh), zone=UTC)

    assert forecast(rhythm, MONDAY).per_day == pytest.approx(6 * 24, rel=0.7)


def test_a_window_that_slid_says_nothing_of_the_time_it_does_not_reach() -> None:
    rhythm = watched(7)
    at = MONDAY + 12 * DAY
    seen = learn(rhythm, at, shown=20, fresh=[at - n * 900 for n in range(20)], zone=UTC)

    assert sum(seen.hours) - sum(rhythm.hours) < 8  # five hours, not five days


def test_published_times_that_cannot_be_are_not_believed() -> None:
    rhythm = watched(2)
    at = MONDAY + 2 * DAY + HOUR
    future, past = at + 90 * DAY, at - 900 * DAY
    seen = learn(rhythm, at, shown=20, fresh=[future, past, None], zone=UTC)

    middle = slot(at - HOUR / 2, UTC)[0]
    assert seen.counts[middle] - rhythm.counts[middle] == pytest.approx(3, rel=0.1)


def test_a_rhythm_survives_its_row() -> None:
    rhythm = watched(3)
    back = unpack(pack(rhythm))

    assert back.until == rhythm.until
    assert back.counts == pytest.approx(rhythm.counts, rel=1e-5)
    assert back.minutes == pytest.approx(rhythm.minutes, rel=1e-5)
    assert back.norm == pytest.approx(rhythm.norm, rel=1e-5)
    assert back.normed == rhythm.normed > 0
    assert len(pack(rhythm)) < 2400


def test_a_row_from_before_minutes_were_counted_is_read() -> None:
    rhythm = watched(3)
    data = pack(rhythm)
    back = unpack(b"\x02" + data[1 : -NORM - 4 * 60])

    assert back.counts == pytest.approx(rhythm.counts, rel=1e-5)
    assert not any(back.minutes)


def test_a_row_from_before_the_norm_was_kept_is_read_and_has_one() -> None:
    rhythm = watched(9)
    back = unpack(b"\x03" + pack(rhythm)[1:-NORM])

    assert back.gaps == pytest.approx(rhythm.gaps, rel=1e-5)
    assert back.normed == 0
    assert back.normal[10] == pytest.approx(rhythm.normal[10], rel=0.1)


def test_minutes_that_bring_more_than_chance_are_told_and_others_not() -> None:
    even = watched(14)
    at = MONDAY + 14 * DAY
    timed = learn(even, at + DAY, shown=100, fresh=[at + n * HOUR + 20 for n in range(24) for _ in range(4)], zone=UTC)

    assert marks(even) == ()
    assert [minute for minute, _ in marks(timed)] == [0]
    assert 0.05 < marks(timed)[0][1] < 0.3


def test_items_without_a_believable_time_say_nothing_of_minutes() -> None:
    rhythm = watched(2)
    at = MONDAY + 3 * DAY
    seen = learn(rhythm, at, shown=100, fresh=[None, at + 90 * DAY, at - 900 * DAY] * 20, zone=UTC)

    assert sum(seen.minutes) == pytest.approx(sum(rhythm.minutes))


@pytest.mark.parametrize("data", [None, b"", b"\x02" + bytes(1380), b"nonsense"])
def test_rows_of_other_versions_are_forgotten(data: bytes | None) -> None:
    assert unpack(data) == Rhythm()


def test_hours_are_those_of_the_outlets_clock_on_both_sides_of_summer_time() -> None:
    for day in ("2026-03-27", "2026-03-30", "2026-10-23", "2026-10-26"):
        nine = datetime.fromisoformat(f"{day}T09:30").replace(tzinfo=BERLIN)
        assert slot(nine.timestamp(), BERLIN)[0] % 24 == 9


@given(
    st.lists(st.tuples(st.floats(1, 5 * DAY), st.integers(0, 30)), min_size=1, max_size=30),
    st.sampled_from([UTC, BERLIN, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")]),
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31)),  # noqa: DTZ001
)
def test_rates_stay_positive_and_finite_whatever_comes(polls, zone, start) -> None:
    at, rhythm = start.replace(tzinfo=UTC).timestamp(), Rhythm()
    for wait, new in polls:
        at += wait
        rhythm = learn(rhythm, at, shown=30, fresh=[at - n for n in range(new)], zone=zone)
        found = Forecast(rhythm, zone, at)
        rates = [rate for _, rate in found.pieces(at, at + DAY)]
        assert all(0 < rate < 100 for rate in rates)
        assert PULSE_LEAST <= found.pulse <= PULSE_MOST
        assert sum(length for length, _ in found.pieces(at, at + DAY)) == pytest.approx(DAY)


def test_the_expected_gap_is_short_by_day_and_long_by_night() -> None:
    rhythm = watched(14)
    noon = datetime.fromtimestamp(MONDAY + 14 * DAY + 12 * HOUR, UTC)
    night = datetime.fromtimestamp(MONDAY + 14 * DAY + 20 * HOUR, UTC)

    assert timedelta(minutes=5) < expected_gap(rhythm, noon, UTC) < timedelta(minutes=40)
    assert expected_gap(rhythm, night, UTC) > timedelta(hours=3)
    assert time_for(rhythm, UTC, 40, since=noon) == pytest.approx(timedelta(days=1), abs=timedelta(hours=4))


def test_a_stall_does_not_teach_that_silence_is_usual() -> None:
    before = watched(21)
    stalled, at = before, MONDAY + 21 * DAY
    for _ in range(96):  # four days
        at += HOUR
        stalled = learn(stalled, at, shown=None, fresh=[], zone=UTC)
    after = learn(stalled, at + HOUR, shown=20, fresh=[at + 60], zone=UTC)
    ten = [10 + 24 * day for day in range(4)]

    assert stalled.late_after < 40
    for index in ten:
        assert forecast(after, at).usual(index) == pytest.approx(
            forecast(before, MONDAY + 21 * DAY).usual(index), rel=0.1
        )
    assert stalled.norm == before.norm
    assert after.normal[10] == pytest.approx(before.normal[10], rel=0.1)
    assert after.usual_gap < 1.3 * before.usual_gap


def test_nights_that_were_told_as_late_again_and_again_are_learned_to_be_quiet() -> None:
    rhythm, at = Rhythm(), MONDAY
    nights: list[bool] = []
    for hour in range(56 * 24):
        at += HOUR
        # Round the clock for two weeks, then from six to twenty.
        works = hour < 14 * 24 or 6 <= hour % 24 < 20
        fresh: list[float | None] = [at - HOUR + 600.0 * n for n in range(6)] if works else []
        rhythm = learn(rhythm, at, shown=30 if fresh else None, fresh=fresh, zone=UTC)
        if hour % 24 == 5:
            nights.append(silence(rhythm, UTC, since=rhythm.last, until=at) >= rhythm.late_after)

    assert nights[15:18] == [True, True, True]
    assert not any(nights[-10:])


def test_a_story_that_broke_last_evening_does_not_make_this_evenings_silence_long() -> None:
    def silence_of(rhythm: Rhythm) -> float:
        evening = MONDAY + 14 * DAY + 18 * HOUR
        return silence(rhythm, UTC, since=evening, until=evening + 6 * HOUR)

    usual, at = watched(13), MONDAY + 13 * DAY
    broke = [at + 19 * HOUR + 90 * n for n in range(60)]
    after = learn(usual, at + 21 * HOUR, shown=100, fresh=broke, zone=UTC)

    assert silence_of(after) < silence_of(usual) + 2
    # What polls are timed by does believe it.
    assert forecast(after, at + 21 * HOUR).usual(6 * 24 + 19) > 5 * forecast(usual, at).usual(6 * 24 + 19)


def test_a_poll_is_asked_when_it_would_be_late_and_again_when_nothing_excuses_it() -> None:
    rhythm, at = watched(21), MONDAY + 21 * DAY + 10 * HOUR
    rhythm = learn(rhythm, at, shown=20, fresh=[at - 1], zone=UTC)
    late = seconds_until_late(rhythm, UTC, DAY)
    then = learn(rhythm, at + late + 1, shown=None, fresh=[], zone=UTC)
    anyway = seconds_until_late(then, UTC, DAY)
    over = learn(then, then.until + anyway + 1, shown=None, fresh=[], zone=UTC)

    assert silence(then, UTC, since=then.last, until=then.until) == pytest.approx(then.late_after, rel=0.01)
    assert silence(over, UTC, since=over.last, until=over.until) == pytest.approx(over.late_anyway, rel=0.01)
    assert seconds_until_late(over, UTC, DAY) == math.inf


def test_what_is_expected_adds_up_and_a_feed_without_items_is_given_four_weeks() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    steady = Rhythm(counts=(2.0,) * SLOTS, hours=(2.0,) * SLOTS, origin=at.timestamp(), until=at.timestamp())
    gap = expected_gap(steady, at, UTC, items=24.0)
    assert expected_items(steady, at, at + gap, UTC) == pytest.approx(24.0, rel=0.02)
    assert expected_gap(steady, at, UTC, items=1e9) == timedelta(days=28)


def test_weights_of_a_year_ago_start_from_one_again() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
    rhythm = learn(Rhythm(), at, shown=10, fresh=[at - 60.0] * 10, zone=UTC)
    for week in range(1, 40):
        now = at + week * 7 * 86_400
        rhythm = learn(rhythm, now, shown=10, fresh=[now - 3600.0], zone=UTC)
    assert rhythm.origin > at
