"""Copies told by their texts: both databases, a real server, and that server taken away."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from crawlers.identity import body_hash, content_hash
from crawlers.near import Match, Near
from storage.articles import ArticleFilter
from storage.bands import REFERENCE, Bands
from storage.database import Database
from storage.embedded import EmbeddedValkey
from storage.errors import StorageUnavailable
from storage.model import Article, Committed, FateKind, StoredArticle
from storage.redis import connect
from storage.storage import Storage
from storage.texts import Texts

LOOK_BACK = timedelta(days=8)
#: Digits as letters: a figure that changes makes another report.
LETTERS = str.maketrans("0123456789", "abcdefghij")
WORDS = [a + b + c for a in "bdgk" for b in ("ara", "eri", "olu", "uta") for c in ("ng", "s", "n", "k", "m")]


@pytest_asyncio.fixture
async def redis() -> AsyncIterator[Redis]:
    folder = Path(tempfile.mkdtemp(prefix="warta-"))
    async with EmbeddedValkey(folder / "v", persistent=False).running() as server:
        client = connect(server.url)
        yield client
        await client.aclose()
    shutil.rmtree(folder, ignore_errors=True)


def words(seed: int, count: int = 150) -> list[str]:
    return Random(seed).choices(WORDS, k=count)


def edited(text: str, seed: int = 1, edits: int = 3) -> str:
    made = text.split()
    for place in Random(seed).sample(range(len(made)), edits):
        made[place] = "lain" + str(place).translate(LETTERS)
    return " ".join(made)


class Wire:
    """Several outlets, one daemon: what the crawl does with an article once it is read."""

    def __init__(self, storage: Storage, redis: Redis, clock: Any, make_desk: Any, write: Any) -> None:
        self.storage, self.redis, self.clock = storage, redis, clock
        self._make_desk, self._write = make_desk, write
        self._desks: dict[str, Any] = {}
        self.near = self.fresh()

    def fresh(self) -> Near:
        """As after a restart."""
        bands = Bands(self.redis, LOOK_BACK, pause=timedelta(0))
        return Near(
            self.storage.texts, bands, look_back=LOOK_BACK, near=0.55,
            agencies=lambda: frozenset({"kantor-berita"}), now=self.clock,
        )  # fmt: skip

    async def arrive(self, outlet: str, key: str, text: str, **more: Any) -> tuple[Match | None, Committed]:
        if outlet not in self._desks:
            desk = self._desks[outlet] = self._make_desk(self.storage, self.clock, source=f"{outlet}/utama")
            await desk.declare()
        desk = self._desks[outlet]
        article: Article = self._write(key, outlet=outlet)
        article = replace(
            article, text=text, body=(replace(article.body[0], text=text),), body_hash=body_hash(text),
            content_hash=content_hash(article.title, text), **more,
        )  # fmt: skip
        match = await self.near.find(article)
        await desk.begin()
        (fate,) = await desk.discover(key)
        if match is None:
            return None, await desk.decide(fate, FateKind.STORED, article)
        return match, await desk.decide(
            fate, FateKind.DUPLICATE, article, rule=match.rule, of=match.of, takes_over=match.takes_over
        )

    async def cluster(self, name: str) -> dict[str, StoredArticle]:
        page = await self.storage.articles.list(ArticleFilter(cluster=name))
        return {stored.id: stored for stored in page.articles}


@pytest.fixture
def wire(storage: Storage, redis: Redis, clock: Any, make_desk: Any, write_article: Callable[..., Article]) -> Wire:
    return Wire(storage, redis, clock, make_desk, write_article)


async def test_an_edited_text_under_another_title_and_address_is_a_linked_copy(wire: Wire) -> None:
    text = " ".join(words(1))
    _, first = await wire.arrive("warta-pagi", "a", text)
    match, second = await wire.arrive("warta-pagi", "a-1", edited(text))
    assert match is not None
    assert (match.rule, match.of, match.takes_over) == ("near", first.article_id, False)
    assert 0.55 < match.jaccard < 1
    assert second.kind is FateKind.DUPLICATE
    stored = await wire.storage.articles.get(second.article_id or "")
    assert stored is not None
    assert (stored.copy_of, stored.cluster) == (first.article_id, first.article_id)


async def test_a_wire_story_at_five_outlets_is_one_cluster_with_five_articles(wire: Wire) -> None:
    text = " ".join(words(2))
    ids = []
    for number in range(5):
        _, done = await wire.arrive(f"outlet-{number}", "a", edited(text, number, number))
        ids.append(done.article_id)
    cluster = await wire.cluster(ids[0] or "")
    assert set(cluster) == set(ids)
    assert {stored.copy_of for stored in cluster.values()} == {None, ids[0]}


async def test_an_agency_that_comes_later_becomes_the_parent_and_the_cluster_keeps_its_id(wire: Wire) -> None:
    text = " ".join(words(3))
    _, first = await wire.arrive("warta-pagi", "a", text)
    _, second = await wire.arrive("warta-sore", "a", text)
    match, agency = await wire.arrive("kantor-berita", "a", edited(text))
    assert match is not None
    assert match.takes_over
    _, last = await wire.arrive("warta-malam", "a", text)
    cluster = await wire.cluster(first.article_id or "")
    assert set(cluster) == {first.article_id, second.article_id, agency.article_id, last.article_id}
    for stored in cluster.values():
        assert stored.copy_of == (None if stored.id == agency.article_id else agency.article_id)


async def test_the_earlier_published_becomes_the_parent_among_equals(wire: Wire) -> None:
    text = " ".join(words(4))
    _, first = await wire.arrive("warta-pagi", "a", text, published=wire.clock())
    earlier = wire.clock() - timedelta(hours=2)
    _, second = await wire.arrive("warta-sore", "a", text, published=earlier)
    cluster = await wire.cluster(first.article_id or "")
    assert {stored.id: stored.copy_of for stored in cluster.values()} == {
        first.article_id: second.article_id,
        second.article_id: None,
    }


async def test_whatever_the_order_no_parent_has_a_parent(wire: Wire) -> None:
    text, chance = " ".join(words(5)), Random(5)
    outlets = [f"outlet-{n}" for n in range(8)] + ["kantor-berita"]
    chance.shuffle(outlets)
    names = set()
    for outlet in outlets:
        published = wire.clock() - timedelta(minutes=chance.randrange(500))
        _, done = await wire.arrive(outlet, "a", edited(text, chance.randrange(99), 2), published=published)
        stored = await wire.storage.articles.get(done.article_id or "")
        assert stored is not None
        names.add(stored.cluster)
    (name,) = names - {None}
    cluster = await wire.cluster(name or "")
    parents = {stored.copy_of for stored in cluster.values()} - {None}
    assert len(cluster) == len(outlets)
    assert len(parents) == 1
    (parent,) = parents
    assert parent is not None
    assert cluster[parent].copy_of is None
    assert cluster[parent].article.outlet_id == "kantor-berita"


async def test_a_flushed_redis_is_filled_from_the_database_before_it_is_believed(wire: Wire) -> None:
    text = " ".join(words(6))
    _, first = await wire.arrive("warta-pagi", "a", text)
    await wire.redis.flushall()
    match, _ = await wire.arrive("warta-sore", "a", edited(text))
    assert match is not None
    assert match.of == first.article_id


async def test_without_redis_the_database_answers_the_same(wire: Wire) -> None:
    text = " ".join(words(7))
    _, first = await wire.arrive("warta-pagi", "a", text)
    server, wire.redis = wire.redis, connect("redis://127.0.0.1:1", timeout=timedelta(seconds=1))
    wire.near = wire.fresh()
    match, second = await wire.arrive("warta-sore", "a", edited(text))
    assert match is not None
    assert match.of == first.article_id
    match, _ = await wire.arrive("warta-malam", "b", " ".join(words(8)))
    assert match is None
    await wire.redis.aclose()
    wire.redis = server
    wire.near = wire.fresh()
    match, _ = await wire.arrive("warta-malam", "a", edited(text))
    assert match is not None
    assert match.parent == first.article_id
    assert second.article_id in await wire.cluster(first.article_id or "")


async def test_an_evicting_redis_costs_time_and_no_copy(wire: Wire) -> None:
    text = " ".join(words(11))
    _, first = await wire.arrive("warta-pagi", "a", text)
    await wire.redis.config_set("maxmemory", "100mb")
    await wire.redis.config_set("maxmemory-policy", "allkeys-random")
    try:
        await wire.redis.flushall()  # what eviction comes to, at its worst
        wire.near = wire.fresh()
        match, _ = await wire.arrive("warta-sore", "a", edited(text))
        assert match is not None
        assert match.of == first.article_id
    finally:
        await wire.redis.config_set("maxmemory-policy", "noeviction")
        await wire.redis.config_set("maxmemory", "0")
    wire.near = wire.fresh()
    match, _ = await wire.arrive("warta-malam", "a", edited(text))
    assert match is not None
    assert match.parent == first.article_id


@pytest.mark.parametrize("seed", range(6))
async def test_a_cluster_is_the_same_whatever_the_order_its_articles_arrive_in(wire: Wire, seed: int) -> None:
    rng = Random(seed)
    base, now = " ".join(words(100 + seed)), wire.clock()
    outlets = ["warta-pagi", "warta-sore", "warta-malam", "warta-siang", *(["kantor-berita"] if seed % 2 else [])]
    published = {outlet: now + timedelta(minutes=n) for n, outlet in enumerate(rng.sample(outlets, len(outlets)))}
    order = rng.sample(outlets, len(outlets))
    ids = {}
    for outlet in order:
        text = base if rng.random() < 0.5 else edited(base)
        _, committed = await wire.arrive(outlet, "a", text, published=published[outlet])
        ids[outlet] = committed.article_id
        await wire.arrive(outlet, "b", " ".join(words(500 + 10 * seed + order.index(outlet))))
    parent = "kantor-berita" if seed % 2 else min(published, key=lambda outlet: published[outlet])

    stored = [await wire.storage.articles.get(article_id or "") for article_id in ids.values()]
    assert len({s.cluster for s in stored if s}) == 1
    assert {s.article.outlet_id: s.copy_of for s in stored if s} == {
        outlet: None if outlet == parent else ids[parent] for outlet in outlets
    }


async def test_a_read_only_redis_costs_time_and_no_copy(wire: Wire) -> None:
    text, later = " ".join(words(12)), " ".join(words(13))
    _, first = await wire.arrive("warta-pagi", "a", text)
    await wire.redis.replicaof("127.0.0.1", "1")
    try:
        _, unheard = await wire.arrive("warta-pagi", "b", later)
        match, _ = await wire.arrive("warta-sore", "a", edited(text))
        assert match is not None
        assert match.of == first.article_id
    finally:
        await wire.redis.replicaof("no", "one")
    match, _ = await wire.arrive("warta-sore", "b", edited(later))
    assert match is not None
    assert match.of == unheard.article_id


async def test_what_a_full_redis_did_not_take_is_entered_once_it_has_room(wire: Wire) -> None:
    text, later = " ".join(words(9)), " ".join(words(10))
    _, first = await wire.arrive("warta-pagi", "a", text)
    await wire.redis.config_set("maxmemory", "1")
    _, unheard = await wire.arrive("warta-pagi", "b", later)
    match, _ = await wire.arrive("warta-sore", "a", edited(text))
    assert match is not None
    assert match.of == first.article_id
    await wire.redis.config_set("maxmemory", "0")
    match, _ = await wire.arrive("warta-sore", "b", edited(later))
    assert match is not None
    assert match.of == unheard.article_id


async def test_texts_that_are_asked_for_side_by_side_come_to_who_asked(storage: Storage, wire: Wire) -> None:
    stored = [(await wire.arrive("pagi", f"k{n}", " ".join(words(n))))[1].article_id or "" for n in range(40)]
    asked = [stored[n : n + 1 + n % 8] for n in range(40)]

    found = await asyncio.gather(*(storage.texts.by_reference([name[:REFERENCE] for name in some]) for some in asked))

    assert [sorted(text.id for text in some) for some in found] == [sorted(some) for some in asked]
    assert await storage.texts.by_reference(["aaaaaaa"]) == []


async def test_a_database_that_is_away_is_told_to_everybody_who_asked(tmp_path: Path) -> None:
    texts = Texts(Database(f"sqlite:///{tmp_path}/nowhere/warta.db"))

    found = await asyncio.gather(
        *(texts.by_reference([name]) for name in ("aaaaaaa", "bbbbbbb")), return_exceptions=True
    )

    assert [type(error) for error in found] == [StorageUnavailable] * 2
