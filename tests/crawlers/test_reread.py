"""Kept pages read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bench.extraction import UNKNOWN
from crawlers.model import Fetched, Normalized
from crawlers.page import read_pages
from crawlers.reread import reread
from storage.content import article_from, document
from storage.model import Article, RawPage

NOW = datetime(2026, 11, 23, tzinfo=UTC)
URL = "https://koran.example/feri-baru"
SENTENCE = "Dewan pelabuhan menyetujui pembelian feri nomor {n} setelah rapat semalam suntuk, kata juru bicaranya. "


def page(number: int, last: int = 2) -> Fetched:
    """One of the pages of a story, with a pager to the next."""
    url = URL if number == 1 else f"{URL}?page={number}"
    pager = f"<a href='{URL}?page={number + 1}'>{number + 1}</a>" if number < last else ""
    text = "".join(f"<p>{SENTENCE.format(n=10 * number + n)}</p>" for n in range(4))
    markup = f"<html><head><title>Feri Baru untuk Pelabuhan</title><link rel=canonical href='{URL}'></head>"
    body = f"{markup}<body><h1>Feri Baru untuk Pelabuhan</h1><article>{text}</article>{pager}</body></html>".encode()
    return Fetched(url=url, final_url=url, status=200, headers=(), body=body, fetched_at=NOW)


def kept(first: Fetched, *further: Fetched) -> RawPage:
    """The pages as storage keeps them."""
    some = tuple(map(kept, further))
    return RawPage(url=first.url, body=first.body, content_type=None, fetched_at=NOW, further=some)


@pytest.fixture
def former() -> Article:
    """The story as it was stored from both pages."""
    read = read_pages((page(1), page(2)), UNKNOWN, None, NOW).read
    assert isinstance(read, Normalized)
    return article_from(document(read.article))


def test_all_pages_of_an_article_are_read_again_as_one(former: Article):
    assert reread(kept(page(1), page(2)), former, UNKNOWN).outcome == "unchanged"
    better = reread(kept(page(1), page(2)), replace(former, title="Feri"), UNKNOWN)
    assert (better.outcome, better.fields) == ("changed", ("title",))
    assert better.article is not None
    assert better.article.text == former.text


def test_a_first_page_that_was_kept_alone_is_a_part_and_left_alone(former: Article):
    assert reread(kept(page(1)), former, UNKNOWN).outcome == "partial"


def test_pages_that_were_cut_short_are_read_as_far_as_they_were_kept():
    pages = (page(1, last=3), page(2, last=3))
    read = read_pages(pages, UNKNOWN, None, NOW).read
    assert isinstance(read, Normalized)
    assert reread(kept(*pages), article_from(document(read.article)), UNKNOWN).outcome == "unchanged"
