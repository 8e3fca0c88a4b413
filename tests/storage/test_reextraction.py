"""Revisions made from kept pages, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from storage.model import FateKind, IdentityKey, IdentityKind
from storage.settle import REVISIONS
from storage.storage import Storage
from storage.tables import raw_pages


async def kept(storage: Storage, **where: Any) -> list[Any]:
    wanted = {"outlet_id": None, "since": None} | where
    found = [page async for batch in storage.reextraction.batches(**wanted) for page in batch]
    assert len(found) == await storage.reextraction.count(**wanted)
    return found


async def test_a_page_read_otherwise_becomes_a_revision_that_says_so(
    storage: Storage, desk: Any, clock: Any, write_article: Any
) -> None:
    first = await desk.publish("beras")
    (page,) = await kept(storage)
    assert page.raw.body.startswith(b"<html>")
    clock.advance(timedelta(hours=1))

    number = await storage.reextraction.revise(
        page.stored, replace(write_article("beras", "Teks yang utuh."), section="Pangan"), clock()
    )

    assert number == 2
    stored = await storage.articles.get(first.article_id)
    assert stored is not None
    assert (stored.revision, stored.article.section, stored.revised_at) == (2, "Pangan", clock())
    assert [r.reason for r in await storage.articles.revisions(first.article_id)] == ["first", "reextracted"]
    assert [(e.event, e.revision) for e in await storage.outbox.after(0, 9)] == [("new", 1), ("reextracted", 2)]
    body = IdentityKey(IdentityKind.BODY, desk.outlet, stored.article.body_hash)
    assert (await storage.articles.identities([body]))[body].article_id == first.article_id
    assert await storage.articles.raw(first.article_id) == page.raw
    await desk.agrees()


async def test_a_newer_word_of_the_outlet_wins(storage: Storage, desk: Any, clock: Any, write_article: Any) -> None:
    await desk.publish("beras")
    (page,) = await kept(storage)
    await desk.begin()
    (fate,) = await desk.discover("beras")
    await desk.decide(fate, FateKind.REVISED, write_article("beras", "Ralat."), of=page.stored.id)

    assert await storage.reextraction.revise(page.stored, write_article("beras", "Lama."), clock()) is None
    assert await storage.articles.bury([page.stored.id], "manual", clock()) == 1
    assert await storage.reextraction.revise(page.stored, write_article("beras", "Lama."), clock()) is None


async def test_an_older_page_does_not_undo_a_word_whose_page_is_gone(
    storage: Storage, desk: Any, write_article: Any
) -> None:
    first = await desk.publish("beras")
    await desk.begin()
    (fate,) = await desk.discover("beras")
    await desk.decide(fate, FateKind.REVISED, write_article("beras", "Ralat."), of=first.article_id)
    assert len(await kept(storage)) == 1
    async with storage.database.write() as connection:
        await connection.execute(raw_pages.delete().where(raw_pages.c.revision == 2))

    assert await kept(storage) == []


async def test_a_body_that_another_article_had_first_stays_that_ones(
    storage: Storage, desk: Any, clock: Any, write_article: Any
) -> None:
    owner = await desk.publish("satu", write_article("satu", "Teks."))
    await desk.publish("dua")
    page = (await kept(storage))[1]

    await storage.reextraction.revise(page.stored, write_article("dua", "Teks.", title="Dua"), clock())

    body = IdentityKey(IdentityKind.BODY, desk.outlet, write_article("x", "Teks.").body_hash)
    assert (await storage.articles.identities([body]))[body].article_id == owner.article_id


async def test_pages_come_in_order_of_arrival_by_outlet_and_time_and_from_where_one_stopped(
    storage: Storage, desk: Any, clock: Any
) -> None:
    for key in ("a", "b"):
        await desk.publish(key)
    clock.advance(timedelta(days=2))
    await desk.publish("c")

    pages = await kept(storage)
    assert [page.stored.article.url_key for page in pages] == ["a", "b", "c"]
    assert [p.seq for p in await kept(storage, after=pages[0].seq)] == [p.seq for p in pages[1:]]
    assert len(await kept(storage, since=clock() - timedelta(days=1))) == 1
    assert len(await kept(storage, outlet_id=desk.outlet)) == 3
    assert await kept(storage, outlet_id="another") == []


async def test_no_article_gets_more_revisions_than_one_may_have(
    storage: Storage, desk: Any, clock: Any, write_article: Any
) -> None:
    await desk.publish("beras")
    for number in range(2, REVISIONS + 2):
        (page,) = await kept(storage)
        written = await storage.reextraction.revise(page.stored, write_article("beras", f"Ke-{number}."), clock())
        assert written == (number if number <= REVISIONS else None)
