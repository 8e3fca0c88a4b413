from __future__ import annotations

from datetime import timedelta

from newsroom import ledger
from newsroom.clock import Clock, wall
from newsroom.press import Newsroom
from newsroom.script import BROKEN, CUES, RUNWAY, SPEED, demo_newsroom
from newsroom.web import Request


def test_a_minute_of_the_demo_has_dozens_of_stories_a_revision_a_duplicate_and_a_broken_feed() -> None:
    newsroom = Newsroom(clock=Clock(wall() - RUNWAY, speed=0), backlog_days=1)
    newsroom.clock.set_speed(0)
    began, gone = newsroom.clock.now(), 0.0
    told: list[str] = []
    for cue in CUES:
        newsroom.clock.forward(timedelta(seconds=(cue.after - gone) * SPEED))
        gone = cue.after
        cue.act(newsroom)
        told.append(cue.says)
    newsroom.clock.forward(timedelta(seconds=(60 - gone) * SPEED))
    records = [r for r in ledger.records(newsroom) if r.published >= began]
    assert len(records) >= 36
    assert any(r.duplicate_of for r in records)
    assert any(r.copy_of for r in records)
    assert any(at >= began for r in ledger.records(newsroom) for at, _, _ in r.revisions)
    source = next(s for _, s in newsroom.sources("kabarniaga") if f"kabarniaga/{s.name}" == BROKEN)
    broken = newsroom.respond(Request(host=source.host, path=source.path, now=newsroom.clock.now()))
    assert b"<html" in broken.body
    assert CUES[-1].after < 60
    assert len(set(told)) == len(told)


def test_the_demos_clock_never_passes_the_real_one() -> None:
    newsroom = demo_newsroom()
    newsroom.clock.forward(timedelta(days=1))
    assert newsroom.clock.now() <= wall()
