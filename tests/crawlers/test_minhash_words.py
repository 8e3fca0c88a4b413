"""Texts of other letters and marks than ASCII's are compared by the same words."""

from __future__ import annotations

from crawlers import minhash


def test_quotation_marks_and_dashes_part_words_as_spaces_do() -> None:
    plain = "harga beras naik kata pedagang di pasar induk pada hari senin " * 3
    dressed = plain.replace(" kata ", " — “kata” ")
    other = plain.replace("beras", "bérás")
    one, same, different = (minhash.fingerprint(text) for text in (plain, dressed, other))
    assert one is not None
    assert same is not None
    assert different is not None
    assert minhash.jaccard(one, same) == 1.0
    assert minhash.jaccard(one, different) < 1.0
