from __future__ import annotations

import pytest

from config.model import Boilerplate
from crawlers.normalize.boilerplate import related_title, sift
from storage.model import Block, BlockKind

RULES = Boilerplate(
    line_start=("Oleh", "Simak", "Tonton:"),
    line_exact=("INDEKS BERITA",),
    contains=("Gabung ke Channel",),
    cut_after=("Cek Berita dan Artikel yang lain di",),
)
STORY = "Petani garam di Teluk Semar menjual hasil panen kepada koperasi desa."


def paragraphs(*texts: str) -> list[Block]:
    return [Block(BlockKind.PARAGRAPH, text) for text in texts]


@pytest.mark.parametrize(
    "line",
    [
        "ADVERTISEMENT",
        "SCROLL TO CONTINUE WITH CONTENT",
        "Cek Berita dan Artikel yang lain di Google News",
        "ILUSTRASI. Petani memanen garam.",
        "[Gambas:Video 20detik]",
        'Simak Video "Panen Garam di Teluk Semar"',
        "Simak juga Video 'Panen Garam':",
        "Lihat Video 'Panen Garam'",
        "INDEKS BERITA",
        "Berita Terkait",
        "Gabung ke Channel kami untuk berita lain",
        "Copyright © ANTARA 2026",
        "Hak cipta © 2026",
        "Artikel ini telah tayang di Contoh.com dengan judul Panen",
        "Disclaimer: segala risiko ditanggung pembaca.",
        "googletag.cmd.push(function() { googletag.display('div'); });",
        "Reporter: Ani Lestari | Editor: Budi Karya",
        "Halaman Selanjutnya",
        "Tonton: Panen Garam",
        "Simak",
        "***",
        "Sign up for our newsletter",
        "All rights reserved",
    ],
)
def test_furniture_goes_and_the_story_stays(line: str) -> None:
    assert (Block(BlockKind.PARAGRAPH, STORY),) == sift(paragraphs(STORY, line), RULES).blocks


@pytest.mark.parametrize(
    "line",
    [
        f"Oleh karena itu, para petani meminta harga acuan dinaikkan sebelum panen berikutnya tiba. {STORY}",
        "Olehnya, petani diminta bersabar.",
        "Baca buku itu membuatnya paham soal garam.",
        "Selanjutnya, petani menjemur garam.",
        "Sumber industri mengatakan panen naik.",
        "Terbaru, pemerintah membeli garam.",
        "Video itu beredar luas.",
        "Iklan garam beryodium tayang lagi.",
        "Harga garam Rp 1.200 per kg (naik 2,5%).",
        "Read the report: it is long. It says that salt is dear.",
    ],
)
def test_sentences_that_begin_like_furniture_stay(line: str) -> None:
    assert paragraphs(STORY, line) == list(sift(paragraphs(STORY, line), RULES).blocks)


def test_in_a_long_paragraph_only_the_string_goes() -> None:
    long = f"{STORY} " * 8 + "SCROLL TO CONTINUE WITH CONTENT " + f"{STORY} " * 2

    (block,) = sift(paragraphs(long), RULES).blocks

    assert block.text == " ".join([STORY] * 10)


def test_an_outlets_string_in_a_long_paragraph_takes_its_sentence_only() -> None:
    long = f"{STORY} " * 8 + "Gabung ke Channel kami sekarang. " + STORY

    (block,) = sift(paragraphs(long), RULES).blocks

    assert "Gabung" not in block.text
    assert block.text.count(STORY) == 9


def test_the_text_ends_before_the_closing_words() -> None:
    blocks = paragraphs(STORY, f"{STORY} Cek Berita dan Artikel yang lain di Google News", "Judul lain")

    assert paragraphs(STORY, STORY) == list(sift(blocks, RULES).blocks)


def test_closing_words_at_the_top_end_nothing() -> None:
    blocks = paragraphs("Cek Berita dan Artikel yang lain di Google News", STORY, STORY + " Lagi.")

    assert paragraphs(STORY, STORY + " Lagi.") == list(sift(blocks, RULES).blocks)


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("Baca Juga: Harga Garam Naik", "Harga Garam Naik"),
        ("Baca juga : Harga Garam Naik", "Harga Garam Naik"),
        ("BACA JUGA Harga Garam Naik", "Harga Garam Naik"),
        ("Menarik Dibaca: Harga Garam Naik?", "Harga Garam Naik?"),
        ("Selanjutnya: Harga Garam Naik", "Harga Garam Naik"),
        ("Halaman Selanjutnya: Harga Garam", "Harga Garam"),
        ("Pilihan Editor: Harga Garam", "Harga Garam"),
        ("Read more: Salt is dear", "Salt is dear"),
        ("Baca Juga:", ""),
        ("Baca juga kisah petani garam. Mereka menunggu harga naik.", None),
        (STORY, None),
    ],
)
def test_a_link_among_paragraphs_gives_its_title(line: str, title: str | None) -> None:
    assert title == related_title(line)


def test_a_list_after_a_label_is_links() -> None:
    blocks = [
        *paragraphs(STORY, "Baca Juga:"),
        Block(BlockKind.LIST, "Harga Garam Naik\nPanen Garam"),
        *paragraphs(STORY),
    ]

    found = sift(blocks, RULES)

    assert found.related == ("Harga Garam Naik", "Panen Garam")
    assert [block.text for block in found.blocks] == [STORY, STORY]


def test_style_sheets_in_the_text_go() -> None:
    (block,) = sift(paragraphs(f"{STORY} .tg td{{border:1px;color:#fff}} .tg .tg-x{{top:0}} {STORY}"), RULES).blocks

    assert f"{STORY} {STORY}" == block.text
