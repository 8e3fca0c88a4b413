from __future__ import annotations

from datetime import UTC, datetime

import feedparser

from newsroom import ledger
from newsroom.clock import Clock
from newsroom.press import Newsroom
from newsroom.shapes import ladang
from newsroom.web import Request

AT = datetime(2026, 8, 14, 8, tzinfo=UTC)


def ask(newsroom: Newsroom, number: int, path: str = "/rss") -> bytes:
    host = f"feed-{number:05d}.ladang.test"
    answer = newsroom.respond(Request(host=host, path=path, now=newsroom.clock.now()))
    assert answer.status == 200
    return answer.body


def test_any_of_ten_thousand_feeds_answers_and_none_is_kept() -> None:
    newsroom = Newsroom(clock=Clock(AT, speed=0))
    asked = range(1, 10_001, 97)
    links = [feedparser.parse(ask(newsroom, n)).entries[0].link for n in asked]
    assert len(set(links)) == len(asked)
    assert newsroom._field.cache_info().currsize <= 64
    assert len(newsroom._rendered) <= 256


def test_a_feed_does_not_depend_on_which_others_were_asked() -> None:
    one, other = (Newsroom(clock=Clock(AT, speed=0)) for _ in range(2))
    for number in range(1, 200):
        ask(other, number)
    assert ask(one, 150) == ask(other, 150)


def test_a_small_outlets_articles_are_served_and_in_its_ledger() -> None:
    newsroom = Newsroom(clock=Clock(AT, speed=0))
    feed = feedparser.parse(ask(newsroom, 42))
    records = {r.url: r for r in ledger.records(newsroom, "feed-00042")}
    assert len(feed.entries) == 20
    for entry in feed.entries:
        assert entry.title == records[entry.link].title
        page = ask(newsroom, 42, "/" + entry.link.split("/", 3)[3]).decode()
        assert records[entry.link].title in page.replace("&amp;", "&").replace("&#x27;", "'")


def test_names_and_hosts_lead_to_numbers_and_nothing_else_does() -> None:
    assert ladang.number_of("feed-00017") == 17
    assert ladang.number_at("feed-00017.ladang.test") == 17
    for wrong in ("feed-17", "feed-000017", "ladang.test", "feed-00017.ladang.test.example"):
        assert ladang.number_at(wrong) is None
        assert ladang.number_of(wrong) is None
