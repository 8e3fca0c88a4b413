"""How a source is: one of a closed set of states, one plain sentence, the evidence, and since when. Pure.

::

    paused                                     a person stopped it
    gone                                       410 for days
    blocked, empty, failing                    no usable answer, twice at least, weighing 1 or more, or 3/4 for hours
    silent, late                               answers, and brings less than it should   storage.expectation
    drifting                                   its outlet's pages give less than they used to
    new                                        too little is known of it
    ok

A state is judged against the source's own rhythm or its declared `expect:`. What a change of state takes beside
that (:func:`settled`): worse at once, since each state above waits for its own proof; better only after it held for
a while. Knows nothing of storage; :mod:`monitor.judge` reads and writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from config.model import Expectation
from storage.expectation import LEAST_HOURS, Shortfall, Watch, is_learned, late, silent
from storage.model import CrawlRun, HealthState, SourceState
from storage.rhythm import Rhythm

#: Weighed failures (hard 1, soft 1/2, temporary 1/4) from which on a source fails, and for how long at least: what
#: one more try mends is no state. With fewer it has to last longer.
FAILING, FAILING_LONG = 1.0, 0.75
FAILING_FOR, FAILING_LONG_FOR = timedelta(minutes=10), timedelta(hours=2)

#: A better state has to hold this long.
HOLD = timedelta(minutes=10)

#: Kinds of failure that are states of their own.
_OF_FAILURE = {"blocked": HealthState.BLOCKED, "empty": HealthState.EMPTY}

#: States in which somebody should look, the worst first.
TROUBLED = (
    HealthState.GONE, HealthState.BLOCKED, HealthState.FAILING, HealthState.EMPTY, HealthState.SILENT,
    HealthState.LATE, HealthState.DRIFTING,
)  # fmt: skip

#: Which of these it is may change from try to try.
_NO_ANSWER = {HealthState.BLOCKED, HealthState.FAILING, HealthState.EMPTY}

_RANK = {state: rank for rank, state in enumerate(TROUBLED)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """All that a source is judged by."""

    state: SourceState
    rhythm: Rhythm
    expect: Expectation
    #: The outlet's clock, and the one that the rhythm's hours are of.
    zone: tzinfo
    rhythm_zone: tzinfo
    #: The evidence that its outlet drifts, and since when; None while it does not.
    drift: tuple[str, datetime] | None = None
    #: Items of the last 24 hours, where `expect.at_least` needs it.
    last_day: int | None = None
    #: Its last run, when robots.txt kept it from asking.
    kept_away: CrawlRun | None = None
    tide: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a source is at one moment."""

    state: HealthState
    sentence: str
    began: datetime
    evidence: dict[str, Any] = field(default_factory=dict)


def judge(watched: Watched, now: datetime) -> Verdict:
    """How the source is at `now`."""
    state = watched.state
    if state.paused:
        return Verdict(HealthState.PAUSED, "a person stopped it", now)
    if state.gone_at is not None:
        sentence = f"it answered 410 (gone) on {state.gone_days} days; still probed once a month"
        return Verdict(HealthState.GONE, sentence, state.gone_at)
    if (failing := _failing(watched, now)) is not None:
        return failing
    if state.last_success is None:
        return Verdict(HealthState.NEW, "not polled to an end yet", now)
    watch = Watch(
        expect=watched.expect, rhythm=watched.rhythm, zone=watched.zone, rhythm_zone=watched.rhythm_zone,
        last=last_life(state, watched.rhythm), looked=state.last_success, last_day=watched.last_day,
        tide=watched.tide,
    )  # fmt: skip
    if (short := silent(watch, now)) is not None:
        return _short(HealthState.SILENT, short)
    if (short := late(watch, now)) is not None:
        return _short(HealthState.LATE, short)
    if watched.drift is not None:
        evidence, since = watched.drift
        return Verdict(HealthState.DRIFTING, f"its outlet's pages give less than they used to: {evidence}", since)
    return _well(watched, now)


def last_life(state: SourceState, rhythm: Rhythm) -> datetime:
    """When it last showed something new, be it that another source of its outlet had it first.

    That is when the item appeared, by its own word where that can be true; when it was found or stored says less.
    """
    known = [] if state.last_item is None else [state.last_item]
    if rhythm.last > 0:
        known.append(datetime.fromtimestamp(rhythm.last, (state.last_success or state.next_attempt).tzinfo))
    if known:
        return max(known)
    assert state.last_success is not None
    return state.last_new or state.last_success


def _short(state: HealthState, short: Shortfall) -> Verdict:
    return Verdict(state, short.sentence, short.began, short.evidence)


def _failing(watched: Watched, now: datetime) -> Verdict | None:
    state = watched.state
    since = state.last_success or state.health_since or now
    if (run := watched.kept_away) is not None and state.failures <= 0:
        if run.reason == "robots":
            return Verdict(HealthState.BLOCKED, f"robots.txt forbids it: {run.message}", since, _evidence(state))
        if state.last_attempt is not None and state.last_attempt - since >= timedelta(hours=1):
            return Verdict(HealthState.FAILING, f"{run.reason}: {run.message}", since, _evidence(state))
        return None
    if state.failures < FAILING_LONG or state.last_attempt is None:
        return None
    # A source that never worked has nothing to be measured from.
    least = FAILING_FOR if state.failures >= FAILING else FAILING_LONG_FOR
    if state.last_success is not None and state.last_attempt - state.last_success < least:
        return None
    if _single(state):
        return None
    found = _OF_FAILURE.get(state.last_failure or "", HealthState.FAILING)
    reason = state.last_failure_message or "no more is known"
    sentence = reason if found is not HealthState.FAILING else f"{state.last_failure}: {reason}"
    return Verdict(found, sentence, since, _evidence(state))


def _single(state: SourceState) -> bool:
    """Whether it is one hard failure alone."""
    return state.last_success is not None and state.failures <= 1.0 and state.last_failure not in _SOFT


#: Kinds that weigh less than 1: several of them make 1.
_SOFT = frozenset(
    {
        "dns", "connect", "timeout", "truncated", "protocol", "robots", "robots_unreadable", "rate_limited", "blocked",
        "not_found", "http_5xx", "empty",
    }
)  # fmt: skip


def _evidence(state: SourceState) -> dict[str, Any]:
    return {
        "failures": state.failures, "reason": state.last_failure,
        "last_success": None if state.last_success is None else state.last_success.isoformat(),
    }  # fmt: skip


def _well(watched: Watched, now: datetime) -> Verdict:
    rhythm, expect = watched.rhythm, watched.expect
    if not is_learned(rhythm) and expect.at_least is None and expect.max_silence is None:
        if rhythm.watched < LEAST_HOURS:
            sentence = "its rhythm is being learned: silence means something after a week, failures do at once"
        else:
            sentence = "it brought too few items to know its rhythm; silence means nothing yet"
        return Verdict(HealthState.NEW, sentence, now, {"hours_watched": round(rhythm.watched)})
    return Verdict(HealthState.OK, "it answers and brings what it should", now)


# -- changes of state -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """A better state that has not held long enough yet."""

    state: HealthState
    since: datetime


def settled(before: str, verdict: Verdict, waiting: Waiting | None, now: datetime) -> Verdict | Waiting | None:
    """The change of state that `verdict` makes of the state `before`: the verdict, None for none, or not yet."""
    if verdict.state == before:
        return None
    if before not in _RANK or verdict.state is HealthState.PAUSED:
        return verdict
    worse = verdict.state in _RANK and _RANK[verdict.state] < _RANK[HealthState(before)]
    if worse and not {verdict.state, HealthState(before)} <= _NO_ANSWER:
        return verdict
    if waiting is None or waiting.state is not verdict.state:
        return Waiting(verdict.state, now)
    if now - waiting.since < HOLD:
        return waiting
    # It was better from when that was first seen.
    began = waiting.since if verdict.state not in _RANK else verdict.began
    return Verdict(verdict.state, verdict.sentence, began, verdict.evidence)
