from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis

from scheduler.queue import CrawlQueue
from scheduler.redis_watch import FACT, look
from scheduler.revisiting import Revisiting, host_of_visits
from storage.model import SourceState

from .conftest import Desk

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def _state(name: str, minutes: float, **more: object) -> SourceState:
    at = NOW + timedelta(minutes=minutes)
    return replace(SourceState(id=name, outlet_id="x", kind="feed", url="", next_attempt=at), **more)  # type: ignore[arg-type]


async def test_visits_run_under_the_source_that_is_polled_last_and_never_under_one_that_is_busy(desk: Desk) -> None:
    outlet = desk.settings.outlet("kabarniaga")
    assert outlet is not None
    first, second, third = (s.id for s in outlet.sources[:3])

    def chosen(*states: SourceState) -> str | None:
        found = host_of_visits(outlet, {s.id: s for s in states}, NOW)
        return found.id if found else None

    assert chosen(_state(first, 5), _state(second, 9)) == second
    assert chosen(_state(first, 5), _state(second, 9, queued_at=NOW)) == first
    assert chosen(_state(first, 0), _state(second, 9, paused=True), _state(third, 9, removed_at=NOW)) is None


async def test_due_visits_of_an_outlet_are_sent_as_one_run_within_its_budget(desk: Desk) -> None:
    desk.newsroom.publish("gemanusa", 2)
    await desk.crawl()
    storage = desk.rooms.storage
    ids = [a.id for a in await desk.articles()]
    known = await storage.visits.of(ids)
    later = datetime.now(UTC) + timedelta(minutes=5)
    await storage.visits.release(replace(v, due_at=later) for v in known.values())
    await storage.sources.reschedule("gemanusa/rdf", later + timedelta(hours=1))
    queue = CrawlQueue(desk.rooms.redis_url)
    try:
        strict = replace(desk.settings, outlets=tuple(replace(o, requests_per_day=1) for o in desk.settings.outlets))
        await storage.visits.save([replace(v, due_at=later, step=1, visited_at=later) for v in known.values()], {})
        assert await Revisiting(storage, queue, lambda: strict, now=lambda: later).tick() == 0

        revisiting = Revisiting(storage, queue, lambda: desk.settings, now=lambda: later)
        assert [await revisiting.tick() for _ in range(2)] == [1, 0]
        assert (await queue.depth()).waiting == 1
        state = await storage.sources.get("gemanusa/rdf")
        assert state is not None
        assert state.queued_at == later
        assert state.next_attempt == later + timedelta(hours=1)
    finally:
        queue.close()


async def test_a_redis_that_evicts_is_a_fact_until_it_keeps_its_keys(desk: Desk) -> None:
    redis: Redis = desk.rooms.redis
    storage = desk.rooms.storage
    assert await look(redis, storage, NOW) is None
    await redis.config_set("maxmemory", "200mb")
    await redis.config_set("maxmemory-policy", "volatile-lru")

    wrong = await look(redis, storage, NOW)

    assert wrong is not None
    assert "noeviction" in wrong
    assert await storage.facts.get(FACT) is not None
    await redis.config_set("maxmemory-policy", "noeviction")
    assert await look(redis, storage, NOW) is None
    assert await storage.facts.get(FACT) is None
