from __future__ import annotations

import pytest

from crawlers.cosmetics import is_cosmetic, only_cosmetic

TITLE = "Harga beras naik 2 persen"
TEXT = "Harga beras medium naik 2 persen sejak Senin (23/11/2026).\nPedagang menyebut pasokan belum pulih."


@pytest.mark.parametrize(
    "line",
    [
        "Dibaca 1.234 kali", "Dibaca: 12 kali", "1.2k views", "Views: 3,210", "45 Komentar", "Bagikan 12", "12 Shares",
        "Telah dibaca 98 kali", "5 menit lalu", "3 hari yang lalu", "2 hours ago", "Baru saja", "sejam lalu",
        "Diperbarui: Senin, 23 November 2026 10:05 WIB", "Last updated 10:05 AM",
        "Terakhir diperbarui 23/11/2026 10:05",
        "Update: 23 Nov 2026, 10:05 WIB", "23/11/2026, 10:05 WIB", "ADVERTISEMENT", "SCROLL TO CONTINUE WITH CONTENT",
        "Baca juga: Harga cabai turun tajam di pasar induk", "BACA JUGA Rupiah menguat", "Read also: Rice prices fall",
        "Simak Video: Panen raya di Karawang", "Berita Terkait", "Selengkapnya",
        "Dapatkan update berita pilihan di WhatsApp Channel kami", "Ikuti kami di Google News", "Halaman Selanjutnya",
    ],
)  # fmt: skip
def test_lines_that_are_no_part_of_the_story(line: str) -> None:
    assert is_cosmetic(line)
    assert only_cosmetic(TITLE, TEXT, TITLE, f"{TEXT}\n{line}")


@pytest.mark.parametrize(
    "line",
    [
        "Harga naik 2 persen.", "Sebanyak 45 orang luka-luka.", "Korban tewas bertambah menjadi 12 orang.",
        "Pemerintah baca situasi pasar sebelum impor.", "Ia menjual 1.200 ton beras.", "Rp 12.500",
        "Komentar presiden itu memicu protes.", "Update kondisi pasar hari ini menunjukkan harga stabil.",
        "Views on the policy differ.", "Dibagikan kepada 45 warga, bantuan itu habis.",
        "Simak baik-baik peringatan BMKG.", "Tahun lalu harga naik.", "Ralat: angka itu keliru.",
    ],
)  # fmt: skip
def test_lines_of_a_story_are_kept(line: str) -> None:
    assert not is_cosmetic(line)
    assert not only_cosmetic(TITLE, TEXT, TITLE, f"{TEXT}\n{line}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Gempa terjadi 5 menit lalu di Padang.", "Gempa terjadi 42 menit lalu di Padang."),
        ("“Harga naik,” katanya.", '"Harga naik," katanya.'),
        ("Harga – kata dia – naik.", "Harga - kata dia — naik."),
        ("Harga\u00a0naik  tipis .", "Harga naik tipis."),
        ("Harga\u200b naik\u00ad.", "Harga naik."),
        ("Harga naik…", "Harga naik..."),
        ("Satu.\n\nBaca juga: A\n\nDua.", "Satu.\n\nDua.\n\nBaca juga: B"),
    ],
)
def test_dress_and_relative_times_are_no_change(old: str, new: str) -> None:
    assert only_cosmetic(TITLE, old, TITLE, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Korban 5 orang.", "Korban 6 orang."),
        ("Harga naik.", "Harga Naik."),
        ("Harga naik tahun lalu.", "Harga naik bulan lalu."),
        ("Ditemukan 3 hari lalu.", "Ditemukan 2 hari lalu."),
        ("Ia tidak bersalah.", "Ia bersalah."),
        ("Rapat pukul 10:05 WIB di Jakarta.", "Rapat pukul 11:05 WIB di Jakarta."),
        ("Satu.\nDua.", "Dua.\nSatu."),
    ],
)
def test_a_change_of_what_is_said_is_a_change_however_small(old: str, new: str) -> None:
    assert not only_cosmetic(TITLE, old, TITLE, new)


def test_another_headline_is_a_change_even_when_it_reads_like_a_promotion() -> None:
    assert not only_cosmetic("Baca juga nasib beras", TEXT, "Simak juga nasib gula", TEXT)
