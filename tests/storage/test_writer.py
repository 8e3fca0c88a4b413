from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import text

from storage.content import article_id
from storage.errors import InvalidDecision, StaleToken, StorageUnavailable
from storage.model import Article, Decided, Discovery, FateKind, IdentityKey, IdentityKind, Trigger
from storage.settle import REVISIONS
from storage.sources import SourceDefinition
from storage.storage import Storage

Write = Callable[..., Article]


async def test_a_stored_item_is_an_article_with_its_revision_page_identities_and_event(
    desk: Any, write_article: Write
) -> None:
    written = write_article("beras")
    committed = await desk.publish("beras", written)
    storage: Storage = desk.storage

    assert committed.kind is FateKind.STORED
    assert committed.article_id == article_id("warta-pagi", "beras")
    stored = await storage.articles.get(committed.article_id)
    assert stored is not None
    assert stored.article == written
    assert (stored.revision, stored.first_seen, stored.copy_of) == (1, desk.clock(), None)
    (first,) = await storage.articles.revisions(committed.article_id)
    assert (first.reason, first.article, first.run_id) == ("first", written, desk.run.id)
    assert await storage.articles.raw(committed.article_id) == desk.page(written)
    key = IdentityKey(IdentityKind.URL, "warta-pagi", "beras")
    identity = (await storage.articles.identities([key]))[key]
    assert (identity.article_id, identity.fate) == (committed.article_id, FateKind.STORED)
    (event,) = await storage.outbox.after(0, 10)
    assert (event.id, event.event, event.revision) == (committed.event_id, "new", 1)
    assert await desk.counts() == {"discovered": 1, "stored": 1}
    await desk.agrees()


async def test_a_batch_is_one_transaction_and_every_caller_hears_of_its_own_item(desk: Any) -> None:
    await desk.begin()
    fates = await desk.discover(*(f"k{n}" for n in range(120)))

    committed = await asyncio.gather(*(desk.decide(fate) for fate in fates))

    assert [c.fate_id for c in committed] == [f.id for f in fates]
    assert [c.article_id for c in committed] == [article_id("warta-pagi", f.url_key) for f in fates]
    assert len({c.event_id for c in committed}) == 120
    assert await desk.counts() == {"discovered": 120, "stored": 120}


async def test_deciding_twice_answers_with_the_first_decision(desk: Any) -> None:
    await desk.begin()
    (fate,) = await desk.discover("beras")
    first = await desk.decide(fate)

    again = await desk.decide(fate, FateKind.FAILED, rule="timeout")

    assert (again.kind, again.article_id, again.revision) == (FateKind.STORED, first.article_id, 1)
    assert again.event_id is None
    assert await desk.counts() == {"discovered": 1, "stored": 1}


async def test_the_same_decision_twice_in_one_batch_is_written_once(desk: Any) -> None:
    await desk.begin()
    (fate,) = await desk.discover("beras")

    first, second = await asyncio.gather(desk.decide(fate), desk.decide(fate))

    assert (first.kind, second.kind) == (FateKind.STORED, FateKind.STORED)
    assert len(await desk.storage.outbox.after(0, 10)) == 1
    await desk.agrees()


async def test_a_stale_token_writes_nothing_and_costs_its_neighbours_nothing(desk: Any) -> None:
    await desk.declare(desk.source, "warta-pagi/lain")
    await desk.begin()
    (old,) = await desk.discover("a")
    stale = desk.decided(old)
    await desk.begin("warta-pagi/lain")
    (good,) = await desk.discover("b")
    fresh = desk.decided(good)
    newer = await desk.begin()

    results = await asyncio.gather(
        desk.storage.writer.commit(stale), desk.storage.writer.commit(fresh), return_exceptions=True
    )

    assert isinstance(results[0], StaleToken)
    assert results[0].fence == newer.token
    assert results[1].kind is FateKind.STORED
    assert await desk.storage.articles.count() == 1
    await desk.agrees()


async def test_one_bad_item_in_a_batch_costs_its_neighbours_nothing(desk: Any, write_article: Write) -> None:
    await desk.begin()
    fates = await desk.discover("a", "b", "c")
    # A number past 64 bits is what only the database refuses.
    broken = replace(write_article("b"), word_count=2**70)

    results = await asyncio.gather(
        desk.decide(fates[0]),
        desk.decide(fates[1], FateKind.STORED, broken),
        desk.decide(fates[2]),
        return_exceptions=True,
    )

    assert [getattr(r, "kind", type(r)) for r in results] == [
        FateKind.STORED,
        InvalidDecision,
        FateKind.STORED,
    ]
    assert await desk.counts() == {"discovered": 3, "stored": 2, "pending": 1}
    await desk.agrees()


async def test_an_article_that_another_run_stored_meanwhile_is_unchanged(desk: Any) -> None:
    await desk.declare(desk.source, "warta-pagi/lain")
    await desk.begin()
    (here,) = await desk.discover("beras")
    first = desk.decided(here)
    await desk.begin("warta-pagi/lain")
    (there,) = await desk.discover("beras")
    second = desk.decided(there)

    one, two = await asyncio.gather(desk.storage.writer.commit(first), desk.storage.writer.commit(second))

    assert (one.kind, two.kind) == (FateKind.STORED, FateKind.UNCHANGED)
    assert one.article_id == two.article_id
    assert len(await desk.storage.outbox.after(0, 10)) == 1
    await desk.agrees()


async def test_stored_over_other_content_is_a_revision(desk: Any, write_article: Write) -> None:
    first = await desk.publish("beras")
    second = await desk.publish("beras", write_article("beras", "Angka diperbaiki."))

    assert (second.kind, second.article_id, second.revision) == (FateKind.REVISED, first.article_id, 2)
    assert [e.event for e in await desk.storage.outbox.after(0, 10)] == ["new", "revised"]
    await desk.agrees()


async def test_a_revision_keeps_every_earlier_one(desk: Any, write_article: Write) -> None:
    first = await desk.publish("beras")
    desk.clock.advance(timedelta(hours=1))
    await desk.begin()
    (fate,) = await desk.discover("beras")
    changed = write_article("beras", "Angka diperbaiki.", title="Harga beras diperbaiki")

    second = await desk.decide(fate, FateKind.REVISED, changed, of=first.article_id)

    assert second.revision == 2
    revisions = await desk.storage.articles.revisions(first.article_id)
    assert [r.article.title for r in revisions] == ["Harga beras beras", "Harga beras diperbaiki"]
    stored = await desk.storage.articles.get(first.article_id)
    assert stored.article == changed
    assert stored.revised_at - stored.first_seen == timedelta(hours=1)
    assert (await desk.storage.articles.raw(first.article_id, 1)).body != (
        await desk.storage.articles.raw(first.article_id)
    ).body
    await desk.agrees()


async def test_a_flapping_page_stops_making_revisions(desk: Any, write_article: Write) -> None:
    first = await desk.publish("beras")
    later = [await desk.publish("beras", write_article("beras", f"Pukul {n}")) for n in range(REVISIONS + 3)]

    assert [c.kind for c in later] == [FateKind.REVISED] * (REVISIONS - 1) + [FateKind.UNCHANGED] * 4
    assert len(await desk.storage.articles.revisions(first.article_id)) == REVISIONS
    (fate, *_) = await desk.storage.fates.explain("beras")
    assert fate.rule == "flapping"
    await desk.agrees()


async def test_a_copy_is_kept_and_linked_to_its_original(desk: Any, write_article: Write) -> None:
    original = await desk.publish("beras", write_article("beras", "Sama."))
    copies = []
    for number in (1, 2):
        await desk.begin()
        (fate,) = await desk.discover(f"beras-{number}")
        # The second is said to copy the first copy; the link still goes to the original.
        of = original.article_id if number == 1 else copies[0].article_id
        what = write_article(f"beras-{number}", "Sama.", title=f"Judul lain {number}")
        copies.append(await desk.decide(fate, FateKind.DUPLICATE, what, of=of, rule="body"))

    assert [c.kind for c in copies] == [FateKind.DUPLICATE] * 2
    stored = [await desk.storage.articles.get(c.article_id) for c in (original, *copies)]
    assert [s.copy_of for s in stored] == [None, original.article_id, original.article_id]
    assert {s.cluster for s in stored} == {original.article_id}
    assert [e.event for e in await desk.storage.outbox.after(0, 10)] == ["new", "copy", "copy"]
    await desk.agrees()


async def test_two_articles_of_one_body_racing_become_an_original_and_a_copy(desk: Any, write_article: Write) -> None:
    await desk.begin()
    fates = await desk.discover("pertama", "kedua")

    results = await asyncio.gather(
        *(desk.decide(fate, FateKind.STORED, write_article(fate.url_key, "Sama.")) for fate in fates)
    )

    assert sorted(r.kind for r in results) == [FateKind.DUPLICATE, FateKind.STORED]
    assert await desk.counts() == {"discovered": 2, "stored": 1, "duplicate": 1}
    await desk.agrees()


async def test_an_address_already_known_as_another_article_revises_that_one(desk: Any, write_article: Write) -> None:
    first = await desk.publish("beras", write_article("beras", "Sama."))
    await desk.begin()
    (fate,) = await desk.discover("amp/beras")
    alias = IdentityKey(IdentityKind.URL, "warta-pagi", "beras")
    what = write_article("amp/beras", "Sama.", title="Harga beras | AMP")

    second = await desk.decide(fate, FateKind.STORED, what, identities=(alias,))

    assert (second.kind, second.article_id) == (FateKind.UNCHANGED, first.article_id)
    assert await desk.storage.articles.count() == 1


async def test_a_duplicate_without_its_own_article_only_points(desk: Any) -> None:
    first = await desk.publish("beras")
    await desk.begin()
    (fate,) = await desk.discover("beras-ulang")

    second = await desk.decide(fate, FateKind.DUPLICATE, of=first.article_id, article=None, raw=None, rule="guid")

    assert (second.kind, second.article_id) == (FateKind.DUPLICATE, first.article_id)
    (explained,) = await desk.storage.fates.explain("g-beras-ulang")
    assert (explained.of, explained.rule) == (first.article_id, "guid")
    assert await desk.storage.articles.count() == 1
    await desk.agrees()


async def test_a_pending_item_counts_its_attempts_and_waits(desk: Any) -> None:
    await desk.begin()
    (fate,) = await desk.discover("beras")
    later = desk.clock() + timedelta(minutes=5)

    for attempt in (1, 2):
        await desk.decide(fate, FateKind.PENDING, rule="timeout", retry_at=later)
        assert await desk.storage.fates.pending(desk.source, desk.clock(), 10) == []
        (waiting,) = await desk.storage.fates.pending(desk.source, later, 10)
        assert (waiting.attempts, waiting.rule, waiting.entry) == (attempt, "timeout", '{"a":1}')

    assert await desk.counts() == {"discovered": 1, "pending": 1}
    await desk.decide(fate)
    assert await desk.counts() == {"discovered": 1, "stored": 1}
    await desk.agrees()


async def test_an_item_decided_by_a_later_run_counts_in_the_run_that_discovered_it(desk: Any) -> None:
    owner = await desk.begin()
    (fate,) = await desk.discover("beras")
    await desk.begin()

    await desk.decide(fate, FateKind.FAILED, rule="not_found")

    assert await desk.counts(owner) == {"discovered": 1, "failed": 1}
    assert await desk.counts() == {}
    await desk.agrees()


@pytest.mark.parametrize("kind", [FateKind.FAILED, FateKind.FILTERED])
async def test_what_failed_or_was_filtered_is_remembered(desk: Any, kind: FateKind) -> None:
    await desk.begin()
    (fate,) = await desk.discover("beras")
    await desk.decide(fate, kind, rule="paywall", entry_hash="1abc")

    key = IdentityKey(IdentityKind.URL, "warta-pagi", "beras")
    identity = (await desk.storage.articles.identities([key]))[key]
    assert (identity.article_id, identity.fate, identity.entry_hash) == (None, kind, "1abc")


async def test_a_failed_revisit_does_not_forget_the_article(desk: Any) -> None:
    first = await desk.publish("beras")
    await desk.begin()
    (fate,) = await desk.discover("beras")
    await desk.decide(fate, FateKind.FAILED, rule="http_5xx", entry_hash="1new")

    key = IdentityKey(IdentityKind.URL, "warta-pagi", "beras")
    identity = (await desk.storage.articles.identities([key]))[key]
    assert (identity.article_id, identity.fate) == (first.article_id, FateKind.STORED)
    assert identity.entry_hash == "1new"
    await desk.agrees()


async def test_a_deleted_article_does_not_come_back_as_new(desk: Any) -> None:
    first = await desk.publish("beras")
    assert await desk.storage.articles.bury([first.article_id], "retention", desk.clock()) == 1

    again = await desk.publish("beras")

    assert again.kind is FateKind.UNCHANGED
    assert await desk.storage.articles.get(first.article_id) is None
    assert len(await desk.storage.outbox.after(0, 10)) == 1
    await desk.agrees()


async def test_text_that_databases_refuse_is_cleaned_not_lost(desk: Any, write_article: Write) -> None:
    key = "kunci-" + "x" * 5000
    what = replace(write_article("beras", "awal\x00tengah\ud800akhir"), title="Ju\x00dul", url_key=key, tags=("\x00",))
    await desk.begin()
    (fate,) = await desk.discover(key)

    committed = await desk.decide(fate, FateKind.STORED, what)

    stored = await desk.storage.articles.get(committed.article_id)
    assert stored.article.title == "Judul"
    assert "awaltengah?akhir" in stored.article.text
    url = IdentityKey(IdentityKind.URL, "warta-pagi", key)
    assert (await desk.storage.articles.identities([url]))[url].article_id == committed.article_id
    assert [f.kind for f in await desk.storage.fates.explain(key)] == [FateKind.STORED]


async def test_a_very_long_text_of_distinct_words_is_stored_and_found(desk: Any, write_article: Write) -> None:
    long = " ".join(f"kata{n}" for n in range(300_000))

    committed = await desk.publish("beras", write_article("beras", long))

    assert committed.kind is FateKind.STORED


async def test_a_time_that_has_no_utc_fails_alone(desk: Any, write_article: Write) -> None:
    await desk.begin()
    (fate,) = await desk.discover("beras")
    far = datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))

    with pytest.raises(InvalidDecision, match=f"fate {fate.id}"):
        await desk.decide(fate, FateKind.STORED, replace(write_article("beras"), published=far))


async def test_a_decision_without_what_it_needs_is_refused(desk: Any) -> None:
    await desk.begin()
    (fate,) = await desk.discover("beras")

    for wrong in (
        desk.decided(fate, FateKind.STORED, article=None),
        desk.decided(fate, FateKind.DUPLICATE, article=None),
        desk.decided(replace(fate, id=999_999)),
    ):
        with pytest.raises(InvalidDecision):
            await desk.storage.writer.commit(wrong)
    assert await desk.counts() == {"discovered": 1, "pending": 1}


async def test_closing_commits_what_waits_and_then_refuses(desk: Any) -> None:
    await desk.begin()
    fates = await desk.discover(*(f"k{n}" for n in range(80)))
    waiting = [asyncio.create_task(desk.decide(fate)) for fate in fates]
    await asyncio.sleep(0)

    await desk.storage.writer.close()

    assert all(c.kind is FateKind.STORED for c in await asyncio.gather(*waiting))
    with pytest.raises(StorageUnavailable, match="closed"):
        await desk.decide(fates[0])


async def test_a_caller_that_gives_up_does_not_lose_the_item_or_stop_the_writer(desk: Any) -> None:
    await desk.begin()
    one, two = await desk.discover("a", "b")
    impatient = asyncio.create_task(desk.decide(one))
    await asyncio.sleep(0)
    impatient.cancel()

    await desk.decide(two)
    await desk.storage.writer.close()

    assert await desk.counts() == {"discovered": 2, "stored": 2}


async def test_event_ids_grow_in_the_order_of_commits(url: str, desk: Any) -> None:
    """A slow transaction that has its event's id must be visible before any greater id is."""
    other = await Storage.open(url, now=desk.clock, migrate=False)
    try:
        await desk.declare("warta-pagi/utama", "warta-pagi/lain")
        await desk.begin("warta-pagi/lain")
        fates = await desk.discover(*(f"k{n}" for n in range(60)))
        seen: list[int] = []
        cursor = 0

        async def read() -> None:
            nonlocal cursor
            while len(seen) < 60:
                for event in await other.outbox.after(cursor, 7):
                    seen.append(event.id)
                    cursor = event.id

        writers = [desk.storage.writer, other.writer]
        work = [writers[n % 2].commit(desk.decided(fate)) for n, fate in enumerate(fates)]
        await asyncio.wait_for(asyncio.gather(read(), *work), 60)

        assert seen == sorted(seen)
        assert len(seen) == 60
    finally:
        await other.close()


async def test_two_writers_racing_for_the_same_articles_agree(url: str, desk: Any) -> None:
    other = await Storage.open(url, now=desk.clock, migrate=False)
    try:
        await desk.declare("warta-pagi/utama", "warta-pagi/lain")
        keys = [f"k{n}" for n in range(40)]
        work = []
        for writer, source in ((desk.storage.writer, "warta-pagi/utama"), (other.writer, "warta-pagi/lain")):
            await desk.begin(source)
            fates = await desk.discover(*keys)
            decided = [desk.decided(fate) for fate in fates]
            if writer is other.writer:
                decided.reverse()  # locks taken in the opposite order
            work += [writer.commit(d) for d in decided]

        results = await asyncio.gather(*work)

        kinds = [r.kind for r in results]
        assert (kinds.count(FateKind.STORED), kinds.count(FateKind.UNCHANGED)) == (40, 40)
        assert len(await desk.storage.outbox.after(0, 100)) == 40
        await desk.agrees()
    finally:
        await other.close()


async def test_two_writers_revising_one_article_make_two_revisions(url: str, desk: Any, write_article: Write) -> None:
    first = await desk.publish("beras")
    other = await Storage.open(url, now=desk.clock, migrate=False)
    try:
        await desk.declare("warta-pagi/utama", "warta-pagi/lain")
        work = []
        for writer, source in ((desk.storage.writer, "warta-pagi/utama"), (other.writer, "warta-pagi/lain")):
            await desk.begin(source)
            (fate,) = await desk.discover("beras")
            what = write_article("beras", f"Versi {source}")
            work.append(writer.commit(desk.decided(fate, FateKind.REVISED, what, of=first.article_id)))

        results = await asyncio.gather(*work)

        assert sorted(r.revision for r in results) == [2, 3]
        await desk.agrees()
    finally:
        await other.close()


async def test_a_database_that_is_away_leaves_items_pending(
    fresh_sqlite: Callable[[], str], clock: Any, write_article: Write
) -> None:
    storage = await Storage.open(fresh_sqlite(), now=clock)
    try:
        await storage.sources.upsert(
            [SourceDefinition(id="a/b", outlet_id="a", kind="feed", url="https://a.test")], {}, clock()
        )
        run = await storage.runs.begin("a/b", "a", Trigger.MANUAL, clock(), 1, "w", clock())
        assert run is not None
        async with storage.database.write() as connection:
            await connection.execute(text("ALTER TABLE revisions RENAME TO gone"))
        assert (await storage.database.health()).ok
        (fate,) = await storage.runs.discovered(
            run.id, 1, [Discovery(url="https://a.test/1", url_key="1")], 0, (), clock()
        )
        decided = Decided(
            fate_id=fate.id, run_id=run.id, source_id="a/b", outlet_id="a", token=1,
            kind=FateKind.STORED, now=clock(), article=write_article("1", outlet="a"),
        )  # fmt: skip
        with pytest.raises(StorageUnavailable, match="database"):
            await storage.writer.commit(decided)

        async with storage.database.write() as connection:
            await connection.execute(text("ALTER TABLE gone RENAME TO revisions"))
        assert (await storage.writer.commit(decided)).kind is FateKind.STORED
    finally:
        await storage.close()
