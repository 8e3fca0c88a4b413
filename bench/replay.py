"""Replays arrival traces on a simulated clock: a rule polls, the replay keeps account of ages and of what was missed.

All rules see the same: at a poll a feed shows its newest items. The first poll of a feed finds its window full of
items from before anybody watched; they teach, and are not judged. Judged are items published after the warm-up.
"""

from __future__ import annotations

import heapq
import math
import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bench.arrivals import DAY, Feed
from bench.peers import Peer
from config.model import Adaptive
from scheduler.budget import corrected, price
from scheduler.policy import next_attempt
from scheduler.rhythm import PRICE, demand
from storage.rhythm import Rhythm, learn

#: A Monday, 00:00 UTC: where traces begin.
START = datetime(2026, 1, 5, tzinfo=UTC)
_START = START.timestamp()

#: Requests are counted, and items judged, from here on: every rule has had a week to learn.
WARM_UP = 7 * DAY

#: The price is found anew this often, as by the daemon's own job (there every five minutes).
REPRICE = 1800.0


#: In the replay a budget may also be looser than the usual price: rules are compared at equal requests.
PRICE_LEAST = 1.0


@dataclass(slots=True)
class Account:
    """What came of one rule."""

    requests: int = 0
    #: CPU seconds that learning and deciding took, and the polls after which they did.
    thought: float = 0.0
    polls: int = 0
    missed: int = 0
    ages: list[float] = field(default_factory=list)

    @property
    def items(self) -> int:
        """Items judged, discovered or not."""
        return len(self.ages) + self.missed

    def age(self, share: float) -> float:
        """The age at discovery, in minutes, that this share of the discovered items does not exceed."""
        ages = sorted(self.ages)
        return ages[min(len(ages) - 1, math.floor(len(ages) * share))] / 60

    @property
    def mean(self) -> float:
        """The mean age at discovery, in minutes."""
        return math.fsum(self.ages) / len(self.ages) / 60


@dataclass(slots=True)
class Watch:
    """One feed as a poller sees it."""

    feed: Feed
    account: Account
    _last: int = -1

    def poll(self, now: float) -> tuple[int, Sequence[float]]:
        """Ask the feed: how many items it shows, and the published times of the new ones."""
        times = self.feed.times
        newest = bisect_right(times, now)
        shown = min(newest, self.feed.window)
        before = self._last if self._last >= 0 else newest - shown
        first = max(before, newest - shown)
        if now >= WARM_UP:
            self.account.requests += 1
            if self._last >= 0:
                judged = bisect_left(times, WARM_UP)
                self.account.missed += max(0, first - max(before, judged))
                self.account.ages += [now - t for t in times[max(first, judged) : newest]]
        self._last = newest
        return shown, times[first:newest]


def first_poll(n: int) -> float:
    """Feeds begin spread over an hour: no rule has the luck of the full one."""
    return n * 2224.7 % 3600


def replay_peer(feeds: Sequence[Feed], days: int, peer: Peer, setting: float) -> Account:
    """The trace under a peer's rule."""
    account, end = Account(), days * DAY
    for n, feed in enumerate(feeds):
        watch, rule, now = Watch(feed, account), peer.make(setting), first_poll(n)
        while now < end:
            now += rule(now, *watch.poll(now))
    return account


def replay_ours(feeds: Sequence[Feed], days: int, per_day: float, schedule: Adaptive) -> Account:
    """The trace under the daemon's own policy with a budget of `per_day` requests for all feeds together."""
    account, end = Account(), days * DAY
    watches = [Watch(feed, account) for feed in feeds]
    rhythms = [Rhythm()] * len(feeds)
    curves: list[tuple[float, ...]] = [()] * len(feeds)
    floor, ceiling = schedule.floor.total_seconds(), schedule.ceiling.total_seconds()
    due = [(first_poll(n), n) for n in range(len(feeds))]
    heapq.heapify(due)
    spent: deque[float] = deque()
    cost, correction, repriced = PRICE, 1.0, 0.0
    while due[0][0] < end:
        now, n = heapq.heappop(due)
        if now - repriced >= REPRICE:
            while spent[0] < now - DAY:
                spent.popleft()
            if now >= 2 * DAY:
                elapsed = (now - repriced) / DAY
                correction = corrected(correction, spent=len(spent), per_day=per_day, elapsed=elapsed)
            cost = max(PRICE_LEAST, price(filter(None, curves), per_day, correction=correction))
            repriced = now
        spent.append(now)
        shown, fresh = watches[n].poll(now)
        at, began = _START + now, time.process_time()
        rhythms[n] = learn(rhythms[n], at, shown=shown, fresh=[_START + t for t in fresh], zone=UTC)
        if not curves[n] or int(now // (6 * 3600)) != int((now - rhythms[n].span) // (6 * 3600)):
            curves[n] = demand(rhythms[n], at, floor=floor, ceiling=ceiling, zone=UTC)
        moment = START + timedelta(seconds=now)
        following = next_attempt(schedule, feeds[n].name, now=moment, rhythm=rhythms[n], price=cost)
        account.thought += time.process_time() - began
        account.polls += 1
        heapq.heappush(due, ((following - START).total_seconds(), n))
    return account


def at_equal_requests(feeds: Sequence[Feed], days: int, peer: Peer, requests: int) -> tuple[float, Account]:
    """The peer at the setting that makes it ask as often: at least as often, within one in a hundred if it can."""
    low, high = peer.least, peer.most
    setting = math.sqrt(low * high)
    best: tuple[float, Account] | None = None
    for _ in range(14):
        account = replay_peer(feeds, days, peer, setting)
        if account.requests >= requests:
            low, best = setting, (setting, account)
            if account.requests <= 1.01 * requests:
                break
        else:
            high = setting
        # Requests fall about as the setting grows; where that leads out of what is known, the middle is next.
        guess = setting * account.requests / (1.005 * requests)
        setting = guess if low < guess < high else math.sqrt(low * high)
    return best or (peer.least, replay_peer(feeds, days, peer, peer.least))
