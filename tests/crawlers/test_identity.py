from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import ada_url
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import Outlet, Politeness, UrlRules
from crawlers.identity import (
    absolute,
    belongs,
    body_hash,
    canonicalize,
    content_hash,
    host_of,
    is_article,
    url_key,
)

PASAR = Outlet(
    id="pasar",
    name="Warta Pasar",
    homepage="https://www.pasar.example",
    group=None,
    language="id",
    timezone=ZoneInfo("Asia/Jakarta"),
    hosts=("*.pasar.example",),
    sources=(),
    politeness=Politeness(user_agent="test", delay=timedelta(0)),
    urls=UrlRules(
        article=r"^https?://(?!asset\.)[a-z]+\.pasar\.example/news/[^/?#]+",
        skip=(r"/video/",),
        key=r"/news/(?P<slug>[^/?#]+)",
        host_aliases=(("amp.pasar.example", "www.pasar.example"),),
    ),
)
PLAIN = replace(PASAR, hosts=("www.kabar.example",), urls=UrlRules())


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://WWW.Kabar.Example:443/a", "https://www.kabar.example/a"),
        ("https://kabar.example/a#komentar", "https://kabar.example/a"),
        ("https://kabar.example/a?utm_source=x&fbclid=1&at_medium=rss", "https://kabar.example/a"),
        ("https://kabar.example/a?b=2&a=1", "https://kabar.example/a?a=1&b=2"),
        ("https://kabar.example/a?page=all", "https://kabar.example/a"),
        ("https://kabar.example/a?single=1", "https://kabar.example/a"),
        ("https://kabar.example/a?showpage=all", "https://kabar.example/a"),
        ("https://kabar.example/a?page=2&id=7", "https://kabar.example/a?id=7"),
        ("https://kabar.example/a/index.html", "https://kabar.example/a/"),
        ("https://kabar.example/%7euser/%e4%ba%ac", "https://kabar.example/~user/%E4%BA%AC"),
        ("https://kabar.example/a;jsessionid=AB12?x=1", "https://kabar.example/a?x=1"),
        ("https://user:secret@kabar.example/a", "https://kabar.example/a"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://kabar.example./a", "https://kabar.example/a"),
        ("https://kabar.example", "https://kabar.example/"),
        ("  https://kabar.example/a\n", "https://kabar.example/a"),
        ("https://kabar.example/a/../b", "https://kabar.example/b"),
    ],
)
def test_many_addresses_become_one(url: str, canonical: str) -> None:
    assert canonicalize(url) == canonical


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "mailto:a@b.example", "//kabar.example/a", "", "http://", "file:///etc/passwd",
            "https://kabar.example/" + "a" * 5000, "http://[::1", "data:text/html,x"]
)  # fmt: skip
def test_what_is_no_web_address_is_none(url: str) -> None:
    assert canonicalize(url) is None


def test_a_kept_query_drops_all_else() -> None:
    rules = UrlRules(keep_query=("id",))
    assert canonicalize("https://kabar.example/read?x=1&id=9&page=2", rules) == "https://kabar.example/read?id=9"


def test_an_amp_host_becomes_the_host_people_read() -> None:
    assert canonicalize("https://amp.pasar.example/news/a", PASAR.urls) == "https://www.pasar.example/news/a"


@given(st.text(max_size=60), st.text(max_size=40))
def test_canonicalizing_twice_changes_nothing(path: str, query: str) -> None:
    once = canonicalize(f"https://kabar.example/{path}?{query}")
    assert once is None or canonicalize(once) == once


@given(
    st.lists(
        st.sampled_from(
            ["..", ".", "%2e", ";jsessionid=1", "/", "index.html", "a", "%2F", "?", "&", "=", "%", "%36", "1"]
        ),
        max_size=12,
    )
)
def test_canonicalizing_tricky_paths_twice_changes_nothing(parts: list[str]) -> None:
    once = canonicalize("https://kabar.example/" + "".join(parts))
    assert once is None or canonicalize(once) == once


@given(st.text(max_size=200))
def test_no_text_makes_identity_raise(text: str) -> None:
    canonicalize(text)
    url_key(text, PASAR)
    belongs(text, PASAR)
    is_article(text, PLAIN)
    body_hash(text)


def test_one_slug_under_all_channels_is_one_article() -> None:
    keys = {
        url_key(url, PASAR)
        for url in (
            "https://nasional.pasar.example/news/rupiah-menguat",
            "https://amp.pasar.example/news/rupiah-menguat?utm_source=wa",
            "http://investasi.pasar.example/news/rupiah-menguat?page=all#top",
        )
    }
    assert keys == {"rupiah-menguat"}


def test_the_forms_of_a_page_have_one_key() -> None:
    keys = {
        url_key(url, PLAIN)
        for url in (
            "https://www.kabar.example/read/1/naik",
            "http://kabar.example/read/1/naik/",
            "https://m.kabar.example/read/1/naik?page=all",
            "https://amp.kabar.example/read/1/naik",
            "https://www.kabar.example/read/1/naik/amp",
            "https://www.kabar.example/read/1/naik/amp/?amp=1",
        )
    }
    assert keys == {"kabar.example/read/1/naik"}


def test_a_host_of_two_labels_keeps_its_first() -> None:
    assert url_key("https://m.example/a", PLAIN) == "m.example/a"


def test_an_outlet_owns_its_hosts_and_no_others() -> None:
    assert belongs("https://nasional.pasar.example/news/a", PASAR)
    assert not belongs("https://pasar.example/news/a", PASAR)
    assert not belongs("https://pasar.example.evil.example/news/a", PASAR)
    assert not belongs("https://notpasar.example/news/a", PASAR)
    assert not belongs("https://evil.example/?https://nasional.pasar.example", PASAR)
    assert not belongs("https://nasional.pasar.example@evil.example/", PASAR)
    assert belongs("https://kabar.example/a", PLAIN)
    assert belongs("https://m.kabar.example/a", PLAIN)
    assert not belongs("https://foto.kabar.example/a", PLAIN)


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://nasional.pasar.example/news/a", "article"),
        ("https://asset.pasar.example/news/main", "not_article_url"),
        ("https://nasional.pasar.example/video/a", "skip"),
        ("https://kabar.example/news/a", "foreign_host"),
        ("mailto:redaksi@pasar.example", "not_http"),
    ],
)
def test_the_rule_that_decides_is_named(url: str, rule: str) -> None:
    assert is_article(url, PASAR) == (rule == "article", rule)


def test_a_home_page_is_no_article() -> None:
    assert is_article("https://www.kabar.example/#x", PLAIN) == (False, "homepage")
    assert is_article("https://www.kabar.example/?p=17", PLAIN) == (True, "article")


def test_white_space_and_unicode_form_do_not_change_a_text() -> None:
    assert body_hash("Ekspor  naik\n\n5\u00a0persen. Café") == body_hash(" Ekspor naik 5 persen. Cafe\u0301\u200b")
    assert body_hash("Naik 5,1 persen") != body_hash("Naik 51 persen")
    assert content_hash("A", "b") != content_hash("A b", "")
    assert body_hash("x")[0] == "1"
    assert len(body_hash("x")) == 32


def test_a_relative_address_is_read_as_a_browser_does() -> None:
    assert absolute("//cdn.example/a", "https://x.example/b/") == "https://cdn.example/a"
    assert absolute("c?d", "https://x.example/b/") == "https://x.example/b/c?d"
    assert absolute("\\\\evil.example/a", "https://x.example/") == "https://evil.example/a"
    assert host_of("https://A.Example:8080/") == "a.example"


@pytest.mark.shared
def test_the_web_platforms_url_tests_pass(shared: Path) -> None:
    file = shared / "suites" / "wpt-url" / "urltestdata.json"
    if not file.is_file():
        pytest.skip("no URL suite here")
    passed = 0
    for case in json.loads(file.read_text(encoding="utf-8")):
        if not isinstance(case, dict) or case.get("failure") or not case["href"].startswith(("http:", "https:")):
            continue
        if not case["input"].strip():
            continue  # an empty link in a feed is no link to the feed
        try:
            case["input"].encode()
        except UnicodeEncodeError:
            continue  # lone surrogates cannot be UTF-8
        found = absolute(case["input"], case.get("base"))
        assert found == case["href"] or len(case["input"]) > 4096, case["input"]
        assert ada_url.URL(found or case["href"]).href == case["href"]
        passed += 1
    assert passed >= 200
