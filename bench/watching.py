"""One month watched: polls by the daemon's own policy, states by its own health, on a simulated clock."""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bench.arrivals import DAY
from bench.month import DAYS, LEARNING, Feed, Month
from config.model import Adaptive, Expectation
from crawlers.drift import KEPT, Drift
from crawlers.drift import judge as judge_drift
from crawlers.model import FAILURE_WEIGHT, FailureKind
from crawlers.outage import OF_THE_NETWORK, OutageDetector
from monitor.health import Verdict, Waiting, Watched, judge, settled
from monitor.tide import Tide
from scheduler.policy import next_attempt
from storage.coverage import Coverage
from storage.model import Measured, SourceState
from storage.rhythm import Rhythm, learn

#: A Monday, 00:00 UTC.
START = datetime(2026, 1, 5, tzinfo=UTC)
_START = START.timestamp()

#: Share of polls that fail for no lasting reason.
HICCUPS = 0.005

_ANSWERS = {
    "outage": (FailureKind.HTTP_5XX, FailureKind.TIMEOUT), "block": (FailureKind.BLOCKED,),
    "empty": (FailureKind.EMPTY,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of state as it was noticed, in seconds since the trace's start."""

    feed: Feed
    at: float
    began: float
    was: str
    became: str
    #: The usual gap as learned by then, in items.
    usual: float


@dataclass(slots=True)
class _Pages:
    """What an outlet's pages gave."""

    baseline: list[Measured] = field(default_factory=list)
    last: deque[Measured] = field(default_factory=lambda: deque(maxlen=KEPT))
    unjudged: int = 0
    drift: Drift = field(default_factory=Drift)
    since: datetime = START


@dataclass(slots=True)
class _Source:
    feed: Feed
    zone: ZoneInfo
    schedule: Adaptive
    state: SourceState
    rhythm: Rhythm = field(default_factory=Rhythm)
    newest: int = -1
    waiting: Waiting | None = None


@dataclass(slots=True)
class Watching:
    """Replays a month; yields every change of state of the judged weeks."""

    month: Month
    seed: int
    schedule: Adaptive
    price: float
    #: Polls of each feed.
    polls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _rng: random.Random = field(init=False)
    _tide: Tide = field(init=False, default_factory=Tide)
    _outage: OutageDetector = field(init=False, default_factory=OutageDetector)
    _pages: dict[str, _Pages] = field(init=False, default_factory=lambda: defaultdict(_Pages))

    def __post_init__(self) -> None:
        self._rng = random.Random(f"watching {self.seed}")

    def run(self) -> Iterator[Flip]:
        """From the first poll to the end of the month."""
        sources = [_source(feed, self.schedule) for feed in self.month.feeds]
        due = [(n * 37.7 % 600, n) for n in range(len(sources))]
        heapq.heapify(due)
        while due[0][0] < DAYS * DAY:
            at, number = heapq.heappop(due)
            source, now = sources[number], START + timedelta(seconds=at)
            self.polls[source.feed.name] += 1
            self._poll(source, at, now)
            self._tide.turn(_START + at)
            flip = self._look(source, at, now)
            if flip is not None and at >= LEARNING * DAY:
                yield flip
            following = next_attempt(
                source.schedule, source.feed.name, now=now, failures=source.state.failures, rhythm=source.rhythm,
                price=self.price,
            )  # fmt: skip
            heapq.heappush(due, ((following - START).total_seconds(), number))

    # -- polling ------------------------------------------------------------------------------

    def _poll(self, source: _Source, at: float, now: datetime) -> None:
        failure = self._failure(source.feed, at)
        self._outage.record(f"{source.feed.outlet}.example", failure, now)
        if failure is not None:
            ours = self._outage.since is not None and failure in OF_THE_NETWORK
            weight = 0.0 if ours else FAILURE_WEIGHT[failure]
            source.state = replace(
                source.state, last_attempt=now, failures=source.state.failures + weight, last_failure=str(failure)
            )
            return
        feed = source.feed
        newest = bisect_right(feed.times, at)
        shown = min(newest, feed.window)
        first = max(source.newest if source.newest >= 0 else newest - shown, newest - shown)
        fresh = [_START + t for t in feed.times[first:newest]]
        changed = newest != source.newest
        source.newest = newest
        source.rhythm = learn(
            source.rhythm, _START + at, shown=shown if changed else None, fresh=fresh, zone=source.zone
        )
        source.state = replace(source.state, last_attempt=now, last_success=now, failures=0.0)
        if fresh:
            source.state = replace(source.state, last_item=START + timedelta(seconds=max(feed.times[first:newest])))
            self._read_pages(feed, len(fresh), at, now)
        self._tide.note(str(source.zone), feed.name, source.rhythm, stalls=source.state.health in {"late", "silent"})

    def _failure(self, feed: Feed, at: float) -> FailureKind | None:
        began, ended = self.month.own_outage
        if began <= at < ended:
            return FailureKind.CONNECT
        fault = feed.fault_at(at)
        if fault is not None and fault.kind in _ANSWERS:
            return self._rng.choice(_ANSWERS[fault.kind])
        if self._rng.random() < HICCUPS:
            return self._rng.choice((FailureKind.TIMEOUT, FailureKind.HTTP_5XX, FailureKind.NOT_FOUND))
        return None

    # -- pages --------------------------------------------------------------------------------

    def _read_pages(self, feed: Feed, number: int, at: float, now: datetime) -> None:
        pages, fault = self._pages[feed.outlet], feed.fault_at(at)
        broken = fault is not None and fault.kind == "redesign"
        for _ in range(min(number, KEPT)):
            if len(pages.last) == KEPT and not pages.drift:
                pages.baseline.append(pages.last[-1])
                del pages.baseline[:-150]
            pages.last.appendleft(self._page(broken=broken))
        pages.unjudged += number
        if pages.unjudged >= 15:
            pages.unjudged = 0
            former = pages.drift
            pages.drift = judge_drift(
                Coverage.of(pages.baseline), list(pages.last), frozenset({"body", "title"}), former,
                since=pages.since, now=now,
            )  # fmt: skip
            if pages.drift and not former:
                pages.since = now

    def _page(self, *, broken: bool) -> Measured:
        rng = self._rng
        found = {"title", "body"} | {name for name in ("authors", "section", "image") if rng.random() < 0.8}
        if rng.random() < 0.5:
            found.add("tags")
        ruled = frozenset({"title"} if broken or rng.random() < 0.004 else {"title", "body"})
        return Measured(
            rules="current", found=frozenset(found), ruled=ruled, characters=int(rng.lognormvariate(7.6, 0.5))
        )

    # -- health -------------------------------------------------------------------------------

    def _look(self, source: _Source, at: float, now: datetime) -> Flip | None:
        if self._outage.since is not None:
            return None
        pages = self._pages.get(source.feed.outlet)
        drift = (pages.drift.evidence, pages.since) if pages and pages.drift else None
        watched = Watched(
            state=source.state, rhythm=source.rhythm, expect=Expectation(), zone=source.zone, rhythm_zone=source.zone,
            drift=drift, tide=self._tide.of(str(source.zone)) if source.rhythm.barren >= 2 else None,
        )  # fmt: skip
        found = settled(source.state.health, judge(watched, now), source.waiting, now)
        source.waiting = found if isinstance(found, Waiting) else None
        if not isinstance(found, Verdict):
            return None
        was = source.state.health
        source.state = replace(source.state, health=str(found.state), health_since=found.began)
        return Flip(
            source.feed, at, (found.began - START).total_seconds(), was, str(found.state), source.rhythm.usual_gap
        )


def _source(feed: Feed, schedule: Adaptive) -> _Source:
    state = SourceState(id=feed.name, outlet_id=feed.outlet, kind="feed", url="", next_attempt=START)
    zone = ZoneInfo(f"Etc/GMT{-round(feed.offset):+d}")  # POSIX: east is negative
    return _Source(feed, zone, replace(schedule, timezone=zone), state)
