from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from storage.articles import ArticleFilter
from storage.model import Article, IdentityKey, IdentityKind
from storage.search import SearchQuery, parse_query

Write = Callable[..., Article]
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("typed", "wanted", "unwanted"),
    [
        ("harga beras", ("harga", "beras"), ()),
        ('"harga beras" naik', ("harga beras", "naik"), ()),
        ('beras -impor -"pasar induk"', ("beras",), ("impor", "pasar induk")),
        ("KONTAN.CO.ID", ("KONTAN CO ID",), ()),
        ("\" ' ( ) * : ^ NEAR(a b) -", ("NEAR a", "b"), ()),
        ("", (), ()),
    ],
)
def test_what_a_person_types_is_words_and_phrases_never_syntax(
    typed: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]
) -> None:
    assert parse_query(typed) == SearchQuery(wanted, unwanted)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("beras", {"beras", "impor"}),
        ("BERAS Bulog", {"impor"}),
        ('"cadangan beras"', {"impor"}),
        ('"beras cadangan"', set()),
        ("beras -impor", {"beras"}),
        ("jum'at", {"rupiah"}),
        ("kontan", {"rupiah"}),
        ("kontan.co.id", {"rupiah"}),
        ("menteri-menteri", {"impor"}),
        ("16.250", {"rupiah"}),
        ("-beras", set()),
        ('" OR 1=1 --', set()),
        ("title:beras", set()),
        ("ekspor*", set()),
        ("", set()),
    ],
)
async def test_indonesian_text_is_found_by_its_words(
    desk: Any, write_article: Write, typed: str, found: set[str]
) -> None:
    for key, title, text in (
        ("beras", "Panen raya di Cianjur", "Beras medium stabil."),
        ("impor", "Menteri-menteri membahas impor", "Bulog menambah cadangan beras, kata pejabat."),
        ("rupiah", "Rupiah menguat", "KONTAN.CO.ID menulis kurs Rp 16.250 pada Jum'at sore."),
    ):
        what = write_article(key, text, title=title)
        # The desk's standing paragraphs speak of rice in every article.
        what = _only(what, text)
        await desk.publish(key, what)

    page = await desk.storage.articles.list(ArticleFilter(query=typed))

    assert {stored.article.url_key for stored in page.articles} == found
    assert await desk.storage.articles.count(ArticleFilter(query=typed)) == len(found)


def _only(what: Article, text: str) -> Article:
    return replace(
        what, body=(replace(what.body[-1], text=text),), text=text, content_hash="1" + text, body_hash="1b" + text
    )


async def test_a_revision_is_found_by_what_it_says_now(desk: Any, write_article: Write) -> None:
    await desk.publish("beras", write_article("beras", "Sebelumnya gandum."))
    await desk.publish("beras", write_article("beras", "Kini kedelai."))

    assert await desk.storage.articles.count(ArticleFilter(query="kedelai")) == 1
    assert await desk.storage.articles.count(ArticleFilter(query="gandum")) == 0


async def test_articles_are_listed_newest_first_page_by_page(desk: Any) -> None:
    stored = []
    for number in range(5):
        stored.append((await desk.publish(f"k{number}")).article_id)
        desk.clock.advance(HOUR)
    articles = desk.storage.articles

    first = await articles.list(limit=2)
    second = await articles.list(limit=2, after=first.next)
    third = await articles.list(limit=2, after=second.next)

    pages = [*first.articles, *second.articles, *third.articles]
    assert [s.id for s in pages] == stored[::-1]
    assert third.next is None
    since = ArticleFilter(since=desk.clock() - 2 * HOUR)
    assert [s.id for s in (await articles.list(since)).articles] == stored[:-3:-1]
    assert await articles.count(ArticleFilter(until=desk.clock() - 2 * HOUR)) == 3
    assert await articles.count(ArticleFilter(outlet_id="lain")) == 0


async def test_copies_can_be_left_out(desk: Any, write_article: Write) -> None:
    original = await desk.publish("a", write_article("a", "Sama."))
    await desk.publish("b", write_article("b", "Sama."))
    articles = desk.storage.articles

    assert await articles.count() == 2
    (kept,) = (await articles.list(ArticleFilter(copies=False))).articles
    assert kept.id == original.article_id
    assert await articles.count(ArticleFilter(cluster=original.article_id)) == 2


async def test_an_export_meets_every_article_once_in_order_of_arrival(desk: Any) -> None:
    stored = [(await desk.publish(f"k{number}")).article_id for number in range(7)]

    met = [(seq, s.id) async for seq, s in desk.storage.articles.iterate(batch=3)]
    later = [s.id async for _, s in desk.storage.articles.iterate(after=met[3][0])]

    assert [name for _, name in met] == stored
    assert later == stored[4:]


async def test_a_retraction_is_told_once(desk: Any) -> None:
    first = await desk.publish("a")

    event_id = await desk.storage.articles.retract(first.article_id, desk.clock())

    assert await desk.storage.articles.retract(first.article_id, desk.clock()) is None
    assert await desk.storage.articles.retract("unknown", desk.clock()) is None
    (event,) = await desk.storage.outbox.after(first.event_id, 9)
    assert (event.id, event.event, event.article_id) == (event_id, "retracted", first.article_id)


async def test_sightings_are_refreshed_by_the_hour(desk: Any) -> None:
    await desk.publish("a")
    keys = [IdentityKey(IdentityKind.URL, desk.outlet, "a"), IdentityKey(IdentityKind.URL, desk.outlet, "zz")]
    touch = desk.storage.articles.touch

    assert await touch(keys, desk.clock() + HOUR) == 0
    later = desk.clock() + 2 * HOUR
    assert await touch(keys, later) == 1
    assert await touch(keys, later) == 0
    fresh = [i.key async for i in desk.storage.articles.iter_identities(later)]
    assert fresh == keys[:1]


async def test_every_identity_is_met_once_when_memory_is_rebuilt(desk: Any) -> None:
    await desk.begin()
    for fate in await desk.discover(*(f"k{n}" for n in range(20))):
        await desk.decide(fate)

    met = [i.key async for i in desk.storage.articles.iter_identities(desk.clock() - HOUR, batch=7)]

    assert len(met) == len(set(met)) == 60
    assert {kind: sum(k.kind is kind for k in met) for kind in IdentityKind} == dict.fromkeys(IdentityKind, 20)


async def test_many_keys_are_looked_up_at_once(desk: Any) -> None:
    await desk.publish("k7")
    keys = [IdentityKey(IdentityKind.URL, desk.outlet, f"k{n}") for n in range(3000)]

    assert list(await desk.storage.articles.identities(keys)) == [keys[7]]
    assert await desk.storage.articles.identities([]) == {}


async def test_what_is_not_there_is_none(desk: Any) -> None:
    articles = desk.storage.articles

    assert await articles.get("x") is None
    assert await articles.content_hash("x") is None
    assert await articles.raw("x") is None
    assert await articles.revisions("x") == []


async def test_a_head_says_what_deciding_needs(desk: Any, write_article: Write) -> None:
    what = write_article("a")
    first = await desk.publish("a", what)

    head = await desk.storage.articles.content_hash(first.article_id)

    assert head == (what.content_hash, 1, what.title, what.body_hash)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("outlet", [None, "kabar"])
async def test_pages_of_a_search_hold_every_article_once_in_the_order_of_its_announcement(
    storage: Any, desk: Any, make_desk: Callable[..., Any], clock: Any, newest_first: bool, outlet: str | None
) -> None:
    other = make_desk(storage, clock, source="kabar/utama")
    await other.declare()
    for number in range(20):
        await desk.publish(f"a{number}")
        if number in {0, 1, 2, 19}:
            await other.publish(f"b{number}")
    announced = [event.article_id for event in await storage.outbox.after(0, limit=100)]
    gone = announced.pop(5)
    await storage.articles.bury([gone], "manual", clock())
    asked = ArticleFilter(query="pasar", outlet_id=outlet)
    found = [record async for _, record in storage.events.records(asked, batch=2, newest_first=newest_first)]
    wanted = [
        one for one in announced if outlet is None or (await storage.articles.get(one)).article.outlet_id == outlet
    ]
    assert [record["id"] for record in found] == (wanted[::-1] if newest_first else wanted)
    nothing = ArticleFilter(query="tidakada")
    assert [record async for record in storage.events.records(nothing, newest_first=newest_first)] == []
