from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from storage.errors import StaleToken, UnknownSource
from storage.model import Discovery, FateKind, IdentityKey, IdentityKind, RunStatus, Trigger
from storage.runs import run_id

MINUTE = timedelta(minutes=1)


def test_run_ids_sort_by_time_and_are_uuids_of_version_7() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    ids = [run_id(start + timedelta(microseconds=n * 333)) for n in range(300)]

    assert ids == sorted(ids)
    assert {(i[14], i[19] in "89ab") for i in ids} == {("7", True)}
    assert run_id(start, 0) <= run_id(start) < run_id(start + timedelta(microseconds=1), 0)


async def test_a_run_raises_its_sources_fence_and_leaves_the_queue(desk: Any) -> None:
    state = await desk.storage.sources.get(desk.source)
    await desk.storage.sources.claim(desk.source, state.next_attempt, desk.clock() + MINUTE, desk.clock())

    run = await desk.begin()

    state = await desk.storage.sources.get(desk.source)
    assert (state.fence, state.queued_at, state.last_attempt) == (run.token, None, desk.clock())
    assert await desk.storage.runs.get(run.id) == run


@pytest.mark.parametrize("token", [4, 5])
async def test_a_run_under_a_token_already_seen_does_not_begin(desk: Any, token: int) -> None:
    desk.token = 4
    await desk.begin()

    again = await desk.storage.runs.begin(
        desk.source, desk.outlet, Trigger.SCHEDULE, desk.clock(), token, "w2", desk.clock()
    )

    assert again is None
    assert len(await desk.storage.runs.list()) == 1


async def test_only_one_of_many_runs_under_one_token_begins(desk: Any) -> None:
    begun = await asyncio.gather(
        *(
            desk.storage.runs.begin(desk.source, desk.outlet, Trigger.SCHEDULE, desk.clock(), 7, f"w{n}", desk.clock())
            for n in range(8)
        )
    )

    assert sum(run is not None for run in begun) == 1


async def test_an_unknown_source_has_no_runs(desk: Any) -> None:
    with pytest.raises(UnknownSource, match="no/such"):
        await desk.begin("no/such")


async def test_beginning_marks_what_a_dead_worker_left_as_interrupted(desk: Any) -> None:
    left = await desk.begin()
    desk.clock.advance(MINUTE)
    await desk.begin()

    ended = await desk.storage.runs.get(left.id)
    assert (ended.status, ended.finished_at) == (RunStatus.INTERRUPTED, desk.clock())


async def test_discovered_items_wait_with_what_their_source_said(desk: Any) -> None:
    await desk.begin()
    fates = await desk.discover("a", "b", known=23)

    assert [(f.url_key, f.kind, f.entry) for f in fates] == [
        ("a", FateKind.PENDING, '{"a":1}'),
        ("b", FateKind.PENDING, '{"a":1}'),
    ]
    assert await desk.storage.fates.pending(desk.source, desk.clock(), 10) == fates
    assert await desk.counts() == {"discovered": 25, "unchanged": 23, "known": 23, "pending": 2}
    await desk.agrees()


async def test_two_thousand_items_are_entered_in_their_order(desk: Any) -> None:
    await desk.begin()

    fates = await desk.discover(*(f"k{n}" for n in range(2000)))

    assert [f.url_key for f in fates] == [f"k{n}" for n in range(2000)]
    assert [f.id for f in fates] == sorted(f.id for f in fates)


async def test_an_item_announced_twice_or_waiting_already_is_counted_as_known(desk: Any) -> None:
    first = await desk.begin()
    await desk.discover("a", "a")
    await desk.discover("a", "b")
    assert await desk.counts(first) == {"discovered": 4, "unchanged": 2, "known": 2, "pending": 2}

    await desk.begin()
    assert [f.url_key for f in await desk.discover("a", "b", "c")] == ["c"]

    assert await desk.counts() == {"discovered": 3, "unchanged": 2, "known": 2, "pending": 1}
    assert await desk.counts(first) == {"discovered": 4, "unchanged": 2, "known": 2, "pending": 2}
    await desk.agrees()


async def test_a_decided_item_may_be_announced_again(desk: Any) -> None:
    await desk.publish("a")
    await desk.begin()

    assert [f.url_key for f in await desk.discover("a")] == ["a"]


async def test_filtered_items_have_their_fate_at_once_and_are_remembered(desk: Any) -> None:
    run = await desk.begin()
    foreign = Discovery(url="https://lain.test/x", url_key="x", guid="gx", entry_hash="1e")

    made = await desk.storage.runs.discovered(
        run.id, run.token, [], 0, [(foreign, "host", "lain.test is not ours")], desk.clock()
    )

    assert made == []
    (fate,) = await desk.storage.fates.search(kinds=[FateKind.FILTERED])
    assert (fate.rule, fate.detail, fate.decided_at) == ("host", "lain.test is not ours", desk.clock())
    assert await desk.counts() == {"discovered": 1, "filtered": 1}
    keys = [IdentityKey(IdentityKind.URL, desk.outlet, "x"), IdentityKey(IdentityKind.GUID, desk.source, "gx")]
    known = await desk.storage.articles.identities(keys)
    assert {(i.fate, i.entry_hash) for i in known.values()} == {(FateKind.FILTERED, "1e")}
    assert len(known) == 2
    await desk.agrees()


async def test_a_stale_run_discovers_nothing(desk: Any) -> None:
    stale = await desk.begin()
    await desk.begin()
    desk.run = stale

    with pytest.raises(StaleToken):
        await desk.discover("a")
    assert await desk.storage.fates.search() == []


async def test_a_run_ends_together_with_what_it_learned(desk: Any) -> None:
    run = await desk.begin()
    desk.clock.advance(MINUTE)

    ended = await desk.storage.runs.finish(
        run.id, run.token, RunStatus.OK, now=desk.clock(), http_status=200, bytes=5_000_000_000, duration=1.5,
        message="teks\x00", state={"etag": '"e"', "last_success": desk.clock(), "failures": 0.25},
    )  # fmt: skip

    assert ended
    stored = await desk.storage.runs.get(run.id)
    assert (stored.status, stored.finished_at, stored.http_status) == (RunStatus.OK, desk.clock(), 200)
    assert (stored.bytes, stored.duration, stored.message) == (5_000_000_000, 1.5, "teks")
    state = await desk.storage.sources.get(desk.source)
    assert (state.etag, state.last_success, state.failures) == ('"e"', desk.clock(), 0.25)


async def test_a_stale_run_cannot_end_over_its_successor(desk: Any) -> None:
    stale = await desk.begin()
    await desk.begin()

    assert not await desk.storage.runs.finish(
        stale.id, stale.token, RunStatus.OK, now=desk.clock(), state={"etag": '"stale"'}
    )
    assert (await desk.storage.runs.get(stale.id)).status is RunStatus.INTERRUPTED
    assert (await desk.storage.sources.get(desk.source)).etag is None


async def test_a_run_ends_once(desk: Any) -> None:
    run = await desk.begin()
    assert await desk.storage.runs.finish(run.id, run.token, RunStatus.OK, now=desk.clock())

    assert not await desk.storage.runs.finish(run.id, run.token, RunStatus.FAILED, now=desk.clock())
    assert (await desk.storage.runs.get(run.id)).status is RunStatus.OK


async def test_a_run_that_did_not_happen_is_a_run(desk: Any) -> None:
    state = await desk.storage.sources.get(desk.source)
    absent = await desk.storage.runs.record_absent(
        state, RunStatus.MISSED, "downtime", "the daemon was not running", desk.clock() - MINUTE, desk.clock()
    )

    assert await desk.storage.runs.list(statuses=[RunStatus.MISSED]) == [absent]
    assert (absent.started_at, absent.scheduled_for) == (None, desk.clock() - MINUTE)


async def test_a_workers_leftovers_are_interrupted_and_their_items_due_at_once(desk: Any) -> None:
    await desk.declare(desk.source, "warta-pagi/lain")
    mine = await desk.begin()
    await desk.discover("a")
    await desk.storage.sources.reschedule(desk.source, desk.clock() + 60 * MINUTE)
    others = await desk.storage.runs.begin(
        "warta-pagi/lain", "warta-pagi", Trigger.MANUAL, desk.clock(), 9, "w2", desk.clock()
    )

    assert await desk.storage.runs.interrupt_all(desk.clock(), worker="w1") == [mine.id]

    assert (await desk.storage.runs.get(mine.id)).status is RunStatus.INTERRUPTED
    assert (await desk.storage.runs.get(others.id)).status is RunStatus.RUNNING
    assert desk.source in [s.id for s in await desk.storage.sources.due(desk.clock(), 9)]


async def test_runs_older_than_a_moment_can_be_interrupted(desk: Any) -> None:
    await desk.begin()

    assert await desk.storage.runs.interrupt_all(desk.clock(), started_before=desk.clock()) == []
    later = desk.clock() + MINUTE
    assert len(await desk.storage.runs.interrupt_all(later, started_before=later)) == 1


async def test_runs_are_listed_newest_first_page_by_page(desk: Any) -> None:
    runs = []
    for _ in range(5):
        runs.append((await desk.begin()).id)
        desk.clock.advance(MINUTE)

    first = await desk.storage.runs.list(limit=2)
    rest = await desk.storage.runs.list(before=first[-1].id)
    assert [r.id for r in (*first, *rest)] == runs[::-1]
    since = desk.clock() - 2 * MINUTE
    assert [r.id for r in await desk.storage.runs.list(since=since)] == runs[:-3:-1]
    assert [r.id for r in await desk.storage.runs.list(until=since)] == runs[-3::-1]


async def test_a_days_runs_add_up(desk: Any) -> None:
    await desk.publish("a")
    await desk.begin()
    await desk.discover("b", known=4)

    summary = await desk.storage.runs.summary(desk.clock() - timedelta(days=1))

    assert summary.by_status == {RunStatus.INTERRUPTED: 1, RunStatus.RUNNING: 1}
    assert summary.counts.adds_up
    assert (summary.counts.discovered, summary.counts.stored, summary.counts.known) == (6, 1, 4)


@pytest.mark.parametrize("change", ["discovered = 7", "pending = -1", "known = 1", "stored = stored + 1"])
async def test_the_database_refuses_a_ledger_that_does_not_add_up(desk: Any, change: str) -> None:
    await desk.begin()

    with pytest.raises(IntegrityError):
        async with desk.storage.database.write() as connection:
            await connection.execute(text(f"UPDATE runs SET {change}"))
