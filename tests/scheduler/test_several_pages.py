"""An article on several pages, from its source to its pages read again."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from config.model import Settings
from crawlers.pool import ParsePool
from newsroom.shapes import kabarniaga
from scheduler.reextract import Job, Reextractor

from .conftest import Desk

OUTLET = "kabarniaga"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The outlet as one that has no address for the whole of an article."""
    outlets = tuple(
        dataclasses.replace(o, urls=dataclasses.replace(o.urls, full_page=None)) if o.id == OUTLET else o
        for o in settings.outlets
    )
    return dataclasses.replace(settings, outlets=outlets)


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[ParsePool]:
    made = ParsePool(1, preload=("crawlers.reread",))
    yield made
    await made.stop()


async def test_every_page_is_kept_and_all_are_read_again_as_one_article(
    desk: Desk, pool: ParsePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kabarniaga, "is_paged", lambda story, words: len(words.paragraphs) >= 4)
    desk.newsroom.publish(OUTLET, 8)
    source = next(s.id for o in desk.settings.outlets if o.id == OUTLET for s in o.sources if s.kind.value == "feed")
    await desk.crawl(source)
    storage = desk.rooms.storage
    kept = {a.id: await storage.articles.raw(a.id) for a in await desk.articles(OUTLET)}
    several = {key for key, raw in kept.items() if raw is not None and raw.further}
    assert several

    again = Reextractor(desk.settings, storage, pool, lambda: datetime.now(UTC))
    assert {d.outcome async for d in again.run(Job(outlet_id=OUTLET)) if d.article_id in several} == {"unchanged"}
