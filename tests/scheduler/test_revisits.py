"""Stored articles followed over days: a served press, a worker on real stores, and a clock that is moved."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from config.model import Revisions, Settings
from newsroom.clock import WIB, Clock
from newsroom.press import Newsroom
from newsroom.serve import Running, running
from newsroom.story import Change, Story
from scheduler.plan import active_sources, apply, diff
from scheduler.rooms import Rooms
from scheduler.worker import Worker
from storage.events import EventFilter
from storage.model import CrawlRun, Fate, StoredArticle, Trigger, Visit

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOURCE = "kabarniaga/keuangan"


@dataclass
class Days:
    """The worker at work over days that pass in no time."""

    rooms: Rooms
    worker: Worker
    press: Running
    ahead: timedelta = timedelta(0)

    @property
    def newsroom(self) -> Newsroom:
        return self.press.newsroom

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def poll(self, source: str = SOURCE) -> CrawlRun:
        run = await self.worker.crawl(source, self.now(), Trigger.SCHEDULE)
        assert run is not None
        assert run.counts.adds_up
        return run

    async def later(self, by: timedelta, source: str = SOURCE) -> CrawlRun:
        """Make the visits that are due after that time."""
        self.ahead += by
        self.newsroom.clock.forward(timedelta(minutes=1))
        await self.rooms.storage.sources.reschedule(source, self.now() + HOUR)
        run = await self.worker.crawl(source, self.now(), Trigger.REVISIT)
        assert run is not None
        assert run.counts.adds_up
        return run

    async def story(self) -> tuple[Story, StoredArticle]:
        """A published story, read and stored; nothing else is ever due."""
        (story,) = self.newsroom.publish("kabarniaga", 1, channel="keuangan")
        await self.poll()
        found = await self.rooms.storage.articles.list()
        url = self.newsroom.house("kabarniaga").url(story)
        stored = next(a for a in found.articles if a.article.url == url)
        others = {a.id for a in found.articles} - {stored.id}
        known = await self.rooms.storage.visits.of(others)
        await self.rooms.storage.visits.release(dataclasses.replace(v, due_at=None) for v in known.values())
        return story, stored

    async def visit(self, article_id: str) -> Visit:
        return (await self.rooms.storage.visits.of([article_id]))[article_id]

    async def events(self, article_id: str) -> list[Any]:
        where = EventFilter(article_id=article_id, backfilled=True)
        return [event async for event in self.rooms.storage.events.iterate(where)]

    async def fates(self, run: CrawlRun) -> list[Fate]:
        return await self.rooms.storage.fates.search(run_id=run.id)


@pytest.fixture
def press() -> Iterator[Running]:
    """A press that stands still shortly after midnight, when there are next to no stories."""
    midnight = datetime.now(WIB).replace(hour=0, minute=5, second=0, microsecond=0)
    with running(Newsroom(clock=Clock(midnight.astimezone(UTC), speed=0), backlog_days=0)) as served:
        yield served


def _with_plan(settings: Settings, **changes: Any) -> Settings:
    plan = Revisions(**changes)
    return dataclasses.replace(
        settings, outlets=tuple(dataclasses.replace(o, revisions=plan) for o in settings.outlets)
    )


@pytest_asyncio.fixture
async def days(press: Running, settings: Settings) -> AsyncIterator[Days]:
    settings = _with_plan(settings)
    days: Days | None = None

    def now() -> datetime:
        return datetime.now(UTC) if days is None else days.now()

    async with Rooms.open(settings, name=f"test:{os.getpid()}", now=now) as rooms:
        plan = diff(active_sources(settings.outlets), await rooms.storage.sources.all(), now=now())
        await apply(plan, settings.outlets, rooms.storage.sources, now=now())
        worker = Worker(
            settings=lambda: settings, storage=rooms.storage, seen=rooms.seen, leases=rooms.leases,
            budget=rooms.budget, name="test", now=now, bands=rooms.bands,
        )  # fmt: skip
        await worker.start()
        days = Days(rooms, worker, press)
        yield days
        await worker.stop(timedelta(seconds=1))


async def test_an_unchanged_page_is_asked_for_by_its_validators_and_costs_nothing_but_the_question(days: Days) -> None:
    _, stored = await days.story()

    run = await days.later(HOUR * 1.2)

    (asked,) = [v for v in list(days.newsroom.visits)[-1:] if "/news/" in v.path]
    assert (asked.status, asked.conditional) == (304, True)
    assert await days.fates(run) == []
    assert (run.counts.discovered, run.counts.known) == (1, 1)
    visit = await days.visit(stored.id)
    assert visit.step == 1
    assert visit.due_at is not None
    assert visit.due_at > days.now() + 20 * HOUR
    assert [e.event for e in await days.events(stored.id)] == ["new"]


async def test_an_edited_page_becomes_a_revision_that_says_how_much_it_matters(days: Days) -> None:
    story, stored = await days.story()
    days.newsroom.revise("kabarniaga", story.number, Change.NUMBER)

    run = await days.later(HOUR * 1.2)

    assert run.counts.revised == 1
    event = (await days.events(stored.id))[-1]
    assert (event.event, event.revision) == ("revised", 2)
    assert 0 < event.materiality < 0.7
    assert event.detail["figures"] > 0
    assert event.detail["title"] == 0
    assert await days.rooms.storage.visits.rates("kabarniaga") == {0: (1, 1)}


async def test_a_counter_of_readers_makes_no_revision(days: Days) -> None:
    story, stored = await days.story()
    days.newsroom.revise("kabarniaga", story.number, Change.COUNTER)

    run = await days.later(HOUR * 1.2)

    (fate,) = await days.fates(run)
    assert fate.kind == "unchanged"
    assert "only counters" in (fate.detail or "")
    assert [e.event for e in await days.events(stored.id)] == ["new"]


async def test_a_notice_of_the_outlet_makes_it_a_correction(days: Days) -> None:
    story, stored = await days.story()
    days.newsroom.revise("kabarniaga", story.number, Change.CORRECTION)

    await days.later(HOUR * 1.2)

    event = (await days.events(stored.id))[-1]
    assert event.event == "corrected"
    assert event.detail["notice"].startswith("Ralat:")
    assert event.materiality >= 0.5


async def test_a_server_whose_304_lies_hides_an_edit_until_the_last_visit_of_the_plan_only(days: Days) -> None:
    story, stored = await days.story()
    days.newsroom.misbehave("lying_304", path="/news/")
    days.newsroom.revise("kabarniaga", story.number, Change.NUMBER)

    told = []
    for wait in (HOUR * 1.2, DAY, 7 * DAY):
        await days.later(wait)
        told.append(len(await days.events(stored.id)))

    assert told == [1, 1, 2]
    assert (await days.visit(stored.id)).due_at is None


async def test_a_permanent_redirect_moves_the_article_and_its_new_address_is_known(days: Days) -> None:
    story, stored = await days.story()
    url = days.newsroom.move("kabarniaga", story.number)

    await days.later(HOUR * 1.2)

    event = (await days.events(stored.id))[-1]
    assert (event.event, event.materiality) == ("moved", None)
    assert (event.detail["from"], event.detail["to"]) == (stored.article.url, url)
    assert event.record["url"] == url
    assert (await days.visit(stored.id)).url == url
    days.newsroom.publish("kabarniaga", 1, channel="keuangan")
    await days.poll()
    assert [e.event for e in await days.events(stored.id)] == ["new", "moved"]


async def test_one_410_takes_nothing_back_and_a_page_that_stays_gone_is_retracted_and_may_return(days: Days) -> None:
    story, stored = await days.story()
    days.newsroom.retract("kabarniaga", story.number)

    first = await days.later(HOUR * 1.2)

    (fate,) = await days.fates(first)
    assert (fate.kind, fate.rule) == ("unchanged", "absent")
    assert [e.event for e in await days.events(stored.id)] == ["new"]

    await days.later(3.1 * HOUR)
    await days.later(9.1 * HOUR)
    event = (await days.events(stored.id))[-1]
    assert event.event == "retracted"
    assert (event.detail["how"], event.record["retracted_at"] is not None) == ("gone", True)

    days.newsroom.restore("kabarniaga", story.number)
    await days.later(1.1 * DAY)
    back = (await days.events(stored.id))[-1]
    assert (back.event, back.revision, back.detail["restored"]) == ("revised", 2, True)
    assert back.record["retracted_at"] is None
    assert len({e.key for e in await days.events(stored.id)}) == 3


async def test_a_page_that_comes_back_in_between_was_never_missing(days: Days) -> None:
    story, stored = await days.story()
    days.newsroom.retract("kabarniaga", story.number)
    await days.later(HOUR * 1.2)
    days.newsroom.restore("kabarniaga", story.number)

    await days.later(3.1 * HOUR)

    visit = await days.visit(stored.id)
    assert (visit.absences, visit.absent_since) == (0, None)
    assert [e.event for e in await days.events(stored.id)] == ["new"]


async def test_a_site_that_loses_all_its_pages_at_once_takes_nothing_back(days: Days) -> None:
    days.newsroom.publish("kabarniaga", 8, channel="keuangan")
    await days.poll()
    days.newsroom.misbehave("status_404", path="/news/")

    for _ in range(5):
        await days.later(1.2 * DAY)

    found = await days.rooms.storage.outbox.after(0, 1000)
    assert {e.event for e in found} <= {"new", "copy"}
    assert sum(v.absences for v in (await days.rooms.storage.visits.of([e.article_id for e in found])).values()) > 8


@pytest.mark.parametrize("misbehaviour", ["status_500", "status_403", "reset"])
async def test_trouble_on_the_way_says_nothing_of_the_article_and_the_visit_is_made_up_for(
    days: Days, misbehaviour: str
) -> None:
    _, stored = await days.story()
    days.newsroom.misbehave(misbehaviour, path="/news/")

    run = await days.later(HOUR * 1.2)

    visit = await days.visit(stored.id)
    assert await days.fates(run) == []
    assert visit.absences == 0
    assert visit.due_at is not None
    assert timedelta(0) < visit.due_at - days.now() < HOUR


async def test_a_page_sent_to_the_front_page_is_missing_and_one_that_moves_for_now_is_not(days: Days) -> None:
    _, stored = await days.story()
    rule = days.newsroom.misbehave("redirect_302", path="/news/", options={"to": "/"})
    await days.later(HOUR * 1.2)
    assert (await days.visit(stored.id)).absence == "redirect"
    days.newsroom.rules.remove(rule.id)
    days.newsroom.misbehave("redirect_302", path="/news/")

    await days.later(3.1 * HOUR)

    assert (await days.visit(stored.id)).absences == 0
    assert [e.event for e in await days.events(stored.id)] == ["new"]
