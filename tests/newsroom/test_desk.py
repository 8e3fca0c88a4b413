from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from newsroom import ledger
from newsroom.clock import WIB, Clock
from newsroom.press import Newsroom
from newsroom.rhythm import publication_times
from newsroom.story import Change, Kind

START = datetime(2026, 8, 14, 5, tzinfo=UTC)


def words(paragraphs: tuple[str, ...]) -> set[tuple[str, ...]]:
    text = " ".join(paragraphs).split()
    return {tuple(text[i : i + 5]) for i in range(len(text) - 4)}


def test_the_same_seed_and_clock_give_the_same_press() -> None:
    def told(seed: int) -> list[ledger.Record]:
        return ledger.records(Newsroom(seed=seed, clock=Clock(START, speed=0), backlog_days=1), "kabarniaga")

    assert told(7) == told(7)
    assert told(7) != told(8)


def test_the_press_does_not_depend_on_how_its_clock_got_there() -> None:
    early = Newsroom(clock=Clock(START, speed=0), backlog_days=1)
    for _ in range(5):
        early.clock.forward(timedelta(hours=1))
        ledger.records(early, "gemanusa")
    late = Newsroom(clock=Clock(START, speed=0), backlog_days=1)
    late.clock.forward(timedelta(hours=5))
    assert ledger.records(early) == ledger.records(late)


def test_offices_are_busier_than_nights_and_week_ends_thinner() -> None:
    hours: Counter[int] = Counter()
    days: Counter[int] = Counter()
    for n in range(28):
        times = publication_times(1, "x", date(2026, 8, 3) + timedelta(days=n), 200)
        assert list(times) == sorted(set(times))
        days[(date(2026, 8, 3) + timedelta(days=n)).weekday()] += len(times)
        hours.update(t.astimezone(WIB).hour for t in times)
    assert hours[10] > 8 * hours[2]
    assert days[6] < 0.6 * days[2]


def test_addresses_are_unique_over_a_month() -> None:
    newsroom = Newsroom(clock=Clock(START, speed=0), backlog_days=0)
    newsroom.clock.forward(timedelta(days=30))
    now = newsroom.clock.now()
    for house in newsroom.houses.values():
        urls = Counter(house.url(s) for s in house.desk.published(now))
        assert [u for u, n in urls.items() if n > 1] == []


def test_a_re_run_keeps_the_title_and_most_of_the_text_the_next_morning() -> None:
    newsroom = Newsroom(clock=Clock(START, speed=0), backlog_days=6)
    told = {r.key: r for r in ledger.records(newsroom, "kabarniaga")}
    again = [r for r in told.values() if r.rerun_of in told]
    assert len(again) > 5
    for record in again:
        first = told[record.rerun_of or ""]
        assert record.url == f"{first.url}-1"
        assert timedelta(hours=13) <= record.published - first.published <= timedelta(hours=18)
        if not any(change != "title" for _, change, _ in first.revisions):
            a, b = words(first.paragraphs), words(record.paragraphs)
            assert 0.6 < len(a & b) / len(a | b) < 1


def test_a_duplicate_has_the_same_body_under_another_title_and_address() -> None:
    newsroom = Newsroom(clock=Clock(START, speed=0), backlog_days=6)
    told = {r.key: r for r in ledger.records(newsroom, "kabarniaga")}
    again = [r for r in told.values() if r.duplicate_of in told]
    assert len(again) > 5
    for record in again:
        first = told[record.duplicate_of or ""]
        assert record.title != first.title
        assert record.url != first.url
        if not first.revisions:
            assert record.paragraphs == first.paragraphs


def test_wire_copies_follow_the_agency_on_several_outlets() -> None:
    newsroom = Newsroom(clock=Clock(START, speed=0), backlog_days=2)
    told = {r.key: r for r in ledger.records(newsroom)}
    copies = [r for r in told.values() if r.copy_of]
    assert {r.outlet for r in copies} >= {"kabarniaga", "lintasmenit", "arahpena"}
    for record in copies:
        parent = told.get(record.copy_of or "")
        if parent is not None:
            assert parent.outlet == "kantorberita"
            assert parent.published < record.published
            assert record.agency == "KANTORBERITA"
            assert record.paragraphs[0] == parent.paragraphs[0]


def test_about_one_story_in_six_is_revised_and_its_words_change_then() -> None:
    newsroom = Newsroom(clock=Clock(START, speed=0), backlog_days=2)
    newsroom.clock.forward(timedelta(days=3))
    desk = newsroom.house("arahpena").desk
    fresh = [s for s in desk.published(newsroom.clock.now()) if s.kind is Kind.FRESH]
    revised = [s for s in fresh if desk.revisions(s)]
    assert 0.12 < len(revised) / len(fresh) < 0.22
    for story in revised:
        for revision in desk.revisions(story):
            assert revision.at > story.published
            before = desk.words(story, revision.at - timedelta(seconds=1))
            after = desk.words(story, revision.at)
            assert before != after


@pytest.mark.parametrize("change", list(Change))
def test_an_ordered_revision_changes_what_it_says(change: Change) -> None:
    newsroom = Newsroom(clock=Clock(START, speed=0))
    desk = newsroom.house("gemanusa").desk
    story = next(s for s in desk.published(newsroom.clock.now()) if not desk.revisions(s))
    before = desk.words(story, newsroom.clock.now())
    newsroom.revise("gemanusa", story.number, change)
    after = desk.words(story, newsroom.clock.now())
    assert (after.title != before.title) == (change is Change.TITLE)
    assert (after.paragraphs != before.paragraphs) == (change is not Change.TITLE)
    assert (len(after.paragraphs) > len(before.paragraphs)) == (
        change in {Change.APPEND, Change.CORRECTION, Change.COUNTER}
    )


def test_a_story_may_be_ordered_to_run_many_times_and_each_has_an_address() -> None:
    newsroom = Newsroom(clock=Clock(START, speed=0))
    house = newsroom.house("kabarniaga")
    story = newsroom.publish("kabarniaga")[0]
    urls = {house.url(newsroom.republish("kabarniaga", story.number, Kind.DUPLICATE)) for _ in range(5)}
    urls.add(house.url(newsroom.republish("kabarniaga", story.number, Kind.RERUN)))
    assert len(urls | {house.url(story)}) == 7
    with pytest.raises(ValueError, match="re-run already"):
        newsroom.republish("kabarniaga", story.number, Kind.RERUN)


def test_unknown_outlets_channels_and_numbers_are_named() -> None:
    newsroom = Newsroom()
    with pytest.raises(KeyError, match="there are: kantorberita"):
        newsroom.publish("tidakada")
    with pytest.raises(KeyError, match="it has: nasional"):
        newsroom.publish("kabarniaga", channel="olahraga")
    with pytest.raises(KeyError, match="no story numbered 5"):
        newsroom.revise("kabarniaga", 5)
