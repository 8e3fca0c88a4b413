"""Markup that is rare, legal and met."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.model import ArticleRules, Selector, SelectorKind
from crawlers.extract import extract
from crawlers.extract.jsonld import load, read_jsonld, text_of
from crawlers.normalize.authors import read_persons

URL = "https://post.example/2026/03/07/ferries"


def jsonld(**fields: Any) -> str:
    node = {"@context": "https://schema.org", "@type": "NewsArticle", **fields}
    return f"<script type='application/ld+json'>{json.dumps(node)}</script>"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["satu", "dua"], "satu"), ([3, {"@value": "tiga"}], "tiga"), ("A &amp; B", "A & B"), ("<b>tebal</b>", "tebal"),
        ({"name": "nama"}, "nama"), ({"text": "isi"}, "isi"), (7, None), ([], None), ({}, None),
    ],
)  # fmt: skip
def test_a_text_of_json_ld_is_found_in_whatever_it_is_put(value: Any, text: str | None) -> None:
    assert text_of(value) == text


def test_json_ld_without_bounds_is_read_within_bounds() -> None:
    deep = '{"@type": "WebPage", "mainEntity": ' * 40 + "{}" + "}" * 40
    wide = json.dumps([{"@type": "NewsArticle", "headline": str(n)} for n in range(5_000)])

    assert load(" " * 3_000_000) is None
    assert load('/* x */ {"a": 1,};') == {"a": 1}
    assert read_jsonld([deep], ()).types == {"WebPage"}
    assert read_jsonld([wide, wide, wide, wide], ()).article is not None


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ({"@type": "Person", "name": ["Ada Quill", "Tom Reed"]}, ("Ada Quill", "Tom Reed")),
        ({"@type": "Person", "name": "https://post.example/ada"}, ()),
        ([{"@type": "Person", "name": f"Person Number{chr(97 + n)}"} for n in range(26)], None),
    ],
)
def test_authors_of_json_ld(article, author: Any, names: tuple[str, ...] | None) -> None:
    found = extract(article(head=jsonld(headline="Ferries for Port Lindow", author=author)), URL).authors

    assert found == names if names is not None else 5 < len(found) <= 26


def test_several_citation_authors_are_all_named(article) -> None:
    head = "<meta name=citation_author content='Ada Quill'><meta name=citation_author content='Tom Reed'>"

    assert extract(article(head=head), URL).authors == ("Ada Quill", "Tom Reed")


def test_pictures_are_found_where_lazy_loaders_keep_them(article) -> None:
    figures = (
        "<figure><img src='data:image/gif;base64,x' srcset='/a-1.jpg 1x, /a-2.jpg 2x'></figure>"
        "<figure><img data-src='/b.jpg'><figcaption>Feri</figcaption></figure><figure><img></figure>"
        "<figure><img src='/b.jpg'></figure>"
    ) + "<figure><img src='/z.jpg'></figure>" * 200
    lead = jsonld(headline="Ferries for Port Lindow", image=[{"url": ["https://post.example/lead.jpg"]}, 5])

    found = [image.url.rpartition("/")[2] for image in extract(article(head=lead, above=figures), URL).images]

    assert found[0] == "lead.jpg"
    assert set(found) <= {"lead.jpg", "a-1.jpg", "b.jpg", "z.jpg"}


def test_a_text_that_json_ld_gives_whole_stands_in_for_one_that_is_missing() -> None:
    text = "\n".join(f"Paragraf nomor {n} tentang feri yang berlayar setiap pagi dari pelabuhan." for n in range(12))
    page = (
        f"<html><head><title>Feri</title>{jsonld(headline='Feri', articleBody=text)}</head><body><h1>Feri</h1></body>"
    )

    found = extract(page, URL)

    assert len(found.blocks) == 12
    assert ("body", "jsonld") in found.provenance


def test_rules_may_name_attributes_and_texts(article) -> None:
    rules = ArticleRules(
        title=(Selector("//h1/text()", SelectorKind.XPATH),),
        published=(Selector("time"), Selector("meta[name=d]")),
        image=(Selector("span.none"), Selector("img.lead")),
        remove=(Selector("html"), Selector(".junk")),
    )
    above = "<time></time><span class=none></span><img class=lead data-original='/lead.jpg'><p class=junk>buang</p>"

    found = extract(article(head="<meta name=d content='2026-03-07T08:00:00Z'>", above=above), URL, rules=rules)

    assert found.title == "Ferries for Port Lindow"
    assert [image.url for image in found.images][:1] == ["https://post.example/lead.jpg"]
    assert any("2026-03-07" in claim.text for claim in found.dates)


def test_a_page_of_a_hundred_thousand_blocks_ends_somewhere(article) -> None:
    found = extract(article(text="<p>Kalimat pendek yang sama.</p>" * 30_000), URL)

    assert 0 < len(found.blocks) < 30_000


def test_names_with_degrees_and_sentences_are_told_apart() -> None:
    assert read_persons(["Rina Ayu, S.E., Tom Reed"])[-1] == "Tom Reed"
    assert len(read_persons([f"Nama Orang{chr(97 + n)}" for n in range(26)], limit=5)) == 5
    assert read_persons(["12345"]) == ()
