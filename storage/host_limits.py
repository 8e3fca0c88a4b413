"""The three limits that a request is under, and the limiter that keeps them within one process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from config.model import Politeness
from storage.domains import registrable

#: A crowded host or outlet is asked again after this, if nothing is given back before.
CROWDED_MS = 250
#: Entries of the limiter in this process before the idle ones are dropped.
_SWEEP_AT = 4096

#: Half-life of what was learned from a host that said it is asked too much.
RECOVERY_MS = 3_600_000
#: Such answers within this time are one.
TOGETHER_MS = 5_000
#: Least and longest interval that is learned.
LEAST_LEARNED_MS = 1_000
MOST_LEARNED_MS = 300_000


@dataclass(frozen=True, slots=True)
class Granted:
    """The request may start now; give the slot back when it has ended."""

    slot: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again after `ms` milliseconds."""

    ms: int
    #: blocked (Retry-After), delay (the last request was a moment ago), host, domain or outlet (too many in flight).
    reason: str


class Scope(StrEnum):
    """What a limit holds for; a request counts against all three."""

    HOST = "host"
    DOMAIN = "domain"
    OUTLET = "outlet"


@dataclass(frozen=True, slots=True)
class Limit:
    """One of the three limits that a request is under."""

    scope: Scope
    name: str
    delay_ms: int
    concurrency: int


def limits_of(host: str, outlet: str, politeness: Politeness) -> tuple[Limit, Limit, Limit]:
    """The limits of a request to `host` for `outlet`."""
    return (
        Limit(Scope.HOST, host, _ms(politeness.delay), politeness.concurrency),
        Limit(Scope.DOMAIN, registrable(host), _ms(politeness.domain_delay), politeness.domain_concurrency),
        Limit(Scope.OUTLET, outlet, _ms(politeness.outlet_delay), politeness.outlet_concurrency),
    )


@dataclass(slots=True)
class _Place:
    """What is going on at a host, a domain or an outlet."""

    next: float = 0.0
    until: float = 0.0
    slots: dict[str, float] = field(default_factory=dict)
    #: Interval learned from a host that was asked too much, and when.
    learned: float = 0.0
    learned_at: float = float("-inf")
    #: Interval of the last request.
    delay: float = 0.0

    def idle(self, now: float) -> bool:
        self.expire(now)
        return not self.slots and self.next <= now and self.until <= now and self.remembered(now) < LEAST_LEARNED_MS

    def expire(self, now: float) -> None:
        for slot in [slot for slot, ends in self.slots.items() if ends <= now]:
            del self.slots[slot]

    def remembered(self, now: float) -> float:
        """What is left of the learned interval."""
        return float(self.learned * 0.5 ** ((now - self.learned_at) / RECOVERY_MS)) if self.learned else 0.0


class LocalBudget:
    """The limiter of one process; `now` is monotonic milliseconds."""

    def __init__(self) -> None:
        self._places: dict[tuple[Scope, str], _Place] = {}

    def check(self, limits: Sequence[Limit], now: float) -> Wait | None:
        """None when a request may start."""
        known = [(limit, place) for limit in limits if (place := self._places.get((limit.scope, limit.name)))]
        for _, place in known:
            if place.until > now:
                return Wait(_ceil(place.until - now), "blocked")
        for _, place in known:
            if place.next > now:
                return Wait(_ceil(place.next - now), "delay")
        for limit, place in known:
            place.expire(now)
            if len(place.slots) >= limit.concurrency:
                return Wait(CROWDED_MS, limit.scope.value)
        return None

    def take(self, limits: Sequence[Limit], slot: str, now: float, ttl: float) -> None:
        """A request starts."""
        if len(self._places) >= _SWEEP_AT:
            self._places = {name: place for name, place in self._places.items() if not place.idle(now)}
        for limit in limits:
            place = self._places.setdefault((limit.scope, limit.name), _Place())
            place.delay = max(limit.delay_ms, place.remembered(now))
            place.next = now + place.delay
            place.slots[slot] = now + ttl

    def correct(self, limits: Sequence[Limit], starts: Sequence[float]) -> None:
        """What Redis knows better: the next starts."""
        for limit, start in zip(limits, starts, strict=True):
            if (place := self._places.get((limit.scope, limit.name))) is not None:
                place.next = start

    def next_starts(self, limits: Sequence[Limit]) -> list[float]:
        """The earliest next starts that were recorded."""
        return [
            place.next if (place := self._places.get((limit.scope, limit.name))) is not None else 0.0
            for limit in limits
        ]

    def give_back(self, limits: Sequence[Limit], slot: str, now: float) -> None:
        """A request has ended."""
        for limit in limits:
            place = self._places.get((limit.scope, limit.name))
            if place is None:
                continue
            place.slots.pop(slot, None)
            if limit.scope is not Scope.HOST and place.idle(now):
                del self._places[limit.scope, limit.name]

    def block(self, host: str, until: float) -> None:
        """No request before `until`."""
        place = self._places.setdefault((Scope.HOST, host), _Place())
        place.until = max(place.until, until)

    def slow_down(self, host: str, now: float, interval: float | None = None) -> None:
        """Ask at twice the interval from now on, or at `interval` when Redis says so."""
        place = self._places.setdefault((Scope.HOST, host), _Place())
        left = place.remembered(now)
        if interval is None:
            if now - place.learned_at <= max(left, TOGETHER_MS):
                return
            interval = min(2 * max(left, place.delay, LEAST_LEARNED_MS), MOST_LEARNED_MS)
        place.learned, place.learned_at = interval, now


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)


def _ceil(ms: float) -> int:
    return max(1, int(-(-ms // 1)))
