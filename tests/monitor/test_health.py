from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.model import Expectation
from monitor.health import HOLD, Verdict, Waiting, Watched, judge, last_life, settled
from storage.model import CrawlRun, HealthState, RunStatus, SourceState, Trigger
from storage.rhythm import HOUR, Rhythm, learn

NOON = datetime(2026, 1, 26, 12, 0, tzinfo=UTC)  # a Monday
JAKARTA = ZoneInfo("Asia/Jakarta")


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


def learned(until: datetime = NOON, per_hour: int = 4, days: int = 21, *, barren: int = 0) -> Rhythm:
    """A desk that brings that many items an hour from six to twenty, polled hourly; then polls that bring nothing."""
    rng = random.Random(2)
    at = NOON.timestamp() - days * 24 * HOUR
    rhythm = learn(Rhythm(), at, shown=20, fresh=[None] * 20, zone=UTC)
    while at < NOON.timestamp():
        at += HOUR
        hour = datetime.fromtimestamp(at - 1, UTC).hour
        fresh = [at - rng.random() * HOUR for _ in range(per_hour)] if 6 <= hour < 20 else []
        rhythm = learn(rhythm, at, shown=20, fresh=list(fresh), zone=UTC)
    for n in range(barren):
        rhythm = learn(
            rhythm, at + (until.timestamp() - at) * (n + 1) / barren, shown=None, fresh=[], zone=UTC
        )  # fmt: skip
    return rhythm


def source(**more: Any) -> SourceState:
    values: dict[str, Any] = {
        "id": "a/utama", "outlet_id": "a", "kind": "feed", "url": "https://a.test/rss", "next_attempt": NOON,
        "last_attempt": NOON, "last_success": NOON,
    }  # fmt: skip
    return SourceState(**values | more)


def watched(state: SourceState | None = None, **more: Any) -> Watched:
    values: dict[str, Any] = {
        "state": state or source(), "rhythm": learned(), "expect": Expectation(), "zone": UTC, "rhythm_zone": UTC,
    }  # fmt: skip
    return Watched(**values | more)


def quiet_until(moment: datetime, **more: Any) -> Watched:
    """Asked again and again until then, with answers that bring nothing."""
    state = source(last_attempt=moment, last_success=moment)
    return watched(state, rhythm=learned(moment, barren=6), **more)


def state_of(what: Watched, now: datetime) -> HealthState:
    return judge(what, now).state


def test_a_source_that_brings_what_it_should_is_ok() -> None:
    assert state_of(watched(), NOON) is HealthState.OK


def test_a_pause_goes_before_everything_and_gone_before_failing() -> None:
    broken = source(failures=5.0, last_success=NOON - hours(9), gone_at=NOON - hours(1), gone_days=3)

    assert state_of(watched(replace(broken, paused=True)), NOON) is HealthState.PAUSED
    assert judge(watched(broken), NOON).began == NOON - hours(1)
    assert state_of(watched(broken), NOON) is HealthState.GONE


@pytest.mark.parametrize(
    ("failures", "kind", "state"),
    [
        (0.75, "timeout", HealthState.OK),
        (1.0, "timeout", HealthState.FAILING),
        (1.0, "tls", HealthState.OK),  # once, and hard
        (2.0, "tls", HealthState.FAILING),
        (1.0, "blocked", HealthState.BLOCKED),
        (1.0, "empty", HealthState.EMPTY),
    ],
)
def test_one_failure_is_an_accident_and_several_are_a_state(failures: float, kind: str, state: HealthState) -> None:
    tried = source(
        failures=failures, last_failure=kind, last_failure_message="why", last_success=NOON - hours(1),
    )  # fmt: skip
    verdict = judge(watched(tried), NOON)

    assert verdict.state is state
    assert state is HealthState.OK or "why" in verdict.sentence


def test_fewer_failures_are_a_state_when_they_last() -> None:
    tried = source(failures=0.75, last_failure="timeout", last_success=NOON - hours(2))

    assert state_of(watched(tried), NOON) is HealthState.FAILING


def test_failures_within_minutes_are_no_state_yet() -> None:
    tried = source(failures=2.0, last_failure="tls", last_success=NOON - timedelta(minutes=4))

    assert state_of(watched(tried), NOON) is HealthState.OK


def test_a_source_that_robots_txt_forbids_is_blocked() -> None:
    kept = CrawlRun(
        id="r", source_id="a/utama", outlet_id="a", trigger=Trigger.SCHEDULE, status=RunStatus.SKIPPED,
        scheduled_for=NOON, reason="robots", message="robots.txt disallows /rss",
    )  # fmt: skip
    verdict = judge(watched(source(last_success=NOON - hours(2)), kept_away=kept), NOON)

    assert verdict.state is HealthState.BLOCKED
    assert "disallows /rss" in verdict.sentence


def test_a_busy_desk_that_stops_is_late_and_then_silent_since_its_last_item() -> None:
    found = [judge(quiet_until(NOON + hours(n)), NOON + hours(n)) for n in range(9)]
    states = [verdict.state for verdict in found]

    assert states[:3] == [HealthState.OK] * 3
    assert states == sorted(states, key=["ok", "late", "silent"].index)
    assert states[-1] is HealthState.SILENT
    assert {verdict.began for verdict in found if verdict.state is not HealthState.OK} == {found[-1].began}
    assert NOON - hours(1) < found[-1].began <= NOON
    assert found[-1].sentence.startswith("no item since Mon 26 Jan 11:")


def test_time_in_which_nobody_looked_is_not_held_against_a_source() -> None:
    asked_once = watched(source(last_success=NOON), rhythm=learned())

    assert state_of(asked_once, NOON + hours(30)) is HealthState.OK


def test_nights_are_quiet_by_themselves() -> None:
    rhythm = learned(NOON + hours(8), barren=0)
    evening = NOON + hours(8)
    rhythm = learn(rhythm, evening.timestamp(), shown=20, fresh=[evening.timestamp() - 60], zone=UTC)
    for n in range(1, 10):
        rhythm = learn(rhythm, (evening + hours(n)).timestamp(), shown=None, fresh=[], zone=UTC)
    morning = evening + hours(9)

    assert state_of(watched(source(last_success=morning), rhythm=rhythm), morning) is HealthState.OK


def test_one_answer_without_news_may_come_from_a_cache() -> None:
    later = NOON + hours(8)
    once = watched(source(last_success=later), rhythm=learned(later, barren=1))

    assert state_of(once, later) is HealthState.OK
    assert state_of(quiet_until(later), later) in {HealthState.LATE, HealthState.SILENT}


def test_what_other_sources_had_first_is_a_sign_of_life() -> None:
    later = NOON + hours(8)
    alive = quiet_until(later)
    alive = replace(alive, state=replace(alive.state, last_item=later - timedelta(minutes=20)))

    assert state_of(alive, later) is HealthState.OK


def test_a_silence_is_counted_from_when_the_last_item_appeared_and_not_from_when_it_was_found_or_stored() -> None:
    found = quiet_until(NOON + hours(3))
    stored = replace(found, state=replace(found.state, last_new=NOON + hours(3)))

    assert last_life(stored.state, stored.rhythm) == last_life(found.state, found.rhythm) < NOON


def test_on_a_holiday_everybody_brings_less_and_nobody_is_late() -> None:
    later = NOON + hours(4)
    tide = {int(NOON.timestamp() // HOUR) + n: 0.25 for n in range(-1, 8)}

    assert state_of(quiet_until(later), later) in {HealthState.LATE, HealthState.SILENT}
    assert state_of(quiet_until(later, tide=tide), later) is HealthState.OK


def test_a_holiday_does_not_excuse_a_silence_of_nearly_four_usual_gaps() -> None:
    later = NOON + hours(6)
    tide = {int(NOON.timestamp() // HOUR) + n: 0.25 for n in range(-1, 8)}

    assert state_of(quiet_until(later, tide=tide), later) is HealthState.LATE


def test_a_rhythm_of_days_accuses_nobody_and_says_so() -> None:
    later = NOON + hours(9)
    state = source(last_success=later)
    verdict = judge(watched(state, rhythm=learned(later, days=4, barren=6)), later)

    assert verdict.state is HealthState.NEW
    assert "being learned" in verdict.sentence


def test_a_declared_expectation_holds_from_the_first_day() -> None:
    later = NOON + hours(3)
    expect = Expectation(max_silence=hours(2))
    verdict = judge(
        watched(source(last_success=later), rhythm=learned(later, days=1, barren=3), expect=expect), later
    )  # fmt: skip

    assert verdict.state is HealthState.SILENT
    assert "2 h is the longest expected of it" in verdict.sentence


def test_an_outlet_that_drifts_says_so_on_each_of_its_sources() -> None:
    verdict = judge(watched(drift=("body: 3 of 12 pages", NOON - hours(5))), NOON)

    assert (verdict.state, verdict.began) == (HealthState.DRIFTING, NOON - hours(5))
    assert "3 of 12" in verdict.sentence


# -- changes of state -----------------------------------------------------------------------------


def verdict(state: HealthState, began: datetime = NOON) -> Verdict:
    return Verdict(state, "why", began)


def test_worse_is_believed_at_once() -> None:
    assert settled("ok", verdict(HealthState.LATE), None, NOON) == verdict(HealthState.LATE)
    assert settled("late", verdict(HealthState.SILENT), None, NOON) == verdict(HealthState.SILENT)


def test_one_kind_of_failure_for_another_is_no_news_until_it_holds() -> None:
    assert settled("empty", verdict(HealthState.FAILING), None, NOON) == Waiting(HealthState.FAILING, NOON)
    assert settled("empty", verdict(HealthState.GONE), None, NOON) == verdict(HealthState.GONE)


def test_better_has_to_hold_and_is_dated_when_it_was_first_seen() -> None:
    first = settled("failing", verdict(HealthState.OK), None, NOON)
    assert first == Waiting(HealthState.OK, NOON)
    again = settled("failing", verdict(HealthState.OK), first, NOON + HOLD / 2)
    assert again == first
    done = settled("failing", verdict(HealthState.OK, NOON + HOLD), first, NOON + HOLD)
    assert isinstance(done, Verdict)
    assert done.began == NOON


def test_a_source_that_wavers_does_not_flip() -> None:
    waiting: Verdict | Waiting | None = None
    flips = 0
    for minute in range(0, 60, 5):
        state = HealthState.OK if minute % 10 else HealthState.FAILING
        before = waiting if isinstance(waiting, Waiting) else None
        waiting = settled("failing", verdict(state), before, NOON + timedelta(minutes=minute))
        flips += isinstance(waiting, Verdict)

    assert flips == 0
