"""What hubs push goes the way of what a poll finds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storage.hubs import HubState, HubSubscription
from storage.model import RunStatus, Trigger

MAIN = "kabar/main"
HUB = "<atom:link rel='hub' href='https://hub.test/'/><atom:link rel='self' href='{}'/>"


async def first_poll(press: Any) -> HubSubscription:
    """A poll of a feed with a hub, which is then taken to have confirmed and pushed before."""
    press.publish(*(f"lama{n}" for n in range(3)))
    press.serves("/feed.xml", press.rss(inside=HUB.format(press.url("/feed.xml"))))
    await press.poll()
    offered = await press.storage.hubs.of(MAIN)
    verified = {"lease_until": press.clock() + timedelta(days=9), "verified_at": press.clock()}
    await press.storage.hubs.change(offered.id, state=HubState.ACTIVE.value, pushed_at=press.clock(), **verified)
    found = await press.storage.hubs.of(MAIN)
    assert found is not None
    return found


async def push(press: Any, hub: HubSubscription, body: bytes) -> Any:
    assert await press.storage.hubs.push(hub, body, "application/rss+xml", press.clock())
    return await press.poll(trigger=Trigger.PUSH)


async def test_a_poll_notes_the_hub_that_a_feed_names(press: Any) -> None:
    hub = await first_poll(press)

    assert (hub.hub, hub.topic) == ("https://hub.test/", press.url("/feed.xml"))


async def test_pushed_items_are_stored_without_asking_the_source(press: Any) -> None:
    hub = await first_poll(press)
    polls, before = len(press.asked("/feed.xml")), await press.state()
    press.publish("baru")
    run = await push(press, hub, press.rss(["baru"]))
    state = await press.state()

    assert (run.status, run.reason, run.counts.stored, run.counts.discovered) == (RunStatus.OK, "push", 1, 1)
    (fate,) = await press.fates("baru")
    assert (fate.reason, fate.kind) == ("push", "stored")
    assert len(press.asked("/feed.xml")) == polls
    assert (state.next_attempt, state.etag, state.pushed_at) == (before.next_attempt, before.etag, None)
    assert state.last_item == press.clock()
    assert (await press.storage.rhythms.get(MAIN)).rhythm.fresh == 1


async def test_what_is_pushed_and_polled_is_one_article(press: Any) -> None:
    hub = await first_poll(press)
    press.publish("baru")
    await push(press, hub, press.rss(["baru"]))
    press.serves("/feed.xml", press.rss(inside=HUB.format(press.url("/feed.xml"))))
    run = await press.poll()

    assert (run.counts.discovered, run.counts.known) == (4, 4)
    assert await press.storage.articles.count() == 4


async def test_pushed_items_leave_no_gap_behind(press: Any) -> None:
    hub = await first_poll(press)
    for n in range(6):
        press.publish(f"baru{n}")
        await push(press, hub, press.rss([f"baru{n}"]))
    press.serves("/feed.xml", press.rss(press.items[:3], inside=HUB.format(press.url("/feed.xml"))))
    run = await press.poll()

    assert run.reason is None
    assert run.counts.known == 3


@pytest.mark.parametrize("body", [b"<html><body>maintenance</body></html>", b"", b"\xff\x00", b"<rss><channel/></rss>"])
async def test_a_push_that_is_no_feed_makes_the_source_due(press: Any, body: bytes) -> None:
    hub = await first_poll(press)
    run = await push(press, hub, body)

    assert (run.status, run.counts.discovered) == (RunStatus.OK, 0)
    assert "polled" in run.message
    state = await press.state()
    assert state.next_attempt <= press.clock()
    assert state.failures == 0


async def test_a_push_during_a_run_makes_the_source_due_at_its_end(press: Any) -> None:
    hub = await first_poll(press)
    press.publish("baru")
    before = press.web.acts["/feed.xml"]

    async def meanwhile(reader: Any, writer: Any, asked: Any) -> None:
        await press.storage.hubs.push(hub, press.rss(["baru"]), None, press.clock())
        assert (await press.state()).pushed_at is None
        await before(reader, writer, asked)

    press.web.acts["/feed.xml"] = meanwhile
    await press.poll()

    assert (await press.state()).pushed_at is not None


async def test_a_hub_that_keeps_news_back_is_not_relied_upon_for_a_day(press: Any) -> None:
    hub = await first_poll(press)
    assert hub.is_proven(press.clock())
    press.publish("diam")
    press.serves("/feed.xml", press.rss(inside=HUB.format(press.url("/feed.xml"))))
    await press.poll(hours=1)

    found = await press.storage.hubs.of(MAIN)
    assert found.missed_at is not None
    assert not found.is_proven(press.clock())


async def test_a_push_outlives_the_worker_that_was_reading_it(press: Any) -> None:
    hub = await first_poll(press)
    press.publish("baru")
    assert await press.storage.hubs.push(hub, press.rss(["baru"]), None, press.clock())
    dead = await press.storage.runs.begin(MAIN, "kabar", Trigger.PUSH, press.clock(), 99, "w", press.clock())
    assert (await press.state()).pushed_at is None
    await press.storage.runs.interrupt([dead.id], press.clock())
    assert MAIN in [state.id for state in await press.storage.sources.due(press.clock(), 10)]

    run = await press.poll(trigger=Trigger.PUSH)

    assert run.counts.stored == 1
    assert (await press.state()).pushed_at is None
