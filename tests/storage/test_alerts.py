from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from storage.alerts import Message, Trouble
from storage.storage import Storage

HOUR = timedelta(hours=1)


def trouble(now: Any, key: str = "warta-pagi", **more: Any) -> Trouble:
    values: dict[str, Any] = {
        "rule": "silent", "key": key, "severity": "warning", "title": "Warta Pagi is silent", "sentence": "No item.",
        "began_at": now - HOUR, "outlet_id": key, "sources": (f"{key}/utama",),
    }  # fmt: skip
    return Trouble(**values | more)


def message(incident_id: int | None, **more: Any) -> Message:
    values: dict[str, Any] = {
        "incident_id": incident_id, "channel": "ops", "kind": "opened", "number": 0, "severity": "warning",
        "title": "t", "body": "b",
    }  # fmt: skip
    return Message(**values | more)


async def test_the_same_trouble_is_one_incident_from_its_beginning_to_its_end(storage: Storage, clock: Any) -> None:
    began = clock() - HOUR
    (first,), _ = await storage.alerts.step(clock(), troubles=[trouble(clock())])
    clock.advance(timedelta(minutes=5))
    opened, _ = await storage.alerts.step(clock(), troubles=[trouble(clock(), sentence="Still no item.")])
    _, (ended,) = await storage.alerts.step(clock(), ended=[(first.id, clock())])
    again, _ = await storage.alerts.step(clock(), troubles=[trouble(clock())])

    assert opened == []
    assert (ended.began_at, ended.sentence, ended.ended_at) == (began, "Still no item.", clock())
    assert [i.id for i in await storage.alerts.open()] == [again[0].id]
    assert [i.id for i in await storage.alerts.recent()] == [again[0].id, first.id]
    assert await storage.alerts.recent(outlet_id="another") == []


async def test_two_monitors_that_find_the_same_trouble_open_one_incident(storage: Storage, clock: Any) -> None:
    found = await asyncio.gather(
        *(storage.alerts.step(clock(), troubles=[trouble(clock())]) for _ in range(4))
    )  # fmt: skip

    assert sum(len(opened) for opened, _ in found) == 1


async def test_a_message_is_written_once_and_waits_until_the_channel_took_it(storage: Storage, clock: Any) -> None:
    ((incident,), _) = await storage.alerts.step(clock(), troubles=[trouble(clock())])
    assert await storage.alerts.tell([message(incident.id)], clock()) == 1
    assert await storage.alerts.tell([message(incident.id)], clock()) == 0

    (waiting,) = await storage.alerts.messages(waiting=True)
    await storage.alerts.refused([waiting.id], "HTTP 500", clock() + HOUR)
    (waiting,) = await storage.alerts.messages(waiting=True)
    assert (waiting.attempts, waiting.last_error, waiting.waits) == (1, "HTTP 500", True)

    await storage.alerts.sent([waiting.id], clock())
    assert await storage.alerts.messages(waiting=True) == []
    assert [m.sent_at for m in await storage.alerts.messages(incident_ids=[incident.id])] == [clock()]


async def test_tests_of_a_channel_may_be_written_again_and_again(storage: Storage, clock: Any) -> None:
    assert await storage.alerts.tell([message(None, kind="test"), message(None, kind="test")], clock()) == 2


async def test_a_silence_covers_what_it_names_until_it_ends(storage: Storage, clock: Any) -> None:
    made = await storage.alerts.silence(
        outlet_id="warta-pagi", until=clock() + HOUR, who="siti", reason="relaunch", now=clock()
    )
    pagi, sore = trouble(clock()), trouble(clock(), key="warta-sore")

    assert made.covers(pagi, clock())
    assert not made.covers(sore, clock())
    assert not made.covers(pagi, clock() + HOUR)
    assert await storage.alerts.silences(clock()) == [made]
    assert await storage.alerts.unsilence(made.id, clock())
    assert not await storage.alerts.unsilence(made.id, clock())
    assert await storage.alerts.silences(clock()) == []
    assert [s.id for s in await storage.alerts.silences(clock(), past=True)] == [made.id]


async def test_a_silence_of_one_source_does_not_hide_an_outage_of_its_outlet(storage: Storage, clock: Any) -> None:
    made = await storage.alerts.silence(source_id="a/utama", until=clock() + HOUR, who="x", now=clock())

    assert made.covers(trouble(clock(), key="a"), clock())
    assert not made.covers(trouble(clock(), key="a", sources=("a/utama", "a/kota")), clock())


async def test_a_silence_that_is_over_before_it_begins_is_refused(storage: Storage, clock: Any) -> None:
    with pytest.raises(ValueError, match="over already"):
        await storage.alerts.silence(until=clock(), who="x", now=clock())
