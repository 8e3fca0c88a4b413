from __future__ import annotations

import pytest

from crawlers.normalize.joined import split_front, split_glued, split_tail, strip_links

STORY = "Petani garam menjual hasil panen kepada koperasi desa di Teluk Semar."


@pytest.mark.parametrize(
    ("text", "clean", "titles"),
    [
        (f"{STORY}Baca Juga: Harga garam naik di 2021{STORY}", f"{STORY} {STORY}", ("Harga garam naik di 2021",)),
        (f"{STORY}Baca Juga: Garam jadi digitalICDX mencatat hal itu.", f"{STORY} ICDX mencatat hal itu.", None),
        (f"{STORY}Baca Juga: Saham BBCA dan TLKMBerikut daftarnya.", f"{STORY} Berikut daftarnya.", None),
        (f"{STORY} Baca Juga: Harga Garam Naik Lagi", STORY, ("Harga Garam Naik Lagi",)),
        (f"{STORY} Baca Juga: Apa Sebab Garam Mahal? {STORY}", f"{STORY} {STORY}", ("Apa Sebab Garam Mahal?",)),
        (
            f"{STORY} Baca Juga: Harga Garam Dunia Naik Lagi Sementara itu, petani senang. Semua naik.",
            f"{STORY} Sementara itu, petani senang. Semua naik.",
            ("Harga Garam Dunia Naik Lagi",),
        ),
        (
            f"Kata Budi Karya, naik. Baca Juga: Harga Garam Dunia Naik Budi Karya menyatakan senang. {STORY}",
            f"Kata Budi Karya, naik. Budi Karya menyatakan senang. {STORY}",
            ("Harga Garam Dunia Naik",),
        ),
        (f"{STORY} Menarik Dibaca: Satu Baca Juga: Dua", STORY, ("Satu", "Dua")),
        ("Bukan link: baca juga buku ini.", "Bukan link: baca juga buku ini.", ()),
    ],
)
def test_a_link_in_a_line_goes_where_its_end_is_known(text: str, clean: str, titles: tuple[str, ...] | None) -> None:
    found = strip_links(text)

    assert clean == found[0]
    if titles is not None:
        assert titles == found[1]


def test_a_title_whose_end_is_unknown_loses_its_label_only() -> None:
    text = f"{STORY} Baca Juga: Garam naik tajam Koperasi desa Semar membeli panen. {STORY}"

    assert (f"{STORY} Garam naik tajam Koperasi desa Semar membeli panen. {STORY}", ()) == strip_links(text)


def test_a_known_title_ends_where_it_ends() -> None:
    text = f"{STORY} Baca Juga: Garam naik tajam Koperasi desa Semar membeli panen. {STORY}"

    found = strip_links(text, ["Garam Naik Tajam"])

    assert (f"{STORY} Koperasi desa Semar membeli panen. {STORY}", ("Garam naik tajam",)) == found


def test_byline_and_caption_before_the_dateline_stand_apart() -> None:
    line = (
        "ILUSTRASI. Petani memanen garam. Reporter: Ani Lestari | Editor: Budi Karya"
        " KABARNIAGA.CO.ID - JAKARTA. Harga garam naik."
    )

    assert split_front(line, ["KABARNIAGA.CO.ID"]) == [
        "ILUSTRASI. Petani memanen garam.",
        "Reporter: Ani Lestari | Editor: Budi Karya",
        "KABARNIAGA.CO.ID - JAKARTA. Harga garam naik.",
    ]


def test_without_a_brand_the_city_ends_the_byline() -> None:
    assert split_front(f"Editor: Budi Karya JAKARTA. {STORY}", []) == ["Editor: Budi Karya", f"JAKARTA. {STORY}"]


def test_a_sentence_that_names_the_brand_is_not_split() -> None:
    text = f"{STORY} Kata dia kepada KABARNIAGA.CO.ID - Senin."

    assert split_front(text, ["KABARNIAGA.CO.ID"]) == [text]


def test_a_byline_at_the_end_of_a_line_stands_apart() -> None:
    assert split_tail(f"{STORY} Editor: Budi Karya") == [STORY, "Editor: Budi Karya"]
    assert split_tail(f"{STORY}Editor: Budi Karya") == [STORY, "Editor: Budi Karya"]
    assert split_tail(STORY) == [STORY]


def test_paragraphs_that_touch_come_apart_and_names_with_dots_do_not() -> None:
    text = (STORY + STORY) * 4

    assert split_glued(text) == [STORY] * 8
    assert split_glued(STORY + STORY) == [STORY + STORY]  # short: one slip, not a habit
    dots = "PT Garam Semar Tbk. naik 2.5 poin ke Rp 1.200 menurut Kontan.co.id dan Semar.Tv kemarin sore. " * 8
    assert split_glued(dots) == [dots]
