from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from crawlers.extract import extract

URL = "https://post.example/2026/03/07/ferries"
Page = Callable[..., str]


def jsonld(**fields: Any) -> str:
    node = {"@context": "https://schema.org", "@type": "NewsArticle", **fields}
    return f"<script type='application/ld+json'>{json.dumps(node)}</script>"


# --- titles


def test_the_heading_that_metadata_confirm_is_the_title(article: Page):
    head = "<meta property='og:title' content='Ferries for Port Lindow | The Lindow Post'>"
    assert extract(article(head=head), URL).title == "Ferries for Port Lindow"


def test_the_outlets_name_in_a_first_heading_is_no_title(article: Page):
    page = article().replace("<main>", "<main><h1>The Lindow Post</h1>")
    assert extract(page, URL).title == "Ferries for Port Lindow"


def test_the_kicker_inside_the_heading_is_dropped(article: Page):
    head = jsonld(headline="Why ferries are worth their money")
    page = article(head=head, h1="<span>Opinion</span> Why ferries are worth their money")
    assert extract(page, URL).title == "Why ferries are worth their money"


def test_the_only_heading_wins_over_a_search_engines_wording(article: Page):
    head = "<meta property='og:title' content='Top 10 Ferries for Port Lindow in 2026: Guide'>"
    assert extract(article(head=head, h1="Ten ferries that Port Lindow needs"), URL).title == (
        "Ten ferries that Port Lindow needs"
    )


def test_a_page_without_heading_is_titled_by_its_metadata_without_the_site():
    page = "<title>Ferries at last - The Lindow Post</title><meta property='og:site_name' content='The Lindow Post'>"
    assert extract(page, URL).title == "Ferries at last"


# --- authors


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ({"@type": "Person", "name": "Ada Quill"}, ("Ada Quill",)),
        ([{"@type": "Person", "name": "Ada Quill"}, {"name": "By Tom Reed"}], ("Ada Quill", "Tom Reed")),
        ("Ada Quill og Tom Reed", ("Ada Quill", "Tom Reed")),
        ({"@type": "Organization", "name": "Lindow Press Agency"}, ("Lindow Press Agency",)),
        ([None, 3, {"name": ""}, {"name": {"x": []}}], ()),
    ],
)
def test_authors_of_the_described_article(article: Page, author: Any, names: tuple[str, ...]):
    assert extract(article(head=jsonld(headline="Ferries for Port Lindow", author=author)), URL).authors == names


def test_an_author_named_by_reference_is_looked_up(article: Page):
    graph = {
        "@graph": [
            {"@type": "Article", "headline": "Ferries for Port Lindow", "author": {"@id": "#ada"}},
            {"@type": "Person", "@id": "#ada", "name": "Ada Quill"},
        ]
    }
    head = f"<script type='application/ld+json'>{json.dumps(graph)}</script>"
    assert extract(article(head=head), URL).authors == ("Ada Quill",)


def test_the_person_in_the_byline_wins_over_the_house_in_the_metadata(article: Page):
    head = jsonld(headline="Ferries for Port Lindow", author={"@type": "Person", "name": "The Lindow Post"})
    head += "<meta property='og:site_name' content='The Lindow Post'>"
    found = extract(article(head=head, above="<div class='byline'>By <a href='/author/ada'>Ada Quill</a></div>"), URL)
    assert found.authors == ("Ada Quill",)


@pytest.mark.parametrize(
    "byline",
    [
        "<p>By Ada Quill</p>",
        "<span class='author'>Ada Quill</span><span class='role'>Harbour editor</span>",
        "<div class='post-meta'>Oleh: <a rel=author href=/x>Ada Quill</a> | 7 Maret 2026</div>",
        "<div class='byline'><span>Written by</span> <b>Ada Quill</b> <time>7 March 2026</time></div>",
    ],
)
def test_visible_bylines(article: Page, byline: str):
    assert extract(article(above=byline), URL).authors == ("Ada Quill",)


def test_the_byline_of_a_card_below_is_somebody_elses(article: Page):
    cards = "".join(f"<div class=card><h3>Story {n}</h3><p>More of it.</p></div>" for n in range(12))
    below = cards + "<div class=card><span class='author'>Tom Reed</span></div>"
    assert extract(article(below=below), URL).authors == ()


# --- dates


def test_every_claim_about_time_is_kept_with_its_place(article: Page):
    head = jsonld(
        headline="Ferries for Port Lindow",
        datePublished="2026-03-07T19:37:19+07:00",
        dateModified="2026-03-08T01:00:00Z",
    )
    head += "<meta name='content_PublishedDate' content='2026-03-07 19:37:19'>"
    found = extract(article(head=head, above="<div class='read__time'>Sabtu, 7 Maret 2026 | 19.37 WIB</div>"), URL)
    claims = {(c.source, c.role, c.text) for c in found.dates}
    assert ("jsonld", "published", "2026-03-07T19:37:19+07:00") in claims
    assert ("jsonld", "updated", "2026-03-08T01:00:00Z") in claims
    assert ("meta", "published", "2026-03-07 19:37:19") in claims
    assert ("visible", "published", "Sabtu, 7 Maret 2026 | 19.37 WIB") in claims
    assert ("url", "published", "2026-03-07") in claims
    assert all(c.where for c in found.dates)


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://x.example/2026/3/7/a", "2026-03-07"),
        ("https://x.example/read/20260307/5/a", "2026-03-07"),
        ("https://x.example/2025/12/Advent_week_2", None),
        ("https://x.example/news/20261399-a", None),
    ],
)
def test_a_day_in_the_address(article: Page, url: str, day: str | None):
    assert next((c.text for c in extract(article(), url).dates if c.source == "url"), None) == day


def test_a_printed_update_is_no_publication(article: Page):
    found = extract(article(above="<p class='dates'>Last updated: 9 March 2026</p>"), "https://x.example/a")
    assert {c.role for c in found.dates} == {"updated"}


def test_the_length_of_a_recording_is_no_date(article: Page):
    assert extract(article(above="<span class='time'>08:27</span>"), "https://x.example/a").dates == ()


# --- the rest


def test_addresses_are_absolute_and_only_of_the_web(article: Page):
    head = (
        "<link rel=canonical href='/2026/03/07/ferries'><link rel=amphtml href='//amp.post.example/f'>"
        "<meta property='og:image' content='javascript:alert(1)'>"
    )
    found = extract(article(head=head), URL)
    assert found.canonical_url == "https://post.example/2026/03/07/ferries"
    assert found.amp_url == "https://amp.post.example/f"
    assert found.images == ()


def test_pictures_carry_captions_and_the_lead_comes_first(article: Page):
    head = "<meta property='og:image' content='https://img.example/lead.jpg'>"
    figure = "<figure><img data-src='/a.jpg' src='data:image/gif;base64,x'><figcaption>A ferry.</figcaption></figure>"
    images = extract(article(head=head).replace("<div class='text'>", f"<div class='text'>{figure}"), URL).images
    assert [(i.url, i.caption) for i in images] == [
        ("https://img.example/lead.jpg", None),
        ("https://post.example/a.jpg", "A ferry."),
    ]


@pytest.mark.parametrize(
    "script",
    [
        '<!-- {"@type":"NewsArticle","headline":"Ferries for Port Lindow","author":"Ada Quill"} -->',
        '//<![CDATA[\n{"@type":"NewsArticle","headline":"Ferries for Port Lindow","author":"Ada Quill",}\n//]]>',
        '{"@type":["NewsArticle"],"headline":"Ferries for\nPort Lindow","author":["Ada Quill",],}',
        "{&quot;@type&quot;:&quot;NewsArticle&quot;,&quot;author&quot;:&quot;Ada Quill&quot;};",
    ],
)
def test_json_with_the_usual_mistakes_is_mended(article: Page, script: str):
    page = article(head=f"<script type='application/ld+json'>{script}</script>")
    assert extract(page, URL).authors == ("Ada Quill",)


@pytest.mark.parametrize(
    "script", ["[" * 100_000, '{"a":' + "9" * 1_000_000 + "}", "{", "null", '"x"', "NaN", '{"@graph":5}']
)
def test_json_that_cannot_be_read_costs_only_itself(article: Page, script: str):
    head = f"<script type='application/ld+json'>{script}</script>" + jsonld(author="Ada Quill")
    assert extract(article(head=head), URL).authors == ("Ada Quill",)


def test_the_node_of_this_article_is_told_from_a_list_of_others(article: Page):
    others = [{"@type": "NewsArticle", "headline": f"Another story {n}", "author": "Tom Reed"} for n in range(3)]
    own = {"@type": "NewsArticle", "headline": "Ferries for Port Lindow", "author": "Ada Quill"}
    head = f"<script type='application/ld+json'>{json.dumps([*others, own])}</script>"
    assert extract(article(head=head), URL).authors == ("Ada Quill",)


@pytest.mark.parametrize(
    ("content_type", "meta"),
    [
        ("text/html; charset=windows-1251", ""),
        (None, "<meta charset=windows-1251>"),
        ("text/html", "<meta charset='cp1251'>"),
    ],
)
def test_pages_are_decoded_by_what_they_say(article: Page, content_type: str | None, meta: str):
    page = article("<p>" + "Совет гавани купил новые паромы после долгой ночи переговоров. " * 4 + "</p>", head=meta)
    found = extract(page.encode("cp1251", "replace"), URL, content_type=content_type)
    assert found.blocks[0].text.startswith("Совет гавани")


def test_bytes_that_are_utf8_win_over_a_wrong_label(article: Page):
    page = article("<p>" + "Café owners welcomed the ferries to their side of the bay. " * 4 + "</p>")
    found = extract(page.encode(), URL, content_type="text/html; charset=iso-8859-1")
    assert "Café" in found.blocks[0].text


# --- what only some sites do


def test_a_site_called_after_its_writer_is_by_that_writer(article: Page):
    head = "<meta property='og:site_name' content='Ada Quill'>"
    assert extract(article(head=head), "https://www.adaquill.example/ferries").authors == ("Ada Quill",)
    assert extract(article(head=head), "https://post.example/ferries").authors == ()


def test_the_house_is_the_author_where_the_page_names_nobody_else(article: Page):
    head = "<meta name='author' content='Lindow Post'><meta property='og:site_name' content='Lindow Post'>"
    assert extract(article(head=head), URL).authors == ("Lindow Post",)
    found = extract(article(head=head, above="<p class='byline'>By Ada Quill</p>"), URL)
    assert found.authors == ("Ada Quill",)


def test_a_day_without_a_year_is_no_stamp(article: Page):
    page = article(above="<time datetime='May 28'>May 28</time>")
    assert extract(page, "https://post.example/ferries").dates == ()


def test_a_date_glued_to_a_name_is_read(article: Page):
    page = article(above="<div class='date'><span>Dec 17, 2025</span><span>Ada Quill</span></div>")
    assert [c.text for c in extract(page, "https://post.example/f").dates] == ["Dec 17, 2025 Ada Quill"]


def test_the_date_below_the_text_counts_where_none_stands_above(article: Page):
    below = "<div class='posted-date'>Posted on: 1 May 2026</div>"
    page = article(above="<div class='date'>today</div>", below=below)
    assert {c.text for c in extract(page, "https://post.example/f").dates} == {"Posted on: 1 May 2026"}
