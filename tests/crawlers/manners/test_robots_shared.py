"""Of many workers one asks for a robots.txt; the others are told what it says, and what it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.address import parse_target
from crawlers.model import FailureKind, FetchFailed, FetchRequest, Purpose
from crawlers.robots import FIRST_ERROR_LIFETIME, LIFETIME, Robots
from crawlers.robots_note import Note, from_json, to_json
from crawlers.robots_rules import Rules, parse
from storage.redis import connect
from storage.robots import MOST_BYTES, RobotsShelf

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
AGENT = "warta/0.1"


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Any]:
    found = connect(valkey_url)
    await found.flushall()
    yield found
    await found.aclose()


@pytest.fixture
async def workers(make_visitor: Any, redis: Any) -> Any:
    """Three that know nothing of each other but the shelf; each asks through a fetcher."""
    visitor = await make_visitor(robots=True)
    robots = [Robots(visitor.clock, RobotsShelf(redis)) for _ in range(3)]

    async def fetch(url: str) -> Any:
        request = FetchRequest(url=url, purpose=Purpose.ROBOTS, outlet_id="kabar")
        return await visitor.fetcher.fetch(request, visitor.polite)

    async def allowed(worker: int, url: str) -> Any:
        return await robots[worker].check(parse_target(url), AGENT, fetch)

    allowed.clock = visitor.clock  # type: ignore[attr-defined]
    return allowed


async def test_three_workers_at_once_ask_once_and_obey_alike(web: Any, workers: Any) -> None:
    body = b"User-agent: *\nDisallow: /admin\nCrawl-delay: 7\n"
    web.says("/robots.txt", web.reply("200 OK", body))
    verdicts = await asyncio.gather(*(workers(n, web.url("/admin/x")) for n in range(3)))

    assert web.paths().count("/robots.txt") == 1
    assert {(v.allowed, v.rule, v.delay) for v in verdicts} == {(False, "Disallow: /admin", 7.0)}


async def test_what_was_shared_is_asked_for_again_after_a_day(web: Any, workers: Any) -> None:
    web.says("/robots.txt", web.reply("200 OK", b"User-agent: *\nDisallow: /\n"))
    assert not (await workers(0, web.url("/a"))).allowed
    workers.clock.moment += LIFETIME - timedelta(seconds=1)
    assert not (await workers(1, web.url("/a"))).allowed
    web.says("/robots.txt", web.reply("200 OK", b""))
    workers.clock.moment += timedelta(seconds=2)

    assert (await workers(2, web.url("/a"))).allowed
    assert (await workers(0, web.url("/a"))).allowed
    assert web.paths().count("/robots.txt") == 2


async def test_an_error_is_shared_and_rules_once_read_hold_through_it_for_whoever_asks(web: Any, workers: Any) -> None:
    web.says("/robots.txt", web.reply("503 Service Unavailable"))
    first, second = await workers(0, web.url("/a")), await workers(1, web.url("/a"))
    assert (first.allowed, second.allowed) == (False, False)
    assert second.failure.status == 503
    assert web.paths().count("/robots.txt") == 1

    workers.clock.moment += FIRST_ERROR_LIFETIME
    assert not (await workers(1, web.url("/a"))).allowed
    assert web.paths().count("/robots.txt") == 2
    # It is the second in a row, whoever saw the first.
    workers.clock.moment += FIRST_ERROR_LIFETIME
    assert not (await workers(0, web.url("/a"))).allowed
    assert web.paths().count("/robots.txt") == 2

    workers.clock.moment += FIRST_ERROR_LIFETIME
    web.says("/robots.txt", web.reply("200 OK", b"User-agent: *\nDisallow: /admin\n"))
    assert (await workers(0, web.url("/a"))).allowed
    workers.clock.moment += LIFETIME
    web.says("/robots.txt", web.reply("500 Internal Server Error"))
    # The third has never read it itself.
    assert (await workers(2, web.url("/a"))).allowed
    assert not (await workers(2, web.url("/admin"))).allowed


async def test_without_redis_each_worker_asks_for_itself(web: Any, make_visitor: Any) -> None:
    visitor = await make_visitor(robots=True)
    web.says("/robots.txt", web.reply("200 OK", b"User-agent: *\nDisallow: /admin\n"))
    gone = connect("unix:///nonexistent/redis.sock")
    robots = Robots(visitor.clock, RobotsShelf(gone))

    async def fetch(url: str) -> Any:
        return await visitor.get(url, Purpose.ROBOTS)

    assert not (await robots.check(parse_target(web.url("/admin")), AGENT, fetch)).allowed
    await gone.aclose()


async def test_rules_beyond_measure_and_notes_that_are_none_are_not_shared(redis: Any) -> None:
    shelf = RobotsShelf(redis)
    await shelf.put("a", b"x" * (MOST_BYTES + 1), LIFETIME)
    await shelf.put("b", b"\x80\x04pickle", LIFETIME)

    assert await shelf.get("a") is None
    assert from_json(await shelf.get("b")) is None


@given(st.binary(max_size=300), st.sampled_from(FailureKind), st.none() | st.integers(100, 599))
def test_a_note_says_the_same_after_its_journey(body: bytes, kind: FailureKind, status: int | None) -> None:
    failed = FetchFailed(url="u", kind=kind, message="m", status=status, fetched_at=NOW, retry_after=timedelta(hours=1))
    for rules, failure in ((parse(b"User-agent: *\n" + body, "warta"), None), (None, failed), (Rules(), failed)):
        note = Note(rules=rules, read_at=NOW if rules else None, until=NOW + LIFETIME, failure=failure, errors=3)
        assert from_json(to_json(note)) == note


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(lambda v: repr(v).encode()))
def test_what_is_no_note_is_none(text: bytes) -> None:
    assert from_json(text) is None
