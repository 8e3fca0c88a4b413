from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from config.model import Outlet, Politeness
from storage.model import FateKind, RunStatus, Trigger
from storage.sources import QUEUE_PATIENCE, SourceDefinition
from storage.storage import Storage
from storage.tables import outlets

MINUTE = timedelta(minutes=1)


def define(name: str, **more: Any) -> SourceDefinition:
    values = {"id": name, "outlet_id": name.partition("/")[0], "kind": "feed", "url": f"https://{name}.test"}
    return SourceDefinition(**values | more)


async def due(desk: Any) -> list[str]:
    return [state.id for state in await desk.storage.sources.due(desk.clock(), 100)]


async def test_a_declared_source_waits_for_its_first_attempt(desk: Any) -> None:
    later = desk.clock() + 5 * MINUTE
    await desk.storage.sources.upsert([define("kabar/a"), define("kabar/b")], {"kabar/b": later}, desk.clock())

    assert await due(desk) == ["kabar/a", "warta-pagi/utama"]
    desk.clock.advance(5 * MINUTE)
    assert "kabar/b" in await due(desk)


async def test_declaring_again_keeps_what_is_remembered(desk: Any) -> None:
    run = await desk.begin()
    next_attempt = desk.clock() + 10 * MINUTE
    state = {"etag": '"1"', "failures": 1.5, "next_attempt": next_attempt}
    await desk.storage.runs.finish(run.id, run.token, RunStatus.OK, now=desk.clock(), state=state)
    before = await desk.storage.sources.get(desk.source)

    await desk.declare()

    assert await desk.storage.sources.get(desk.source) == before
    assert (before.etag, before.next_attempt) == ('"1"', next_attempt)


async def test_another_address_forgets_the_validators_of_the_former(desk: Any) -> None:
    await desk.begin()
    changes = {"etag": '"1"', "last_modified": "x", "body_hash": "h", "moved_to": "https://y.test"}
    assert await desk.storage.sources.update_state(desk.source, desk.token, **changes)

    await desk.storage.sources.upsert([define(desk.source, url="https://baru.test/rss")], {}, desk.clock())

    state = await desk.storage.sources.get(desk.source)
    assert (state.url, state.etag, state.last_modified) == ("https://baru.test/rss", None, None)
    assert (state.body_hash, state.moved_to, state.fence) == (None, None, desk.token)


async def test_a_removed_source_is_never_due_and_keeps_its_history(desk: Any) -> None:
    first = await desk.publish("beras")
    await desk.storage.sources.request_run([desk.source], desk.clock())

    assert await desk.storage.sources.remove([desk.source], desk.clock()) == 1

    assert await due(desk) == []
    assert await desk.storage.sources.remove([desk.source], desk.clock()) == 0
    assert await desk.storage.articles.get(first.article_id) is not None
    assert len(await desk.storage.runs.list(source_id=desk.source)) == 1
    again = desk.clock() + MINUTE
    assert await desk.storage.sources.restore([desk.source], again) == 1
    state = await desk.storage.sources.get(desk.source)
    assert (state.removed_at, state.next_attempt) == (None, again)


async def test_the_more_urgent_source_comes_first(desk: Any) -> None:
    early, late = desk.clock() - 9 * MINUTE, desk.clock() - MINUTE
    await desk.storage.sources.upsert(
        [define("k/late"), define("k/early"), define("k/vip", priority=1)],
        {"k/late": late, "k/early": early, "k/vip": late},
        desk.clock(),
    )

    # Among equals the outlets take turns, and k had one with k/vip.
    assert await due(desk) == ["k/vip", "warta-pagi/utama", "k/early", "k/late"]
    assert [s.id for s in await desk.storage.sources.due(desk.clock(), 2)] == ["k/vip", "warta-pagi/utama"]


async def test_retry_after_holds_back_polls(desk: Any) -> None:
    await desk.begin()
    await desk.storage.sources.update_state(
        desk.source, desk.token, not_before=desk.clock() + MINUTE, next_attempt=desk.clock()
    )

    assert await due(desk) == []
    desk.clock.advance(MINUTE)
    assert await due(desk) == [desk.source]


async def test_a_paused_source_runs_only_when_a_person_asks(desk: Any) -> None:
    await desk.storage.sources.pause([desk.source])
    assert await due(desk) == []

    assert await desk.storage.sources.request_run([desk.source, "no/such"], desk.clock()) == 1
    assert await due(desk) == [desk.source]

    state = await desk.storage.sources.get(desk.source)
    assert await desk.storage.sources.claim(desk.source, state.next_attempt, state.next_attempt, desk.clock())
    assert await due(desk) == []
    await desk.storage.sources.resume([desk.source])
    assert await due(desk) == [desk.source]


async def test_a_claim_moves_the_next_attempt_once(desk: Any) -> None:
    state = await desk.storage.sources.get(desk.source)
    then = desk.clock() + 10 * MINUTE
    sources = desk.storage.sources

    won = await asyncio.gather(*(sources.claim(desk.source, state.next_attempt, then, desk.clock()) for _ in range(5)))

    assert sorted(won) == [False] * 4 + [True]
    claimed = await sources.get(desk.source)
    assert (claimed.next_attempt, claimed.queued_at) == (then, desk.clock())
    assert await due(desk) == []


async def test_items_to_try_again_make_their_source_due_before_its_time(desk: Any) -> None:
    run = await desk.begin()
    (fate,) = await desk.discover("beras")
    await desk.decide(fate, FateKind.PENDING, retry_at=desk.clock() + 2 * MINUTE)
    state = {"next_attempt": desk.clock() + 60 * MINUTE}
    await desk.storage.runs.finish(run.id, run.token, RunStatus.OK, now=desk.clock(), state=state)

    assert await due(desk) == []
    desk.clock.advance(2 * MINUTE)
    assert await due(desk) == [desk.source]


async def test_a_source_queued_for_its_retries_is_not_queued_twice_unless_the_message_is_lost(
    desk: Any,
) -> None:
    run = await desk.begin()
    await desk.discover("beras")
    hour = desk.clock() + 60 * MINUTE
    await desk.storage.runs.finish(run.id, run.token, RunStatus.OK, now=desk.clock(), state={"next_attempt": hour})
    assert await due(desk) == [desk.source]
    desk.clock.advance(MINUTE)

    assert await desk.storage.sources.claim(desk.source, hour, hour, desk.clock())

    assert await due(desk) == []
    desk.clock.advance(QUEUE_PATIENCE + MINUTE)
    assert await due(desk) == [desk.source]


async def test_state_is_written_only_under_the_token_in_force(desk: Any) -> None:
    await desk.begin()
    stale = desk.token
    await desk.begin()

    assert not await desk.storage.sources.update_state(desk.source, stale, failures=9.0)
    assert await desk.storage.sources.update_state(desk.source, desk.token, failures=0.5)
    assert (await desk.storage.sources.get(desk.source)).failures == 0.5


async def test_a_run_may_not_lower_the_fence_of_its_source(desk: Any) -> None:
    await desk.begin()

    with pytest.raises(TypeError, match="fence"):
        await desk.storage.sources.update_state(desk.source, desk.token, fence=0)


async def test_the_outlets_table_follows_the_configuration(desk: Any) -> None:
    def outlet(name: str) -> Outlet:
        return Outlet(
            id=name, name=name.title(), homepage=f"https://{name}.test", group="Grup", language="id",
            timezone=ZoneInfo("Asia/Jakarta"), hosts=(), sources=(), politeness=Politeness(user_agent="x"),
        )  # fmt: skip

    async def rows() -> list[tuple[str, bool]]:
        async with desk.storage.database.read() as connection:
            found = await connection.execute(select(outlets).order_by(outlets.c.id))
            return [(row.id, row.removed_at is None) for row in found]

    await desk.storage.sources.set_outlets([outlet("a"), outlet("b")], desk.clock())
    await desk.storage.sources.set_outlets([outlet("b"), outlet("c")], desk.clock())
    assert await rows() == [("a", False), ("b", True), ("c", True)]

    await desk.storage.sources.set_outlets([outlet("a")], desk.clock())
    assert await rows() == [("a", True), ("b", False), ("c", False)]


async def _crowd(storage: Storage, clock: Any) -> None:
    """An outlet with 300 sources that have waited longest, and three with one each."""
    crowd = [_plain("agency", f"agency/{n:03}") for n in range(300)]
    small = [_plain(name, f"{name}/main") for name in ("kontan", "detik", "bisnis")]
    long_ago, now = clock() - timedelta(hours=1), clock()
    first = {d.id: long_ago for d in crowd} | {d.id: now for d in small}
    await storage.sources.upsert([*crowd, *small], first, now)


def _plain(outlet: str, source_id: str, priority: int = 100) -> SourceDefinition:
    url = f"https://{source_id}.example/"
    return SourceDefinition(id=source_id, outlet_id=outlet, kind="feed", url=url, priority=priority)


async def test_an_outlet_with_many_sources_starves_nobody(storage: Storage, clock: Any) -> None:
    await _crowd(storage, clock)
    found = [state.outlet_id for state in await storage.sources.due(clock(), 10)]
    assert set(found[:4]) == {"agency", "kontan", "detik", "bisnis"}
    assert found[4:] == ["agency"] * 6


async def test_what_is_queued_or_running_counts_as_an_outlets_turns(storage: Storage, clock: Any) -> None:
    await _crowd(storage, clock)
    for n in range(8):
        state = await storage.sources.get(f"agency/{n:03}")
        assert state is not None
        assert await storage.sources.claim(state.id, state.next_attempt, clock() + timedelta(hours=1), clock())
    found = await storage.sources.due(clock(), 100, most=lambda _: 8)
    assert {state.outlet_id for state in found} == {"kontan", "detik", "bisnis"}
    run = await storage.runs.begin("agency/000", "agency", Trigger.SCHEDULE, clock(), 1, "w", clock())
    assert run is not None
    assert len(await storage.sources.due(clock(), 100, most=lambda _: 8)) == 3
    await storage.runs.finish(run.id, 1, RunStatus.OK, now=clock())
    assert len(await storage.sources.due(clock(), 100, most=lambda _: 8)) == 4


async def test_a_favoured_crowd_leaves_room_for_others(storage: Storage, clock: Any) -> None:
    await storage.sources.upsert([_plain("agency", f"agency/{n:03}", 1) for n in range(300)], {}, clock())
    await storage.sources.upsert([_plain("kontan", "kontan/main")], {}, clock())
    found = [state.id for state in await storage.sources.due(clock(), 100)]
    assert found.index("kontan/main") == 64


async def test_a_person_who_asks_is_served_beyond_the_share(storage: Storage, clock: Any) -> None:
    await _crowd(storage, clock)
    await storage.sources.request_run(["agency/299"], clock())
    found = await storage.sources.due(clock(), 1000, most=lambda _: 2)
    assert "agency/299" in {state.id for state in found}


async def test_a_request_because_of_a_gap_remembers_since_when(storage: Storage, clock: Any) -> None:
    await _crowd(storage, clock)
    since = clock() - timedelta(hours=5)
    assert await storage.sources.request_gap(["kontan/main"], since, clock()) == 1
    assert await storage.sources.request_gap(["kontan/main"], clock(), clock()) == 0
    state = await storage.sources.get("kontan/main")
    assert state is not None
    assert (state.gap_since, state.requested_at) == (since, clock())


async def test_an_adopted_address_is_forgotten_when_the_configured_one_changes(storage: Storage, clock: Any) -> None:
    await storage.sources.upsert([_plain("kontan", "kontan/main")], {}, clock())
    assert await storage.sources.adopt("kontan/main", "https://baru.example/feed", clock())
    assert not await storage.sources.adopt("kontan/nobody", "https://baru.example/feed", clock())
    state = await storage.sources.get("kontan/main")
    assert state is not None
    assert state.adopted_url == "https://baru.example/feed"
    await storage.sources.upsert([replace(_plain("kontan", "kontan/main"), url="https://x.example/")], {}, clock())
    state = await storage.sources.get("kontan/main")
    assert state is not None
    assert (state.adopted_url, state.url) == (None, "https://x.example/")
