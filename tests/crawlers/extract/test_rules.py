from __future__ import annotations

from lxml.html import fromstring

from config.model import ArticleRules, Selector, SelectorKind
from crawlers.extract import extract, rules
from crawlers.extract.tree import Tree

URL = "https://nasional.koran.example/news/feri"
TEXT = "Dewan pelabuhan menyetujui pembelian feri baru setelah rapat semalam suntuk, kata juru bicaranya. "
PAGE = f"""<html><head><meta name="content_PublishedDate" content="2026-03-26 12:14:10">
<script type="application/ld+json">{{"@type":"NewsArticle",
"headline":"Feri Baru untuk Pelabuhan","author":"Bukan Penulis"}}
</script></head>
<body><h1 class="detail-desk">Feri Baru untuk Pelabuhan</h1><div class="tgl">Kamis, 26 Maret 2026 / 12:14 WIB</div>
<div class="img"><img data-src="/f.jpg" src="data:,"><p class="ket">ILUSTRASI. Feri.</p></div>
<div class="isi widget"><p>Reporter: Rani Puspa | Editor: Joko Santoso</p><p>{TEXT * 2}</p>
<p><strong>Baca Juga: <a class="track-bacajuga-inside" href="/news/dermaga">Dermaga Lama Ditutup</a></strong></p>
<p>{TEXT * 2}Dua.</p><!-- pagination end --><p>Ini tidak boleh ikut dibaca siapa pun juga.</p></div>
<div class="other"><p>{TEXT * 9}</p></div><a href="/tag/laut">Laut</a><a href="/tag/feri">Feri</a></body></html>"""


def css(*expressions: str) -> tuple[Selector, ...]:
    return tuple(Selector(e) for e in expressions)


RULES = ArticleRules(
    title=css("h1.lama", "h1.detail-desk"),
    body=css("div.isi"),
    body_stop_comment="pagination end",
    remove=css("p:has(a[class^=track-])"),
    byline=css("div.isi > p:first-child"),
    authors=(Selector("substring-after(//div[contains(@class,'isi')]/p[1], 'Reporter: ')", SelectorKind.XPATH),),
    published=css("div.tgl", "meta[name=content_PublishedDate]"),
    tags=css("a[href*='/tag/']"),
    image=css("div.img img"),
    caption=css("p.ket"),
)


def test_an_outlets_selectors_win_field_by_field():
    found = extract(PAGE, URL, rules=RULES)
    assert found.title == "Feri Baru untuk Pelabuhan"
    assert found.authors == ("Rani Puspa | Editor: Joko Santoso",)
    assert found.byline == "Reporter: Rani Puspa | Editor: Joko Santoso"
    assert found.tags == ("Laut", "Feri")
    assert (found.images[0].url, found.images[0].caption) == (
        "https://nasional.koran.example/f.jpg",
        "ILUSTRASI. Feri.",
    )
    assert {"title", "authors", "tags", "images", "body"} <= {k for k, v in found.provenance if v == "rules"}


def test_the_body_ends_at_the_outlets_comment_and_nowhere_else():
    found = extract(PAGE, URL, rules=RULES)
    assert [b.text[:12] for b in found.blocks] == ["Reporter: Ra", "Dewan pelabu", "Dewan pelabu"]


def test_removed_lines_are_remembered_as_related():
    found = extract(PAGE, URL, rules=RULES)
    assert [(r.title, r.url) for r in found.related] == [
        ("Dermaga Lama Ditutup", "https://nasional.koran.example/news/dermaga")
    ]


def test_the_outlets_dates_come_before_all_others():
    found = extract(PAGE, URL, rules=RULES)
    assert [(c.source, c.text) for c in found.dates[:2]] == [
        ("visible", "Kamis, 26 Maret 2026 / 12:14 WIB"),
        ("meta", "2026-03-26 12:14:10"),
    ]


def test_fields_the_selectors_do_not_find_are_filled_generically():
    found = extract(PAGE, URL, rules=ArticleRules(title=css("h1.gone"), body=css("div.gone"), authors=css(".gone")))
    assert found.title == "Feri Baru untuk Pelabuhan"
    assert found.authors == ("Bukan Penulis",)
    assert dict(found.provenance)["body"] == "generic"


def test_a_body_named_paragraph_by_paragraph_is_read_in_order():
    found = extract(PAGE, URL, rules=ArticleRules(body=css("div.isi > p")))
    assert found.blocks[0].text.startswith("Reporter")
    assert dict(found.provenance)["body"] == "rules"


def test_what_is_removed_takes_no_neighbouring_text_with_it():
    page = f"<html><body><div class=b><p>{TEXT}</p><p>Satu <i class=x>dua</i> tiga empat lima enam.</p></div>"
    found = extract(page, URL, rules=ArticleRules(body=css("div.b"), remove=css("i.x")))
    assert found.blocks[-1].text == "Satu tiga empat lima enam."


def test_a_selector_that_breaks_finds_nothing_and_harms_nothing():
    bad = Selector("//p[unknown()]", SelectorKind.XPATH)
    found = extract(PAGE, URL, rules=ArticleRules(title=(bad, Selector("h1[[")), body=(bad,), remove=(bad,)))
    assert found.title == "Feri Baru untuk Pelabuhan"


def test_names_nested_in_one_another_are_read_up_to_a_number():
    nested = "<p class=by><a href='/x'>Ada Quill</a>" * 300
    found = extract(f"<html><body>{nested}</body></html>", URL, rules=ArticleRules(authors=css(".by")))
    assert 1 <= len(found.authors) <= 50 * 50


def test_headings_nested_in_one_another_are_not_each_read_to_the_end():
    words = "Feri baru tiba. " * 50_000
    tree = Tree(fromstring(f"<html><body>{'<section class=judul>' * 200}<b>{words}</b></body></html>"))
    for read in (rules.texts, rules.names, rules.tags):
        assert 0 < sum(map(len, read(tree, css("section.judul")))) <= 25_000
