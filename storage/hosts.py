"""The budget of requests: per host and per outlet, joint over all sources and all workers.

Two limiters of the same semantics stand one behind the other. The one in this process answers first
and costs nothing; what it allows is then asked of Redis, which knows the other workers. When Redis is
away the first one alone decides, so a worker is never less polite than it would be by itself.

Only the head of a host's line in this process asks, so thousands of waiting fetches cost nothing.
Lines go round the outlets that wait for a host: one with many sources does not hold up another.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from redis.asyncio import Redis

from config.model import Politeness
from storage.redis import FAILURES, reason_of

_log = structlog.get_logger("storage.hosts")

#: A crowded host or outlet is asked again after this, if nothing is given back before.
_CROWDED_MS = 250
#: Entries of the limiter in this process before the idle ones are dropped.
_SWEEP_AT = 4096

_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local delay, ttl = tonumber(ARGV[1]), tonumber(ARGV[4])
local known = redis.call('HMGET', KEYS[1], 'next', 'until')
local held = tonumber(known[2] or '0') - now
if held > 0 then return {0, held, 'blocked'} end
local early = tonumber(known[1] or '0') - now
if early > 0 then return {0, early, 'delay'} end
local function crowded(key, most)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  return redis.call('ZCARD', key) >= most
end
if crowded(KEYS[2], tonumber(ARGV[2])) then return {0, tonumber(ARGV[6]), 'host'} end
if crowded(KEYS[3], tonumber(ARGV[3])) then return {0, tonumber(ARGV[6]), 'outlet'} end
redis.call('ZADD', KEYS[2], now + ttl, ARGV[5])
redis.call('ZADD', KEYS[3], now + ttl, ARGV[5])
redis.call('PEXPIRE', KEYS[2], ttl)
redis.call('PEXPIRE', KEYS[3], ttl)
if delay > 0 then
  redis.call('HSET', KEYS[1], 'next', string.format('%.0f', now + delay))
  if redis.call('PTTL', KEYS[1]) < delay then redis.call('PEXPIRE', KEYS[1], delay) end
end
return {1, 0, ''}
"""

_RELEASE = """
return redis.call('ZREM', KEYS[1], ARGV[1]) + redis.call('ZREM', KEYS[2], ARGV[1])
"""

_BLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local span = tonumber(ARGV[1])
local held = tonumber(redis.call('HGET', KEYS[1], 'until') or '0') - now
if held < span then
  held = span
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + span))
  if redis.call('PTTL', KEYS[1]) < span then redis.call('PEXPIRE', KEYS[1], span) end
end
return held
"""


@dataclass(frozen=True, slots=True)
class Granted:
    """The request may start now; give the slot back when it has ended."""

    slot: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again after `ms` milliseconds."""

    ms: int
    #: blocked (Retry-After), delay (the last request was a moment ago), host or outlet (too many in flight).
    reason: str


class TurnRefusedError(Exception):
    """The turn would come later than the caller has patience for."""

    def __init__(self, host: str, wait: timedelta, reason: str) -> None:
        super().__init__(f"{host} is not free for another {wait.total_seconds():.0f} s ({reason})")
        self.host = host
        self.wait = wait
        self.reason = reason


@dataclass(slots=True)
class _Host:
    next: float = 0.0
    until: float = 0.0
    slots: dict[str, float] = field(default_factory=dict)

    def idle(self, now: float) -> bool:
        _expire(self.slots, now)
        return not self.slots and self.next <= now and self.until <= now


def _expire(slots: dict[str, float], now: float) -> None:
    for slot in [slot for slot, ends in slots.items() if ends <= now]:
        del slots[slot]


class LocalBudget:
    """The limiter of one process; `now` is monotonic milliseconds."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}
        self._outlets: dict[str, dict[str, float]] = {}

    def check(self, host: str, outlet: str, politeness: Politeness, now: float) -> Wait | None:
        """None when a request may start."""
        state = self._hosts.get(host)
        if state is not None:
            if state.until > now:
                return Wait(_ceil(state.until - now), "blocked")
            if state.next > now:
                return Wait(_ceil(state.next - now), "delay")
            _expire(state.slots, now)
            if len(state.slots) >= politeness.concurrency:
                return Wait(_CROWDED_MS, "host")
        slots = self._outlets.get(outlet)
        if slots is not None:
            _expire(slots, now)
            if len(slots) >= politeness.outlet_concurrency:
                return Wait(_CROWDED_MS, "outlet")
        return None

    def take(self, host: str, outlet: str, politeness: Politeness, slot: str, now: float, ttl: float) -> None:
        """A request starts."""
        if len(self._hosts) >= _SWEEP_AT:
            self._hosts = {name: state for name, state in self._hosts.items() if not state.idle(now)}
        state = self._hosts.setdefault(host, _Host())
        state.next = now + politeness.delay.total_seconds() * 1000
        state.slots[slot] = now + ttl
        self._outlets.setdefault(outlet, {})[slot] = now + ttl

    def correct(self, host: str, next_at: float) -> None:
        """What Redis knows better: the next start at `host`."""
        if (state := self._hosts.get(host)) is not None:
            state.next = next_at

    def next_start(self, host: str) -> float:
        """The earliest next start at `host` that was recorded."""
        return state.next if (state := self._hosts.get(host)) is not None else 0.0

    def give_back(self, host: str, outlet: str, slot: str) -> None:
        """A request has ended."""
        if (state := self._hosts.get(host)) is not None:
            state.slots.pop(slot, None)
        if (slots := self._outlets.get(outlet)) is not None:
            slots.pop(slot, None)
            if not slots:
                del self._outlets[outlet]

    def block(self, host: str, until: float) -> None:
        """No request before `until`."""
        state = self._hosts.setdefault(host, _Host())
        state.until = max(state.until, until)


class _Line:
    """Who waits for one host in this process; the head alone may ask."""

    __slots__ = ("_held", "_waiting", "freed")

    def __init__(self) -> None:
        self._held = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        #: Set when a slot was given back in this process.
        self.freed = asyncio.Event()

    @property
    def empty(self) -> bool:
        return not self._held and not self._waiting

    async def join(self, outlet: str) -> None:
        """Returns at the head."""
        if not self._held:
            self._held = True
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(outlet, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Let the next one be the head; the outlets take turns."""
        while self._waiting:
            outlet, places = next(iter(self._waiting.items()))
            self._waiting.move_to_end(outlet)
            place = places.popleft()
            if not places:
                del self._waiting[outlet]
            if not place.done():
                place.set_result(None)
                return
        self._held = False


class HostBudget:
    """Turns at hosts. Never raises for Redis's sake.

    A slot whose holder died frees itself after `slot_ttl`, which must be longer than the longest
    request. `holder` makes slots distinct over workers.
    """

    def __init__(
        self,
        redis: Redis,
        holder: str,
        *,
        prefix: str = "warta",
        slot_ttl: timedelta = timedelta(seconds=120),
        changed: Callable[[str | None], None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._holder = holder
        self._prefix = prefix
        self._slot_ttl = slot_ttl.total_seconds() * 1000
        self._changed = changed
        self._clock = clock
        self._monotonic = monotonic
        self._numbers = itertools.count()
        self._local = LocalBudget()
        self._lines: dict[str, _Line] = {}
        #: Lines whose head waits for a slot of the outlet.
        self._crowded: dict[str, set[_Line]] = {}
        self._resume_at = float("-inf")
        self._degraded: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reserve = redis.register_script(_RESERVE)
        self._release = redis.register_script(_RELEASE)
        self._block = redis.register_script(_BLOCK)

    @property
    def degraded(self) -> str | None:
        """Why limits hold in this process only, None when they are joint."""
        return self._degraded

    @asynccontextmanager
    async def turn(
        self, host: str, outlet: str, politeness: Politeness, *, patience: timedelta | None = None
    ) -> AsyncIterator[timedelta]:
        """Wait for a turn at `host`, hold it for the block; yields how long it took.

        Raises :class:`TurnRefusedError` as soon as it is known that the wait exceeds `patience`.
        """
        began = self._monotonic()
        slot = await self._take(host, outlet, politeness, began, patience)
        try:
            yield timedelta(seconds=self._monotonic() - began)
        finally:
            await self.release(host, outlet, slot)

    async def reserve(self, host: str, outlet: str, politeness: Politeness) -> Granted | Wait:
        """One attempt, for callers that keep their own time; :meth:`release` what was granted."""
        now = self._monotonic() * 1000
        wait = self._local.check(host, outlet, politeness, now)
        if wait is not None:
            return wait
        slot = f"{self._holder}:{next(self._numbers)}"
        # Taken here before Redis is asked, so that nobody else passes while the answer is on its way.
        before = self._local.next_start(host)
        self._local.take(host, outlet, politeness, slot, now, self._slot_ttl)
        try:
            answer = await self._ask_redis(host, outlet, politeness, slot)
        except asyncio.CancelledError:
            self._later(self.release(host, outlet, slot))
            raise
        if answer is None:
            return Granted(slot)
        self._local.give_back(host, outlet, slot)
        self._local.correct(host, now + answer.ms if answer.reason == "delay" else before)
        if answer.reason == "blocked":
            self._local.block(host, now + answer.ms)
        return answer

    async def release(self, host: str, outlet: str, slot: str) -> None:
        """The request has ended; whoever waits in this process is woken."""
        self._local.give_back(host, outlet, slot)
        if (line := self._lines.get(host)) is not None:
            line.freed.set()
        for line in self._crowded.pop(outlet, ()):
            line.freed.set()
        await self._try(self._release, keys=self._slot_keys(host, outlet), args=[slot])

    async def block(self, host: str, until: datetime) -> None:
        """No request to `host` by any worker before `until` (Retry-After); never shortens a block."""
        span = int((until - self._clock()).total_seconds() * 1000)
        if span <= 0:
            return
        now = self._monotonic() * 1000
        self._local.block(host, now + span)
        held = await self._try(self._block, keys=[self._host_key(host)], args=[span])
        if held is not None:
            self._local.block(host, now + held)

    async def _take(
        self, host: str, outlet: str, politeness: Politeness, began: float, patience: timedelta | None
    ) -> str:
        line = self._lines.get(host)
        if line is None:
            line = self._lines[host] = _Line()
        await line.join(outlet)
        try:
            while True:
                line.freed.clear()
                answer = await self.reserve(host, outlet, politeness)
                if isinstance(answer, Granted):
                    return answer.slot
                waited = timedelta(seconds=self._monotonic() - began)
                if patience is not None and waited + timedelta(milliseconds=answer.ms) > patience:
                    raise TurnRefusedError(host, timedelta(milliseconds=answer.ms), answer.reason)
                await self._pause(line, outlet, answer)
        finally:
            line.leave()
            if line.empty:
                self._lines.pop(host, None)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it although the caller is being cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pause(self, line: _Line, outlet: str, answer: Wait) -> None:
        """Until it is worth asking again; workers that were told the same time come one by one."""
        spread = random.random() * min(50.0, answer.ms * 0.1)  # noqa: S311 - no secret
        seconds = (answer.ms + spread) / 1000
        if answer.reason not in {"host", "outlet"}:
            await asyncio.sleep(seconds)
            return
        if answer.reason == "outlet":
            self._crowded.setdefault(outlet, set()).add(line)
        try:
            async with asyncio.timeout(seconds):
                await line.freed.wait()
        except TimeoutError:
            pass
        finally:
            if (lines := self._crowded.get(outlet)) is not None:
                lines.discard(line)
                if not lines:
                    del self._crowded[outlet]

    async def _ask_redis(self, host: str, outlet: str, politeness: Politeness, slot: str) -> Wait | None:
        arguments: list[str | int] = [
            int(politeness.delay.total_seconds() * 1000),
            politeness.concurrency,
            politeness.outlet_concurrency,
            int(self._slot_ttl),
            slot,
            _CROWDED_MS,
        ]
        keys = [self._host_key(host), *self._slot_keys(host, outlet)]
        reply = await self._try(self._reserve, keys=keys, args=arguments)
        if reply is None or reply[0] == 1:
            return None
        return Wait(max(1, int(reply[1])), reply[2].decode())

    async def _try(self, script: Callable[..., Any], **kwargs: Any) -> Any:
        """The reply, None when Redis fails; then it is left alone for a second."""
        if self._monotonic() < self._resume_at:
            return None
        try:
            reply = await script(**kwargs)
        except FAILURES as error:
            self._resume_at = self._monotonic() + 1.0
            self._note(reason_of(error))
            return None
        self._note(None)
        return reply

    def _note(self, reason: str | None) -> None:
        if (reason is None) == (self._degraded is None):
            return
        self._degraded = reason
        if reason is None:
            _log.info("host limits are joint again")
        else:
            _log.warning("host limits hold within this worker only", reason=reason)
        if self._changed is not None:
            self._changed(reason)

    def _host_key(self, host: str) -> str:
        return f"{self._prefix}:host:{host}"

    def _slot_keys(self, host: str, outlet: str) -> list[str]:
        return [f"{self._prefix}:slots:host:{host}", f"{self._prefix}:slots:outlet:{outlet}"]


def _ceil(ms: float) -> int:
    return max(1, int(-(-ms // 1)))
