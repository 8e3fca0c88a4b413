from __future__ import annotations

from datetime import UTC, datetime
from multiprocessing.reduction import ForkingPickler
from pickle import loads  # noqa: TID251 - what a pipe between processes does
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.model import Listing, Selector, SourceKind
from crawlers.discover import discover
from crawlers.model import Discovered, DiscoveryFailed, FailureKind

JAKARTA = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
URL = "https://www.pasar.example/rss"
RSS = "<rss version='2.0'><channel><item><title>A</title><link>/a</link></item></channel></rss>"


def failed(body: str | bytes, kind: SourceKind = SourceKind.FEED) -> DiscoveryFailed:
    body = body.encode() if isinstance(body, str) else body
    found = discover(kind, body, url=URL, content_type="text/html", now=NOW, timezone=JAKARTA)
    assert isinstance(found, DiscoveryFailed), found
    return found


@pytest.mark.parametrize("body", ["", " \n\t ", "\ufeff", b"\0\0\0"])
def test_nothing_is_empty(body: str | bytes) -> None:
    assert failed(body).kind is FailureKind.EMPTY


def test_a_web_page_at_a_feeds_address_is_named_with_its_title() -> None:
    found = failed("<!DOCTYPE html><html><head><title>Pasar &amp; Bursa</title></head><body>Halo</body></html>")
    assert found.kind is FailureKind.NOT_A_FEED
    assert URL in found.message
    assert '"Pasar & Bursa"' in found.message
    assert "feed" in found.message


@pytest.mark.parametrize(
    ("page", "what"),
    [
        (
            "<html><head><title>Just a moment...</title></head><script>_cf_chl_opt={}</script></html>",
            "challenge",
        ),
        ("<html><title>Access Denied</title><body>You don't have permission</body></html>", "refusal"),
        (
            "<html><title>Before you continue</title><form action='https://consent.google.com/save'></form></html>",
            "consent",
        ),
        ("<html><title>Masuk</title><form><input name=u><input name=p type='password'></form></html>", "login"),
    ],
)
@pytest.mark.parametrize("kind", list(SourceKind))
def test_a_wall_is_blocked_and_named(page: str, what: str, kind: SourceKind) -> None:
    found = failed(page, kind)
    assert found.kind is FailureKind.BLOCKED
    assert what in found.message


@pytest.mark.parametrize(
    "body",
    ["plain words", "<opml><body/></opml>", "<Error><Code>AccessDenied</Code></Error>", '{"a": 1}', "\x89PNG\r\n"],
)
def test_something_else_is_no_feed(body: str) -> None:
    assert failed(body).kind in {FailureKind.NOT_A_FEED, FailureKind.BLOCKED}


@pytest.mark.parametrize(
    "before",
    [
        "<br />\n<b>Warning</b>: mysql_connect() in /srv/feed.php on line 3<br />\n",
        "<!-- made by hand -->\n<?xml-stylesheet href='a.xsl'?>\n",
        "<?xml version='1.0'?><!DOCTYPE rss PUBLIC '-//Netscape//DTD RSS 0.91//EN' 'http://x.example/rss.dtd'>\n",
        "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY nbsp '&#160;'>]>",
        "\ufeff\n",
    ],
)
def test_what_stands_before_a_feed_does_not_hide_it(before: str) -> None:
    found = discover(SourceKind.FEED, (before + RSS).encode(), url=URL, now=NOW, timezone=JAKARTA)
    assert isinstance(found, Discovered)
    assert [entry.url for entry in found.entries] == ["https://www.pasar.example/a"]


def test_an_atom_document_may_be_one_entry() -> None:
    body = b"<entry xmlns='http://www.w3.org/2005/Atom'><title>A</title><link href='/a'/></entry>"
    found = discover(SourceKind.FEED, body, url=URL, now=NOW, timezone=JAKARTA)
    assert isinstance(found, Discovered)
    assert [entry.url for entry in found.entries] == ["https://www.pasar.example/a"]


def test_results_travel_between_processes() -> None:
    found = discover(SourceKind.FEED, RSS.encode(), url=URL, now=NOW, timezone=JAKARTA)
    assert loads(bytes(ForkingPickler.dumps(found))) == found


def test_a_bad_selector_costs_this_answer_only() -> None:
    found = discover(
        SourceKind.LISTING, b"<html><a href='/a'>A</a></html>", url=URL, now=NOW, timezone=JAKARTA,
        listing=Listing(link=(Selector("a[["),)),
    )  # fmt: skip
    assert isinstance(found, DiscoveryFailed)
    assert found.kind is FailureKind.PARSE


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(list(SourceKind)))
def test_no_bytes_make_discovery_raise(body: bytes, kind: SourceKind) -> None:
    assert isinstance(discover(kind, body, url=URL, now=NOW, timezone=JAKARTA), Discovered | DiscoveryFailed)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<rss>",
                "<feed>",
                "<urlset>",
                "<url>",
                "<loc>",
                "<item>",
                "<entry>",
                "<html>",
                "<a&#32;href=x>",
                "</a>",
                "{",
                "",
                "[",
                '"',
                "]]>",
                "<![CDATA[",
                "&x;",
                "http://x",
                "<link>",
                "<title>",
                "</title>",
                "<!DOCTYPE",
                "\x1f\x8b",
            ]
        ),
        max_size=15,
    ),
    st.sampled_from(list(SourceKind)),
)
def test_no_mixture_of_markup_makes_discovery_raise(pieces: list[str], kind: SourceKind) -> None:
    found = discover(kind, "".join(pieces).encode(), url=URL, now=NOW, timezone=JAKARTA)
    assert isinstance(found, Discovered | DiscoveryFailed)
    assert "cannot be read" not in getattr(found, "message", "")
