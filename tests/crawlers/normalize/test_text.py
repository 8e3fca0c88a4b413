from __future__ import annotations

import pytest

from crawlers.normalize.text import clean_line, clean_lines, clean_optional


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Harga\u00a0\u00a0garam  naik ", "Harga garam naik"),
        ("\ufeffHar\u00adga\u200b garam", "Harga garam"),
        ("baris satu\r\nbaris\u2028dua", "baris satu baris dua"),
        ("R&amp;D &amp;amp; K&#8217;s &quot;kutip&quot;", 'R&D & K’s "kutip"'),
        ("a?x=1&copy=2", "a?x=1&copy=2"),
        ("AT&T, H&M", "AT&T, H&M"),
        ("kafÃ© â€œkutipâ€\x9d", "kafé “kutip”"),
        ("cafe\u0301", "café"),
        ("te\u202eks\u202c \x00bersih\x07", "teks bersih"),
        ("ikon \ue001 tema", "ikon tema"),
        ("gar\u200cam", "garam"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\ud800 yatim", "yatim"),
        ("naik 2,5% ke Rp 1.200 (BBCA, US$ 3.5)", "naik 2,5% ke Rp 1.200 (BBCA, US$ 3.5)"),
        ("Äpfel kosten 3 € — naïve", "Äpfel kosten 3 € — naïve"),
    ],
)
def test_what_only_a_browser_put_there_is_gone(raw: str, clean: str) -> None:
    assert clean == clean_line(raw)


def test_lists_keep_their_lines() -> None:
    assert clean_lines(" satu \n\n\u00a0dua  dua\r\n") == "satu\ndua dua"


def test_nothing_readable_is_none() -> None:
    assert clean_optional("\u200b \u00a0") is None
    assert clean_optional(None) is None
