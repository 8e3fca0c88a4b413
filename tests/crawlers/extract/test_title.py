"""Which of a page's headlines is the article's when they differ."""

from __future__ import annotations

import json

import pytest

from crawlers.extract import extract

SHOWN = "Sensasi di Selat: Feri yang Lama Hilang Ditemukan Nelayan"
DECLARED = "Nelayan Muara menemukan feri tua di dasar Selat Ladang"


def titled(address: str, declared: str = DECLARED, shown: str = SHOWN) -> str | None:
    described = json.dumps({"@type": "NewsArticle", "headline": declared})
    page = (
        f"<html><head><title>{shown}</title><script type='application/ld+json'>{described}</script></head>"
        f"<body><h1>{shown}</h1><p>Feri itu tenggelam pada musim barat, kata juru mudi.</p></body></html>"
    )
    return extract(page, f"https://www.koran.example/nasional/{address}").title


def test_a_headline_that_the_address_spells_out_is_the_published_one():
    assert titled("nelayan-muara-menemukan-feri-tua-di-dasar-selat-ladang-a409182690.html") == DECLARED


@pytest.mark.parametrize("address", ["409182690", "feri-tua", "sidang-garam-ditunda-lagi-oleh-hakim-ketua"])
def test_an_address_that_says_something_else_changes_nothing(address):
    assert titled(address) == SHOWN


@pytest.mark.parametrize("slug", ["maenner-fuer-die-ueberfahrt-gesucht", "manner-fur-die-uberfahrt-gesucht"])
def test_an_address_spells_umlauts_in_either_way(slug):
    declared = "Männer für die Überfahrt gesucht"
    assert titled(slug, declared, "Der Kapitän und seine leere Fähre am Abend") == declared
