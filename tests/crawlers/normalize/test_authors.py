from __future__ import annotations

import pytest

from crawlers.normalize.authors import read_persons


@pytest.mark.parametrize(
    ("raw", "persons"),
    [
        ("Ani Lestari -", ("Ani Lestari",)),
        ("ANI LESTARI", ("Ani Lestari",)),
        ("Oleh Ani Lestari", ("Ani Lestari",)),
        ("By Jane Doe and John Smith", ("Jane Doe", "John Smith")),
        ("Ani Lestari, Budi Karya & Citra Dewi", ("Ani Lestari", "Budi Karya", "Citra Dewi")),
        ("Ani Lestari dan Budi Karya", ("Ani Lestari", "Budi Karya")),
        ("Ani Lestari/Budi Karya", ("Ani Lestari", "Budi Karya")),
        ("Jane Doe, Senior Correspondent", ("Jane Doe",)),
        ("John Smith, Political editor", ("John Smith",)),
        ("Jane Doe in Jakarta", ("Jane Doe",)),
        ("Ani Lestari (Kontributor)", ("Ani Lestari",)),
        ("Tim Berners", ("Tim Berners",)),
        ("Robert Guest", ("Robert Guest",)),
        ("Tim Redaksi", ()),
        ("Tim contohcom", ()),
        ("CNN Indonesia", ()),
        ("Reuters", ()),
        ("BBC News", ()),
        ("Kompas.com", ()),
        ("redaksi@contoh.test", ()),
        ("admin", ()),
        ("null", ()),
        ("Kabar Niaga", ()),
        ("Harga garam adalah yang tertinggi tahun ini", ()),
    ],
)
def test_persons_come_out_and_organisations_do_not(raw: str, persons: tuple[str, ...]) -> None:
    assert persons == read_persons([raw], frozenset({"kabar niaga"}))


def test_a_person_comes_once() -> None:
    assert read_persons(["Ani Lestari", "ANI LESTARI", "ani lestari"]) == ("Ani Lestari",)
