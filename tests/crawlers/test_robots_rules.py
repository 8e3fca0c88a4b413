from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from crawlers.robots_rules import ALLOW_ALL, DISALLOW_ALL, parse, path_of, product_token


def allowed(text: str | bytes, url: str, token: str = "warta") -> bool:
    return parse(text if isinstance(text, bytes) else text.encode(), token).allowed(path_of(url))


@pytest.mark.parametrize(
    ("text", "url", "expected"),
    [
        ("", "/x", True),
        ("User-agent: *\nDisallow:\n", "/x", True),
        ("User-agent: *\nDisallow: /\n", "/x", False),
        ("disallow: /\nuser-agent: *\n", "/x", True),  # a rule before any agent is nobody's
        # The longest pattern decides, Allow when two are equally long.
        ("User-agent: *\nDisallow: /a\nAllow: /a/b\n", "/a/b/c", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a/b\n", "/a/b/c", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a\n", "/a", True),
        # Wildcards and ends.
        ("User-agent: *\nDisallow: /*.pdf$\n", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$\n", "/x/y.pdf?z", True),
        ("User-agent: *\nDisallow: /a*b*c\n", "/a-b-b-c-", False),
        ("User-agent: *\nDisallow: /a*b*c\n", "/a-c-b", True),
        ("User-agent: *\nDisallow: /search/*\n", "/search/indeks?kanal=all", False),
        ("User-agent: *\nDisallow: *?source=*\n", "/berita?source=x", False),
        ("User-agent: *\nDisallow: /x$y\n", "/x$y", False),
        ("User-agent: *\nDisallow: /a*$\n", "/abc", False),
        ("User-agent: *\nDisallow: /*ab$\n", "/ab", False),
        ("User-agent: *\nDisallow: /ab*ab$\n", "/ab", True),
        # Case counts in paths, not in names.
        ("USER-AGENT: WARTA\ndisALLOW: /X\n", "/X", False),
        ("User-agent: *\nDisallow: /X\n", "/x", True),
        # What says nothing does not end a group.
        ("User-agent: warta\nSitemap: http://a/\nUnknown: x\n\nUser-agent: *\nDisallow: /\n", "/x", False),
        ("User-agent: warta\nCrawl-delay: 5\nUser-agent: other\nDisallow: /\n", "/x", False),
        # Own group over the common one, groups of one name together.
        ("User-agent: *\nDisallow: /\nUser-agent: warta\nAllow: /\n", "/x", True),
        (
            "User-agent: warta\nDisallow: /a\n\nUser-agent: b\nDisallow: /\n\nUser-agent: warta\nDisallow: /c\n",
            "/c",
            False,
        ),
        ("User-agent: warta\nDisallow:\nUser-agent: *\nDisallow: /\n", "/x", True),
        # Names are tokens: what follows a name is not part of it, and a part of a name is not the name.
        ("User-agent: warta/2.0 news\nDisallow: /\n", "/x", False),
        ("User-agent: wartabot\nDisallow: /\n", "/x", True),
        ("User-agent: war\nDisallow: /\n", "/x", True),
        # Octets as they are written.
        ("User-agent: *\nDisallow: /é\n", "/%C3%A9", False),
        ("User-agent: *\nDisallow: /%c3%a9\n", "/%C3%A9", False),
        ("User-agent: *\nDisallow: /a%2fb\n", "/a/b", True),
        # Odd lines.
        ("User-agent: *\rDisallow: /\r", "/x", False),
        ("User-agent: * # all\nDisallow: / # of it\n", "/x", False),
        ("\ufeffUser-agent: *\nDisallow: /\n", "/x", False),
        ("User-agent *\nDisallow /\n", "/x", False),
        ("User-agent: *\nDisalow: /\n", "/x", False),
        ("<html><body>User-agent: *\nnot found</body></html>", "/x", True),
        # index.html of a folder stands for the folder.
        ("User-agent: *\nDisallow: /\nAllow: /a/index.html\n", "/a/", True),
        ("User-agent: *\nDisallow: /\nAllow: /a/index.html\n", "/a/b", False),
    ],
)
def test_rules_are_read_as_the_rfc_has_it(text, url, expected):
    assert allowed(text, url) is expected


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://a.test", "/"),
        ("http://a.test/", "/"),
        ("http://a.test?x=1", "/?x=1"),
        ("http://a.test/b;c?d#e", "/b;c?d"),
        ("http://a.test/x?u=http://b/", "/x?u=http://b/"),
        ("/x", "/x"),
    ],
)
def test_the_path_of_a_url_keeps_its_query(url, path):
    assert path_of(url) == path


@pytest.mark.parametrize(
    ("agent", "token"),
    [("warta/1.0 (+https://x)", "warta"), ("Warta", "warta"), ("news-bot 2", "news-bot"), ("", ""), ("1x", "")],
)
def test_the_product_token_is_what_stands_before_the_slash(agent, token):
    assert product_token(agent) == token


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("User-agent: *\nCrawl-delay: 10\n", 10.0),
        ("User-agent: *\nCrawl-delay: 0.5\n", 0.5),
        ("User-agent: *\nRequest-rate: 1/10\n", 10.0),
        ("User-agent: *\nRequest-rate: 2/1m\nCrawl-delay: 3\n", 30.0),
        ("User-agent: *\nCrawl-delay: soon\n", None),
        ("User-agent: *\nCrawl-delay: -1\n", None),
        ("User-agent: *\nCrawl-delay: inf\n", None),
        ("User-agent: other\nCrawl-delay: 10\n", None),
        ("User-agent: *\nCrawl-delay: 10\nUser-agent: warta\nDisallow:\n", None),
    ],
)
def test_delays_are_those_of_our_group(text, delay):
    assert parse(text.encode(), "warta").delay == delay


def test_everything_and_nothing():
    assert ALLOW_ALL.allowed("/x")
    assert not DISALLOW_ALL.allowed("/x")


def test_a_hostile_file_is_judged_in_time():
    lines = "".join(f"Disallow: /{'a*' * 20}{number}$\n" for number in range(10_000))
    begun = time.process_time()
    rules = parse(f"User-agent: *\n{lines}".encode(), "warta")
    rules.allowed("/" + "a" * 2000)
    assert time.process_time() - begun < 3


@given(st.binary(max_size=400))
def test_no_bytes_raise(data):
    parse(data, "warta").allowed("/x?y")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Allow", "Disallow"]), st.from_regex(r"/[a-c/]{0,4}\*?[a-c]{0,2}\$?", fullmatch=True)
        ),
        max_size=6,
    ),
    st.from_regex(r"/[a-c/]{0,6}", fullmatch=True),
)
def test_on_plain_files_protego_agrees(rules, path):
    text = "User-agent: *\n" + "".join(f"{key}: {value}\n" for key, value in rules)
    assert allowed(text, f"http://a.test{path}") == Protego.parse(text).can_fetch(f"http://a.test{path}", "warta")


@pytest.mark.shared
@pytest.mark.parametrize("name", ["google_robots_test", "google_spec_test"])
def test_the_google_suites_pass_whole(name, shared: Path):
    wrong = []
    for line in (shared / "suites" / "robots" / f"{name}.jsonl").read_text().splitlines():
        case = json.loads(line)
        got = allowed(case["robots_latin1"].encode("latin-1"), case["url_latin1"], case["ua"].lower())
        if got is not case["allowed"]:
            wrong.append(case["id"])
    assert wrong == []
