"""Pages from before a redesign are read by the rules of their day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from bench.extraction import UNKNOWN
from config.model import ArticleRules, Selector
from crawlers.model import Fetched, Normalized
from crawlers.page import read_page

NOW = datetime(2026, 11, 23, tzinfo=UTC)
URL = "https://koran.example/feri-baru"
OUTLET = replace(
    UNKNOWN,
    rules=(
        ArticleRules(title=(Selector("h1"),)),
        ArticleRules(valid_until=date(2020, 1, 1), title=(Selector("h2.judul"),)),
    ),
)


def title_of(day: str, padding: str = "") -> str | None:
    """The title read from a page that names that day, with both titles on it."""
    text = "".join(
        f"<p>Dewan pelabuhan menyetujui pembelian feri nomor {n} setelah rapat semalam suntuk.</p>" for n in range(6)
    )
    head = f"<meta property='article:published_time' content='{day}T09:00:00+07:00'>"
    page = f"<html><head>{head}</head><body><h1>Menurut Rancangan Kini</h1><h2 class=judul>Menurut Rancangan Lama</h2>"
    body = f"{page}<article>{text}</article>{padding}</body></html>".encode()
    fetched = Fetched(url=URL, final_url=URL, status=200, headers=(), body=body, fetched_at=NOW)
    read = read_page(fetched, OUTLET, None, NOW)
    assert isinstance(read, Normalized)
    return read.article.title


def test_a_page_that_names_a_day_before_the_redesign_is_read_by_the_rules_of_that_day():
    assert title_of("2026-11-22") == "Menurut Rancangan Kini"
    assert title_of("2019-11-22") == "Menurut Rancangan Lama"


def test_a_page_far_larger_than_any_article_is_read_once():
    assert title_of("2019-11-22", padding=f"<!--{' ' * 3_000_000}-->") == "Menurut Rancangan Kini"
