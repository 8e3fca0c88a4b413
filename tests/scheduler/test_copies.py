"""Copies through a whole crawl: page, extraction, index in Redis, texts in the database."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from config.model import Settings
from newsroom.clock import WIB, Clock
from newsroom.press import Newsroom
from newsroom.serve import Running, running
from newsroom.story import Kind
from scheduler.plan import active_sources, apply, diff
from scheduler.rooms import Rooms
from scheduler.worker import Worker

from .conftest import Desk

#: An outlet whose copies stand apart.
APART = "lintasmenit"


@pytest.fixture
def press() -> Iterator[Running]:
    """A press that stands still shortly after midnight, when there are next to no stories."""
    midnight = datetime.now(WIB).replace(hour=0, minute=5, second=0, microsecond=0)
    with running(Newsroom(clock=Clock(midnight.astimezone(UTC), speed=0), backlog_days=0)) as served:
        yield served


@pytest_asyncio.fixture
async def desk(press: Running, settings: Settings) -> AsyncIterator[Desk]:
    def now() -> datetime:
        return datetime.now(UTC)

    settings = dataclasses.replace(
        settings,
        outlets=tuple(
            dataclasses.replace(o, link_copies=o.id != APART, agency=o.id == "kantorberita") for o in settings.outlets
        ),
    )
    async with Rooms.open(settings, name=f"test:{os.getpid()}", now=now) as rooms:
        plan = diff(active_sources(settings.outlets), await rooms.storage.sources.all(), now=now())
        await apply(plan, settings.outlets, rooms.storage.sources, now=now())
        worker = Worker(
            settings=lambda: settings, storage=rooms.storage, seen=rooms.seen, leases=rooms.leases,
            budget=rooms.budget, name="test", now=now, bands=rooms.bands,
        )  # fmt: skip
        await worker.start()
        yield Desk(rooms, worker, press, settings)
        await worker.stop(timedelta(seconds=1))


async def test_a_lightly_edited_rerun_is_a_linked_copy_and_the_agencys_text_the_original_of_all(desk: Desk) -> None:
    newsroom = desk.newsroom
    (wire,) = newsroom.publish("kantorberita", 1)
    newsroom.clock.forward(timedelta(minutes=1))
    copy = newsroom.copy("kabarniaga", wire.number)
    source = f"kabarniaga/{copy.channel.slug}"

    # The copy is met first, then its own re-run, and the agency's text last of all.
    await desk.crawl(source)
    newsroom.clock.forward(timedelta(minutes=1))
    newsroom.republish("kabarniaga", copy.number, Kind.RERUN)
    second = await desk.crawl(source)
    await desk.crawl("kantorberita/terkini")

    (fate,) = [f for f in await desk.fates(second) if f.kind == "duplicate"]
    assert fate.rule == "near"
    original = next(
        a for a in await desk.articles("kantorberita") if a.article.url == newsroom.house("kantorberita").url(wire)
    )
    linked = [a for a in await desk.articles("kabarniaga") if a.cluster is not None]
    assert len(linked) == 2
    assert {a.cluster for a in linked} == {original.cluster}
    assert original.copy_of is None
    assert {a.copy_of for a in linked} == {original.id}


async def test_an_outlet_whose_copies_stand_apart_has_stories_of_its_own(desk: Desk) -> None:
    newsroom = desk.newsroom
    (story,) = newsroom.publish(APART, 1, channel="berita")
    source = f"{APART}/berita"
    first = await desk.crawl(source)
    newsroom.clock.forward(timedelta(minutes=1))
    newsroom.republish(APART, story.number, Kind.DUPLICATE)

    again = await desk.crawl(source)

    assert first.counts.stored >= 1
    assert (again.counts.stored, again.counts.duplicate) == (1, 0)
    assert {a.copy_of for a in await desk.articles(APART)} == {None}
