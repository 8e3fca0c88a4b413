from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from storage.leases import Lease, LeaseLostError, Leases
from storage.redis import RedisUnavailableError, connect

pytestmark = pytest.mark.redis

TTL = timedelta(seconds=30)
SHORT = timedelta(milliseconds=150)


async def test_only_one_of_many_racing_holders_gets_a_lease(redis: Redis) -> None:
    leases = Leases(redis)
    won = await asyncio.gather(*(leases.acquire("kontan/rss", f"w{n}", TTL) for n in range(50)))
    assert len([lease for lease in won if lease]) == 1


async def test_the_token_grows_with_every_holder(redis: Redis) -> None:
    leases = Leases(redis)
    tokens = []
    for holder in ("a", "b", "a"):
        lease = await leases.acquire("s", holder, TTL)
        assert lease is not None
        tokens.append(lease.token)
        assert await leases.release(lease)
    assert tokens == [1, 2, 3]


async def test_the_floor_keeps_tokens_growing_when_redis_lost_them(redis: Redis) -> None:
    leases = Leases(redis)
    first = await leases.acquire("s", "a", TTL, floor=41)
    assert first is not None
    assert first.token == 42
    await redis.flushall()
    second = await leases.acquire("s", "b", TTL, floor=first.token)
    assert second is not None
    assert second.token == 43


async def test_large_tokens_stay_exact(redis: Redis) -> None:
    leases = Leases(redis)
    for floor in (10**14, 10**15, 2**53 - 3):
        lease = await leases.acquire("s", "a", TTL, floor=floor)
        assert lease is not None
        assert lease.token == floor + 1
        assert await leases.renew(lease)
        assert await leases.release(lease)


async def test_a_lease_runs_out_by_itself_and_the_late_holder_cannot_renew_or_release(redis: Redis) -> None:
    leases = Leases(redis)
    old = await leases.acquire("s", "a", timedelta(milliseconds=20))
    assert old is not None
    new = None
    while new is None:
        new = await leases.acquire("s", "b", TTL)
    assert new.token > old.token
    assert not await leases.renew(old)
    assert not await leases.release(old)
    assert await leases.holder("s") == "b"


async def test_the_same_holder_cannot_take_a_name_twice(redis: Redis) -> None:
    leases = Leases(redis)
    assert await leases.acquire("s", "a", TTL)
    assert await leases.acquire("s", "a", TTL) is None


async def test_a_lease_of_the_dead_is_free_at_once_and_what_they_wrote_is_older(redis: Redis) -> None:
    leases = Leases(redis, is_dead=lambda holder: holder == "host:17")
    old = await leases.acquire("s", "host:17", TTL)
    assert old is not None
    new = await leases.acquire("s", "host:18", TTL)
    assert new is not None
    assert new.token > old.token
    assert not await leases.renew(old)
    assert await leases.acquire("s", "host:19", TTL) is None
    assert not await leases.is_free("s")
    assert await leases.release(new)
    assert await leases.is_free("s")


async def test_a_holder_takes_its_lease_back_after_a_flush(redis: Redis) -> None:
    leases = Leases(redis)
    lease = await leases.acquire("s", "a", TTL)
    assert lease is not None
    await redis.flushall()
    assert await leases.renew(lease)
    assert await leases.holder("s") == "a"


async def test_a_lease_that_another_had_meanwhile_is_not_taken_back(redis: Redis) -> None:
    leases = Leases(redis)
    old = await leases.acquire("s", "a", TTL, floor=5)
    assert old is not None
    await redis.flushall()
    new = await leases.acquire("s", "b", TTL, floor=old.token)
    assert new is not None
    assert await leases.release(new)
    assert not await leases.renew(old)


async def test_a_held_lease_outlives_its_time_and_is_released_at_the_end(redis: Redis) -> None:
    leases = Leases(redis)
    lease = await leases.acquire("s", "a", SHORT)
    assert lease is not None
    async with leases.held(lease) as held:
        await asyncio.sleep(SHORT.total_seconds() * 2)
        assert not held.lost.is_set()
        assert await leases.holder("s") == "a"
    assert await leases.holder("s") is None


async def test_a_holder_learns_that_its_lease_went_to_another(redis: Redis) -> None:
    leases = Leases(redis)
    lease = await leases.acquire("s", "a", SHORT)
    assert lease is not None
    async with leases.held(lease) as held:
        await redis.delete("warta:lease:s")
        assert await leases.acquire("s", "b", TTL)
        await asyncio.wait_for(held.lost.wait(), 5)
    assert await leases.holder("s") == "b"


async def test_a_cancelling_hold_ends_the_work_when_the_lease_is_lost(redis: Redis) -> None:
    leases = Leases(redis)
    lease = await leases.acquire("s", "a", SHORT)
    assert lease is not None

    async def work() -> None:
        async with leases.held(lease, cancel=True):
            await redis.delete("warta:lease:s")
            assert await leases.acquire("s", "b", TTL)
            await asyncio.sleep(60)

    with pytest.raises(LeaseLostError):
        await work()


async def test_a_holder_gives_up_when_redis_is_silent_until_its_time_is_over(redis: Redis) -> None:
    leases = Leases(redis)
    lease = await leases.acquire("s", "a", SHORT)
    assert lease is not None
    away = Leases(connect("unix:///nowhere/valkey.sock"))
    async with asyncio.timeout(5), away.held(lease) as held:
        await held.lost.wait()


async def test_a_hold_survives_a_moment_without_redis(redis: Redis) -> None:
    leases = Leases(redis)
    lease = await leases.acquire("s", "a", timedelta(seconds=1))
    assert lease is not None
    async with leases.held(lease) as held:
        await redis.client_pause(500, all=True)
        await asyncio.sleep(1.2)
        assert not held.lost.is_set()


async def test_of_two_schedulers_one_leads_and_the_other_follows_when_it_ends(redis: Redis) -> None:
    leases = Leases(redis)
    led: list[str] = []
    leading = asyncio.Event()
    done = asyncio.Event()

    async def scheduler(name: str) -> None:
        async with leases.leader("scheduler", name, SHORT):
            led.append(name)
            leading.set()
            await done.wait()

    first = asyncio.create_task(scheduler("one"))
    await asyncio.wait_for(leading.wait(), 5)
    second = asyncio.create_task(scheduler("two"))
    await asyncio.sleep(SHORT.total_seconds() * 2)
    assert led == ["one"]
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    leading.clear()
    await asyncio.wait_for(leading.wait(), 5)
    done.set()
    await second
    assert led == ["one", "two"]


async def test_without_redis_nobody_holds_and_the_error_says_so() -> None:
    leases = Leases(connect("unix:///nowhere/valkey.sock"))
    with pytest.raises(RedisUnavailableError, match="could not lease s"):
        await leases.acquire("s", "a", TTL)


class Deaf(Leases):
    """Whose renewals lose a cancellation, as a client's own time-out can."""

    async def renew(self, lease: Lease) -> bool:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)
        return await super().renew(lease)


async def test_a_hold_ends_although_its_cancellation_gets_lost(redis: Redis) -> None:
    leases = Deaf(redis)
    async with asyncio.timeout(5):
        for pause in (0.06, 0.08, 0.1):
            lease = await leases.acquire("s", "a", SHORT)
            assert lease is not None
            async with leases.held(lease):
                await asyncio.sleep(pause)
