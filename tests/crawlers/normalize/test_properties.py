"""What holds for every page, however broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crawlers.model import DateCandidate, FeedEntry, Normalized, PageKind, Rejected
from crawlers.normalize.byline import read_byline, strip_sign_off
from crawlers.normalize.dateline import read_dateline
from crawlers.normalize.joined import split_front, split_glued, split_tail, strip_links
from crawlers.normalize.text import clean_line, clean_lines
from storage.model import Block, BlockKind, Image, Link

PIECES = [
    *("KABARNIAGA.CO.ID", " - ", "JAKARTA", ". ", "Jakarta", " (ANTARA)", "/", "NEW YORK", ", Florida", "-- ", "—"),
    *("Baca Juga: ", "Selanjutnya: ", "Editor: ", "Reporter: ", "Sumber: ", " | ", "ILUSTRASI.", "(vyp/kna)", "(3/3)"),
    *(
        "Cek Berita dan Artikel yang lain di Google News",
        "[Gambas:",
        "ADVERTISEMENT",
        ".tg td{a:b}",
        "googletag.cmd.push(",
    ),
    *("\u00a0", "\u200b", "\u00ad", "&amp;", "&#8217;", "\ud800", "\x00", "\n", "Ã©", "🇮🇩", "ا", "\u202e"),
    *("Kim Jong Un ", "menegaskan ", "Hal ini ", "Rp 1.200", "2,5%", '"', "“", "a", "A", " ", "2021-01-01T00:00:00Z"),
]
MESS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=30).map("".join)
MAYBE = st.none() | MESS
BLOCKS = st.lists(st.builds(Block, st.sampled_from(BlockKind), MESS), max_size=8).map(tuple)
ROLES = st.sampled_from(["published", "updated"])
PAGES = st.fixed_dictionaries(
    {
        "kind": st.just(PageKind.ARTICLE),
        "title": MAYBE,
        "subtitle": MAYBE,
        "canonical_url": MAYBE,
        "amp_url": MAYBE,
        "authors": st.lists(MESS, max_size=3).map(tuple),
        "editor": MAYBE,
        "byline": MAYBE,
        "dates": st.lists(
            st.builds(DateCandidate, MESS, st.sampled_from(["jsonld", "meta", "url"]), ROLES), max_size=4
        ).map(tuple),
        "tags": st.lists(MESS, max_size=3).map(tuple),
        "language": MAYBE,
        "images": st.lists(st.builds(Image, url=MESS, caption=MAYBE, credit=MAYBE), max_size=2).map(tuple),
        "related": st.lists(st.builds(Link, MESS, MAYBE), max_size=3).map(tuple),
        "site_name": MAYBE,
    }
)
MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(blocks=BLOCKS, page=PAGES, entry=st.none() | st.builds(FeedEntry, url=MESS, title=MAYBE))
@MANY
def test_no_page_raises_and_every_text_can_be_stored(
    read: Callable[..., Any], blocks: tuple[Block, ...], page: dict[str, Any], entry: FeedEntry | None
) -> None:
    found = read(list(blocks), entry, **page)

    if isinstance(found, Rejected):
        assert found.rule in {"empty", "no_title"}
        return
    assert isinstance(found, Normalized)
    article = found.article
    assert article.title
    assert article.body
    assert all(block.text.strip() for block in article.body)
    for text in (
        article.text,
        article.title,
        *article.authors,
        *article.tags,
        *(link.title for link in article.related),
    ):
        text.encode("utf-8")
        assert "\x00" not in text


@given(text=MESS)
@MANY
@example("\u200c\u200c")
@example("&amp;amp;lt;")
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    for clean in (clean_line, clean_lines):
        once = clean(text)

        assert once == clean(once)


@given(text=MESS)
@MANY
def test_readers_of_single_lines_accept_any_line(text: str) -> None:
    line = clean_line(text)

    assert line.endswith(read_dateline(line, ("KABARNIAGA.CO.ID",)).rest)
    assert line.startswith(strip_sign_off(line)[0].rstrip())
    read_byline(line)
    for split in (lambda t: split_front(t, ("KABARNIAGA.CO.ID",)), split_tail, split_glued):
        parts = "".join(split(line)).replace(" ", "").replace("|", "")
        assert line.replace(" ", "").replace("|", "") == parts
    strip_links(line)


OPENINGS = [
    "KABARNIAGA.CO.ID - JAKARTA. ",
    "KABARNIAGA.CO.ID –\u00a0BALI. ",
    "JAKARTA. ",
    "Jakarta - ",
    "KABARNIAGA.CO.ID - ",
    "",
]
CLOSINGS = ["", " (vyp/kna)", " (abc/jpnn)"]
WORDS = st.lists(
    st.sampled_from(
        ["petani", "garam", "desa", "panen", "harga", "naik", "2,5%", "GRSM", "Rp", "1.200", "(BEI)", "“adil”", "S&P"]
    ),
    min_size=8,
)


@given(words=WORDS, opening=st.sampled_from(OPENINGS), closing=st.sampled_from(CLOSINGS))
@MANY
def test_a_sentence_survives_what_stands_around_it(
    read: Callable[..., Any], words: list[str], opening: str, closing: str
) -> None:
    sentence = "Koperasi " + " ".join(words) + " kemarin sore di gudang desa bersama semua petani."

    found = read([opening + sentence + closing, "Baca Juga: Judul Lain", "Editor: Citra Dewi"])

    assert isinstance(found, Normalized)
    assert sentence == found.article.text


@pytest.mark.parametrize(
    "text",
    [
        "Kata " * 40_000,
        "A/" * 100_000,
        "Baca Juga: Kim " * 15_000,
        "kata.Hal " * 25_000,
        ".a{" * 70_000,
        "&amp;" * 40_000,
        "[Gambas:" * 25_000,
        "JAKARTA " * 25_000,
        '"' * 200_000,
        "Editor: A " * 20_000,
        "Kim, " * 40_000,
        "\u200d" * 200_000,
        "(" * 200_000,
        " \n" * 100_000,
    ],
    ids=lambda text: repr(text[:10]),
)
@pytest.mark.timeout(20)
def test_no_line_takes_long(read: Callable[..., Any], text: str) -> None:
    """Time grows with the length: a pattern that backtracks would take hours on these."""
    read([text])
    read(["KABARNIAGA.CO.ID - " + text])
