"""Polling rules of other systems, written anew from public descriptions, each with the setting that sets its pace.

- fixed: every feed at one interval.
- Miniflux, ``entry_frequency``: a week over (entries of the last seven days x factor), between 5 minutes and 24 hours.
  The factor (default 1) sets the pace.
- StormCrawler, ``AdaptiveScheduler``: the interval shrinks by half towards the minimum when the page changed, grows
  by half when it did not, up to two weeks; a day at first. The minimum (default an hour) sets the pace.
- Media Cloud rss-fetcher, auto-adjust: at most 33 % of the items known already: an hour shorter, down to 10 minutes;
  more than 67 %: ten minutes longer, up to a longest interval, which sets the pace; twelve hours at first.

A rule learns of a poll the time, how many items the feed showed, and the published times of the new ones.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: (time, items shown, published times of the new ones) -> seconds until the next poll.
Rule = Callable[[float, int, Sequence[float]], float]

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A rule and its pace: a larger setting must mean fewer requests."""

    name: str
    #: A rule for one feed, at that setting.
    make: Callable[[float], Rule]
    least: float
    most: float


def _fixed(interval: float) -> Rule:
    return lambda now, shown, fresh: interval


def _miniflux(inverse_factor: float) -> Rule:
    entries: list[float] = []

    def rule(now: float, shown: int, fresh: Sequence[float]) -> float:
        entries.extend(fresh)
        weekly = len(entries) - bisect_right(entries, now - 7 * DAY)
        return min(DAY, max(5 * MINUTE, 7 * DAY * inverse_factor / weekly)) if weekly else DAY

    return rule


def _stormcrawler(minimum: float) -> Rule:
    interval = max(DAY, minimum)

    def rule(now: float, shown: int, fresh: Sequence[float]) -> float:
        nonlocal interval
        interval = 0.5 * interval + 0.5 * minimum if fresh else min(14 * DAY, 1.5 * interval)
        return interval

    return rule


def _media_cloud(longest: float) -> Rule:
    interval = min(12 * HOUR, longest)

    def rule(now: float, shown: int, fresh: Sequence[float]) -> float:
        nonlocal interval
        known = 100.0 * (shown - len(fresh)) / shown if shown else 100.0
        if known <= 33:
            interval = max(10 * MINUTE, interval - HOUR)
        elif known > 67:
            interval = min(longest, interval + 10 * MINUTE)
        return interval

    return rule


PEERS = (
    Peer("fixed interval", _fixed, MINUTE, 2 * DAY),
    Peer("Miniflux entry frequency", _miniflux, 0.005, 200.0),
    Peer("StormCrawler adaptive", _stormcrawler, MINUTE, 4 * DAY),
    Peer("Media Cloud overlap", _media_cloud, 10 * MINUTE, 4 * DAY),
)
