from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from newsroom import ledger, script
from newsroom.clock import Clock, wall
from newsroom.press import Newsroom
from newsroom.script import BROKEN, CUES, EDITION, FOLLOWED, MEMORY, SPEED, demo_newsroom
from newsroom.web import Answer, Request


def opened_at(start: datetime) -> Newsroom:
    """The demo's press, on a clock that only the test moves."""
    newsroom = Newsroom(clock=Clock(start, speed=0), backlog_days=0, since=start - MEMORY)
    script.edition(newsroom)
    return newsroom


def get(newsroom: Newsroom, url: str) -> Answer:
    parts = urlsplit(url)
    return newsroom.respond(Request(host=parts.hostname or "", path=parts.path, now=newsroom.clock.now()))


def play(newsroom: Newsroom) -> list[str]:
    """Act on every cue at its moment of a minute; what was said."""
    gone = 0.0
    for cue in sorted(CUES, key=lambda c: c.after):
        newsroom.clock.forward(timedelta(seconds=(cue.after - gone) * SPEED))
        gone = cue.after
        cue.act(newsroom)
    newsroom.clock.forward(timedelta(seconds=(60 - gone) * SPEED))
    return [cue.says for cue in CUES]


@pytest.mark.parametrize("hour", [0, 2, 12, 18, 23])
def test_a_minute_of_the_demo_has_all_that_can_become_of_a_story_at_any_hour(hour: int) -> None:
    newsroom = opened_at(datetime(2026, 8, 16, hour, 10, tzinfo=UTC))
    began = newsroom.clock.now()
    addresses = [newsroom.house(FOLLOWED).url(story) for story in newsroom.orders.of(FOLLOWED)]

    told = play(newsroom)

    everything = ledger.records(newsroom)
    records = [r for r in everything if r.published >= began]
    assert len(records) >= 36
    assert any(r.duplicate_of for r in records)
    assert any(r.copy_of for r in records)
    assert {c for r in everything for at, c, _ in r.revisions if at >= began} >= {"title", "number", "correction"}
    moved, retracted = get(newsroom, addresses[0]), get(newsroom, addresses[1])
    assert moved.status == 301
    assert get(newsroom, moved.headers["location"]).status == 200
    assert retracted.status == 410
    broken = next(s for _, s in newsroom.sources("kabarniaga") if f"kabarniaga/{s.name}" == BROKEN)
    assert b"<html" in get(newsroom, f"http://{broken.host}{broken.path}").body
    assert max(cue.after for cue in CUES) < 60
    assert len(set(told)) == len(told)


def test_the_demos_press_opens_with_its_edition_and_little_else_however_late_it_is() -> None:
    evening = opened_at(datetime(2026, 8, 14, 15, 0, tzinfo=UTC))
    out = ledger.records(evening)

    assert sum(EDITION.values()) <= len(out) < 120
    assert min(r.published for r in out) >= evening.clock.now() - MEMORY


def test_what_happens_to_a_story_of_the_edition_waits_for_a_reader() -> None:
    newsroom = demo_newsroom()
    cue = next(c for c in CUES if c.read == 1)
    show = script.Show(newsroom)

    assert not show.is_due(cue)
    get(newsroom, newsroom.house(FOLLOWED).url(newsroom.orders.of(FOLLOWED)[1]))
    assert show.is_due(cue)


def test_a_show_that_never_began_can_be_ended() -> None:
    show = script.Show(demo_newsroom())

    show.stop()

    assert show.done == []


def test_the_demos_clock_never_passes_the_real_one() -> None:
    newsroom = demo_newsroom()
    newsroom.clock.forward(timedelta(days=1))
    assert newsroom.clock.now() <= wall()
