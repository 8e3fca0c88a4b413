from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from config.model import Limits, Listing, Selector, SelectorKind, SourceKind
from crawlers.discover import discover
from crawlers.listing import expand, pages
from crawlers.model import Discovered

JAKARTA = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # the 23rd in Jakarta
URL = "https://www.pasar.example/indeks?page=1"


def css(*expressions: str) -> tuple[Selector, ...]:
    return tuple(Selector(expression) for expression in expressions)


RULES = Listing(
    item=css("div.list-berita li[data-offset]"),
    link=css("h1 > a"),
    date=css("span.font-gray"),
    next=css("a.next"),
)
PAGE = """<!DOCTYPE html><html lang="id"><head><title>Indeks Pasar</title></head><body>
<aside><li><h1><a href="/news/samping">Samping</a></h1></li></aside>
<div class="list-berita"><ul>
<li data-offset="0"><div class="pic"><a href="//nasional.pasar.example/news/satu"><img></a></div>
  <h1><a href="//nasional.pasar.example/news/satu">Satu &amp; dua</a></h1>
  <span class="font-gray">1 Jam 9 Menit lalu</span></li>
<li data-offset="1"><h1><a href="/news/dua">Dua <b>besar</b></a></h1>
  <span class="font-gray">05 Februari 2024</span></li>
<li data-offset="2"><h1><a href="javascript:void(0)">Tidak</a></h1></li>
<li data-offset="3"><h1><a href="/news/dua">Dua besar</a></h1></li>
</ul></div><a class="next" href="?page=2">Berikut</a></body></html>"""


def read(page: str, rules: Listing | None = RULES, limits: Limits | None = None) -> Discovered:
    found = discover(
        SourceKind.LISTING, page.encode(), url=URL, content_type="text/html", now=NOW, timezone=JAKARTA,
        listing=rules, limits=limits,
    )  # fmt: skip
    assert isinstance(found, Discovered), found
    return found


def test_a_listing_gives_its_articles_and_no_sidebar() -> None:
    found = read(PAGE)
    first, second = found.entries
    assert (first.url, first.title) == ("https://nasional.pasar.example/news/satu", "Satu & dua")
    assert first.published == datetime(2026, 11, 22, 18, 51, tzinfo=UTC)
    assert (second.url, second.title) == ("https://www.pasar.example/news/dua", "Dua besar")
    assert second.published == datetime(2024, 2, 4, 17, tzinfo=UTC)
    assert found.follow == ("https://www.pasar.example/indeks?page=2",)
    assert (found.format, found.title) == ("listing", "Indeks Pasar")


def test_without_selectors_every_link_counts_once() -> None:
    found = read(PAGE, None)
    assert [entry.url.rpartition("/")[2] for entry in found.entries] == ["samping", "satu", "dua", "indeks?page=2"]
    assert found.entries[1].title == "Satu & dua"


def test_xpath_and_attributes_work() -> None:
    rules = Listing(
        item=(Selector("//li[@data-offset]", SelectorKind.XPATH),),
        date=(Selector("./span/text()", SelectorKind.XPATH),),
        link=(Selector(".//h1/a", SelectorKind.XPATH),),
    )
    assert [e.published for e in read(PAGE, rules).entries] == [e.published for e in read(PAGE).entries]


@pytest.mark.parametrize(
    "markup",
    [
        '<time class="d" datetime="2026-11-22T10:00:00+07:00">2 jam lalu</time>',
        '<span class="d" title="Minggu, 22 November 2026 10:00 WIB">2 jam lalu</span>',
        '<span class="d">2 jam lalu<!--2026-11-22 10:00:00--></span>',
        '<span class="d">2 jam lalu</span><!-- 2026-11-22 10:00:00 -->',
        '<span class="d">Minggu, <b>22 Nov</b> 2026 | 10.00 WIB</span>',
    ],
)
def test_the_exact_date_is_preferred_to_the_relative_one(markup: str) -> None:
    rules = Listing(item=css("li"), date=css(".d"))
    (entry,) = read(f"<html><body><li><a href='/a'>A</a>{markup}</li></body></html>", rules).entries
    assert entry.published == datetime(2026, 11, 22, 3, tzinfo=UTC)


def test_a_base_element_is_obeyed() -> None:
    (entry,) = read("<html><head><base href='https://x.example/b/'></head><a href='c'>C</a></html>", None).entries
    assert entry.url == "https://x.example/b/c"


def test_a_page_without_links_is_empty_not_broken() -> None:
    found = read("<html><body><p>Tidak ada</p></body></html>")
    assert {p.code for p in found.problems} == {"empty_feed"}


def test_too_many_links_are_reported() -> None:
    page = "<html>" + "".join(f"<a href='/{n}'>{n}</a>" for n in range(50)) + "</html>"
    found = read(page, None, Limits(items=7))
    assert len(found.entries) == 7
    assert {p.code for p in found.problems} == {"too_many_items"}


@pytest.mark.parametrize(
    ("template", "address"),
    [
        ("https://x.example/indeks/{date:%Y/%m/%d}?page={page}", "https://x.example/indeks/2026/11/23?page=3"),
        (
            "https://x.example/indeks?date={date:%m%2F%d%2F%Y}&page={page}",
            "https://x.example/indeks?date=11%2F23%2F2026&page=3",
        ),
        (
            "https://x.example/i?tanggal={date:%d}&bulan={date:%m}&per_page={offset}",
            "https://x.example/i?tanggal=23&bulan=11&per_page=3",
        ),
        ("https://x.example/%7Ea/{other}", "https://x.example/%7Ea/{other}"),
    ],
)
def test_templates_are_filled_in_the_outlets_zone(template: str, address: str) -> None:
    assert expand(template, NOW, JAKARTA, 2, Listing()) == address


def test_offsets_count_by_their_step() -> None:
    rules = Listing(first=0, step=20)
    assert [expand("o={offset}", NOW, JAKARTA, n, rules) for n in range(3)] == ["o=0", "o=20", "o=40"]
    assert pages("o={offset}")
    assert not pages("{date:%Y}")
