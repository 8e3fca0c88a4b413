from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from storage.embedded import EmbeddedValkey
from storage.model import FateKind, Identity, IdentityKey, IdentityKind
from storage.redis import connect
from storage.seen import Seen, SeenState, _decode, _encode

pytestmark = pytest.mark.redis

TTL = timedelta(days=60)
MS = int(TTL.total_seconds() * 1000)


def url_key(n: int) -> IdentityKey:
    return IdentityKey(IdentityKind.URL, "kontan", f"www.kontan.co.id/news/berita-{n}")


def identity(key: IdentityKey, **fields: object) -> Identity:
    values: dict[str, object] = {"article_id": "a1", "fate": FateKind.STORED, "url_key": key.key}
    return Identity(key=key, **(values | fields))  # type: ignore[arg-type]


async def stream(identities: Iterable[Identity]) -> AsyncIterator[Identity]:
    for one in identities:
        yield one


async def lives(redis: Redis) -> list[int]:
    return sorted([await redis.pttl(name) async for name in redis.scan_iter("ws:*")])


async def test_what_was_marked_is_found_again_and_nothing_else(redis: Redis) -> None:
    seen = Seen(redis, TTL)
    guid = IdentityKey(IdentityKind.GUID, "kontan/rss", "tag:kontan,2026:1")
    marked = [
        identity(url_key(1)),
        identity(guid, article_id=None, fate=FateKind.FILTERED, entry_hash="1:ab", url_key="x/y"),
    ]
    assert await seen.mark(marked)
    found = await seen.lookup([url_key(1), guid, url_key(2)])
    assert found == {one.key: one for one in marked}


async def test_the_same_key_in_another_scope_or_of_another_kind_is_another(redis: Redis) -> None:
    seen = Seen(redis, TTL)
    await seen.mark([identity(IdentityKey(IdentityKind.GUID, "kontan/rss", "7"))])
    others = [
        IdentityKey(IdentityKind.GUID, "detik/rss", "7"),
        IdentityKey(IdentityKind.URL, "kontan/rss", "7"),
        IdentityKey(IdentityKind.GUID, "kontan/rss", "77"),
    ]
    assert await seen.lookup(others) == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(
    key=st.text(st.characters(), max_size=60),
    article=st.none() | st.text(min_size=1, max_size=30),
    fate=st.sampled_from(FateKind),
    entry_hash=st.text(max_size=20),
    other=st.none() | st.text(max_size=20),
)
def test_every_identity_survives_its_encoding(
    key: str, article: str | None, fate: FateKind, entry_hash: str, other: str | None
) -> None:
    name = IdentityKey(IdentityKind.BODY, "kontan", key)
    one = identity(name, article_id=article, fate=fate, entry_hash=entry_hash, url_key=key if other is None else other)
    assert _decode(name, _encode(one)) == one


@pytest.mark.parametrize(
    "value",
    [b"", b"\x80\x04.", b"{}", b"[]", b'["z"]', b'["s",1]', b'["s","a","",2]', b"[" * 100_000, b'"s"', b"0"],
)
async def test_a_value_that_is_not_ours_is_a_miss(redis: Redis, value: bytes) -> None:
    seen = Seen(redis, TTL)
    await seen.mark([identity(url_key(1))])
    (name,) = [name async for name in redis.scan_iter("ws:*")]
    await redis.set(name, value)
    assert await seen.lookup([url_key(1)]) == {}


async def test_nothing_but_json_is_stored(redis: Redis) -> None:
    await Seen(redis, TTL).mark([identity(url_key(n), entry_hash="1:ff") for n in range(5)])
    values = [await redis.get(name) async for name in redis.scan_iter("ws:*")]
    assert len(values) == 5
    assert all(isinstance(json.loads(value or b""), list) for value in values)


async def test_a_sighting_renews_the_time_of_what_has_aged(redis: Redis) -> None:
    seen = Seen(redis, TTL)
    await seen.mark([identity(url_key(1)), identity(url_key(2))])
    for name in [name async for name in redis.scan_iter("ws:*")]:
        await redis.pexpire(name, MS // 2)
    await seen.lookup([url_key(1)])
    aged, renewed = await lives(redis)
    assert aged <= MS // 2
    assert renewed > MS * 0.99


async def test_a_look_up_that_is_no_sighting_renews_nothing(redis: Redis) -> None:
    seen = Seen(redis, TTL)
    await seen.mark([identity(url_key(1))])
    for name in [name async for name in redis.scan_iter("ws:*")]:
        await redis.pexpire(name, MS // 2)
    assert await seen.lookup([url_key(1)], sighted=False)
    assert (await lives(redis))[0] <= MS // 2


async def test_a_source_answering_304_renews_everything_it_listed_last(redis: Redis) -> None:
    seen = Seen(redis, TTL)
    keys = [url_key(n) for n in range(1200)]
    await seen.mark([identity(key) for key in keys])
    assert await seen.refresh(keys, source_id="kontan/rss")
    for name in [name async for name in redis.scan_iter("ws:*")]:
        await redis.pexpire(name, MS // 2)
    assert await seen.refresh_window("kontan/rss") == 1200
    assert (await lives(redis))[0] > MS * 0.99
    assert await seen.refresh_window("detik/rss") == 0


async def test_what_is_forgotten_is_a_miss(redis: Redis) -> None:
    seen = Seen(redis, TTL)
    await seen.mark([identity(url_key(1)), identity(url_key(2))])
    assert await seen.forget([url_key(1)])
    assert list(await seen.lookup([url_key(1), url_key(2)])) == [url_key(2)]


async def test_an_index_of_another_database_is_never_believed(redis: Redis) -> None:
    await Seen(redis, TTL, epoch="old").mark([identity(url_key(1))])
    assert await Seen(redis, TTL, epoch="fresh").lookup([url_key(1)]) == {}


async def test_a_flush_is_noticed_at_the_next_look_up_and_mended_by_a_rebuild(redis: Redis) -> None:
    states: list[SeenState] = []
    seen = Seen(redis, TTL, changed=states.append)
    everything = [identity(url_key(n)) for n in range(1201)]
    assert await seen.is_cold()
    assert await seen.rebuild(stream(everything)) == 1201
    assert not await seen.is_cold()
    await redis.flushall()
    assert await seen.lookup([url_key(1)]) == {}
    assert seen.state.cold
    assert seen.degraded is None
    assert await seen.rebuild(stream(everything)) == 1201
    assert len(await seen.lookup([one.key for one in everything])) == 1201
    assert [state.cold for state in states] == [True, False, True, False]


async def test_a_rebuild_leaves_what_was_marked_meanwhile(redis: Redis) -> None:
    seen = Seen(redis, TTL)
    newer = identity(url_key(1), fate=FateKind.REVISED, entry_hash="1:new")
    await seen.mark([newer])
    await seen.rebuild(stream([identity(url_key(1), entry_hash="1:old")]))
    assert await seen.lookup([url_key(1)]) == {url_key(1): newer}


async def test_without_redis_look_ups_are_misses_and_marks_are_dropped() -> None:
    states: list[SeenState] = []
    seen = Seen(connect("unix:///nowhere/valkey.sock"), TTL, changed=states.append)
    for _ in range(3):
        assert await seen.lookup([url_key(1)]) == {}
        assert not await seen.mark([identity(url_key(1))])
        assert not await seen.refresh([url_key(1)], source_id="s")
        assert await seen.refresh_window("s") == 0
        assert not await seen.forget([url_key(1)])
        assert not await seen.is_cold()
        assert await seen.rebuild(stream([identity(url_key(1))])) == 0
    assert seen.degraded is not None
    assert len(states) == 1


async def test_a_full_redis_still_answers_and_says_why_it_forgets(redis: Redis) -> None:
    seen = Seen(redis, TTL, pause=timedelta(0))
    await seen.rebuild(stream([identity(url_key(1))]))
    await redis.config_set("maxmemory", "1")
    assert not await seen.mark([identity(url_key(2))])
    assert seen.state.read_error is None
    assert "OOM" in (seen.state.write_error or "") or "memory" in (seen.state.write_error or "")
    assert list(await seen.lookup([url_key(1), url_key(2)])) == [url_key(1)]
    assert seen.degraded is not None
    await redis.config_set("maxmemory", "0")
    assert await seen.mark([identity(url_key(2))])
    assert seen.degraded is None


async def test_a_read_only_redis_still_answers(redis: Redis) -> None:
    seen = Seen(redis, TTL, pause=timedelta(0))
    await seen.mark([identity(url_key(1))])
    (name,) = [name async for name in redis.scan_iter("ws:*")]
    await redis.pexpire(name, MS // 2)
    await redis.replicaof("127.0.0.1", "1")
    assert list(await seen.lookup([url_key(1)])) == [url_key(1)]
    assert not await seen.mark([identity(url_key(2))])
    assert seen.state.read_error is None
    assert seen.state.write_error is not None
    await redis.replicaof("no", "one")
    assert await seen.mark([identity(url_key(2))])
    assert seen.degraded is None


async def test_a_killed_server_is_a_miss_and_recovery_is_automatic(valkey_dir: Path) -> None:
    server = EmbeddedValkey(valkey_dir / "killed")
    async with server.running():
        states: list[SeenState] = []
        client = connect(server.url)
        seen = Seen(client, TTL, changed=states.append, pause=timedelta(milliseconds=10))
        await seen.rebuild(stream([identity(url_key(1))]))
        await asyncio.sleep(1.2)  # everysec: what is older than a second is on disk
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            assert await seen.lookup([url_key(1)]) == {} or server.pid != pid
            while not await seen.lookup([url_key(1)]):
                await asyncio.sleep(0.02)
        assert seen.degraded is None
        assert not seen.state.cold
        await client.aclose()
