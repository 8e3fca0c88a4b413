"""Which address is the next page of an article."""

from __future__ import annotations

import pytest

from crawlers.extract import extract

STORY = "<p>Harga cabai di pasar induk turun tipis pada pekan ini karena panen raya di lereng gunung.</p>" * 4


def next_of(url: str, pager: str, head: str = "") -> str | None:
    html = f"<html><head>{head}</head><body><article><h1>Harga cabai turun</h1>{STORY}</article>{pager}</body></html>"
    return extract(html, url).next_url


@pytest.mark.parametrize(
    ("url", "link", "following"),
    [
        ("https://a.id/read/1/x", "https://a.id/read/1/x?page=2", "https://a.id/read/1/x?page=2"),
        ("https://a.id/read/1/x", "/read/1/x/2", "https://a.id/read/1/x/2"),
        ("https://a.id/read/1/x", "?page=2", "https://a.id/read/1/x?page=2"),
        ("https://a.id/read/1/x?page=2", "?page=3", "https://a.id/read/1/x?page=3"),
        ("https://a.id/read/1/x/", "/read/1/x/page/2/", "https://a.id/read/1/x/page/2/"),
        ("https://www.a.id/read/1/x", "https://a.id/read/1/x?page_num=2", "https://a.id/read/1/x?page_num=2"),
        ("https://a.id/read/1/x", "/read/1/x-part2", "https://a.id/read/1/x-part2"),
        ("https://a.id/read/1/x?id=7", "?id=7&page=2", "https://a.id/read/1/x?id=7&page=2"),
    ],
)
def test_a_pager_link_with_the_next_number_is_the_next_page(url, link, following):
    assert next_of(url, f'<a href="{link}">2</a>') == following


@pytest.mark.parametrize(
    "link", ["/read/2/y", "/read/1/x?page=3", "/read/1/x", "https://b.id/read/1/x?page=2", "/read/2/y?page=2"]
)
def test_other_articles_hosts_and_later_pages_are_not(link):
    assert next_of("https://a.id/read/1/x", f'<a href="{link}">2</a>') is None


def test_rel_next_that_names_another_article_is_not_followed():
    url = "https://a.id/2026/01/01/satu/"
    assert next_of(url, "", '<link rel="next" href="https://a.id/2026/01/02/dua/">') is None
    assert next_of(url, "", f'<link rel="next" href="{url}2/">') == f"{url}2/"


def test_a_list_of_options_is_a_pager():
    url = "https://a.id/ekonomi/2026-1/x"
    pager = f'<select name="multipage"><option value="{url}">1</option><option value="{url}/2">2</option></select>'
    assert next_of(url, pager) == f"{url}/2"


def test_a_number_that_is_the_article_s_own_does_not_count_pages():
    assert next_of("https://a.id/kolom/5", '<a href="/kolom/6">next</a>') is None


def test_the_second_page_is_known_by_its_canonical_address():
    canonical = '<link rel="canonical" href="https://a.id/read/1/x">'
    assert next_of("https://a.id/read/1/x/2", '<a href="/read/1/x/3">3</a>', canonical) == "https://a.id/read/1/x/3"
