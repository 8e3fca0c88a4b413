from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.minhash import BAND_BYTES, BANDS, fingerprint, jaccard, same_text, signature

#: Digits as letters: a figure that changes makes another report.
LETTERS = str.maketrans("0123456789", "abcdefghij")
WORDS = [a + b + c for a in "bdgk" for b in ("ara", "eri", "olu", "uta") for c in ("ng", "s", "n", "k", "m")]


def text(seed: int, words: int = 120) -> list[str]:
    return random.Random(seed).choices(WORDS, k=words)


def edited(words: list[str], seed: int, edits: int) -> list[str]:
    chance, made = random.Random(seed), list(words)
    for place in chance.sample(range(len(made)), edits):
        made[place] = "lain" + str(place).translate(LETTERS)
    return made


def bands(key: bytes) -> set[tuple[int, bytes]]:
    return {(n, key[n * BAND_BYTES : (n + 1) * BAND_BYTES]) for n in range(BANDS)}


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 12))
def test_similarity_is_symmetric_and_whole_only_for_the_same_words(seed: int, other: int, edits: int) -> None:
    one = fingerprint(" ".join(text(seed)))
    two = fingerprint(" ".join(edited(text(seed), other, edits)))
    assert one is not None
    assert two is not None
    assert jaccard(one, two) == jaccard(two, one)
    assert same_text(one, two, 0.55) == same_text(two, one, 0.55)
    assert (jaccard(one, two) == 1.0) == (edits == 0)
    assert jaccard(one, one) == 1.0


def test_a_signature_is_the_same_in_every_process_and_version() -> None:
    found = fingerprint("harga beras naik tipis sejak awal pekan " * 4)
    assert found is not None
    assert len(signature(found)) == BANDS * BAND_BYTES
    assert signature(found).hex()[:20] == "36c25103883bbca8ae0b"


def test_case_punctuation_and_line_ends_do_not_count() -> None:
    words = text(3)
    one, two = fingerprint(" ".join(words)), fingerprint(",\n".join(word.upper() for word in words))
    assert one is not None
    assert two is not None
    assert signature(one) == signature(two)


@pytest.mark.parametrize("short", ["", "...", "Foto: warga mengantre di pasar", " ".join(text(1, 24))])
def test_a_caption_has_no_fingerprint(short: str) -> None:
    assert fingerprint(short) is None


def test_a_text_without_end_is_read_to_a_bound() -> None:
    words = text(1, 30_000)
    one, two = fingerprint(" ".join(words)), fingerprint(" ".join(words[:20_000]))
    assert one is not None
    assert two is not None
    assert signature(one) == signature(two)


@pytest.mark.parametrize("edits", [4, 6, 8])
def test_nearly_every_pair_of_light_edits_shares_a_band(edits: int) -> None:
    missed = 0
    for seed in range(200):
        one = fingerprint(" ".join(text(seed)))
        two = fingerprint(" ".join(edited(text(seed), seed + 1, edits)))
        assert one is not None
        assert two is not None
        missed += jaccard(one, two) >= 0.55 and not bands(signature(one)) & bands(signature(two))
    assert missed <= 6


def test_texts_that_share_a_paragraph_are_two_stories() -> None:
    quote = text(99, 40)
    one, two = fingerprint(" ".join(text(1) + quote)), fingerprint(" ".join(text(2) + quote))
    assert one is not None
    assert two is not None
    assert 0.05 < jaccard(one, two) < 0.35
    assert same_text(one, two, 0.55) is None


def test_the_market_report_of_the_next_day_is_another_text() -> None:
    frame = (
        " ".join(text(5, 200)) + " indeks ditutup pada {} setelah {} saham naik dan {} turun, transaksi Rp {} triliun"
    )
    one, two = (
        fingerprint(frame.format("6.248,46", 255, 220, "10,58")),
        fingerprint(frame.format("6.311,02", 301, 174, "9,12")),
    )
    assert one is not None
    assert two is not None
    assert jaccard(one, two) > 0.55
    assert same_text(one, two, 0.55) is None


def test_a_report_that_differs_in_its_only_two_figures_is_another_and_one_corrected_figure_is_not() -> None:
    frame = " ".join(text(6, 90)) + " harga emas batangan pada ({}) berada di Rp {} per gram"
    one, two = fingerprint(frame.format("8/3", "924.000")), fingerprint(frame.format("7/3", "923.000"))
    corrected = fingerprint(frame.format("8/3", "925.000"))
    assert one is not None
    assert two is not None
    assert corrected is not None
    assert same_text(one, two, 0.55) is None
    assert same_text(one, corrected, 0.55) is not None


def test_a_figure_written_the_other_way_is_the_same_figure() -> None:
    frame = " ".join(text(7, 150)) + " indeks ditutup pada {}, transaksi Rp {} triliun, kurs {} per dolar"
    one = fingerprint(frame.format("6.248,46", "10,58", "14.371"))
    other = fingerprint(frame.format("6,248.46", "10.58", "14,371"))
    assert one is not None
    assert other is not None
    assert same_text(one, other, 0.55) is not None
