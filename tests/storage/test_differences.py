from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.differences import LINES, WORDS, Piece, differences, shortened
from storage.materiality import materiality

TEXTS = st.lists(st.sampled_from(["harga", "beras", "naik", "2", ",", "\n", " "]), max_size=40).map("".join)


@given(TEXTS, TEXTS)
def test_the_pieces_give_both_texts_back(old: str, new: str) -> None:
    pieces = differences(old, new)

    assert "".join(text for op, text in pieces if op != "+") == old
    assert "".join(text for op, text in pieces if op != "-") == new
    assert all(a.op != b.op for a, b in pairwise(pieces))


def test_only_the_words_that_changed_are_told() -> None:
    old, new = "Harga naik 2 persen.\nPasar sepi.", "Harga naik 3,5 persen.\nPasar sepi."

    assert differences(old, new) == (
        Piece("=", "Harga naik "), Piece("-", "2"), Piece("+", "3,5"), Piece("=", " persen.\nPasar sepi."),
    )  # fmt: skip


def test_equal_texts_have_no_changes() -> None:
    assert differences("a b", "a b") == (Piece("=", "a b"),)
    assert differences("", "") == ()


def test_long_passages_are_told_as_a_whole_in_bounded_time() -> None:
    old = " ".join(f"a{n}" for n in range(WORDS))
    new = " ".join(f"b{n}" for n in range(WORDS))
    assert [op for op, _ in differences(old, new)] == ["-", "+"]
    lines = "\n".join(f"l{n}" for n in range(LINES))
    assert [op for op, _ in differences(lines, "x\n" + lines)] == ["-", "+"]


def test_what_stays_is_cut_to_the_neighbourhood_of_the_changes() -> None:
    pieces = differences("satu " * 100 + "lama" + " dua" * 100, "satu " * 100 + "baru" + " dua" * 100)
    brief = shortened(pieces, 20)

    assert [p for p in brief if p.op != "="] == [Piece("-", "lama"), Piece("+", "baru")]
    assert all(len(text) < 40 for _, text in brief)


TITLE = "Harga beras naik di Padang"
TEXT = "Harga beras naik 2 persen menjadi Rp 12.500. " + "Pedagang menyebut pasokan belum pulih. " * 20


@pytest.mark.parametrize(
    ("title", "text", "least", "most"),
    [
        (TITLE, TEXT, 0.0, 0.0),
        (TITLE, TEXT.replace("pulih", "normal", 1), 0.0, 0.05),
        (TITLE, TEXT.replace("2 persen", "3 persen"), 0.3, 0.7),
        ("Beras di Padang kian mahal", TEXT, 0.3, 0.7),
        (TITLE, TEXT + "Pemerintah akan menggelar operasi pasar di sepuluh kota mulai besok pagi. " * 10, 0.3, 0.9),
        ("Sama sekali lain", "Teks lain tanpa satu pun kata tadi.", 0.9, 1.0),
    ],
)
def test_materiality_follows_headline_figures_and_text(title: str, text: str, least: float, most: float) -> None:
    assert least <= materiality(TITLE, TEXT, title, text).score <= most


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_materiality_is_a_share_and_the_same_both_ways(a: str, b: str, c: str, d: str) -> None:
    there, back = materiality(a, b, c, d), materiality(c, d, a, b)

    assert 0 <= there.score <= 1
    assert there.score == back.score
    assert there.words == -back.words
