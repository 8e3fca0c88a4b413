"""What pages read, beyond what their tests in a browser see. In threads: Playwright may keep a loop in this one."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor import runs
from monitor.articles import NAMES, wish
from monitor.filters import parse
from monitor.web import found
from monitor.web.day import Day
from monitor.web.delivered import told_of
from monitor.web.figures import ITEM_NAMES, ItemWish, item_page
from storage.articles import ArticleFilter
from storage.search import parse_query
from storage.storage import Storage


def utc() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def ask(filled: Any, tmp_path: Path) -> Callable[[Callable[[Storage], Awaitable[Any]]], Any]:
    shutil.copy(filled.database, tmp_path / "warta.db")

    async def asked(question: Callable[[Storage], Awaitable[Any]]) -> Any:
        storage = await Storage.open(f"sqlite:///{tmp_path / 'warta.db'}", now=utc, migrate=False)
        try:
            return await question(storage)
        finally:
            await storage.close()

    def run(question: Callable[[Storage], Awaitable[Any]]) -> Any:
        with ThreadPoolExecutor(1) as apart:
            return apart.submit(lambda: asyncio.run(asked(question))).result(60)

    return run


def test_a_day_added_up_by_the_hour_is_the_day(ask: Any) -> None:
    async def both(storage: Storage) -> Any:
        day, now = Day(), utc()
        first = await day.summary(storage.runs, now)
        again = await day.summary(storage.runs, now + timedelta(hours=3))
        return first, again, await storage.runs.summary(now - timedelta(hours=24))

    first, again, whole = ask(both)

    assert first == again == whole
    assert whole.counts.discovered > 0


@pytest.mark.parametrize(
    ("words", "count"),
    [("", 3), ("fate:stored", 2), ("-fate:stored", 1), ("fate:stored,revised", 3), ("outlet:nowhere", 0),
     ("source:kabar/utama since:1h", 3), ("until:1h", 0), ("menguat", 2), ("fate:pending", 0)],
)  # fmt: skip
def test_items_are_found_by_filter_words_page_by_page(ask: Any, words: str, count: int) -> None:
    wanted = ItemWish.of(parse(words, names=ITEM_NAMES, now=utc()))

    async def pages(storage: Storage) -> list[int]:
        seen: list[int] = []
        before = None
        while True:
            rows, before = await item_page(storage.database, wanted, before=before, limit=1)
            seen += [row.id for row in rows]
            if before is None:
                return seen

    seen = ask(pages)

    assert len(seen) == count
    assert seen == sorted(set(seen), reverse=True)


def test_an_article_says_who_was_told_of_what(ask: Any, filled: Any) -> None:
    told = ask(lambda storage: told_of(storage.database, filled.article))
    refused = ask(lambda storage: told_of(storage.database, filled.hostile))

    assert [(row.event, row.consumer, row.status) for row in told] == [
        ("revised", "arsip", "behind"),
        ("new", "arsip", "delivered"),
    ]
    assert [(row.status, row.attempts) for row in refused] == [("dead", 9)]


@pytest.mark.parametrize("query", ["rupiah", "isi", "rupiah -melemah", "nowhere"])
@pytest.mark.parametrize("patience", [-1.0, 60.0])
def test_a_search_stretch_by_stretch_finds_what_a_search_at_once_finds(
    ask: Any, monkeypatch: pytest.MonkeyPatch, query: str, patience: float
) -> None:
    monkeypatch.setattr(found, "STRETCH", 1)
    monkeypatch.setattr(found, "PATIENCE", patience)

    async def both(storage: Storage) -> Any:
        whole = await found.article_page(storage, wish(parse(query, names=(), now=utc())), after=None, limit=10)
        hits: list[found.Hit] = []
        after = None
        for _ in range(10):
            part = await found.stretch_by_stretch(storage.database, parse_query(query), after, 10)
            hits += part.rows
            after = part.next
            if after is None:
                break
        return whole.rows, tuple(hits), after

    whole, parts, after = ask(both)

    assert parts == whole
    assert after is None


@pytest.mark.parametrize(
    "words",
    ["kind:original", "-kind:revised", "language:id rupiah", "-language:id", "outlet:kabar,other kind:revised",
     "day:{today}", "until:1h", "outlet:kabar -tag:emas"],
)  # fmt: skip
@pytest.mark.parametrize("stretch", [1, 5_000])
def test_what_no_index_knows_is_found_page_by_page_and_is_what_storage_finds(
    ask: Any, monkeypatch: pytest.MonkeyPatch, words: str, stretch: int
) -> None:
    monkeypatch.setattr(found, "LOOKED_THROUGH", stretch)
    monkeypatch.setattr(found, "PATIENCE", -1.0)
    monkeypatch.setattr(found, "SLACK", 1)
    asked = wish(parse(words.format(today=utc().date()), names=NAMES, now=utc()))

    async def both(storage: Storage) -> Any:
        chosen = ArticleFilter(
            since=asked.since, until=asked.until, query=asked.query, having=asked.having, without=asked.without
        )
        seen: list[str] = []
        after = None
        for _ in range(20):
            part = await found.article_page(storage, asked, after=after, limit=1)
            seen += [hit.id for hit in part.rows]
            after = part.next
            if after is None:
                break
        return [a.id for a in (await storage.articles.list(chosen)).articles], seen, after

    whole, parts, after = ask(both)

    assert parts == whole
    assert after is None


@pytest.mark.parametrize(
    ("words", "sources"),
    [
        ("", ["utama", "bursa", "utama"]), ("status:failed", ["bursa"]),
        ("status:ok,failed", ["utama", "bursa", "utama"]),
        ("-status:ok", ["bursa"]), ("reason:http_5xx", ["bursa"]), ("-reason:http_5xx", ["utama", "utama"]),
        ("source:kabar/u*", ["utama", "utama"]), ("outlet:kabar 500", ["bursa"]), ("ANSWERS", ["bursa"]),
        ("until:1h", []), ("since:1h -source:kabar/utama", ["bursa"]), ("100%", []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stretch", [1, 5_000])
def test_runs_are_found_by_filter_words_page_by_page(
    ask: Any, monkeypatch: pytest.MonkeyPatch, words: str, sources: list[str], stretch: int
) -> None:
    monkeypatch.setattr(runs, "LOOKED_THROUGH", stretch)
    wanted = parse(words, names=runs.NAMES, now=utc())

    async def pages(storage: Storage) -> list[str]:
        seen: list[str] = []
        before = None
        for _ in range(20):
            rows, before = await runs.find(storage.database, wanted, before=before, limit=1)
            seen += [row.id for row in rows]
            if before is None:
                break
        whole, more = await runs.find_all(storage.database, wanted, limit=50)
        assert ([row.id for row in whole], more) == (seen, None)
        named = {run.id: run.source_id.removeprefix("kabar/") for run in await storage.runs.list()}
        return [named[run] for run in seen]

    assert sorted(ask(pages)) == sorted(sources)
