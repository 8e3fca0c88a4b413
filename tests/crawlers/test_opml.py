"""Feed readers' lists as outlets."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.opml import ListError, Subscription, outlets, subscriptions


def opml(*outlines: str) -> bytes:
    return f'<?xml version="1.0"?><opml version="2.0"><body>{"".join(outlines)}</body></opml>'.encode()


def feed(url: str, text: str = "Kabar") -> str:
    return f'<outline type="rss" text="{text}" xmlUrl="{url}"/>'


def test_feeds_are_taken_with_title_and_folder_and_once_each() -> None:
    raw = opml(
        '<outline text="Bisnis"><outline text="Pagi">',
        feed("https://a.example/rss", "Satu &amp; dua"),
        "</outline></outline>",
        feed("https://a.example/rss", "Lagi"),
        feed("feed://b.example/rss"),
        feed("feed:https://c.example/rss"),
    )
    assert subscriptions(raw) == [
        Subscription("Satu & dua", "https://a.example/rss", ("Bisnis", "Pagi")),
        Subscription("Kabar", "http://b.example/rss"),
        Subscription("Kabar", "https://c.example/rss"),
    ]


@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"<html><body>Hi</body></html>", opml(), b"[]"])
def test_what_is_no_list_or_lists_nothing_is_refused(raw: bytes) -> None:
    with pytest.raises(ListError):
        subscriptions(raw)


def test_feeds_of_one_domain_are_the_sources_of_one_outlet() -> None:
    feeds = [
        Subscription("Nasional", "https://nasional.kabar.co.id/rss"),
        Subscription("Nasional", "https://www.kabar.co.id/nasional.xml"),
        Subscription("", "https://investasi.kabar.co.id/umpan/pasar.xml"),
        Subscription("Surat Kabar", "https://kabar.example/feed"),
    ]
    made, left = outlets(feeds, known=(), taken=())
    assert left == []
    assert {one.id: list(one.sources) for one in made} == {
        "kabar": ["nasional", "nasional-2", "pasar-xml"], "kabar-example": ["surat-kabar"]
    }  # fmt: skip


def test_what_cannot_be_polled_or_is_already_is_left_with_the_reason() -> None:
    feeds = [
        Subscription("a", "https://a.example/rss"),
        Subscription("b", "javascript:alert(1)"),
        Subscription("c", "https://c.example/{page}.xml"),
        Subscription("d", "/relative"),
    ]
    made, left = outlets(feeds, known={"https://a.example/rss"}, taken=())
    assert made == []
    assert [one.subscription.title for one in left] == ["a", "b", "c", "d"]
    assert left[0].why == "already configured"
    assert all(one.why for one in left)


@given(st.binary(max_size=500) | st.text(max_size=200).map(lambda text: opml(feed("https://x.example/" + text, text))))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    try:
        feeds = subscriptions(raw)
    except ListError:
        return
    made, left = outlets(feeds, known=(), taken=("x", "x-example"))
    assert sum(len(one.sources) for one in made) + len(left) == len(feeds)
    for one in made:
        assert re.fullmatch(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?", one.id)
        assert one.id not in ("x", "x-example")


#: What the public cases say of feeds, as `subscriptions` tells it.
LENGTH = re.compile(r"""len\(result\[['"]feeds['"]\]\) == (\d+)""")
SAID = re.compile(r"""result\[['"]feeds['"]\]\[(\d+)\]\[['"](title|url)['"]\] == (.+)""")


@pytest.mark.shared
def test_the_public_lists_give_the_feeds_they_are_said_to_give(shared: Path) -> None:
    suite, judged = shared / "suites" / "opml", 0
    for line in (suite / "cases.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        said = [match.groups() for text in case["evals"] if (match := SAID.fullmatch(text.strip()))]
        said = [(int(n), name, value) for n, name, value in said if value[0] in "'\"u"]
        try:
            found = subscriptions((suite / case["file"]).read_bytes())
        except ListError:
            assert not said, case["id"]
            continue
        lengths = [int(match[1]) for text in case["evals"] if (match := LENGTH.fullmatch(text.strip()))]
        assert lengths in ([], [len(found)]), case["id"]
        judged += len(lengths)
        for n, name, value in said:
            judged += 1
            assert getattr(found[n], name) == ast.literal_eval(value), case["id"]
    assert judged >= 59
