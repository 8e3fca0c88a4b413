from __future__ import annotations

import gzip
import socket
from datetime import timedelta
from typing import Any

import pytest
from protego import Protego

from newsroom.press import Newsroom

SOURCES = tuple(f"{house.masthead.id}/{source.name}" for house, source in Newsroom().sources())


@pytest.mark.parametrize("source", SOURCES)
def test_an_unchanged_source_is_304_by_tag_and_by_date(client: Any, source: str) -> None:
    url = client.source(source)
    first = client.get(url)
    assert first.status == 200
    for name, validator in (("If_None_Match", "etag"), ("If_Modified_Since", "last-modified")):
        again = client.get(url, **{name: first.headers[validator]})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    "source", ["kabarniaga/nasional", "kantorberita/ekonomi", "datakini/feed", "gemanusa/rdf", "arahpena/sitemap"]
)
def test_a_changed_source_is_200_with_other_validators(newsroom: Newsroom, client: Any, source: str) -> None:
    url = client.source(source)
    first = client.get(url)
    newsroom.clock.forward(timedelta(minutes=1))
    outlet = source.partition("/")[0]
    for channel in newsroom.house(outlet).masthead.channels:
        newsroom.publish(outlet, channel=channel.slug)
    for name, validator in (("If_None_Match", "etag"), ("If_Modified_Since", "last-modified")):
        again = client.get(url, **{name: first.headers[validator]})
        assert again.status == 200
        assert again.headers[validator] != first.headers[validator]


def test_the_tag_decides_when_both_validators_are_sent(client: Any) -> None:
    first = client.get(client.source("datakini/feed"))
    late = first.headers["last-modified"]
    assert client.get(client.source("datakini/feed"), If_None_Match='"other"', If_Modified_Since=late).status == 200
    assert client.get(client.source("datakini/feed"), If_None_Match=f'"x", W/{first.headers["etag"]}').status == 304


def test_an_article_page_is_304_until_it_is_revised(newsroom: Newsroom, client: Any) -> None:
    story = newsroom.publish("gemanusa")[0]
    url = newsroom.house("gemanusa").url(story)
    first = client.get(url)
    assert client.get(url, If_None_Match=first.headers["etag"]).status == 304
    newsroom.clock.forward(timedelta(seconds=30))
    newsroom.revise("gemanusa", story.number)
    again = client.get(url, If_None_Match=first.headers["etag"])
    assert again.status == 200
    assert "(Diperbarui)" in again.text


def test_a_revision_shows_in_the_feed_by_title_and_date(newsroom: Newsroom, client: Any) -> None:
    story = newsroom.publish("kabarniaga", channel="investasi")[0]
    feed = client.source("kabarniaga/investasi")
    before = client.get(feed)
    newsroom.clock.forward(timedelta(seconds=30))
    newsroom.revise("kabarniaga", story.number)
    after = client.get(feed, If_None_Match=before.headers["etag"])
    title = newsroom.house("kabarniaga").desk.title(story, newsroom.clock.now())
    assert title.endswith("(Diperbarui)")
    assert f"<item><title>{title.replace('&', '&amp;')}</title>" in after.text
    assert after.text.count("<atom:updated>") == before.text.count("<atom:updated>") + 1


def test_gzip_is_given_to_those_who_ask(client: Any) -> None:
    url = client.source("kabarniaga/nasional")
    plain, packed = client.get(url), client.get(url, accept_encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


def test_head_has_the_headers_of_get_and_no_body(client: Any) -> None:
    url = client.source("kabarniaga/nasional")
    full, head = client.get(url), client.get(url, "HEAD")
    assert head.body == b""
    assert head.headers["content-length"] == full.headers["content-length"] == str(len(full.body))


def test_robots_files_hold_the_cases_that_parsers_trip_over(newsroom: Newsroom, client: Any) -> None:
    def robots(host: str) -> Protego:
        return Protego.parse(client.get(newsroom.addresses.url(host, "/robots.txt")).text)

    url = newsroom.addresses.url
    kontan = robots("www.kabarniaga.test")
    assert not kontan.can_fetch(url("www.kabarniaga.test", "/search/?search=x"), "warta")
    assert kontan.can_fetch(url("www.kabarniaga.test", "/search/indeks?kanal="), "warta")
    assert not kontan.can_fetch(url("www.kabarniaga.test", "/news/x"), "GPTBot")
    assert robots("news.lintasmenit.test").crawl_delay("warta") == 1
    assert not robots("www.arahpena.test").can_fetch(url("www.arahpena.test", "/read/x?utm_source=y"), "warta")


def test_unknown_hosts_and_paths_are_404(newsroom: Newsroom, client: Any) -> None:
    for host, path in (
        ("tidak.ada.test", "/"),
        ("www.kabarniaga.test", "/news/tidak-ada"),
        ("news.lintasmenit.test", "/berita/d-99/x"),
    ):
        assert client.get(newsroom.addresses.url(host, path)).status == 404


def test_a_story_has_no_page_before_it_is_published(newsroom: Newsroom, client: Any) -> None:
    house = newsroom.house("kabarniaga")
    now = newsroom.clock.now()
    later = next(s for s in house.desk.on_day(now.date()) if s.published > now)
    assert client.get(house.url(later)).status == 404
    newsroom.clock.set(later.published)
    assert client.get(house.url(later)).status == 200


def test_the_index_names_every_source_and_control_is_not_on_outlets_hosts(
    press: Any, newsroom: Newsroom, client: Any
) -> None:
    index = client.get(f"{press.base}/").text
    assert all(client.source(s) in index for s in SOURCES)
    assert client.get(newsroom.addresses.url("www.kabarniaga.test", "/_control/state")).status == 404


def test_only_loopback_is_listened_on(press: Any) -> None:
    assert press._server.servers[0].sockets[0].getsockname()[0] == "127.0.0.1"
    with socket.create_connection(("127.0.0.1", press.port), timeout=5):
        pass
