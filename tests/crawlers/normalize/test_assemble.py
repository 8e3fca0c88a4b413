from __future__ import annotations

import pickle  # noqa: TID251 - articles come back from child processes
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawlers.model import DateCandidate, FeedEntry, Normalized, PageKind, Rejected
from storage.model import Article, Block, BlockKind, Image, Link

STORY = "Petani garam di Teluk Semar menjual hasil panen kepada koperasi desa dengan harga Rp 1.200 per kg."

#: The shape of a Kontan page: byline first, dateline with no-break spaces, links between paragraphs, editor last.
NIAGA_PAGE = [
    "KABARNIAGA.CO.ID -\u00a0 \u00a0 SEMAR. Gubernur Semar Raya, Wirya Tanu, mendukung petani.\u00a0",
    "Hal ini disampaikan pada peringatan Hari Garam, sebagaimana dikutip dari Antaraga, Jumat (15/8).",
    "Pesan itu menjawab ucapan selamat dari koperasi.\u00a0",
    "Baca Juga: Koperasi Semar Upayakan Dialog dengan Pedagang, Jalan Menuju Harga Baru",
    'Wirya menyatakan "harga yang adil adalah hak petani" kepada Kabarniaga.co.id, Sabtu (16/8).',
    "Saham PT Garam Semar Tbk (GRSM) naik 2,5% ke Rp 1.200.",
    "Baca Juga: Pulau Semar Bersiap Sambut Wisatawan Setelah 5 Tahun Ditutup",
    "Sementara itu, pedagang tidak menyinggung harga baru.\u00a0",
    "Editor: Citra Dewi",
]


def test_a_page_in_kontans_shape_comes_out_clean(article: Callable[..., Article]) -> None:
    found = article(NIAGA_PAGE, title="Wirya Tanu Janji Dukung Petani Garam")

    assert found.title == "Wirya Tanu Janji Dukung Petani Garam"
    assert (found.brand, found.places) == ("KABARNIAGA.CO.ID", ("SEMAR",))
    assert (found.editor, found.authors) == ("Citra Dewi", ())
    assert [link.title for link in found.related] == [
        "Koperasi Semar Upayakan Dialog dengan Pedagang, Jalan Menuju Harga Baru",
        "Pulau Semar Bersiap Sambut Wisatawan Setelah 5 Tahun Ditutup",
    ]
    assert [block.text for block in found.body] == [
        "Gubernur Semar Raya, Wirya Tanu, mendukung petani.",
        "Hal ini disampaikan pada peringatan Hari Garam, sebagaimana dikutip dari Antaraga, Jumat (15/8).",
        "Pesan itu menjawab ucapan selamat dari koperasi.",
        'Wirya menyatakan "harga yang adil adalah hak petani" kepada Kabarniaga.co.id, Sabtu (16/8).',
        "Saham PT Garam Semar Tbk (GRSM) naik 2,5% ke Rp 1.200.",
        "Sementara itu, pedagang tidak menyinggung harga baru.",
    ]
    assert found.text == "\n\n".join(block.text for block in found.body)
    assert found.word_count == len(found.text.split())
    assert found.language == "id"
    assert found.url_key == "panen-garam-di-teluk-semar"


@pytest.mark.shared
def test_the_seed_comes_out_as_promised(article: Callable[..., Article], shared: Any) -> None:
    title, *lines = (shared / "samples" / "seed_kontan.txt").read_text("utf-8").split("\n")

    found = article(lines, title=title)

    assert found.title == "Kim Jong Un dan Putin Janji Pererat Hubungan Korea Utara dan Rusia"
    assert (found.brand, found.places, found.editor) == ("KONTAN.CO.ID", ("SEOUL",), "Noverius Laoli")
    assert len(found.related) == 2
    assert len(found.body) == 11
    assert found.body[0].text.startswith("Pemimpin Korea Utara, Kim Jong Un, menegaskan")
    assert not any(word in found.text for word in ("Baca Juga", "KONTAN", "Editor", "\u00a0", "  "))


def test_the_same_page_in_one_line_loses_no_sentence(article: Callable[..., Article]) -> None:
    byline = "Reporter: Ani Lestari, Budi Karya | Editor: Citra Dewi"
    closing = "Cek Berita dan Artikel yang lain di Google News"

    found = article([" ".join([byline, *NIAGA_PAGE[:-1], closing])])

    assert (found.brand, found.places, found.editor) == ("KABARNIAGA.CO.ID", ("SEMAR",), "Citra Dewi")
    assert found.authors == ("Ani Lestari", "Budi Karya")
    assert not any(word in found.text for word in ("Baca Juga", "Cek Berita", "Reporter", "KABARNIAGA"))
    for sentence in ("Gubernur Semar Raya, Wirya Tanu, mendukung", "Saham PT Garam Semar", "Sementara itu, pedagang"):
        assert sentence in found.text


@pytest.mark.parametrize(
    ("line", "authors", "editor", "agency"),
    [
        ("Reporter: Ani Lestari, Budi Karya | Editor: Citra Dewi", ("Ani Lestari", "Budi Karya"), "Citra Dewi", None),
        ("Sumber: Reuters | Editor: Citra Dewi", (), "Citra Dewi", "Reuters"),
        ("Rep: Ani Lestari / Red: Citra Dewi", ("Ani Lestari",), "Citra Dewi", None),
    ],
)
@pytest.mark.parametrize("place", ["first", "last", "field"])
def test_a_byline_is_read_wherever_it_stands(
    article: Callable[..., Article], line: str, authors: tuple[str, ...], editor: str, agency: str | None, place: str
) -> None:
    lines = {"first": [line, STORY], "last": [STORY, line], "field": [STORY]}[place]

    found = article(lines, byline=line if place == "field" else None)

    assert (authors, editor, agency) == (found.authors, found.editor, found.agency)
    assert found.text == STORY


def test_a_source_line_in_the_middle_goes_and_names_no_agency(article: Callable[..., Article]) -> None:
    lines = [f"{STORY} Bagian {number}." for number in range(30)]

    found = article([*lines[:12], "Sumber: Logam Mulia", *lines[12:]])

    assert found.agency is None
    assert "Sumber" not in found.text


def test_persons_of_the_page_come_before_those_of_the_feed(article: Callable[..., Article]) -> None:
    entry = FeedEntry(url="https://x.test", authors=("Umpan Wira",))

    assert article([STORY], entry, authors=("Ani Lestari", "Tim Redaksi")).authors == ("Ani Lestari",)
    assert article([STORY], entry, authors=("Kabar Niaga",)).authors == ("Umpan Wira",)


@pytest.mark.parametrize("kind", [kind for kind in PageKind if kind is not PageKind.ARTICLE])
def test_pages_that_are_no_articles_are_labelled(read: Callable[..., Any], kind: PageKind) -> None:
    found = read([STORY], kind=kind)

    assert isinstance(found, Rejected)
    assert kind.value == found.rule


@pytest.mark.parametrize("lines", [[], ["\u00a0"], ["Baca Juga: Harga Garam Naik"], ["KABARNIAGA.CO.ID - JAKARTA. "]])
def test_an_empty_body_is_never_an_article(read: Callable[..., Any], lines: list[str]) -> None:
    found = read(lines)

    assert isinstance(found, Rejected)
    assert found.rule == "empty"


def test_a_title_may_come_from_the_feed_and_must_come_from_somewhere(read: Callable[..., Any]) -> None:
    found = read([STORY], FeedEntry(url="https://x.test", title="Judul umpan"), title=None)
    missing = read([STORY], title=" \u200b")

    assert isinstance(found, Normalized)
    assert found.article.title == "Judul umpan"
    assert isinstance(missing, Rejected)
    assert missing.rule == "no_title"


@pytest.mark.parametrize(
    "title",
    [
        "Panen Garam Naik - Kabar Niaga",
        "Panen Garam Naik | kabarniaga.test",
        "Panen Garam Naik - Halaman 2 - Kabar Niaga",
        "Panen Garam Naik Halaman all",
        "Panen&nbsp;Garam  Naik",
    ],
)
def test_a_site_name_is_no_headline(article: Callable[..., Article], title: str) -> None:
    assert article([STORY], title=title).title == "Panen Garam Naik"


@pytest.mark.parametrize("title", ["Garam - Emas Putih", "Harga Naik: Garam | Gula", "Kabar Niaga"])
def test_a_headline_with_a_dash_stays(article: Callable[..., Article], title: str) -> None:
    assert title == article([STORY], title=title).title


def test_the_canonical_address_is_believed_on_the_same_story_only(article: Callable[..., Article]) -> None:
    url = "https://nasional.kabarniaga.test/news/garam-naik?utm_source=rss&page=all"
    same = article([STORY], url=url, canonical_url="https://industri.kabarniaga.test/news/garam-naik")
    home = article([STORY], url=url, canonical_url="https://www.kabarniaga.test/")
    foreign = article([STORY], url=url, canonical_url="https://jahat.test/news/lain")

    assert same.url == "https://industri.kabarniaga.test/news/garam-naik"
    assert home.url == foreign.url == "https://nasional.kabarniaga.test/news/garam-naik"


def test_other_addresses_are_aliases(read: Callable[..., Any]) -> None:
    entry = FeedEntry(url="https://nasional.kabarniaga.test/news/x?utm_source=rss")

    found = read([STORY], entry, url="https://nasional.kabarniaga.test/news/x", amp_url="//amp.kabarniaga.test/news/x")

    assert isinstance(found, Normalized)
    assert found.article.url == "https://nasional.kabarniaga.test/news/x"
    assert found.aliases == (
        "https://amp.kabarniaga.test/news/x",
        "https://nasional.kabarniaga.test/news/x?utm_source=rss",
    )


def test_time_and_its_claims_are_recorded(article: Callable[..., Article]) -> None:
    dates = (
        DateCandidate("2026-11-20T09:00:00+07:00", "jsonld", "published", "NewsArticle"),
        DateCandidate("null WIB", "meta", "published", "meta[name=pubdate]"),
        DateCandidate("2026-11-20T10:00:00+07:00", "jsonld", "updated"),
    )

    found = article([STORY], dates=dates)

    assert (datetime(2026, 11, 20, 2, tzinfo=UTC), "jsonld") == (found.published, found.published_from)
    assert (datetime(2026, 11, 20, 3, tzinfo=UTC), "jsonld") == (found.updated, found.updated_from)
    assert ("published", "jsonld") in found.provenance
    assert ("published.claim", "meta meta[name=pubdate]: null WIB = - (unreadable)") in found.provenance


def test_without_a_claim_it_is_the_time_we_saw_it(article: Callable[..., Article]) -> None:
    found = article([STORY])

    assert found.published_from == "first_seen"
    assert found.published == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_the_feeds_time_counts(article: Callable[..., Article]) -> None:
    at = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

    assert article([STORY], FeedEntry(url="https://x.test", published=at)).published_from == "feed"
    late = article([STORY], FeedEntry(url="https://x.test", published=at + timedelta(days=9)))
    assert late.published_from == "first_seen"


def test_an_update_before_publication_is_none(article: Callable[..., Article]) -> None:
    dates = (
        DateCandidate("2026-11-20T09:00:00+07:00", "jsonld"),
        DateCandidate("2025-01-01T00:00:00+07:00", "jsonld", "updated"),
    )

    assert article([STORY], dates=dates).updated is None


def test_captions_repeated_as_paragraphs_go(article: Callable[..., Article]) -> None:
    caption = "ILUSTRASI. Petani memanen garam. KONTAN/Ani Lestari"

    found = article([caption, STORY], images=(Image(url="/a.jpg", caption=caption),))

    assert found.text == STORY
    assert found.images == (
        Image(
            url="https://nasional.kabarniaga.test/a.jpg", caption="Petani memanen garam.", credit="KONTAN/Ani Lestari"
        ),
    )


def test_links_of_page_and_text_are_one_list(article: Callable[..., Article]) -> None:
    related = (Link("Harga Garam Naik", "/news/harga"), Link("Lain", "javascript:x"))

    found = article([STORY, "Baca Juga: Harga Garam Naik", "Baca Juga: Baru"], related=related)

    assert found.related == (
        Link("Harga Garam Naik", "https://nasional.kabarniaga.test/news/harga"),
        Link("Lain", None),
        Link("Baru", None),
    )


def test_a_dateline_split_over_elements_is_read(article: Callable[..., Article]) -> None:
    found = article(["Jakarta", f"- {STORY}"])

    assert (found.places, found.text) == (("Jakarta",), STORY)


def test_kinds_of_blocks_survive(article: Callable[..., Article]) -> None:
    blocks = [
        Block(BlockKind.PARAGRAPH, STORY),
        Block(BlockKind.HEADING, "Panen raya"),
        Block(BlockKind.LIST, "satu \n dua"),
        Block(BlockKind.QUOTE, "Harga adil."),
        Block(BlockKind.HEADING, "Berikutnya"),
    ]

    assert article(blocks).body == (
        blocks[0],
        blocks[1],
        Block(BlockKind.LIST, "satu\ndua"),
        blocks[3],
    )


def test_a_paragraph_comes_once(article: Callable[..., Article]) -> None:
    assert article([STORY, "Ya.", STORY, "Ya."]).text == f"{STORY}\n\nYa.\n\nYa."


def test_equal_bodies_have_equal_hashes_under_other_titles(article: Callable[..., Article]) -> None:
    one, two = article([STORY], title="Satu"), article([f"KABARNIAGA.CO.ID - JAKARTA. {STORY}"], title="Dua")

    assert one.body_hash == two.body_hash
    assert one.content_hash != two.content_hash


def test_an_article_travels_between_processes(read: Callable[..., Any]) -> None:
    found = read(NIAGA_PAGE)

    assert found == pickle.loads(pickle.dumps(found))
