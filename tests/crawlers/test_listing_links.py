"""Links of a listing, however its markup holds them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from config.model import Limits, Listing, Selector, SelectorKind
from crawlers.listing import read_listing
from crawlers.model import Discovered

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def read(body: str, **rules: object) -> Discovered:
    return read_listing(
        body.encode(), url="https://a.test/indeks", content_type="text/html", now=NOW, timezone=ZoneInfo("UTC"),
        limits=Limits(), listing=Listing(**rules) if rules else None,
    )  # fmt: skip


def css(text: str) -> tuple[Selector, ...]:
    return (Selector(text),)


def xpath(text: str) -> tuple[Selector, ...]:
    return (Selector(text, SelectorKind.XPATH),)


def test_a_link_is_the_element_or_inside_it_or_around_it() -> None:
    body = (
        "<div class=i><a href=/1>satu</a></div><a href=/2><h2 class=i>dua</h2></a><a class=i href=/3>tiga</a>"
        "<div class=i>tanpa alamat</div>"
    )

    assert [e.url[-1] for e in read(body, link=css(".i")).entries] == ["1", "2", "3"]
    assert [e.url[-1] for e in read(body, item=css(".i")).entries] == ["1", "2", "3"]
    assert read(body, item=css(".nichts")).entries == ()


def test_texts_and_dates_may_be_given_by_an_expression() -> None:
    body = (
        "<li><a href=/1>x</a><b>Judul satu</b><i title='bukan tanggal'>2026-11-20</i></li>"
        "<li><a href=/2 title='Judul dua'></a><i>kapan saja</i></li>"
    )

    found = read(body, item=css("li"), link=css("a"), title=xpath(".//b/text()"), date=xpath(".//i/text()"))
    by_element = read(body, item=css("li"), link=css("a"), date=css("i"))

    assert [e.title for e in found.entries] == ["Judul satu", "Judul dua"]
    assert [e.published for e in found.entries] == [datetime(2026, 11, 20, tzinfo=UTC), None]
    assert [e.published for e in by_element.entries] == [datetime(2026, 11, 20, tzinfo=UTC), None]


def test_what_is_no_address_is_left_out_and_nothing_is_said_so() -> None:
    assert read("<a href='javascript:void(0)'>x</a><a name=y>z</a>").entries == ()
    assert [p.code for p in read("<!-- -->").problems] == ["empty_feed"]
