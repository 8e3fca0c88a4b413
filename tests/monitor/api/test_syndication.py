from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import feedparser
import pytest

FORMS = ("atom", "rss")


async def fetch(api: Any, path: str, status: int = 200) -> bytes:
    async with api.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.read()


@pytest.mark.parametrize("form", FORMS)
async def test_a_feed_is_read_back_with_all_its_fields(api: Any, store: Any, clock: Any, form: str) -> None:
    title = "Harga <beras> & gula \x08naik"
    name = await store("a", "Paragraf <b>satu</b>.\n\nParagraf & dua.", title=title, subtitle="Ringkas")
    feed = feedparser.parse(await fetch(api, f"/feeds/all.{form}"), sanitize_html=False)
    assert not feed.bozo
    (entry,) = feed.entries
    assert entry.id == f"urn:warta:{name}"
    # feedparser reads titles of RSS as HTML; those of Atom say that they are text.
    assert entry.title == title.replace("\x08", "")
    assert entry.link == "https://warta-pagi.test/a"
    assert datetime(*entry.published_parsed[:6], tzinfo=UTC) == clock()
    assert [author.name for author in entry.authors] == ["Siti Rahma"]
    assert [tag.term for tag in entry.tags] == ["beras", "pangan"]
    assert entry.summary == "Ringkas"
    expected = "<p>Paragraf &lt;b&gt;satu&lt;/b&gt;.</p><p>Paragraf &amp; dua.</p>"
    assert entry.content[0].value == expected
    assert feed.feed.title == "warta: all articles"


async def test_a_json_feed_has_what_version_1_1_asks_for(api: Any, store: Any) -> None:
    name = await store("a", "Satu.")
    feed = json.loads(await fetch(api, "/feeds/outlet/warta-pagi.json"))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"].endswith("/feeds/outlet/warta-pagi.json")
    (item,) = feed["items"]
    assert item == {
        "id": f"urn:warta:{name}", "url": "https://warta-pagi.test/a", "title": "Judul a",
        "content_html": "<p>Satu.</p>", "image": "https://w.test/a.jpg", "date_published": "2026-11-23T08:00:00Z",
        "date_modified": "2026-11-23T08:00:00Z", "authors": [{"name": "Siti Rahma"}], "tags": ["beras", "pangan"],
        "language": "id",
    }  # fmt: skip


async def test_feeds_are_of_an_outlet_a_cluster_or_a_search_the_newest_first(api: Any, store: Any) -> None:
    await store("a", "Harga beras.")
    await store("b", "Harga gula.", outlet="kabar")
    await store("c", "Harga beras lagi.", outlet="kabar")

    async def titles(path: str) -> list[str]:
        return [item["title"] for item in json.loads(await fetch(api, path))["items"]]

    assert await titles("/feeds/all.json") == ["Judul c", "Judul b", "Judul a"]
    assert await titles("/feeds/outlet/kabar.json") == ["Judul c", "Judul b"]
    assert await titles("/feeds/search.json?q=beras") == ["Judul c", "Judul a"]
    assert await titles("/feeds/outlet/kabar.json?q=gula") == ["Judul b"]
    assert await titles("/feeds/outlet/none.json") == []


async def test_the_copies_of_one_story_are_a_feed(api: Any, store: Any) -> None:
    first = await store("a", "Sama persis.")
    await store("b", "Sama persis.", copy_of=first)
    await store("c", "Lain.")
    feed = json.loads(await fetch(api, f"/feeds/cluster/{first}.json"))
    assert [item["title"] for item in feed["items"]] == ["Judul b", "Judul a"]


@pytest.mark.parametrize("form", FORMS)
async def test_an_empty_feed_is_a_feed(api: Any, form: str) -> None:
    feed = feedparser.parse(await fetch(api, f"/feeds/all.{form}"))
    assert not feed.bozo
    assert feed.entries == []
    assert feed.version == {"atom": "atom10", "rss": "rss20"}[form]


async def test_a_feed_that_did_not_change_is_not_sent_again(api: Any, store: Any) -> None:
    await store("a")
    async with api.get("/feeds/all.atom") as answer:
        tag = answer.headers["ETag"]
        assert answer.content_type == "application/atom+xml"
    async with api.get("/feeds/all.atom", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


@pytest.mark.parametrize("path", ["/feeds/all.xml", "/feeds/none.rss", "/feeds/outlet.rss", "/feeds/all/x.rss"])
async def test_a_feed_that_is_none_is_not_found(api: Any, path: str) -> None:
    assert "error" in json.loads(await fetch(api, path, 404))


async def test_a_search_needs_words(api: Any) -> None:
    assert "q=" in json.loads(await fetch(api, "/feeds/search.rss", 400))["error"]
