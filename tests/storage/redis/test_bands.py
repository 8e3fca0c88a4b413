from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random

from redis.asyncio import Redis

from storage.bands import REFERENCE, Bands, Entry
from storage.content import article_id

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
WEEK = timedelta(days=8)


def key(seed: int) -> bytes:
    return Random(seed).randbytes(160)


def one_band_of(base: bytes, place: int, seed: int) -> bytes:
    """A signature that shares one band with `base`."""
    other = bytearray(key(seed))
    other[place * 5 : place * 5 + 5] = base[place * 5 : place * 5 + 5]
    return bytes(other)


def name(number: int) -> str:
    return article_id("warta-pagi", str(number))


async def entries(*made: Entry) -> AsyncIterator[Entry]:
    for entry in made:
        yield entry


async def test_a_text_that_shares_one_band_of_32_is_a_candidate(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    await bands.ask(key(1), name(1), NOW)
    for place in (0, 17, 31):
        found = await bands.ask(one_band_of(key(1), place, 100 + place), name(2 + place), NOW)
        assert found is not None
        assert found.references == (name(1)[:REFERENCE],)
    found = await bands.ask(key(9), name(9), NOW)
    assert found is not None
    assert found.references == ()


async def test_a_text_is_no_candidate_of_itself(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    await bands.ask(key(1), name(1), NOW)
    found = await bands.ask(key(1), name(1), NOW)
    assert found is not None
    assert found.references == ()
    assert found.added


async def test_the_candidate_with_most_shared_bands_comes_first(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    await bands.ask(one_band_of(key(1), 3, 50), name(1), NOW)
    await bands.ask(key(1), name(2), NOW)
    found = await bands.ask(key(1), name(3), NOW)
    assert found is not None
    assert found.references == (name(2)[:REFERENCE], name(1)[:REFERENCE])


async def test_the_look_back_ends(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    await bands.ask(key(1), name(1), NOW)
    for days, known in ((0, True), (7.9, True), (13, False)):
        found = await bands.ask(key(1), "", NOW + timedelta(days=days))
        assert found is not None
        assert bool(found.references) is known


async def test_what_is_older_than_the_look_back_leaves_its_string_when_that_is_written(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    for number in range(3):
        await bands.ask(key(1), name(number), NOW + timedelta(days=number))
    for place, days in enumerate((9, 11, 13, 15)):
        await bands.ask(key(1), name(10 + place), NOW + timedelta(days=days))
    found = await bands.ask(key(1), "", NOW + timedelta(days=15))
    assert found is not None
    assert set(found.references) == {name(10 + place)[:REFERENCE] for place in range(4)}
    for kept in await redis.keys("wn:*"):
        assert await redis.strlen(kept) in {4 * 8, 8 * 8}  # two bands may fall into one string


async def test_an_article_of_yesterday_entered_late_drives_nothing_out(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    await bands.ask(key(1), name(1), NOW)
    stored = Entry(name(2), key(1), NOW - timedelta(days=3))
    assert await bands.fill(entries(stored), NOW, whole=True) == 1
    found = await bands.ask(key(1), "", NOW)
    assert found is not None
    assert set(found.references) == {name(1)[:REFERENCE], name(2)[:REFERENCE]}


async def test_questions_asked_together_get_their_own_answers(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    for number in range(40):
        await bands.ask(key(number), name(number), NOW)
    found = await asyncio.gather(*(bands.ask(key(number), "", NOW) for number in range(40)))
    assert [one.references for one in found if one is not None] == [(name(n)[:REFERENCE],) for n in range(40)]


async def test_a_server_that_forgot_the_script_gets_it_again(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    await bands.ask(key(1), name(1), NOW)
    await redis.script_flush()
    found = await bands.ask(key(1), "", NOW)
    assert found is not None
    assert found.references == (name(1)[:REFERENCE],)


async def test_every_key_has_an_end(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    await bands.ask(key(1), name(1), NOW)
    names = await redis.keys("wn:*")
    assert 30 <= len(names) <= 32  # two bands may fall into one hash
    for found in names:
        assert 0 < await redis.pttl(found) <= 2 * WEEK.total_seconds() * 1000


async def test_a_band_that_everybody_has_stays_small(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    for number in range(50):
        await bands.ask(one_band_of(key(0), 5, number + 1), name(number), NOW)
    found = await bands.ask(one_band_of(key(0), 5, 99), "", NOW)
    assert found is not None
    assert set(found.references) == {name(number)[:REFERENCE] for number in range(42, 50)}


async def test_an_empty_index_says_that_it_is_not_filled_until_it_was(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    found = await bands.ask(key(1), "", NOW)
    assert found is not None
    assert not found.filled
    stored = Entry(name(1), key(1), NOW - timedelta(days=5))
    assert await bands.fill(entries(stored), NOW, whole=True) == 1
    found = await bands.ask(key(1), "", NOW)
    assert found is not None
    assert found.filled
    assert found.references == (name(1)[:REFERENCE],)


async def test_indexes_of_two_databases_know_nothing_of_each_other(redis: Redis) -> None:
    one, two = Bands(redis, WEEK, epoch="one"), Bands(redis, WEEK, epoch="two")
    await one.ask(key(1), name(1), NOW)
    found = await two.ask(key(1), "", NOW)
    assert found is not None
    assert found.references == ()


async def test_a_full_redis_still_answers_and_says_that_it_took_nothing(redis: Redis) -> None:
    bands = Bands(redis, WEEK)
    await bands.ask(key(1), name(1), NOW)
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.config_set("maxmemory", "1")
    refused = await bands.ask(key(1), name(2), NOW)
    assert refused is None or not refused.added
    assert bands.trouble is not None
    await redis.config_set("maxmemory", "0")
    assert await bands.fill(entries(Entry(name(2), key(1), NOW)), NOW, whole=False) == 1
    assert bands.trouble is None


async def test_a_redis_that_drops_keys_by_itself_is_not_believed_until_it_keeps_them_and_is_filled_anew(
    redis: Redis,
) -> None:
    seconds = [0.0]
    bands = Bands(redis, WEEK, monotonic=lambda: seconds[0])
    await bands.fill(entries(Entry(name(1), key(1), NOW)), NOW, whole=True)
    assert await bands.is_filled()
    await redis.config_set("maxmemory", "100mb")
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    seconds[0] = 61
    assert await bands.ask(key(1), "", NOW) is None
    assert await bands.is_filled() is None
    assert bands.trouble is not None
    assert "noeviction" in bands.trouble
    await redis.config_set("maxmemory-policy", "noeviction")
    seconds[0] = 122
    assert await bands.is_filled() is False
    assert bands.trouble is None


async def test_a_redis_that_is_away_is_no_answer(valkey_dir: object) -> None:
    from storage.redis import connect

    client = connect("redis://127.0.0.1:1", timeout=timedelta(seconds=1))
    bands = Bands(client, WEEK)
    assert await bands.ask(key(1), name(1), NOW) is None
    assert await bands.is_filled() is None
    assert bands.trouble is not None
    await client.aclose()
