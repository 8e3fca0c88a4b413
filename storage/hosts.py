"""The budget of requests: per host, per registrable domain and per outlet, joint over all sources and workers.

Two limiters of the same semantics stand one behind the other. The one in this process answers first
and costs nothing; what it allows is then asked of Redis, which knows the other workers. When Redis is
away the first one alone decides, so a worker is never less polite than it would be by itself.

Only the head of a host's line in this process asks, so thousands of waiting fetches cost nothing.
Lines go round the outlets that wait for a host: one with many sources does not hold up another.

A host that answers 429, or 503 with Retry-After, is left alone for as long as it asks, and asked at twice the
interval afterwards; what was learned so fades by half with each hour.

Redis counts by the wall clock of its machine. What lies further ahead than it was ever set to lie is from before
that clock went back: a host would else wait for as long as the clock jumped.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from redis.asyncio import Redis

from config.model import Politeness
from storage.domains import registrable
from storage.host_limits import (
    CROWDED_MS,
    LEAST_LEARNED_MS,
    MOST_LEARNED_MS,
    RECOVERY_MS,
    TOGETHER_MS,
    Granted,
    Limit,
    LocalBudget,
    Scope,
    Wait,
    limits_of,
)  # fmt: skip
from storage.redis import FAILURES, reason_of

_log = structlog.get_logger("storage.hosts")


# KEYS: three hashes, then three sorted sets of slots: of the host, its registrable domain and the outlet.
# ARGV: slot, its time, wait when crowded, then delay and concurrency of each of the three.
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl, names = tonumber(ARGV[2]), {'host', 'domain', 'outlet'}
local known = redis.call('HMGET', KEYS[1], 'until', 'learned', 'learned_at', 'span')
local held = tonumber(known[1] or '0') - now
if known[4] and held > tonumber(known[4]) then
  held = tonumber(known[4])
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + held))
end
if held > 0 then return {0, held, 'blocked'} end
local delays = {tonumber(ARGV[4]), tonumber(ARGV[6]), tonumber(ARGV[8])}
if known[2] then
  local age = math.max(0, now - tonumber(known[3]))
  delays[1] = math.max(delays[1], math.floor(tonumber(known[2]) * 0.5 ^ (age / HALF)))
end
for i = 1, 3 do
  local last = redis.call('HMGET', KEYS[i], 'next', 'delay')
  local early = tonumber(last[1] or '0') - now
  if early > 0 and not (last[2] and early > tonumber(last[2])) then return {0, early, 'delay', i} end
end
for i = 1, 3 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i + 3], '-inf', now)
  redis.call('ZREMRANGEBYSCORE', KEYS[i + 3], string.format('(%.0f', now + ttl), '+inf')
  if redis.call('ZCARD', KEYS[i + 3]) >= tonumber(ARGV[3 + 2 * i]) then
    return {0, tonumber(ARGV[3]), names[i]}
  end
end
for i = 1, 3 do
  redis.call('ZADD', KEYS[i + 3], now + ttl, ARGV[1])
  redis.call('PEXPIRE', KEYS[i + 3], ttl)
  if delays[i] > 0 then
    redis.call('HSET', KEYS[i], 'next', string.format('%.0f', now + delays[i]), 'delay', delays[i])
    if redis.call('PTTL', KEYS[i]) < delays[i] then redis.call('PEXPIRE', KEYS[i], delays[i]) end
  end
end
return {1, delays[1], ''}
""".replace("HALF", str(RECOVERY_MS))

_RELEASE = """
local freed = 0
for i = 1, #KEYS do freed = freed + redis.call('ZREM', KEYS[i], ARGV[1]) end
return freed
"""

# A host that says it is asked too much is asked at twice the interval from then on; the growth fades.
# Several answers to requests that were under way together count as one.
_BLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local span, most = tonumber(ARGV[1]), tonumber(ARGV[3])
local known = redis.call('HMGET', KEYS[1], 'until', 'learned', 'learned_at', 'delay', 'span')
local held = tonumber(known[1] or '0') - now
if held < span or (known[5] and held > tonumber(known[5])) then
  held = span
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + span), 'span', span)
end
local at, learned = tonumber(known[3] or '0'), 0
if known[2] then learned = tonumber(known[2]) * 0.5 ^ (math.max(0, now - at) / HALF) end
if at > now or now - at > math.max(learned, TOGETHER) then
  learned = math.min(2 * math.max(learned, tonumber(known[4] or '0'), tonumber(ARGV[2])), most)
  redis.call('HSET', KEYS[1], 'learned', math.floor(learned), 'learned_at', string.format('%.0f', now))
end
local life = math.max(span, 12 * HALF)
if redis.call('PTTL', KEYS[1]) < life then redis.call('PEXPIRE', KEYS[1], life) end
return {held, math.floor(learned)}
""".replace("HALF", str(RECOVERY_MS)).replace("TOGETHER", str(TOGETHER_MS))


class TurnRefusedError(Exception):
    """The turn would come later than the caller has patience for."""

    def __init__(self, host: str, wait: timedelta, reason: str) -> None:
        super().__init__(f"{host} is not free for another {wait.total_seconds():.0f} s ({reason})")
        self.host = host
        self.wait = wait
        self.reason = reason


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
        #: Lines whose head waits for a slot of the domain or the outlet.
        self._crowded: dict[tuple[Scope, str], set[_Line]] = {}
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
        limits = limits_of(host, outlet, politeness)
        wait = self._local.check(limits, now)
        if wait is not None:
            return wait
        slot = f"{self._holder}:{next(self._numbers)}"
        # Taken here before Redis is asked, so that nobody else passes while the answer is on its way.
        before = self._local.next_starts(limits)
        self._local.take(limits, slot, now, self._slot_ttl)
        try:
            answer, place = await self._ask_redis(limits, slot)
        except asyncio.CancelledError:
            self._later(self.release(host, outlet, slot))
            raise
        if answer is None:
            return Granted(slot)
        self._local.give_back(limits, slot, now)
        if answer.reason == "delay":
            before[place] = now + answer.ms
        self._local.correct(limits, before)
        if answer.reason == "blocked":
            self._local.block(host, now + answer.ms)
        return answer

    async def release(self, host: str, outlet: str, slot: str) -> None:
        """The request has ended; whoever waits in this process is woken."""
        limits = limits_of(host, outlet, _NO_LIMITS)
        self._local.give_back(limits, slot, self._monotonic() * 1000)
        if (line := self._lines.get(host)) is not None:
            line.freed.set()
        for limit in limits:
            for line in self._crowded.pop((limit.scope, limit.name), ()):
                line.freed.set()
        await self._try(self._release, keys=self._slot_keys(limits), args=[slot])

    async def block(self, host: str, until: datetime) -> None:
        """No request to `host` by any worker before `until` (Retry-After); never shortens a block."""
        span = int((until - self._clock()).total_seconds() * 1000)
        if span <= 0:
            return
        now = self._monotonic() * 1000
        self._local.block(host, now + span)
        self._local.slow_down(host, now)
        arguments = [span, LEAST_LEARNED_MS, MOST_LEARNED_MS]
        reply = await self._try(self._block, keys=[f"{self._prefix}:host:{host}"], args=arguments)
        if reply is not None:
            held, learned = int(reply[0]), int(reply[1])
            self._local.block(host, now + held)
            self._local.slow_down(host, now, learned)
            _log.info(
                "host asks for patience", host=host, seconds=round(held / 1000), interval=round(learned / 1000, 1)
            )

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
                await self._pause(line, host, outlet, answer)
        finally:
            line.leave()
            if line.empty:
                self._lines.pop(host, None)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it although the caller is being cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pause(self, line: _Line, host: str, outlet: str, answer: Wait) -> None:
        """Until it is worth asking again; workers that were told the same time come one by one."""
        spread = random.random() * min(50.0, answer.ms * 0.1)  # noqa: S311 - no secret
        seconds = (answer.ms + spread) / 1000
        if answer.reason not in set(Scope):
            await asyncio.sleep(seconds)
            return
        scope = Scope(answer.reason)
        name = outlet if scope is Scope.OUTLET else registrable(host) if scope is Scope.DOMAIN else host
        if scope is not Scope.HOST:
            self._crowded.setdefault((scope, name), set()).add(line)
        try:
            async with asyncio.timeout(seconds):
                await line.freed.wait()
        except TimeoutError:
            pass
        finally:
            if (lines := self._crowded.get((scope, name))) is not None:
                lines.discard(line)
                if not lines:
                    del self._crowded[scope, name]

    async def _ask_redis(self, limits: Sequence[Limit], slot: str) -> tuple[Wait | None, int]:
        """The wait, None when granted, and which of the limits asks for it."""
        arguments: list[str | int] = [slot, int(self._slot_ttl), CROWDED_MS]
        for limit in limits:
            arguments += [limit.delay_ms, limit.concurrency]
        hashes = [f"{self._prefix}:{limit.scope}:{limit.name}" for limit in limits]
        reply = await self._try(self._reserve, keys=[*hashes, *self._slot_keys(limits)], args=arguments)
        if reply is None or reply[0] == 1:
            return None, 0
        return Wait(max(1, int(reply[1])), reply[2].decode()), int(reply[3]) - 1 if len(reply) > 3 else 0

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

    def _slot_keys(self, limits: Sequence[Limit]) -> list[str]:
        return [f"{self._prefix}:slots:{limit.scope}:{limit.name}" for limit in limits]


#: For naming the places of a request that has been granted already.
_NO_LIMITS = Politeness(user_agent="")
