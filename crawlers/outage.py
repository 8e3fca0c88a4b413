"""Whose fault is it? Failures that strike many unrelated hosts at once are our own outage. Pure.

The verdict comes from the last answer of each host within a window, so that one outlet with a hundred
broken feeds weighs no more than a single one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crawlers.model import FailureKind
from storage.domains import registrable

#: Failures that our own network produces: no answer came back at all.
OF_THE_NETWORK = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TIMEOUT, FailureKind.TLS})

#: Fewer unrelated hosts than this prove nothing.
LEAST_HOSTS = 3

#: Share of the recently tried hosts that must be unreachable for it to begin.
BEGINS = 0.8

WINDOW = timedelta(minutes=10)


@dataclass(slots=True)
class OutageDetector:
    """Collects the fates of fetches and says whether the fault is ours."""

    window: timedelta = WINDOW
    #: Since when the outage lasts; None while there is none.
    since: datetime | None = None
    #: When the last one ended.
    ended: datetime | None = None
    #: The last answer of each registrable domain within the window, oldest first: when, and whether none came.
    _last: OrderedDict[str, tuple[datetime, bool]] = field(default_factory=OrderedDict)
    #: How many of them never came.
    _dead: int = 0

    def record(self, host: str, failure: FailureKind | None, now: datetime) -> bool:
        """Take in the end of one fetch; True when the verdict changed."""
        owner = registrable(host)
        if owner in self._last:
            self._dead -= self._last.pop(owner)[1]
        self._last[owner] = (now, failure in OF_THE_NETWORK)
        self._dead += failure in OF_THE_NETWORK
        while self._last and next(iter(self._last.values()))[0] < now - self.window:
            self._dead -= self._last.popitem(last=False)[1][1]
        return self._judge(now)

    def is_ours(self, failure: FailureKind, began: datetime) -> bool:
        """Whether the failure of what `began` then is laid at our own door: it ended in an outage, or saw one end."""
        if failure not in OF_THE_NETWORK:
            return False
        return self.since is not None or (self.ended is not None and began <= self.ended)

    def _judge(self, now: datetime) -> bool:
        tried, dead = len(self._last), self._dead
        if self.since is None:
            if tried >= LEAST_HOSTS and dead >= BEGINS * tried:
                self.since = min(at for at, unreachable in self._last.values() if unreachable)
                return True
            return False
        if dead < tried and not next(reversed(self._last.values()))[1]:
            # A network that carries one answer is back; what failed before says nothing about it.
            self.since, self.ended = None, now
            self._last = OrderedDict((host, seen) for host, seen in self._last.items() if not seen[1])
            self._dead = 0
            return True
        return False
