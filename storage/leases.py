"""Leases with fencing tokens: who may work on a source, and who leads the schedulers.

A lease is a key that expires; its token grows with every holder, so that the database can refuse
what a stale holder still writes. The token's memory in Redis may vanish with Redis; `floor`, the
highest token the database has seen, keeps it growing even then.

A holder counts its time on its own monotonic clock from before it asked, so it gives up no later
than Redis does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis

from storage.redis import FAILURES, RedisUnavailableError, reason_of

_T = TypeVar("_T")

_log = structlog.get_logger("storage.leases")

#: A fence outlives its last lease by this; the database's floor covers what comes later.
_FENCE_MS = 30 * 86_400_000

# Tokens are written with %.0f: Lua's tostring turns 1e15 and above into floating notation.
_ACQUIRE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local token = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
local floor = tonumber(ARGV[3])
if floor > token then token = floor end
local text = string.format('%.0f', token + 1)
redis.call('SET', KEYS[2], text, 'PX', ARGV[4])
redis.call('SET', KEYS[1], text .. ':' .. ARGV[1], 'PX', ARGV[2])
return tonumber(text)
"""

# A lease that vanished with a flushed or restarted server is taken back by its holder, as long as
# nobody has had it since: every other holder would have left a higher fence.
_RENEW = """
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if held then return 0 end
local fence = redis.call('GET', KEYS[2])
if fence and fence ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A right to work on `name`, for `ttl` after `since`."""

    name: str
    holder: str
    #: Greater than that of every holder before.
    token: int
    ttl: timedelta
    #: Monotonic seconds, taken before Redis was asked.
    since: float


@dataclass(slots=True)
class Held:
    """A lease being renewed in the background."""

    lease: Lease
    #: Set when it can no longer be relied upon: stop writing.
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    #: The block was left. Said besides cancelling: a cancellation can get lost in the time-outs of a client, and
    #: renewing would then go on for ever.
    is_over: bool = False

    @property
    def token(self) -> int:
        """The fencing token."""
        return self.lease.token


class LeaseLostError(Exception):
    """The lease ran out or went to another while it was being used."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"the lease on {lease.name} (token {lease.token}) was lost by {lease.holder}")
        self.lease = lease


class Leases:
    """Acquires, renews and releases leases.

    Every method raises :class:`storage.redis.RedisUnavailableError` when Redis fails: whoever cannot ask
    does not hold. After a lost answer to :meth:`acquire` the name stays taken until its `ttl` is over.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        prefix: str = "warta",
        is_dead: Callable[[str], bool] = lambda holder: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_dead` tells of a holder whether it is known to be gone; nobody waits for its leases to run out."""
        self._redis = redis
        self._prefix = prefix
        self._is_dead = is_dead
        self._monotonic = monotonic
        self._acquire = redis.register_script(_ACQUIRE)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)

    async def acquire(self, name: str, holder: str, ttl: timedelta, floor: int = 0) -> Lease | None:
        """The lease, or None while somebody holds it (the same `holder` included) who is not known to be dead.

        Its token is max(last token, floor) + 1.
        """
        arguments: list[str | int] = [holder, _ms(ttl), floor, _FENCE_MS]

        async def ask() -> tuple[int, float]:
            since = self._monotonic()
            token: Any = await _ask(f"lease {name}", self._acquire(keys=self._keys(name), args=arguments))
            return int(token), since

        token, since = await ask()
        if not token and await self.is_free(name):
            token, since = await ask()
        if not token:
            return None
        return Lease(name=name, holder=holder, token=token, ttl=ttl, since=since)

    async def renew(self, lease: Lease) -> bool:
        """Another `ttl` from now; False when it belongs to somebody else."""
        arguments: list[str | int] = [_value(lease), _ms(lease.ttl), lease.token, _FENCE_MS]
        reply = await _ask(f"renew {lease.name}", self._renew(keys=self._keys(lease.name), args=arguments))
        return bool(reply)

    async def release(self, lease: Lease) -> bool:
        """Give it back; False when it was not ours any more."""
        keys = self._keys(lease.name)[:1]
        return bool(await _ask(f"release {lease.name}", self._release(keys=keys, args=[_value(lease)])))

    async def is_free(self, name: str) -> bool:
        """Whether nobody holds it; the lease of a holder that is known to be dead is ended.

        The fence stays, so what that holder might still write is refused all the same.
        """
        value = await self._read(name)
        if value is None:
            return True
        holder, keys = _holder(value), self._keys(name)[:1]
        return self._is_dead(holder) and bool(await _ask(f"evict {holder}", self._release(keys=keys, args=[value])))

    async def holder(self, name: str) -> str | None:
        """Who holds `name` now."""
        value = await self._read(name)
        return None if value is None else _holder(value)

    async def _read(self, name: str) -> bytes | None:
        value: Any = await _ask(f"read {name}", self._redis.get(self._keys(name)[0]))
        return None if value is None else bytes(value)

    @asynccontextmanager
    async def held(self, lease: Lease, *, cancel: bool = False) -> AsyncIterator[Held]:
        """Renew in the background for the length of the block, then release.

        When renewal fails until the lease's time is over, `Held.lost` is set; with `cancel` the block
        is cancelled as well and :class:`LeaseLostError` raised in its place.
        """
        held = Held(lease)
        owner = asyncio.current_task() if cancel else None
        keeper = asyncio.create_task(self._keep(held, owner), name=f"lease {lease.name}")
        try:
            yield held
        except asyncio.CancelledError:
            if owner is not None and held.lost.is_set() and owner.uncancel() == 0:
                raise LeaseLostError(lease) from None
            raise
        finally:
            held.is_over = True
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            if not held.lost.is_set():
                with suppress(RedisUnavailableError):
                    await self.release(lease)

    @asynccontextmanager
    async def leader(
        self, name: str, holder: str, ttl: timedelta = timedelta(seconds=15), floor: int = 0
    ) -> AsyncIterator[Held]:
        """Wait until `name` can be had, then hold it; the way one scheduler of many is active."""
        waiting = False
        while True:
            try:
                lease = await self.acquire(name, holder, ttl, floor)
            except RedisUnavailableError as error:
                lease = None
                if not waiting:
                    _log.warning("leadership cannot be asked for", name=name, reason=str(error))
                waiting = True
            if lease is not None:
                break
            await asyncio.sleep(ttl.total_seconds() / 3)
        _log.info("leads", name=name, holder=holder, token=lease.token)
        async with self.held(lease) as held:
            yield held

    async def _keep(self, held: Held, owner: asyncio.Task[Any] | None) -> None:
        lease = held.lease
        ttl = lease.ttl.total_seconds()
        ends = lease.since + ttl
        reason = "its time ran out"
        pause = ttl / 3
        while (left := ends - self._monotonic()) > 0:
            await asyncio.sleep(min(pause, left))
            asked = self._monotonic()
            if asked >= ends:
                break
            try:
                async with asyncio.timeout(ends - asked):
                    mine = await self.renew(lease)
            except (RedisUnavailableError, TimeoutError) as error:
                if held.is_over:
                    return
                reason = reason_of(error)
                pause = ttl / 10
                continue
            if held.is_over:
                return
            if not mine:
                reason = "another holds it"
                break
            ends, pause = asked + ttl, ttl / 3
        held.lost.set()
        _log.warning("lease lost", name=lease.name, token=lease.token, reason=reason)
        if owner is not None:
            owner.cancel()

    def _keys(self, name: str) -> list[str]:
        return [f"{self._prefix}:lease:{name}", f"{self._prefix}:fence:{name}"]


def _ms(span: timedelta) -> int:
    return max(1, int(span.total_seconds() * 1000))


def _value(lease: Lease) -> str:
    return f"{lease.token}:{lease.holder}"


def _holder(value: bytes) -> str:
    return value.partition(b":")[2].decode("utf-8", "replace")


async def _ask(action: str, reply: Awaitable[_T]) -> _T:
    try:
        return await reply
    except FAILURES as error:
        raise RedisUnavailableError(action, error) from error
