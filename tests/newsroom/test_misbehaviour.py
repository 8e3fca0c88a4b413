"""Every misbehaviour of the table, seen over a real socket."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser
import pytest

from newsroom.misbehaviour import TABLE
from newsroom.press import Newsroom

SOURCE = "kabarniaga/nasional"
#: Name of each misbehaviour to the test of it.
SEEN: dict[str, Callable[..., None]] = {}


def sees(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def enter(test: Callable[..., None]) -> Callable[..., None]:
        SEEN.update(dict.fromkeys(names, test))
        return test

    return enter


class Scene:
    def __init__(self, client: Any, newsroom: Newsroom) -> None:
        self.client = client
        self.newsroom = newsroom
        self.url = client.source(SOURCE)
        self.good = client.get(self.url)

    def with_rule(self, name: str, **options: object) -> None:
        self.newsroom.misbehave(name, source=SOURCE, options={k: str(v) for k, v in options.items()})

    def get(self, **headers: str) -> Any:
        return self.client.get(self.url, **headers)

    def entries(self) -> list[Any]:
        return list(feedparser.parse(self.get().body).entries)


@pytest.fixture
def scene(client: Any, newsroom: Newsroom) -> Scene:
    return Scene(client, newsroom)


def test_every_misbehaviour_is_seen_by_a_test() -> None:
    assert set(SEEN) == set(TABLE)


def test_every_misbehaviour_says_one_sentence() -> None:
    for what in TABLE.values():
        assert re.fullmatch(r"[A-Z][^\n]+\.", what.says), what.name


@sees(*(f"status_{code}" for code in (401, 403, 404, 410, 429, 500, 503)))
@pytest.mark.parametrize("code", [401, 403, 404, 410, 429, 500, 503])
def test_statuses_come_with_retry_after_in_either_form(scene: Scene, code: int) -> None:
    scene.with_rule(f"status_{code}")
    assert (scene.get().status, scene.get().headers["retry-after"]) == (code, None)
    scene.newsroom.rules.clear()
    scene.with_rule(f"status_{code}", retry_after=120)
    assert scene.get().headers["retry-after"] == "120"
    scene.newsroom.rules.clear()
    scene.with_rule(f"status_{code}", retry_after=120, retry_form="date")
    wait = parsedate_to_datetime(scene.get().headers["retry-after"]) - datetime.now(UTC)
    assert timedelta(seconds=60) < wait <= timedelta(seconds=121)


@sees("redirect_301", "redirect_302", "redirect_307", "redirect_308")
@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_moved_page_is_found_where_it_points(scene: Scene, code: int) -> None:
    scene.with_rule(f"redirect_{code}")
    got = scene.get()
    assert got.status == code
    parts = urlsplit(scene.url)
    there = scene.client.get(f"{parts.scheme}://{parts.netloc}{got.headers['location']}")
    assert (there.status, there.body) == (200, scene.good.body)
    scene.newsroom.rules.clear()
    scene.with_rule(f"redirect_{code}", to="http://baru.kabarniaga.test/rss")
    assert scene.get().headers["location"] == "http://baru.kabarniaga.test/rss"


@sees("redirect_loop", "redirect_to_itself")
def test_redirects_lead_nowhere_for_ever(scene: Scene) -> None:
    scene.with_rule("redirect_to_itself")
    assert scene.get().headers["location"] == "/rss"
    scene.newsroom.rules.clear()
    scene.with_rule("redirect_loop")
    seen, path = set(), "/rss"
    for _ in range(30):
        got = scene.client.get(f"http://{urlsplit(scene.url).netloc}{path}")
        assert got.status == 302
        path = got.headers["location"]
        seen.add(path)
    assert len(seen) == 30


@sees("redirect_to_file", "redirect_to_private")
def test_redirects_lead_where_no_crawler_should_go(scene: Scene) -> None:
    scene.with_rule("redirect_to_file")
    assert scene.get().headers["location"].startswith("file:///")
    scene.newsroom.rules.clear()
    scene.with_rule("redirect_to_private")
    assert "169.254.169.254" in scene.get().headers["location"]


@sees("html_instead", "consent_wall", "login_page", "challenge")
@pytest.mark.parametrize(
    ("name", "status", "word"),
    [
        ("html_instead", 200, "Beranda"),
        ("consent_wall", 200, "privasi"),
        ("login_page", 200, "password"),
        ("challenge", 403, "Just a moment"),
    ],
)
def test_pages_stand_where_a_feed_was(scene: Scene, name: str, status: int, word: str) -> None:
    scene.with_rule(name)
    got = scene.get()
    assert got.status == status
    assert got.headers["content-type"].startswith("text/html")
    assert word in got.text
    assert feedparser.parse(got.body).entries == []


@sees("empty_body")
def test_a_body_is_empty_with_200(scene: Scene) -> None:
    scene.with_rule("empty_body")
    got = scene.get()
    assert (got.status, got.body, got.headers["content-length"], got.headers["etag"]) == (200, b"", "0", None)


@sees("lying_304")
def test_304_is_a_lie_after_a_change(scene: Scene) -> None:
    scene.with_rule("lying_304")
    scene.newsroom.clock.forward(timedelta(minutes=1))
    scene.newsroom.publish("kabarniaga", channel="nasional")
    assert scene.get(If_None_Match=scene.good.headers["etag"]).status == 304
    assert scene.get().body != scene.good.body


@sees("etag_changes")
def test_the_tag_changes_while_the_bytes_do_not(scene: Scene) -> None:
    scene.with_rule("etag_changes")
    first = scene.get()
    second = scene.get(If_None_Match=first.headers["etag"])
    assert (second.status, second.body) == (200, first.body)
    assert second.headers["etag"] != first.headers["etag"]


@sees("no_validators")
def test_validators_are_left_out(scene: Scene) -> None:
    scene.with_rule("no_validators")
    assert (scene.get().headers["etag"], scene.get().headers["last-modified"]) == (None, None)


@sees("says_max_age", "says_ttl", "says_skip_hours")
def test_a_publisher_asks_to_be_left_alone(scene: Scene) -> None:
    scene.with_rule("says_max_age", seconds=900)
    scene.with_rule("says_ttl", minutes=45)
    scene.with_rule("says_skip_hours", hours="1,2")
    got = scene.get()
    channel = ElementTree.fromstring(got.body).find("channel")
    assert channel is not None
    assert got.headers["cache-control"] == "max-age=900"
    assert channel.findtext("ttl") == "45"
    assert [e.text for e in channel.findall("skipHours/hour")] == ["1", "2"]


@sees("new_guids", "random_guids")
def test_guids_are_republished_once_or_at_each_poll(scene: Scene) -> None:
    old = [e.id for e in feedparser.parse(scene.good.body).entries]
    scene.with_rule("new_guids", version=3)
    once, twice = ([e.id for e in scene.entries()] for _ in range(2))
    assert once == twice
    assert not set(once) & set(old)
    assert [e.link for e in scene.entries()] == [e.link for e in feedparser.parse(scene.good.body).entries]
    scene.newsroom.rules.clear()
    scene.with_rule("random_guids")
    polls = [{e.id for e in scene.entries()} for _ in range(3)]
    assert len(set().union(*polls)) == 3 * len(old)


@pytest.mark.parametrize("source", ["kantorberita/ekonomi", "datakini/feed"])
def test_guids_of_atom_and_json_are_republished_too(newsroom: Newsroom, client: Any, source: str) -> None:
    def ids() -> list[str]:
        body = client.get(client.source(source)).body
        if source.startswith("datakini"):
            return [i["id"] for i in json.loads(body)["items"]]
        return [e.id for e in feedparser.parse(body).entries]

    before = ids()
    newsroom.misbehave("new_guids", source=source)
    assert [i.removesuffix("#v2") for i in ids()] == before != ids()


@sees("empty_feed")
@pytest.mark.parametrize("source", [SOURCE, "kantorberita/ekonomi", "gemanusa/rdf", "datakini/feed"])
def test_a_feed_is_well_formed_and_empty(newsroom: Newsroom, client: Any, source: str) -> None:
    newsroom.misbehave("empty_feed", source=source)
    body = client.get(client.source(source)).body
    if source.startswith("datakini"):
        assert json.loads(body)["items"] == []
    else:
        parsed = feedparser.parse(body)
        assert (parsed.bozo, parsed.entries) == (False, [])
        assert parsed.feed.title


@sees("indonesian_dates")
def test_dates_are_written_in_indonesian(scene: Scene) -> None:
    scene.with_rule("indonesian_dates")
    dates = re.findall(r"<pubDate>(.*?)</pubDate>", scene.get().text)
    assert len(dates) == 25
    assert all(re.fullmatch(r"\w+, \d+ Agustus 2026 \d\d:\d\d WIB", d) for d in dates)


@sees("relative_links")
def test_links_lack_scheme_and_host(scene: Scene) -> None:
    scene.with_rule("relative_links")
    links = re.findall(r"<item>.*?<link>(.*?)</link>", scene.get().text, re.DOTALL)
    assert len(links) == 25
    assert all(link.startswith("/news/") for link in links)


@sees("home_page_links")
def test_every_item_links_to_the_home_page(scene: Scene) -> None:
    scene.with_rule("home_page_links")
    entries = scene.entries()
    assert len(entries) == 25
    assert {(e.link, e.id) for e in entries} == {("http://nasional.kabarniaga.test/",) * 2}


@sees("control_characters", "bare_ampersands", "undefined_entities", "blank_before_declaration", "cut_in_the_middle")
@pytest.mark.parametrize(
    "name",
    ["control_characters", "bare_ampersands", "undefined_entities", "blank_before_declaration", "cut_in_the_middle"],
)
def test_xml_is_broken_for_strict_parsers(scene: Scene, name: str) -> None:
    ElementTree.fromstring(scene.good.body)
    scene.with_rule(name)
    got = scene.get()
    assert got.status == 200
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(got.body)
    assert scene.get(If_None_Match=got.headers["etag"]).status == 304


@sees("wrong_label", "wrong_bytes", "unknown_label")
def test_charsets_are_mislabelled(newsroom: Newsroom, client: Any) -> None:
    story = newsroom.publish("archipelagopost")[0]
    url = newsroom.house("archipelagopost").url(story)
    good = client.get(url)
    assert "—" in good.text
    host = urlsplit(url).hostname
    newsroom.misbehave("wrong_label", host=host)
    got = client.get(url)
    assert "iso-8859-1" in got.headers["content-type"]
    assert 'charset="iso-8859-1"' in got.text
    newsroom.rules.clear()
    newsroom.misbehave("wrong_bytes", host=host)
    got = client.get(url)
    assert "utf-8" in got.headers["content-type"]
    with pytest.raises(UnicodeDecodeError):
        got.body.decode()
    assert got.body.decode("cp1252").count("—") == good.text.count("—")
    newsroom.rules.clear()
    newsroom.misbehave("unknown_label", host=host)
    assert "x-tidak-ada" in client.get(url).headers["content-type"]


@sees("gzip_bomb")
def test_a_small_body_unpacks_to_a_large_one(scene: Scene) -> None:
    scene.with_rule("gzip_bomb", megabytes=20)
    got = scene.get(accept_encoding="gzip")
    assert len(got.body) < 40_000
    assert len(gzip.decompress(got.body)) == 20 << 20


@sees("gzip_file_bomb")
@pytest.mark.parametrize("layers", [1, 2])
def test_a_small_file_unpacks_to_a_large_one(scene: Scene, layers: int) -> None:
    scene.with_rule("gzip_file_bomb", megabytes=32, layers=layers)
    got = scene.get(accept_encoding="gzip")
    assert "content-encoding" not in got.headers
    body = got.body
    for _ in range(layers):
        body = gzip.decompress(body)
    assert body.count(0) == len(body) == 32 << 20


@sees("truncated_gzip", "not_gzip")
def test_gzip_is_cut_or_not_gzip_at_all(scene: Scene) -> None:
    scene.with_rule("truncated_gzip")
    got = scene.get(accept_encoding="gzip")
    assert int(got.headers["content-length"]) == len(got.body)
    with pytest.raises(EOFError):
        gzip.decompress(got.body)
    assert scene.good.body.startswith(zlib.decompressobj(31).decompress(got.body))
    scene.newsroom.rules.clear()
    scene.with_rule("not_gzip")
    got = scene.get(accept_encoding="gzip")
    assert (got.headers["content-encoding"], got.body) == ("gzip", scene.good.body)


# -- on the wire


@sees("slow_first_byte")
def test_the_first_byte_comes_late(scene: Scene) -> None:
    scene.with_rule("slow_first_byte", seconds=0.4)
    began = time.monotonic()
    got = scene.get()
    assert time.monotonic() - began >= 0.4
    assert got.body == scene.good.body


@sees("drip")
def test_the_body_comes_in_drops(scene: Scene) -> None:
    scene.with_rule("drip", seconds=0.1, bytes=len(scene.good.body) // 4)
    began = time.monotonic()
    assert scene.get().body == scene.good.body
    assert time.monotonic() - began >= 0.3  # a pause between any two of four drops


@sees("stall")
def test_half_a_body_comes_and_then_nothing(scene: Scene) -> None:
    scene.with_rule("stall")
    connection = scene.client.open(scene.url, timeout=0.5)
    response = connection.getresponse()
    half = len(scene.good.body) // 2
    assert response.read(half) == scene.good.body[:half]
    with pytest.raises(TimeoutError):
        response.read(1)
    response.close()
    connection.close()


@sees("truncated")
def test_less_comes_than_content_length_promised(scene: Scene) -> None:
    scene.with_rule("truncated")
    with pytest.raises(http.client.IncompleteRead) as caught:
        scene.get()
    assert caught.value.partial == scene.good.body[: len(scene.good.body) // 2]


@sees("reset", "hang_up")
def test_connections_are_reset_or_closed_without_a_word(scene: Scene) -> None:
    scene.with_rule("hang_up")
    with pytest.raises(http.client.RemoteDisconnected):
        scene.get()
    scene.newsroom.rules.clear()
    scene.with_rule("reset")
    with pytest.raises(ConnectionResetError) as caught:
        scene.get()
    assert not isinstance(caught.value, http.client.RemoteDisconnected)
    scene.newsroom.rules.clear()
    scene.with_rule("reset", bytes=900)
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        scene.get()


@sees("endless_body")
def test_a_body_goes_on_and_stops_when_the_reader_leaves(scene: Scene) -> None:
    scene.with_rule("endless_body")
    connection = scene.client.open(scene.url)
    response = connection.getresponse()
    assert response.headers["content-length"] is None
    assert len(response.read(8 << 20)) == 8 << 20
    response.close()
    connection.close()
    scene.newsroom.rules.clear()
    assert scene.get().body == scene.good.body


@sees("endless_headers")
def test_headers_go_on(scene: Scene) -> None:
    scene.with_rule("endless_headers")
    with pytest.raises(http.client.HTTPException, match="more than"):
        scene.get()
    scene.newsroom.rules.clear()
    assert scene.get().status == 200


@sees("bad_status_line")
def test_the_status_line_is_not_http(scene: Scene) -> None:
    scene.with_rule("bad_status_line")
    with pytest.raises(http.client.BadStatusLine):
        scene.get()


# -- whom, how often, when


def test_a_rule_holds_only_in_its_scope(newsroom: Newsroom, client: Any) -> None:
    newsroom.misbehave("status_500", host="nasional.kabarniaga.test", path="/news/")
    newsroom.misbehave("status_403", host="*.ladang.test")
    assert client.get(client.source("kabarniaga/nasional")).status == 200
    assert client.get(newsroom.addresses.url("nasional.kabarniaga.test", "/news/x")).status == 500
    assert client.get(newsroom.addresses.url("industri.kabarniaga.test", "/news/x")).status == 404
    assert client.get(newsroom.addresses.url("feed-00003.ladang.test", "/rss")).status == 403


def test_a_rule_holds_only_in_its_time(newsroom: Newsroom, client: Any) -> None:
    now = newsroom.clock.now()
    newsroom.misbehave("status_500", source=SOURCE, since=now + timedelta(hours=1), until=now + timedelta(hours=2))
    statuses = []
    for _ in range(3):
        statuses.append(client.get(client.source(SOURCE)).status)
        newsroom.clock.forward(timedelta(hours=1))
    assert statuses == [200, 500, 200]


def test_a_share_of_requests_is_struck_the_same_one_for_the_same_seed(client: Any, newsroom: Newsroom) -> None:
    def struck(seed: int) -> list[int]:
        newsroom.rules = type(newsroom.rules)()
        newsroom.misbehave("status_500", source=SOURCE, share=0.3, seed=seed)
        return [client.get(client.source(SOURCE)).status for _ in range(60)]

    first = struck(1)
    assert struck(1) == first != struck(2)
    assert 8 <= first.count(500) <= 30
    assert newsroom.rules.all()[0][1] > 0
    assert {v.misbehaved for v in newsroom.visits} == {(), ("status_500",)}


def test_unknown_names_and_sources_are_told_with_the_known_ones(newsroom: Newsroom) -> None:
    with pytest.raises(ValueError, match="truncated_gzip"):
        newsroom.misbehave("kucing")
    with pytest.raises(KeyError, match="it has: nasional"):
        newsroom.misbehave("status_500", source="kabarniaga/olahraga")


@sees("redesign")
def test_a_redesigned_page_has_the_same_words_under_other_names(scene: Scene) -> None:
    url = scene.entries()[0].link
    before = scene.client.get(url).body
    scene.newsroom.misbehave("redesign", host=urlsplit(url).hostname)
    after = scene.client.get(url).body
    assert b'class="detail-desk' in before
    assert b'class="detail-desk' not in after.replace(b"detail-desk-v2", b"")
    assert re.sub(rb"<[^>]*>", b"", after) == re.sub(rb"<[^>]*>", b"", before)
    assert scene.get().body == scene.good.body
