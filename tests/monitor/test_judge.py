"""Judging on a real database: what is read, what is written, and by whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from config.load import load
from config.model import Settings
from monitor.judge import HealthWatch
from storage.model import RunStatus, Trigger
from storage.rhythm import HOUR, Rhythm, learn
from storage.rhythms import NextPoll
from storage.sources import SourceDefinition
from storage.storage import Storage

SOURCES = ("pagi/utama", "pagi/kota", "sore/utama")


@pytest_asyncio.fixture
async def storage(tmp_path: Path, clock: Any) -> AsyncIterator[Storage]:
    opened = await Storage.open(f"sqlite:///{tmp_path / 'w.db'}", now=clock)
    definitions = [
        SourceDefinition(id=name, outlet_id=name.partition("/")[0], kind="feed", url=f"https://{name}.test/rss")
        for name in SOURCES
    ]
    await opened.sources.upsert(definitions, {}, clock())
    yield opened
    await opened.close()


def settings(tmp_path: Path) -> Settings:
    (tmp_path / "outlets").mkdir(exist_ok=True)
    for outlet in ("pagi", "sore"):
        names = [name.partition("/")[2] for name in SOURCES if name.startswith(outlet)]
        sources = "".join(f"  - {{name: {n}, kind: feed, url: 'https://{outlet}.test/{n}'}}\n" for n in names)
        text = f"name: {outlet}\nhomepage: https://{outlet}.test\nsources:\n{sources}"
        (tmp_path / "outlets" / f"{outlet}.yaml").write_text(text)
    (tmp_path / "warta.yaml").write_text("{}\n")
    return load(tmp_path / "warta.yaml", {})


async def polled(storage: Storage, clock: Any, source: str, *, fails: str | None = None, rhythm: Any = None) -> str:
    """One run of a source, ended now."""
    state = await storage.sources.get(source)
    assert state is not None
    token = state.fence + 1
    run = await storage.runs.begin(source, state.outlet_id, Trigger.SCHEDULE, clock(), token, "w", clock())
    assert run is not None
    good = {"last_attempt": clock(), "last_success": clock(), "failures": 0.0}
    bad = {"last_attempt": clock(), "failures": state.failures + 0.5, "last_failure": fails,
           "last_failure_message": f"{fails}"}  # fmt: skip
    await storage.runs.finish(
        run.id, token, RunStatus.FAILED if fails else RunStatus.OK, now=clock(), reason=fails,
        state=bad if fails else good, next_poll=NextPoll(at=clock(), rhythm=rhythm) if rhythm else None,
    )  # fmt: skip
    return run.id


def learned(clock: Any) -> Rhythm:
    """Four items in every hour of the last fortnight."""
    at = clock().timestamp() - 14 * 24 * HOUR
    rhythm = learn(Rhythm(), at, shown=20, fresh=[None] * 20, zone=UTC)
    while at < clock().timestamp() - HOUR:
        at += HOUR
        rhythm = learn(rhythm, at, shown=20, fresh=[at - n * 900 for n in range(4)], zone=UTC)
    return rhythm


async def test_a_source_that_fails_is_dated_from_its_first_failure(
    storage: Storage, clock: Any, tmp_path: Path
) -> None:
    watch = HealthWatch(storage, lambda: settings(tmp_path))
    await polled(storage, clock, "pagi/utama")
    clock.advance(timedelta(minutes=30))
    first, began = await polled(storage, clock, "pagi/utama", fails="blocked"), clock()
    assert await watch.look(clock()) == []
    clock.advance(timedelta(minutes=30))
    await polled(storage, clock, "pagi/utama", fails="blocked")

    (change,) = await watch.look(clock())
    assert (change.became, change.began_at, change.evidence["run"]) == ("blocked", began, first)
    (flip,) = await storage.health.flips(source_id="pagi/utama")
    assert flip.noticed_at == clock()


async def test_what_did_not_change_is_not_written_again(storage: Storage, clock: Any, tmp_path: Path) -> None:
    watch = HealthWatch(storage, lambda: settings(tmp_path))
    for name in SOURCES:
        await polled(storage, clock, name, rhythm=learned(clock))
    assert [change.became for change in await watch.look(clock())] == ["ok"] * 3
    clock.advance(timedelta(seconds=30))

    assert await watch.look(clock()) == []
    assert await HealthWatch(storage, lambda: settings(tmp_path)).look(clock()) == []
    assert len(await storage.health.flips()) == 3


async def test_a_source_that_says_nothing_new_becomes_late_and_recovers(
    storage: Storage, clock: Any, tmp_path: Path
) -> None:
    watch, rhythm = HealthWatch(storage, lambda: settings(tmp_path)), learned(clock)
    await polled(storage, clock, "pagi/utama", rhythm=rhythm)
    await watch.look(clock())
    last, states = rhythm.last, []
    for _ in range(12):
        clock.advance(timedelta(hours=1))
        rhythm = learn(rhythm, clock().timestamp(), shown=None, fresh=[], zone=UTC)
        await polled(storage, clock, "pagi/utama", rhythm=rhythm)
        states += [(c.became, c.began_at.timestamp()) for c in await watch.look(clock())]
    assert states == [("late", last), ("silent", last)]

    clock.advance(timedelta(minutes=10))
    came = clock()
    rhythm = learn(rhythm, came.timestamp(), shown=20, fresh=[came.timestamp() - 60], zone=UTC)
    await polled(storage, clock, "pagi/utama", rhythm=rhythm)
    assert await watch.look(clock()) == []
    clock.advance(timedelta(minutes=11))
    (change,) = await watch.look(clock())
    assert (change.became, change.began_at) == ("ok", came)


async def test_during_our_own_outage_no_source_changes_state(storage: Storage, clock: Any, tmp_path: Path) -> None:
    watch = HealthWatch(storage, lambda: settings(tmp_path))
    await polled(storage, clock, "pagi/utama")
    await watch.look(clock())
    await storage.facts.put("outage w", {"since": clock().isoformat()}, clock())
    for _ in range(3):
        clock.advance(timedelta(minutes=20))
        await polled(storage, clock, "pagi/utama", fails="dns")

    assert await watch.look(clock()) == []
    await storage.facts.drop("outage w")
    assert [c.became for c in await watch.look(clock())] == ["failing"]  # when it still fails afterwards


async def test_drift_is_told_on_every_source_of_its_outlet(storage: Storage, clock: Any, tmp_path: Path) -> None:
    watch = HealthWatch(storage, lambda: settings(tmp_path))
    for name in SOURCES:
        await polled(storage, clock, name, rhythm=learned(clock))
    await watch.look(clock())
    since = clock() - timedelta(hours=3)
    await storage.facts.put("drift pagi", {"since": since.isoformat(), "evidence": "body: 3 of 12"}, clock())

    found = await watch.look(clock() + timedelta(seconds=30))
    assert {(c.source_id, c.became, c.began_at) for c in found} == {
        ("pagi/utama", "drifting", since), ("pagi/kota", "drifting", since),
    }  # fmt: skip


async def test_what_an_operator_declares_is_held_against_the_last_day(
    storage: Storage, clock: Any, tmp_path: Path
) -> None:
    whole = settings(tmp_path)
    strict = [
        replace(o, sources=tuple(replace(s, expect=replace(s.expect, at_least=5.0)) for s in o.sources))
        for o in whole.outlets
    ]
    watch = HealthWatch(storage, lambda: replace(whole, outlets=tuple(strict)))
    await polled(storage, clock, "sore/utama", rhythm=learned(clock))

    (change,) = [c for c in await watch.look(clock()) if c.source_id == "sore/utama"]
    assert (change.became, change.sentence) == ("late", "0 items in a day; at least 5 a day are expected of it")
