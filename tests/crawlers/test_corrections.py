from __future__ import annotations

import pytest

from crawlers.corrections import correction

TITLE, TEXT = "Harga beras naik", "Harga beras naik 2 persen."


@pytest.mark.parametrize(
    "line",
    [
        "Ralat: sebelumnya tertulis 3 persen.", "KOREKSI: nama menteri keliru.", "Koreksi - angka diperbaiki.",
        "Catatan redaksi: artikel ini memperbaiki angka.", "(Ralat) Angka di paragraf dua telah diperbaiki.",
        "Correction: An earlier figure was wrong.", "Editor’s note: This story corrects the name.",
        "Artikel ini telah dikoreksi pada Senin.", "An earlier version of this article misstated the price.",
        "This story has been corrected to say Padang.", "Redaksi mohon maaf atas kekeliruan tersebut.",
    ],
)  # fmt: skip
def test_a_notice_that_came_makes_it_a_correction(line: str) -> None:
    notice = correction(TITLE, TEXT, TITLE, f"{TEXT}\n\n{line}")

    assert notice is not None
    assert notice[:5].casefold() == line[:5].casefold()


@pytest.mark.parametrize("title", ["Ralat: Harga beras turun", "Harga beras turun (Koreksi)", "CORRECTED: Rice falls"])
def test_a_headline_may_say_it(title: str) -> None:
    assert correction(TITLE, TEXT, title, TEXT) is not None or "CORRECTED" in title
    assert correction(TITLE, TEXT, title, TEXT) == title


@pytest.mark.parametrize(
    "line",
    [
        "IHSG koreksi 2 persen pada penutupan.", "Koreksi harga saham berlanjut hingga sore.",
        "Pasar saham mengalami koreksi tajam.", "Koreksi wajar terjadi setelah reli panjang.",
        "Stocks entered a correction on Monday.", "Ia mengoreksi ucapan wartawan.",
        "Department of Corrections said so.",
        "Pengacara meminta ralat dimuat.",
    ],
)  # fmt: skip
def test_what_markets_and_people_correct_is_none(line: str) -> None:
    assert correction(TITLE, TEXT, TITLE, f"{TEXT}\n\n{line}") is None


def test_a_notice_that_stood_there_before_says_nothing_of_this_revision() -> None:
    before = f"{TEXT}\n\nRalat: sebelumnya tertulis 3 persen."

    assert correction(TITLE, before, TITLE, before.replace("2 persen", "2,5 persen")) is None


def test_an_outlet_may_have_phrases_of_its_own() -> None:
    line = "Naskah ini kami luruskan."

    assert correction(TITLE, TEXT, TITLE, f"{TEXT}\n{line}") is None
    assert correction(TITLE, TEXT, TITLE, f"{TEXT}\n{line}", phrases=("naskah ini kami luruskan",)) == line
