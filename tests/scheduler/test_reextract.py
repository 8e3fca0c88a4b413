"""Redesigns and better rules: an outlet drifts, is read without its rules, and its kept pages are read again."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from config.model import ArticleRules, Selector, Settings
from crawlers.measure import CURRENT
from crawlers.pool import ParsePool
from newsroom import ledger
from scheduler.reextract import Job, Reextractor
from storage.model import FateKind, RunStatus, StoredArticle

from .conftest import Desk

#: A section where there is none, found in the byline.
AUTHOR = (Selector("p.author"),)


def now() -> datetime:
    return datetime.now(UTC)


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[ParsePool]:
    made = ParsePool(1, preload=("crawlers.reread",))
    yield made
    await made.stop()


def with_rules(settings: Settings, outlet: str, **changes: object) -> Settings:
    """The settings with other current rules for one outlet."""
    outlets = tuple(
        dataclasses.replace(o, rules=tuple(dataclasses.replace(r, **changes) for r in o.rules or (ArticleRules(),)))
        if o.id == outlet else o
        for o in settings.outlets
    )  # fmt: skip
    return dataclasses.replace(settings, outlets=outlets)


async def crawled(desk: Desk, outlet: str, source: str, count: int) -> list[StoredArticle]:
    """Publish and crawl that many stories; the articles stored by it."""
    known = {a.id for a in await desk.articles(outlet)}
    for _ in range(-(-count // 10)):
        desk.newsroom.clock.forward(timedelta(minutes=1))
        desk.newsroom.publish(outlet, 10)
        run = await desk.crawl(source)
        assert run.status is RunStatus.OK
    return [a for a in await desk.articles(outlet) if a.id not in known]


async def test_an_outlet_with_a_new_design_drifts_loses_no_text_and_recovers_by_itself(desk: Desk) -> None:
    outlet, source = "gemanusa", "gemanusa/rdf"
    facts = desk.rooms.storage.facts
    await crawled(desk, outlet, source, 110)
    assert await facts.get("drift gemanusa") is None
    desk.newsroom.misbehave("redesign", host="www.gemanusa.test")

    first = await crawled(desk, outlet, source, 10)

    fact = await facts.get("drift gemanusa")
    assert fact is not None
    assert fact["evidence"].startswith("body by the rules fell from 100% to 17% of pages")
    meanwhile = await crawled(desk, outlet, source, 10)
    truth = {r.url: r for r in ledger.records(desk.newsroom, outlet)}
    for stored in (*first, *meanwhile):
        assert stored.article.text
        assert set(truth[stored.article.url].paragraphs) <= {b.text for b in stored.article.body}
    said = dict(meanwhile[0].article.provenance)
    assert said["body"] == "generic"
    assert said["body.instead"] == "the outlet drifts: its rules found no body"
    assert "body.instead" not in dict(first[0].article.provenance)

    desk.newsroom.rules.clear()
    await crawled(desk, outlet, source, 10)
    assert await facts.get("drift gemanusa") is not None
    await crawled(desk, outlet, source, 20)
    assert await facts.get("drift gemanusa") is None
    assert len(await desk.rooms.storage.coverage.last(outlet, CURRENT, 99)) == 40


async def test_a_page_without_text_is_a_failed_item_counted_and_never_an_article(desk: Desk) -> None:
    desk.newsroom.publish("gemanusa", 3)
    desk.newsroom.misbehave("html_instead", host="www.gemanusa.test", path="/berita")

    run = await desk.crawl("gemanusa/rdf")
    for _ in range(3):
        run = await desk.crawl("gemanusa/rdf")

    assert await desk.articles("gemanusa") == []
    fates = await desk.rooms.storage.fates.search(outlet_id="gemanusa", limit=100)
    assert {f.kind for f in fates} <= {FateKind.FAILED, FateKind.FILTERED}, run
    assert {f.rule for f in fates} <= {"empty", "index"}


async def test_better_rules_make_revisions_only_where_something_changes_and_once(desk: Desk, pool: ParsePool) -> None:
    stored = await crawled(desk, "gemanusa", "gemanusa/rdf", 10)
    storage = desk.rooms.storage
    plain = Reextractor(desk.settings, storage, pool, now)
    assert {done.outcome async for done in plain.run(Job())} == {"unchanged"}
    told = await desk.announced()
    sections = Reextractor(with_rules(desk.settings, "gemanusa", section=AUTHOR), storage, pool, now)
    dry = Counter([done.outcome async for done in sections.run(Job(dry_run=True))])
    assert dry == {"revised": len(stored)}
    assert await desk.announced() == told

    done = [done async for done in sections.run(Job())]
    assert {d.outcome for d in done} == {"revised"}
    assert {d.fields for d in done} == {("section",)}
    assert [e for e, _, _ in (await desk.announced())[len(told) :]] == ["reextracted"] * len(stored)
    assert {d.outcome async for d in sections.run(Job())} == {"unchanged"}
    await _agrees(desk)


async def test_an_interrupted_reextraction_goes_on_where_it_stopped(desk: Desk, pool: ParsePool) -> None:
    stored = await crawled(desk, "gemanusa", "gemanusa/rdf", 60)
    settings = with_rules(desk.settings, "gemanusa", section=AUTHOR)
    job = Job(outlet_id="gemanusa", said="7d", since=now() - timedelta(days=7))
    first = Reextractor(settings, desk.rooms.storage, pool, now)
    read = []
    walk = first.run(job)
    async for done in walk:
        read.append(done)
        if len(read) == 45:
            break
    await walk.aclose()

    again = Reextractor(settings, desk.rooms.storage, pool, now)
    after = await again.resumes(dataclasses.replace(job, since=now() - timedelta(days=7)))
    rest = [done async for done in again.run(job, after)]

    assert after == read[39].seq
    assert len(rest) == len(stored) - 40
    assert await again.resumes(job) == 0
    assert [e for e, _, _ in await desk.announced()].count("reextracted") == len(stored)
    other = Reextractor(with_rules(settings, "gemanusa", section=()), desk.rooms.storage, pool, now)
    assert await other.resumes(job) == 0


async def _agrees(desk: Desk) -> None:
    report = await desk.rooms.storage.audit.run()
    assert report.findings == ()
