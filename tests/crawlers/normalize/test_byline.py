from __future__ import annotations

import pytest

from crawlers.normalize.byline import Byline, read_byline, strip_sign_off


@pytest.mark.parametrize(
    ("line", "writers", "editors", "sources"),
    [
        ("Reporter: Ani Lestari, Budi Karya | Editor: Citra Dewi", ("Ani Lestari, Budi Karya",), ("Citra Dewi",), ()),
        ("Reporter: Ani Lestari Editor: Citra Dewi | Editor: Citra Dewi", ("Ani Lestari",), ("Citra Dewi",), ()),
        ("Sumber: Reuters | Editor: Citra Dewi", (), ("Citra Dewi",), ("Reuters",)),
        ("Sumber: Reuters,Kompas.com | Editor: Citra", (), ("Citra",), ("Reuters,Kompas.com",)),
        ("Penulis: Ani | Editor: Citra", ("Ani",), ("Citra",), ()),
        ("Pewarta: Ani Lestari", ("Ani Lestari",), (), ()),
        ("Pewarta: Ani Editor: Citra Copyright © ANTARA 2024", ("Ani",), ("Citra",), ()),
        ("Rep: Ani Lestari / Red: Citra Dewi", ("Ani Lestari",), ("Citra Dewi",), ()),
        ("Editor : Citra Dewi", (), ("Citra Dewi",), ()),
        ("Reporter: Ani LestariEditor: Citra", ("Ani Lestari",), ("Citra",), ()),
    ],
)
def test_labels_tell_who_did_what(
    line: str, writers: tuple[str, ...], editors: tuple[str, ...], sources: tuple[str, ...]
) -> None:
    assert Byline(writers, editors, sources) == read_byline(line)


@pytest.mark.parametrize(
    "line",
    [
        "Editor: katanya, harga naik. Lalu turun lagi besok pagi.",
        "Editor majalah itu menolak bicara.",
        "Menurut Reporter: tidak ada",
        "Sumber industri mengatakan cuaca buruk.",
        "Reporter: " + "kata " * 80,
    ],
)
def test_a_sentence_is_no_byline(line: str) -> None:
    assert read_byline(line) is None


@pytest.mark.parametrize(
    ("text", "kept", "person"),
    [
        ("kata dia. (vyp/kna)", "kata dia.", None),
        ("kata dia.(abc/jpnn)", "kata dia.", None),
        ('kata dia." (lau/pta)', 'kata dia."', None),
        ("kata dia. (H-2)", "kata dia.", None),
        ("kata dia. (kna)", "kata dia.", None),
        ("kata dia. (Tribunnews.com/Ani Lestari)", "kata dia.", "Ani Lestari"),
        ("opsi jual dan beli (call/put)", "opsi jual dan beli (call/put)", None),
        ("Indeks Harga Saham Gabungan (IHSG)", "Indeks Harga Saham Gabungan (IHSG)", None),
        ("laporan bursa. (BEI)", "laporan bursa. (BEI)", None),
    ],
)
def test_a_sign_off_is_taken_off_and_a_bracket_of_the_story_is_not(text: str, kept: str, person: str | None) -> None:
    assert (kept, person) == strip_sign_off(text)
