"""Subscriptions and pushes, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from storage.errors import StaleToken
from storage.hubs import MOST_WAITING, HubState
from storage.model import RunStatus

TOPIC = "https://kabar.test/feed"
HUB = "https://hub.test/"


async def active(desk: Any) -> Any:
    found = await desk.storage.hubs.offer(desk.source, [HUB], TOPIC, desk.clock())
    await desk.storage.sources.reschedule(desk.source, desk.clock() + timedelta(hours=3))
    until = desk.clock() + timedelta(days=1)
    await desk.storage.hubs.change(found.id, state=HubState.ACTIVE.value, callback="https://w.test/", lease_until=until)
    return await desk.storage.hubs.get(found.id)


async def due(desk: Any) -> list[str]:
    return [state.id for state in await desk.storage.sources.due(desk.clock(), 10)]


async def test_an_offer_is_kept_as_long_as_the_source_makes_it(desk: Any) -> None:
    hubs, now = desk.storage.hubs, desk.clock()
    assert await hubs.offer(desk.source, [], TOPIC, now) is None
    first = await active(desk)
    kept = await hubs.offer(desk.source, ["https://b.test/", HUB], TOPIC, now)
    assert kept == replace(first, hubs=("https://b.test/", HUB)) == await hubs.of(desk.source)
    other = await hubs.offer(desk.source, [HUB], TOPIC + "/2", now)

    assert (await hubs.of(desk.source)).id == other.id
    assert (await hubs.get(first.id)).state is HubState.LEAVING
    assert {s.id for s in await hubs.due(now, 10)} == {first.id, other.id}
    assert (await hubs.counts()).by_state == {HubState.OFFERED: 1, HubState.LEAVING: 1}


async def test_another_hub_knows_neither_the_name_nor_the_secret_of_the_former_one(desk: Any) -> None:
    former = await active(desk)
    await desk.storage.hubs.turn(former.id, hub="https://b.test/", state=HubState.OFFERED.value)

    found = await desk.storage.hubs.of(desk.source)
    assert await desk.storage.hubs.get(former.id) is None
    assert found.id != former.id
    assert found.secret != former.secret
    assert (found.hub, found.callback, found.lease_until) == ("https://b.test/", None, None)


async def test_pushes_wait_for_a_run_which_reads_them_in_their_order(desk: Any) -> None:
    subscription = await active(desk)
    for body in (b"one", b"two", b"two"):
        assert await desk.storage.hubs.push(subscription, body, "text/xml", desk.clock())
        desk.clock.advance(timedelta(seconds=1))
    assert await due(desk) == [desk.source]
    assert (await desk.storage.hubs.get(subscription.id)).pushes == 3

    run = await desk.begin()
    assert await due(desk) == []
    first = await desk.storage.hubs.first(desk.source)
    assert first.body == b"one"
    with pytest.raises(StaleToken):
        await desk.storage.hubs.read(desk.source, run.token - 1, first.id)
    await desk.storage.hubs.read(desk.source, run.token, first.id)
    await desk.storage.runs.finish(run.id, run.token, RunStatus.OK, now=desk.clock())

    assert await due(desk) == [desk.source]
    assert (await desk.storage.hubs.first(desk.source)).body == b"two"


async def test_a_push_during_a_run_is_due_at_its_end(desk: Any) -> None:
    subscription = await active(desk)
    run = await desk.begin()
    await desk.storage.hubs.push(subscription, b"meanwhile", None, desk.clock())
    assert await due(desk) == []

    await desk.storage.runs.interrupt([run.id], desk.clock())

    assert await due(desk) == [desk.source]


async def test_pushes_at_once_are_all_kept_up_to_a_bound(desk: Any) -> None:
    subscription = await active(desk)

    async def push(number: int) -> bool:
        return bool(await desk.storage.hubs.push(subscription, str(number).encode(), None, desk.clock()))

    assert all(await asyncio.gather(*(push(n) for n in range(10))))
    assert (await desk.storage.hubs.counts()).waiting == 10
    assert [await push(n) for n in range(10, MOST_WAITING + 1)].count(False) == 1
    assert (await desk.storage.sources.get(desk.source)).next_attempt == desk.clock()


async def test_subscriptions_of_removed_sources_are_ended_and_others_started_anew(desk: Any) -> None:
    subscription = await active(desk)
    assert await desk.storage.hubs.readdress("https://w.test/", desk.clock()) == []
    assert await desk.storage.hubs.readdress(None, desk.clock()) == [desk.source]
    anew = await desk.storage.hubs.of(desk.source)
    assert (anew.state, anew.callback, anew.id == subscription.id) == (HubState.OFFERED, None, False)

    await desk.storage.sources.remove([desk.source], desk.clock())
    await desk.storage.hubs.retire(desk.clock())

    assert (await desk.storage.hubs.get(anew.id)).state is HubState.LEAVING
