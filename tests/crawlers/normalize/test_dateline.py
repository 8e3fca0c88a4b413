from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.normalize.dateline import read_dateline
from crawlers.normalize.text import clean_line

NIAGA = ("KABARNIAGA.CO.ID",)
REST = "Petani garam di Teluk Semar menjual hasil panen."

BRANDED = [
    ("KABARNIAGA.CO.ID - JAKARTA. ", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID -\u00a0JAKARTA. ", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID -\u00a0 \u00a0 SEOUL. ", ("SEOUL",)),
    ("KABARNIAGA.CO.ID – JAKARTA. ", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID-JAKARTA. ", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID- JAKARTA. ", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID -JAKARTA. ", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID - JAKARTA . ", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID\u00a0 JAKARTA. ", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID - BEIJING/WASHINGTON/LONDON. ", ("BEIJING", "WASHINGTON", "LONDON")),
    ("KABARNIAGA.CO.ID - WASHINGTON / WEST PALM BEACH, Florida. ", ("WASHINGTON", "WEST PALM BEACH")),
    ("KABARNIAGA.CO.ID - NEW YORK/LONDON - ", ("NEW YORK", "LONDON")),
    ("KABARNIAGA.CO.ID - ABOARD AIR FORCE ONE. ", ("ABOARD AIR FORCE ONE",)),
    ("KABARNIAGA.CO.ID - WAsHINGTON. ", ("WAsHINGTON",)),
    ("KABARNIAGA.CO.ID - WASHINTON DC- ", ("WASHINTON DC",)),
    ("KABARNIAGA.CO.ID - WASHINGTON D.C. ", ("WASHINGTON D.C.",)),
    ("KABARNIAGA.CO.ID - ST. PETERSBURG. ", ("ST. PETERSBURG",)),
    ("KABARNIAGA.CO.ID - NUSA DUA, BALI. ", ("NUSA DUA",)),
    ("KABARNIAGA.CO.ID - Jakarta. ", ("Jakarta",)),
    ("KABARNIAGA.CO.ID - Singapura", ("Singapura",)),
    ("KABARNIAGA.CO.ID - JAKARTA.", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID - JAKARTA ", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID - ", ()),
    ("KABARNIAGA.CO.ID – ", ()),
    ("KABARNIAGA.CO.ID | JAKARTA. ", ("JAKARTA",)),
    ("KABARNIAGA CO.ID - JAKARTA. ", ("JAKARTA",)),
    ("kabarniaga.co.id -JAKARTA. ", ("JAKARTA",)),
    ("KABARNIAGA.CO.ID-WASHINGTON/BEIJING. ", ("WASHINGTON", "BEIJING")),
    ("KABARNIAGA.CO.ID – SURABAYA/JAKARTA. ", ("SURABAYA", "JAKARTA")),
    ("KABARNIAGA.CO.ID - SURABAYA/JAKARTA ", ("SURABAYA", "JAKARTA")),
    ("KABARNIAGA.CO.ID - JAKARTA & BANDUNG. ", ("JAKARTA", "BANDUNG")),
    ("KABARNIAGA.CO.ID - TANJUNG ENIM.\u00a0", ("TANJUNG ENIM",)),
]


@pytest.mark.parametrize(("opening", "places"), BRANDED)
def test_brand_and_places_are_taken_off_and_the_sentence_stays(opening: str, places: tuple[str, ...]) -> None:
    found = read_dateline(clean_line(opening + REST), NIAGA)

    assert (places, REST) == (found.places, found.rest)
    assert (found.brand or "").upper().replace(" ", ".") == "KABARNIAGA.CO.ID"


OTHERS = [
    ("Jakarta, CNN Indonesia -- ", ("CNN Indonesia",), "CNN Indonesia", ("Jakarta",), None),
    ("Jakarta, CNBC Indonesia – ", ("CNBC Indonesia",), "CNBC Indonesia", ("Jakarta",), None),
    ("JAKARTA, KOMPAS.com - ", ("KOMPAS.com",), "KOMPAS.com", ("JAKARTA",), None),
    ("JAKARTA, KOMPAS.TV - ", ("KOMPAS.com",), "KOMPAS.TV", ("JAKARTA",), None),
    ("KOMPAS.com – ", ("KOMPAS.com",), "KOMPAS.com", (), None),
    ("Jakarta (ANTARA) - ", ("ANTARA",), "ANTARA", ("Jakarta",), None),
    ("Jakarta, (ANTARA) - ", ("ANTARA",), "ANTARA", ("Jakarta",), None),
    ("Moskow (ANTARA/Sputnik) - ", ("ANTARA",), "ANTARA", ("Moskow",), "Sputnik"),
    ("REPUBLIKA.CO.ID,  JAKARTA -- ", ("REPUBLIKA.CO.ID",), "REPUBLIKA.CO.ID", ("JAKARTA",), None),
    ("Bisnis.com, JAKARTA — ", ("Bisnis.com",), "Bisnis.com", ("JAKARTA",), None),
    ("Bisnis.com, JAKARTA—", ("Bisnis.com",), "Bisnis.com", ("JAKARTA",), None),
    ("Bisnis.com, JAKARTA--", ("Bisnis.com",), "Bisnis.com", ("JAKARTA",), None),
    ("Bisnis.com, JAKARTA -", ("Bisnis.com",), "Bisnis.com", ("JAKARTA",), None),
    ("TEMPO.CO, Jakarta - ", ("TEMPO.CO",), "TEMPO.CO", ("Jakarta",), None),
    ("TEMPO.CO, Magelang -- ", ("TEMPO.CO",), "TEMPO.CO", ("Magelang",), None),
    ("Liputan6.com, Jakarta - ", ("Liputan6.com",), "Liputan6.com", ("Jakarta",), None),
    ("Liputan6.com, Jakarta ", ("Liputan6.com",), "Liputan6.com", ("Jakarta",), None),
    ("TRIBUNNEWS.COM, JAKARTA - ", ("TRIBUNNEWS.COM",), "TRIBUNNEWS.COM", ("JAKARTA",), None),
    ("jpnn.com, JAKARTA - ", ("jpnn.com",), "jpnn.com", ("JAKARTA",), None),
    ("JAKARTA, investor.id - ", ("investor.id",), "investor.id", ("JAKARTA",), None),
    ("Suara.com - ", ("Suara.com",), "Suara.com", (), None),
    ("IDXChannel – ", ("IDXChannel",), "IDXChannel", (), None),
    ("Jakarta, VIVA – ", ("VIVA",), "VIVA", ("Jakarta",), None),
    ("MOMSMONEY.ID - JAKARTA. ", NIAGA, "MOMSMONEY.ID", ("JAKARTA",), None),
    ("BEIRUT/THE HAGUE, March 7 (Reuters) - ", ("Reuters",), "Reuters", ("BEIRUT", "THE HAGUE"), None),
    ("MEXICO CITY (AP) — ", ("AP",), "AP", ("MEXICO CITY",), None),
    ("PARIS (AFP) - ", ("Malay Mail",), None, ("PARIS",), "AFP"),
    ("LONDON, March 7 - ", (), None, ("LONDON",), None),
    ("JAKARTA. ", NIAGA, None, ("JAKARTA",), None),
    ("LONDON . ", NIAGA, None, ("LONDON",), None),
    ("NEW YORK. ", NIAGA, None, ("NEW YORK",), None),
    ("JAKARTA – ", (), None, ("JAKARTA",), None),
    ("Jakarta - ", (), None, ("Jakarta",), None),
    ("Kulon Progo - ", (), None, ("Kulon Progo",), None),
    ("-- ", ("CNN Indonesia",), None, (), None),
]


@pytest.mark.parametrize(("opening", "brands", "brand", "places", "agency"), OTHERS)
def test_every_outlets_dateline_is_read(
    opening: str, brands: tuple[str, ...], brand: str | None, places: tuple[str, ...], agency: str | None
) -> None:
    found = read_dateline(clean_line(opening + REST), brands)

    assert (brand, places, agency, REST) == (found.brand, found.places, found.agency, found.rest)


@pytest.mark.parametrize(
    "sentence",
    [
        "Kabarniaga.co.id mencatat harga garam naik.",
        "Petani berkata kepada Kabarniaga.co.id, Sabtu (27/8). Harga naik.",
        "Jakarta adalah kota besar.",
        "Jakarta, kota besar itu, macet lagi.",
        "MENTERI Perdagangan meninjau gudang.",
        "IHSG - indeks saham - naik.",
        "NATO - the alliance - met.",
        "NASA — The agency said so.",
        "COVID-19 masih ada.",
        "PT. Garam Semar naik kelas.",
        "U.S. President speaks.",
        "Bank Semar (BSMR) - emiten bank - naik.",
        "BREAKING NEWS - Harga garam naik.",
        "Harga garam naik 2,5% menjadi Rp 1.200 per kg.",
    ],
)
def test_a_sentence_without_dateline_comes_back_whole(sentence: str) -> None:
    found = read_dateline(sentence, NIAGA)

    assert not found.found
    assert sentence == found.rest


@pytest.mark.parametrize(
    "sentence",
    [
        "Tarif impor garam naik. Petani senang.",
        "Minggu (7/3) harga garam naik.",
        "IHSG hari ini naik.",
        "PT. Garam Semar naik kelas.",
        "COVID-19 masih ada.",
        "AS - China sepakat.",
        "MRT-LRT terhubung.",
    ],
)
def test_after_a_brand_without_city_the_first_sentence_survives(sentence: str) -> None:
    found = read_dateline(f"KABARNIAGA.CO.ID - {sentence}", NIAGA)

    assert ("KABARNIAGA.CO.ID", (), sentence) == (found.brand, found.places, found.rest)


def test_a_dateline_in_its_own_element_leaves_nothing() -> None:
    assert read_dateline("KABARNIAGA.CO.ID - JAKARTA.", NIAGA).rest == ""
    assert read_dateline("Jakarta -").places == ("Jakarta",)


def test_a_long_text_is_cut_where_the_dateline_ends() -> None:
    rest = "Kalimat panjang tentang garam. " * 100

    assert rest.strip() == read_dateline("KABARNIAGA.CO.ID - JAKARTA. " + rest, NIAGA).rest


@pytest.mark.parametrize("sentence", ["PT Bank Semar naik.", "IHSG naik.", "Rp 1 triliun hilang.", "“Naik,” katanya."])
def test_a_sentence_glued_to_the_dot_of_the_dateline_stays_whole(sentence: str) -> None:
    found = read_dateline(f"KABARNIAGA.CO.ID - JAKARTA.{sentence}", NIAGA)

    assert (("JAKARTA",), sentence) == (found.places, found.rest)


@pytest.mark.parametrize("sentence", ["BMKG Stasiun Semar mencatat hujan.", "PT Bank Semar naik.", "IHSG naik."])
def test_a_comma_after_a_city_takes_no_word_of_the_sentence(sentence: str) -> None:
    assert read_dateline(f"KABARNIAGA.CO.ID - JAKARTA, {sentence}", NIAGA).rest.endswith(sentence)


SENTENCES = st.tuples(
    st.sampled_from(["Petani", "IHSG", "PT Garam", "“Naik", "Rp 1.200", "2.000", "AS", "BMKG Semar", "Minggu (7/3)"]),
    st.text("abcdefg ABC.,-/&()\"'0123456789", min_size=0, max_size=40),
).map(lambda two: clean_line(f"{two[0]} {two[1]} akhir kalimat ini."))


@given(
    st.sampled_from(["KABARNIAGA.CO.ID", "Kabarniaga.co.id", "KABARNIAGA CO.ID"]),
    st.sampled_from([" - ", "-", " -", "- ", " – ", "–", " — ", " -\u00a0 \u00a0", " | ", " "]),
    st.lists(st.sampled_from(["JAKARTA", "SURABAYA", "TANJUNG ENIM", "New York", "WASHINGTON", "BEIJING"]), max_size=3),
    st.sampled_from(["/", " / "]),
    st.sampled_from([". ", " . ", ".\u00a0", " - ", " – ", ".\u200b "]),
    SENTENCES,
)
def test_no_form_of_a_dateline_costs_a_word_of_the_first_sentence(
    brand: str, dash: str, places: list[str], slash: str, end: str, sentence: str
) -> None:
    opening = brand + dash + (slash.join(places) + end if places else "")
    found = read_dateline(clean_line(opening + sentence), (*NIAGA,))

    assert found.rest.endswith(sentence)
    if places and dash != " " and all(place.isupper() for place in places):
        assert found.places == tuple(dict.fromkeys(places))
        assert found.rest == sentence
