from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from config.model import Politeness
from storage.domains import registrable
from storage.host_limits import LEAST_LEARNED_MS, Granted, LocalBudget, Wait, limits_of
from storage.hosts import HostBudget, TurnRefusedError
from storage.redis import connect

pytestmark = pytest.mark.redis

HOST = "www.kontan.co.id"


def manners(delay: float = 0.0, concurrency: int = 1, outlet: int = 100) -> Politeness:
    return Politeness(
        user_agent="warta",
        delay=timedelta(seconds=delay),
        concurrency=concurrency,
        domain_delay=timedelta(0),
        domain_concurrency=1000,
        outlet_concurrency=outlet,
    )


def granted(answer: Granted | Wait) -> str:
    assert isinstance(answer, Granted)
    return answer.slot


async def test_a_second_request_waits_for_the_delay_also_when_another_worker_asks(redis: Redis) -> None:
    one, two = HostBudget(redis, "w1"), HostBudget(redis, "w2")
    slot = granted(await one.reserve(HOST, "kontan", manners(2)))
    await one.release(HOST, "kontan", slot)
    for budget in (one, two):
        answer = await budget.reserve(HOST, "kontan", manners(2))
        assert isinstance(answer, Wait)
        assert answer.reason == "delay"
        assert 1500 < answer.ms <= 2000
    granted(await two.reserve("other.host", "kontan", manners(2)))


async def test_requests_in_flight_are_limited_per_host_over_all_workers(redis: Redis) -> None:
    budgets = [HostBudget(redis, f"w{n}") for n in range(4)]
    answers = await asyncio.gather(*(b.reserve(HOST, "kontan", manners(concurrency=2)) for b in budgets))
    assert sum(isinstance(answer, Granted) for answer in answers) == 2
    assert {a.reason for a in answers if isinstance(a, Wait)} == {"host"}


async def test_requests_in_flight_are_limited_per_outlet_over_all_its_hosts(redis: Redis) -> None:
    one, two = HostBudget(redis, "w1"), HostBudget(redis, "w2")
    slot = granted(await one.reserve("a.kontan.co.id", "kontan", manners(outlet=1)))
    assert await two.reserve("b.kontan.co.id", "kontan", manners(outlet=1)) == Wait(250, "outlet")
    granted(await two.reserve("b.detik.com", "detik", manners(outlet=1)))
    await one.release("a.kontan.co.id", "kontan", slot)
    granted(await two.reserve("b.kontan.co.id", "kontan", manners(outlet=1)))


async def test_the_slot_of_a_dead_worker_frees_itself(redis: Redis) -> None:
    dead = HostBudget(redis, "dead", slot_ttl=timedelta(milliseconds=60))
    granted(await dead.reserve(HOST, "kontan", manners()))
    alive = HostBudget(redis, "alive")
    assert isinstance(await alive.reserve(HOST, "kontan", manners()), Wait)
    async with asyncio.timeout(5):
        while not isinstance(await alive.reserve(HOST, "kontan", manners()), Granted):
            await asyncio.sleep(0.01)


async def test_a_block_holds_for_all_workers_and_is_never_shortened(redis: Redis) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    one, two = (HostBudget(redis, name, clock=lambda: now) for name in ("w1", "w2"))
    await one.block(HOST, now + timedelta(seconds=60))
    await two.block(HOST, now + timedelta(seconds=5))
    await two.block(HOST, now - timedelta(seconds=5))
    for budget in (one, two, HostBudget(redis, "w3")):
        answer = await budget.reserve(HOST, "kontan", manners())
        assert isinstance(answer, Wait)
        assert answer.reason == "blocked"
        assert 55_000 < answer.ms <= 60_000


async def test_a_block_of_hours_is_not_waited_for(redis: Redis) -> None:
    one, two = HostBudget(redis, "w1"), HostBudget(redis, "w2")
    await one.block(HOST, datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(TurnRefusedError) as refused:
        async with two.turn(HOST, "kontan", manners(), patience=timedelta(seconds=30)):
            pass
    assert refused.value.reason == "blocked"
    assert refused.value.wait > timedelta(minutes=59)


async def test_a_block_outlives_a_flush_in_the_worker_that_heard_it(redis: Redis) -> None:
    budget = HostBudget(redis, "w1")
    await budget.block(HOST, datetime.now(UTC) + timedelta(minutes=1))
    await redis.flushall()
    assert isinstance(await budget.reserve(HOST, "kontan", manners()), Wait)


async def test_workers_sharing_a_host_keep_its_delay_and_all_get_their_turn(redis: Redis) -> None:
    starts: list[tuple[float, str]] = []
    delay = 0.05

    async def fetch(budget: HostBudget, name: str) -> None:
        async with budget.turn(HOST, "kontan", manners(delay)):
            starts.append((time.monotonic(), name))

    budgets = {name: HostBudget(redis, name) for name in ("w1", "w2", "w3")}
    async with asyncio.timeout(30):
        await asyncio.gather(*(fetch(budget, name) for name, budget in budgets.items() for _ in range(8)))
    times = sorted(at for at, _ in starts)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    # Redis keeps whole milliseconds, and a start is noted a moment after it was granted.
    assert sum(gaps) >= 23 * (delay - 0.002)
    assert len(starts) == 24
    assert Counter(name for _, name in starts) == dict.fromkeys(budgets, 8)


async def test_never_more_than_the_limits_are_in_flight(redis: Redis) -> None:
    flying: dict[str, int] = {}
    peak: dict[str, int] = {}

    async def fetch(budget: HostBudget, host: str) -> None:
        async with budget.turn(host, "kontan", manners(concurrency=2, outlet=3)):
            for name in (host, "outlet"):
                flying[name] = flying.get(name, 0) + 1
                peak[name] = max(peak.get(name, 0), flying[name])
            await asyncio.sleep(0.002)
            for name in (host, "outlet"):
                flying[name] -= 1

    budgets = [HostBudget(redis, f"w{n}") for n in range(3)]
    async with asyncio.timeout(60):
        await asyncio.gather(*(fetch(b, f"h{n % 3}") for b in budgets for n in range(60)))
    assert peak["outlet"] == 3
    assert max(peak[f"h{n}"] for n in range(3)) == 2
    assert not any(flying.values())


async def test_thousands_of_waiting_fetches_do_not_hammer_redis(redis: Redis) -> None:
    await redis.config_resetstat()
    budget = HostBudget(redis, "w1")
    turns = [asyncio.create_task(enter(budget, f"h{n % 5}", f"o{n % 50}", manners(30))) for n in range(3000)]
    async with asyncio.timeout(60):
        while await asked(redis) < 10:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    calls = await asked(redis)
    for turn in turns:
        turn.cancel()
    await asyncio.gather(*turns, return_exceptions=True)
    # A host grants one turn and takes it back; of the 599 behind it only the head asks, now and then.
    assert calls < 100
    assert not budget._lines


async def asked(redis: Redis) -> int:
    """How often turns were asked for, those given back included."""
    return sum(v["calls"] for k, v in (await redis.info("commandstats")).items() if k == "cmdstat_evalsha")


async def enter(budget: HostBudget, host: str, outlet: str, politeness: Politeness) -> None:
    async with budget.turn(host, outlet, politeness):
        pass


async def test_an_outlet_with_many_fetches_does_not_hold_up_another_at_the_same_host(redis: Redis) -> None:
    budget = HostBudget(redis, "w1")
    order: list[str] = []

    async def fetch(outlet: str) -> None:
        async with budget.turn("feeds.example", outlet, manners()):
            order.append(outlet)
            await asyncio.sleep(0)

    big = [asyncio.create_task(fetch("big")) for _ in range(200)]
    await asyncio.sleep(0)
    small = [asyncio.create_task(fetch("small")) for _ in range(5)]
    await asyncio.gather(*big, *small)
    assert order[:14].count("small") == 5


async def test_cancelled_waiters_leave_no_trace_and_block_nobody(redis: Redis) -> None:
    budget = HostBudget(redis, "w1")
    slot = granted(await budget.reserve(HOST, "kontan", manners()))
    waiters = [asyncio.create_task(enter(budget, HOST, "kontan", manners())) for _ in range(20)]
    await asyncio.sleep(0.01)
    for waiter in waiters[:-1]:
        waiter.cancel()
    await budget.release(HOST, "kontan", slot)
    await asyncio.wait_for(waiters[-1], 5)
    await asyncio.gather(*waiters[:-1], return_exceptions=True)
    assert not budget._lines
    assert isinstance(await budget.reserve(HOST, "kontan", manners()), Granted)


async def test_without_redis_each_worker_keeps_the_limits_by_itself() -> None:
    heard: list[str | None] = []
    budget = HostBudget(connect("unix:///nowhere/valkey.sock"), "w1", changed=heard.append)
    slot = granted(await budget.reserve(HOST, "kontan", manners(2)))
    assert isinstance(await budget.reserve(HOST, "kontan", manners(2)), Wait)
    await budget.release(HOST, "kontan", slot)
    answer = await budget.reserve(HOST, "kontan", manners(2))
    assert isinstance(answer, Wait)
    assert answer.reason == "delay"
    assert budget.degraded is not None
    assert len(heard) == 1


async def test_limits_are_joint_again_when_redis_comes_back(redis: Redis) -> None:
    now = 0.0
    budget = HostBudget(redis, "w1", monotonic=lambda: now)
    await redis.replicaof("127.0.0.1", "1")
    granted(await budget.reserve("a.example", "o", manners()))
    assert "read only" in (budget.degraded or "")
    await redis.replicaof("no", "one")
    now = 2.0
    granted(await budget.reserve("b.example", "o", manners()))
    assert budget.degraded is None


def test_hosts_at_rest_are_forgotten() -> None:
    local = LocalBudget()
    for n in range(20_000):
        host = f"h{n}.example"
        assert local.check(limits_of(host, host, manners(1)), now=n * 10.0) is None
        local.take(limits_of(host, host, manners(1)), "s", now=n * 10.0, ttl=100.0)
        local.give_back(limits_of(host, host, manners(1)), "s", n * 10.0)
    assert len(local._places) <= 4099


# -- domains, outlets, and what a host teaches


def wide(**limits: float) -> Politeness:
    """No limits but those given; delays in seconds."""
    spans = {name: timedelta(seconds=value) for name, value in limits.items() if name.endswith("delay")}
    counts = {name: int(value) for name, value in limits.items() if name.endswith("concurrency")}
    free = {"delay": timedelta(0), "domain_delay": timedelta(0), "outlet_delay": timedelta(0)}
    many = {"concurrency": 1000, "domain_concurrency": 1000, "outlet_concurrency": 1000}
    return Politeness(user_agent="warta", **{**free, **many, **spans, **counts})


async def test_requests_in_flight_are_limited_per_registrable_domain_whoever_asks(redis: Redis) -> None:
    one, two = HostBudget(redis, "w1"), HostBudget(redis, "w2")
    manners = wide(domain_concurrency=1)
    slot = granted(await one.reserve("nasional.kontan.co.id", "kontan", manners))
    for budget in (one, two):
        assert await budget.reserve("industri.kontan.co.id", "other", manners) == Wait(250, "domain")
    granted(await two.reserve("www.detik.com", "detik", manners))
    granted(await two.reserve("www.bisnis.co.id", "bisnis", manners))  # co.id is nobody's
    await one.release("nasional.kontan.co.id", "kontan", slot)
    granted(await two.reserve("industri.kontan.co.id", "kontan", manners))


@pytest.mark.parametrize(
    ("limit", "near", "far"),
    [
        ("domain_delay", ("industri.kontan.co.id", "other"), ("www.detik.com", "kontan")),
        ("outlet_delay", ("www.detik.com", "kontan"), ("industri.kontan.co.id", "other")),
    ],
)
async def test_intervals_hold_for_the_domain_and_for_the_outlet_too(
    redis: Redis, limit: str, near: tuple[str, str], far: tuple[str, str]
) -> None:
    one, two = HostBudget(redis, "w1"), HostBudget(redis, "w2")
    manners = wide(**{limit: 2})
    granted(await one.reserve("nasional.kontan.co.id", "kontan", manners))
    for budget in (one, two, one):
        answer = await budget.reserve(*near, manners)
        assert isinstance(answer, Wait)
        assert (answer.reason, 1000 < answer.ms <= 2000) == ("delay", True)
    granted(await two.reserve(*far, manners))


async def test_who_waits_for_a_domain_is_woken_when_a_turn_is_given_back(redis: Redis) -> None:
    budget, manners = HostBudget(redis, "w"), wide(domain_concurrency=1)
    order: list[str] = []

    async def fetch(host: str) -> None:
        async with budget.turn(host, host, manners):
            order.append(host)

    async with asyncio.timeout(10):
        await asyncio.gather(*(fetch(f"h{n}.kontan.co.id") for n in range(20)))
    assert len(order) == 20
    assert not budget._crowded


async def _interval(redis: Redis) -> float:
    """Seconds until the host may be asked again after one request, as a worker without memory sees it."""
    granted(await HostBudget(redis, "asking").reserve(HOST, "o", wide(delay=2)))
    answer = await HostBudget(redis, "waiting").reserve(HOST, "o", wide(delay=2))
    assert isinstance(answer, Wait)
    return answer.ms / 1000


async def _later(redis: Redis, hours: float) -> None:
    """As if the host had been left in peace for so long."""
    at = int(await redis.hget(f"warta:host:{HOST}", "learned_at"))
    await redis.hset(f"warta:host:{HOST}", "learned_at", str(int(at - hours * 3_600_000)))
    await redis.hdel(f"warta:host:{HOST}", "next", "until")


async def test_a_host_that_was_asked_too_much_is_asked_less_and_recovers_slowly(redis: Redis) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    budget = HostBudget(redis, "w", clock=lambda: now)
    assert await _interval(redis) == pytest.approx(2, abs=0.5)
    for _ in range(5):  # answers to requests under way together
        await budget.block(HOST, now + timedelta(seconds=1))
    await _later(redis, 0)
    assert await _interval(redis) == pytest.approx(4, abs=0.5)
    await _later(redis, 0.5)
    await budget.block(HOST, now + timedelta(seconds=1))
    await _later(redis, 0)
    assert await _interval(redis) == pytest.approx(8, abs=0.5)
    await _later(redis, 1)
    assert await _interval(redis) == pytest.approx(4, abs=0.5)
    await _later(redis, 3)
    assert await _interval(redis) == pytest.approx(2, abs=0.5)


async def test_what_a_host_taught_has_a_bound(redis: Redis) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(20):
        await HostBudget(redis, "w", clock=lambda: now).block(HOST, now + timedelta(seconds=1))
        await _later(redis, 0.1)
    assert await _interval(redis) <= 300


async def test_a_host_teaches_also_while_redis_is_away() -> None:
    now = 0.0
    absent = connect("unix:///nonexistent/valkey.sock")
    budget = HostBudget(absent, "w", clock=lambda: datetime(2026, 1, 1, tzinfo=UTC), monotonic=lambda: now)
    granted(await budget.reserve(HOST, "o", wide(delay=2)))
    await budget.block(HOST, datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC))
    now = 3600.0
    granted(await budget.reserve(HOST, "o", wide(delay=2)))
    answer = await budget.reserve(HOST, "o", wide(delay=2))
    assert answer == Wait(2000, "delay")
    now = 10.0
    await budget.block(HOST, datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC))
    await absent.aclose()


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("nasional.kontan.co.id", "kontan.co.id"),
        ("WWW.Detik.com.", "detik.com"),
        ("satu.blogspot.com", "satu.blogspot.com"),
        ("www.satu.blogspot.com", "satu.blogspot.com"),
        ("www.city.kawasaki.jp", "city.kawasaki.jp"),
        ("co.id", "co.id"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("feed-1.ladang.test", "feed-1.ladang.test"),
        ("", ""),
    ],
)
def test_the_registrable_domain_is_read_from_the_public_suffix_list(host: str, owner: str) -> None:
    assert registrable(host) == owner


async def _server_ms(redis: Redis) -> int:
    seconds, micros = await redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


async def test_a_clock_that_went_back_holds_no_host_for_as_long_as_it_jumped(redis: Redis) -> None:
    before = HostBudget(redis, "w1")
    slot = granted(await before.reserve(HOST, "kontan", manners(2)))
    ahead = await _server_ms(redis) + 3_600_000
    # What the script wrote an hour from now, seen after the step back; the slot's holder is dead.
    await redis.hset(f"warta:host:{HOST}", "next", ahead)  # type: ignore[misc]
    await redis.persist(f"warta:host:{HOST}")
    await redis.zadd(f"warta:slots:host:{HOST}", {slot: ahead + 120_000})

    granted(await HostBudget(redis, "w2").reserve(HOST, "kontan", manners(2)))

    # From here on the delay holds as ever.
    answer = await HostBudget(redis, "w3").reserve(HOST, "kontan", manners(2))
    assert isinstance(answer, Wait)
    assert answer.reason == "delay"
    assert answer.ms <= 2000


async def test_a_clock_that_went_back_lengthens_no_block_and_raises_no_interval(redis: Redis) -> None:
    asked = datetime.now(UTC)
    await HostBudget(redis, "w1", clock=lambda: asked).block(HOST, asked + timedelta(seconds=60))
    place, ahead = f"warta:host:{HOST}", await _server_ms(redis) + 7 * 86_400_000
    await redis.hset(place, mapping={"until": ahead, "learned_at": ahead})  # type: ignore[misc]

    answer = await HostBudget(redis, "w2").reserve(HOST, "kontan", manners())
    assert isinstance(answer, Wait)
    assert answer.reason == "blocked"
    assert answer.ms <= 60_000
    await redis.hset(place, "until", 0)  # type: ignore[misc]
    granted(await HostBudget(redis, "w3").reserve(HOST, "kontan", manners()))
    assert int(await redis.hget(place, "delay")) <= 2 * LEAST_LEARNED_MS  # type: ignore[misc,arg-type]
