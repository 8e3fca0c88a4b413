from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from crawlers.extract import extract
from crawlers.model import Extraction
from storage.model import BlockKind

URL = "https://post.example/sea/ferries"
PROSE = "The harbour council agreed on {n} new ferries after a long night of talks, said its speaker. "
Page = Callable[..., str]


def prose(count: int, first: int = 1) -> str:
    return "".join(f"<p>{PROSE.format(n=n) * 2}</p>" for n in range(first, first + count))


def text(extraction: Extraction) -> str:
    return "\n".join(block.text for block in extraction.blocks)


def test_menus_footers_and_the_headline_are_not_the_text(article: Page):
    found = extract(article(), URL)
    assert len(found.blocks) == 6
    assert "Home" not in text(found)
    assert "Lindow Post company" not in text(found)
    assert "Ferries for Port Lindow" not in text(found)


@pytest.mark.parametrize(
    "label", ["share-bar", "relatedArticles", "post__newsletter", "comments", "author-box", "baca-juga", "taboola-1"]
)
def test_what_its_class_calls_furniture_is_left_out(article: Page, label: str):
    found = extract(article(prose(4) + f"<div class='{label}'><p>Short words of no concern here.</p></div>"), URL)
    assert len(found.blocks) == 4


def test_a_misnamed_container_is_the_article_when_it_holds_the_prose(article: Page):
    found = extract(article(f"<div class='sidebar-grid newsletter-wrapper'>{prose(5)}</div>"), URL)
    assert len(found.blocks) == 5


def test_a_misnamed_grid_in_several_pieces_is_taken_back_whole(article: Page):
    pieces = "".join(f"<div class='sidebar-grid'>{prose(2, n)}</div>" for n in (1, 3, 5))
    assert len(extract(article(pieces), URL).blocks) == 6


def test_a_comment_thread_longer_than_the_article_stays_out(article: Page):
    found = extract(article(prose(3), below=f"<div class='comments-list'>{prose(20, 50)}</div>"), URL)
    assert len(found.blocks) == 3


def test_the_heading_of_a_section_is_no_share_bar_for_its_id(article: Page):
    found = extract(article(prose(2) + "<h2 id='share-prices-fell'>Share prices fell</h2>" + prose(2, 9)), URL)
    assert [b.text for b in found.blocks if b.kind is BlockKind.HEADING] == ["Share prices fell"]


def test_the_lede_above_the_container_opens_the_text(article: Page):
    lede = "After twelve hours the council gave in and bought what the sailors wanted."
    found = extract(article(above=f"<p class='standfirst'>{lede}</p><p class='byline'>By Ada Quill</p>"), URL)
    assert found.blocks[0].text == lede
    assert "Ada Quill" not in text(found)


def test_two_line_breaks_end_a_paragraph():
    one, two, three = (PROSE.format(n=n) for n in (1, 2, 3))
    page = f"<html><body><h1>T</h1><div class=x>{one}<br><br>{two}<br/> <br/>{three}</div>"
    assert len(extract(page, URL).blocks) == 3


def test_linked_words_stay_in_their_sentence(article: Page):
    found = extract(article(prose(3) + "<p>Shares of <a href=/x>Lindow Lines</a> (<a href=/t>LIND</a>) rose.</p>"), URL)
    assert found.blocks[-1].text == "Shares of Lindow Lines (LIND) rose."


def test_the_items_of_a_list_are_one_block(article: Page):
    items = "<ul><li>One ferry for the north of the bay.</li><li>Two ferries for the south of the bay.</li></ul>"
    block = extract(article(prose(3) + items), URL).blocks[-1]
    assert block.kind is BlockKind.LIST
    assert block.text.count("\n") == 1


def test_quotes_keep_their_kind(article: Page):
    found = extract(article(prose(3) + "<blockquote><p>We shall sail, whatever the weather is.</p></blockquote>"), URL)
    assert found.blocks[-1].kind is BlockKind.QUOTE


def test_ruby_glosses_are_not_read_into_the_words(article: Page):
    found = extract(article(prose(3) + "<p>The word <ruby>船<rt>ふね</rt></ruby> means a ship of any kind.</p>"), URL)
    assert found.blocks[-1].text == "The word 船 means a ship of any kind."


def test_notices_and_repetitions_are_dropped(article: Page):
    found = extract(article(prose(3) + "<p>Sign up for our daily newsletter here, it is free.</p>" + prose(1)), URL)
    assert len(found.blocks) == 3


def test_paragraphs_inside_custom_elements_stay_inside_them(article: Page):
    found = extract(article(f"<x-story><x-part>{prose(3)}</x-part><x-part>{prose(3, 7)}</x-part></x-story>"), URL)
    assert len(found.blocks) == 6


def test_a_part_of_the_page_that_arrives_late_is_read(article: Page):
    late = f"<div hidden id='S:1'><div>{prose(5)}</div></div><div hidden id='x'>{prose(1, 40)}</div>"
    assert len(extract(article("<p>Loading …</p>", below=late), URL).blocks) >= 5


def declared(body: str) -> str:
    node = {"@type": "NewsArticle", "headline": "Ferries for Port Lindow", "articleBody": body}
    return f"<script type='application/ld+json'>{json.dumps(node)}</script>"


def test_a_page_that_a_script_writes_is_read_from_its_declared_body(article: Page):
    body = "\n".join(PROSE.format(n=n) * 2 for n in range(5))
    found = extract(article("<div id=app></div>", head=declared(body)), URL)
    assert len(found.blocks) == 5
    assert dict(found.provenance)["body"] == "jsonld"


@pytest.mark.parametrize("body", [PROSE.format(n=1) * 6 + "…", "Too short."])
def test_an_excerpt_in_the_declared_body_replaces_nothing(article: Page, body: str):
    assert dict(extract(article(head=declared(body)), URL).provenance)["body"] == "generic"
    assert extract(article("<div id=app></div>", head=declared(body)), URL).blocks == ()


def test_lines_that_point_elsewhere_are_related_not_text(article: Page):
    inline = "<p><strong>Baca Juga: <a href='/sea/dock'>A new dock for the old town</a></strong></p>"
    found = extract(article(prose(2) + inline + prose(2, 5)), URL)
    assert [(link.title, link.url) for link in found.related] == [
        ("A new dock for the old town", "https://post.example/sea/dock")
    ]
    assert len(found.blocks) == 4


def test_a_sentence_that_opens_like_a_pointer_is_text(article: Page):
    found = extract(article(prose(2) + "<p>Related: the mayor, too, will take the ferry from now on.</p>"), URL)
    assert found.related == ()
    assert found.blocks[-1].text.startswith("Related: the mayor")
