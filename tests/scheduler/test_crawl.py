"""One crawl over real parts: a served press, Scrapy's engine, child processes, Valkey, SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from newsroom import ledger
from newsroom.story import Change, Kind
from scheduler.cli.articles import record
from storage.model import FateKind, RunStatus, Trigger

from .conftest import ON_BOTH, OUTLET, SOURCE, Desk


@ON_BOTH
async def test_a_feed_becomes_clean_articles_with_every_item_accounted_for(desk: Desk) -> None:
    desk.newsroom.publish("kabarniaga", 3, channel="nasional")
    truth = {r.url: r for r in ledger.records(desk.newsroom, "kabarniaga")}

    run = await desk.crawl("kabarniaga/nasional")

    assert run.status is RunStatus.OK
    assert run.counts.discovered == run.counts.stored >= 3
    found = await desk.articles("kabarniaga")
    assert any(stored.article.places for stored in found)
    for stored in found:
        told = truth[stored.article.url]
        assert stored.article.title == told.title
        # Some datelines name no place.
        assert stored.article.places in {(), (told.place.upper(),)}
        assert [b.text for b in stored.article.body if b.kind == "paragraph"] == list(told.paragraphs)
        assert stored.article.editor == told.editor
        assert stored.article.published == told.published.replace(microsecond=0)
        assert "Baca Juga" not in stored.article.text


async def test_an_unchanged_feed_is_not_read_again_and_its_articles_count_as_seen(desk: Desk) -> None:
    desk.newsroom.publish(OUTLET, 2)
    first = await desk.crawl()

    second = await desk.crawl()

    assert first.counts.stored >= 2
    assert second.status is RunStatus.NOT_MODIFIED
    assert second.http_status == 304
    assert second.counts.discovered == 0


async def test_only_what_is_fresh_is_fetched_when_a_feed_grows(desk: Desk) -> None:
    desk.newsroom.publish(OUTLET, 2)
    await desk.crawl()
    desk.newsroom.clock.forward(timedelta(seconds=1))
    desk.newsroom.publish(OUTLET, 1)
    asked = len(desk.newsroom.visits)

    second = await desk.crawl()

    assert (second.counts.stored, second.counts.known) == (1, second.counts.discovered - 1)
    assert len(desk.newsroom.visits) == asked + 2


@ON_BOTH
async def test_a_retitled_story_is_a_revision_and_the_former_one_is_kept(desk: Desk) -> None:
    (story,) = desk.newsroom.publish("archipelagopost", 1)
    await desk.crawl("archipelagopost/atom")
    desk.newsroom.clock.forward(timedelta(minutes=5))
    desk.newsroom.revise("archipelagopost", story.number, Change.TITLE)

    run = await desk.crawl("archipelagopost/atom")

    assert run.counts.revised == 1
    (fate,) = [f for f in await desk.fates(run) if f.kind is FateKind.REVISED]
    assert fate.article_id is not None
    assert [r.revision for r in await desk.rooms.storage.articles.revisions(fate.article_id)] == [1, 2]
    assert [e for e, a, _ in await desk.announced() if a == fate.article_id] == ["new", "revised"]


@ON_BOTH
async def test_the_same_body_under_another_title_is_kept_as_a_linked_copy(desk: Desk) -> None:
    (story,) = desk.newsroom.publish("kabarniaga", 1, channel="keuangan")
    await desk.crawl("kabarniaga/keuangan")
    desk.newsroom.clock.forward(timedelta(minutes=5))
    desk.newsroom.republish("kabarniaga", story.number, Kind.DUPLICATE)

    run = await desk.crawl("kabarniaga/keuangan")

    assert run.counts.duplicate == 1
    (fate,) = [f for f in await desk.fates(run) if f.kind is FateKind.DUPLICATE]
    copy = await desk.rooms.storage.articles.get(fate.article_id or "")
    assert copy is not None
    assert copy.copy_of == fate.of
    assert fate.rule == "body"


@ON_BOTH
async def test_a_flushed_redis_announces_nothing_again(desk: Desk) -> None:
    desk.newsroom.publish(OUTLET, 5)
    await desk.crawl()
    before = await desk.announced()
    await desk.rooms.redis.flushall()
    desk.newsroom.misbehave("no_validators", source=SOURCE)
    desk.newsroom.clock.forward(timedelta(minutes=1))
    desk.newsroom.publish(OUTLET, 1)

    run = await desk.crawl()

    assert run.counts.stored == 1
    assert len(await desk.announced()) == len(before) + 1


async def test_a_feed_republished_under_other_guids_announces_nothing_again(desk: Desk) -> None:
    desk.newsroom.publish("kantorberita", 5)
    await desk.crawl("kantorberita/terkini")
    before = await desk.announced()
    desk.newsroom.misbehave("new_guids", source="kantorberita/terkini")

    run = await desk.crawl("kantorberita/terkini")

    assert run.counts.stored == 0
    assert await desk.announced() == before


@pytest.mark.parametrize(
    ("misbehaviour", "reason"),
    [
        ("html_instead", "not_a_feed"),
        ("status_500", "http_5xx"),
        ("status_404", "not_found"),
        ("status_410", "gone"),
        ("status_403", "blocked"),
        ("empty_body", "empty"),
        ("empty_feed", "empty"),
        ("truncated", "truncated"),
        ("truncated_gzip", "truncated"),
        ("reset", "connect"),
        ("redirect_loop", "redirect"),
        ("redirect_to_private", "forbidden_address"),
        ("challenge", "blocked"),
    ],
)
async def test_a_source_that_fails_says_why_and_keeps_no_validators(desk: Desk, misbehaviour: str, reason: str) -> None:
    desk.newsroom.misbehave(misbehaviour, source=SOURCE)

    run = await desk.crawl()

    state = await desk.rooms.storage.sources.get(SOURCE)
    assert (run.status, run.reason) == (RunStatus.FAILED, reason)
    assert run.message
    assert state is not None
    assert state.failures > 0
    assert (state.etag, state.last_modified, state.body_hash) == (None, None, None)
    assert state.last_failure == reason


@pytest.mark.parametrize(("layers", "reason"), [(1, "too_large"), (2, "not_a_feed"), (3, "not_a_feed")])
async def test_a_sitemap_in_a_file_that_unpacks_to_a_gibibyte_is_refused(desk: Desk, layers: int, reason: str) -> None:
    desk.newsroom.misbehave("gzip_file_bomb", source="kabarniaga/sitemap", options={"layers": str(layers)})

    run = await desk.crawl("kabarniaga/sitemap")

    assert (run.status, run.reason) == (RunStatus.FAILED, reason)
    assert run.bytes is not None
    assert run.bytes < 2**21


async def test_a_child_that_is_a_bomb_costs_its_neighbours_nothing(desk: Desk) -> None:
    desk.newsroom.publish("kabarniaga", 1, channel="keuangan")
    desk.newsroom.publish("kabarniaga", 1, channel="investasi")
    desk.newsroom.misbehave("gzip_file_bomb", host="www.kabarniaga.test", path="/sitemap-news-keuangan")

    run = await desk.crawl("kabarniaga/sitemap")

    assert run.status is RunStatus.OK
    sections = {a.article.section for a in await desk.articles("kabarniaga")}
    assert "INVESTASI" in sections
    assert "KEUANGAN" not in sections


async def test_a_success_forgives_all_failures(desk: Desk) -> None:
    rule = desk.newsroom.misbehave("status_500", source=SOURCE)
    await desk.crawl()
    desk.newsroom.rules.remove(rule.id)
    desk.newsroom.publish(OUTLET, 1)

    await desk.crawl()

    state = await desk.rooms.storage.sources.get(SOURCE)
    assert state is not None
    assert state.failures == 0
    assert state.last_success is not None
    assert state.last_new is not None


async def test_a_run_by_hand_begins_the_back_off_anew(desk: Desk) -> None:
    desk.newsroom.misbehave("status_500", source=SOURCE)

    async def failures(trigger: Trigger) -> float:
        await desk.crawl(trigger=trigger)
        state = await desk.rooms.storage.sources.get(SOURCE)
        assert state is not None
        return state.failures

    assert [await failures(Trigger.SCHEDULE) for _ in range(2)] == [0.25, 0.5]
    assert await failures(Trigger.MANUAL) == 0.25


async def test_retry_after_holds_back_the_source_and_the_host(desk: Desk) -> None:
    desk.newsroom.misbehave("status_429", source=SOURCE, options={"retry_after": "120"})

    run = await desk.crawl()

    state = await desk.rooms.storage.sources.get(SOURCE)
    assert run.reason == "rate_limited"
    assert state is not None
    assert state.not_before is not None
    assert state.next_attempt - datetime.now(UTC) > timedelta(seconds=100)


async def test_a_permanent_redirect_is_remembered_and_not_applied(desk: Desk) -> None:
    desk.newsroom.publish(OUTLET, 1)
    address = next(s for s in desk.settings.outlet(OUTLET).sources).url  # type: ignore[union-attr]
    desk.newsroom.misbehave("redirect_301", source=SOURCE, options={"to": address + "?moved"}, share=1.0)

    await desk.crawl()

    state = await desk.rooms.storage.sources.get(SOURCE)
    assert state is not None
    assert state.url == address


async def test_a_page_that_fails_for_now_is_tried_again_and_stored(desk: Desk) -> None:
    desk.newsroom.publish(OUTLET, 20)
    desk.newsroom.misbehave("status_503", path="/berita/", share=0.4)

    run = await desk.crawl()

    again = [f for f in await desk.fates(run) if f.kind is FateKind.STORED and f.attempts > 0]
    assert again
    assert run.counts.stored > run.counts.failed


async def test_one_bad_page_costs_its_neighbours_nothing(desk: Desk) -> None:
    stories = desk.newsroom.publish(OUTLET, 4)
    bad = next(r for r in ledger.records(desk.newsroom, OUTLET) if r.number == stories[1].number)
    desk.newsroom.misbehave("status_410", path=urlsplit(bad.url).path)

    run = await desk.crawl()

    assert run.counts.failed == 1
    assert run.counts.stored == run.counts.discovered - 1
    (fate,) = [f for f in await desk.fates(run) if f.kind is FateKind.FAILED]
    assert (fate.url, fate.rule) == (bad.url, "gone")


async def test_a_site_whose_robots_txt_fails_is_left_alone_and_said_so(desk: Desk) -> None:
    desk.newsroom.misbehave("status_503", host="www.gemanusa.test", path="/robots.txt")

    run = await desk.crawl()

    assert (run.status, run.reason) == (RunStatus.SKIPPED, "robots_unreadable")
    assert [v.path for v in desk.newsroom.visits] == ["/robots.txt"]


async def test_pages_behind_a_robots_txt_that_fails_for_now_are_not_given_up(desk: Desk) -> None:
    desk.newsroom.publish("arahpena", 2)
    desk.newsroom.misbehave("status_503", host="nasional.arahpena.test", path="/robots.txt")
    desk.newsroom.misbehave("status_503", host="money.arahpena.test", path="/robots.txt")

    run = await desk.crawl("arahpena/sitemap")

    behind = [f for f in await desk.fates(run) if f.rule == "robots_unreadable"]
    assert behind
    assert {f.kind for f in behind} <= {FateKind.PENDING, FateKind.FAILED}


async def test_a_sitemap_index_leads_to_its_articles(desk: Desk) -> None:
    desk.newsroom.publish("kabarniaga", 4)

    run = await desk.crawl("kabarniaga/sitemap")

    assert run.status is RunStatus.OK
    assert run.counts.stored >= 4


async def test_several_pages_of_an_article_are_one_text(desk: Desk) -> None:
    desk.newsroom.publish("kabarniaga", 12, channel="investasi")
    truth = {r.url: r for r in ledger.records(desk.newsroom, "kabarniaga")}

    await desk.crawl("kabarniaga/investasi")

    for stored in await desk.articles("kabarniaga"):
        told = truth[stored.article.url]
        assert [b.text for b in stored.article.body if b.kind == "paragraph"] == list(told.paragraphs)


async def test_two_runs_of_one_source_never_overlap(desk: Desk) -> None:
    desk.newsroom.publish(OUTLET, 5)

    runs = await asyncio.gather(*(desk.worker.crawl(SOURCE, datetime.now(UTC), Trigger.SCHEDULE) for _ in range(3)))

    assert sum(run is not None for run in runs) == 1
    skipped = await desk.rooms.storage.runs.list(source_id=SOURCE, statuses=[RunStatus.SKIPPED])
    assert [r.reason for r in skipped] == ["overlap", "overlap"]


async def test_an_exported_article_is_plain_json_with_the_origin_of_its_fields(desk: Desk) -> None:
    desk.newsroom.publish(OUTLET, 1)
    await desk.crawl()

    fields = record((await desk.articles())[0])

    assert fields["outlet_id"] == OUTLET
    assert fields["published"].endswith("Z")
    assert isinstance(fields["provenance"], dict)
    assert fields["body"][0]["kind"] == "paragraph"


async def test_the_ledger_of_a_whole_day_adds_up(desk: Desk) -> None:
    for source in ("kabarniaga/nasional", "kantorberita/ekonomi", "datakini/feed"):
        desk.newsroom.publish(source.partition("/")[0], 3)
        await desk.crawl(source)

    report = await desk.rooms.storage.audit.run()

    assert not report.findings
