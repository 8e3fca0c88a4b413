from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.articles import NAMES, wish
from monitor.filters import FilterError, parse, with_word
from storage.facets import Traits

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_filter_words_ask_for_traits_a_time_and_words() -> None:
    found = wish(parse('outlet:kontan -section:bola,"liga satu" tag:emas "suku bunga" -saham', names=NAMES, now=NOW))

    assert found.having == Traits(outlet=("kontan",), tag=("emas",))
    assert found.without == Traits(section=("bola", "liga satu"))
    assert found.query is not None
    assert '"suku bunga"' in found.query
    assert "-saham" in found.query


def test_what_must_not_be_there_keeps_its_sign_as_a_phrase() -> None:
    assert wish(parse('emas -"harga naik"', names=NAMES, now=NOW)).query == 'emas -"harga naik"'


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ("day:2026-11-22", datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),
        ("day:2026-11-23 since:2h", datetime(2026, 11, 23, 10, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)),
        ("until:1h", None, datetime(2026, 11, 23, 11, tzinfo=UTC)),
    ],
)
def test_a_day_is_one_of_utc_and_narrows_a_time(words: str, since: datetime | None, until: datetime | None) -> None:
    found = wish(parse(words, names=NAMES, now=NOW))

    assert (found.since, found.until) == (since, until)


@pytest.mark.parametrize("words", ["day:yesterday", "day:2026-11-22,2026-11-23", "-day:2026-11-22", "kind:video"])
def test_what_there_is_none_of_is_said(words: str) -> None:
    with pytest.raises(FilterError):
        wish(parse(words, names=NAMES, now=NOW))


@pytest.mark.parametrize(
    ("words", "value", "expected"),
    [
        ("", "bola", "section:bola"),
        ('rupiah section:emas "suku bunga"', "bola", 'section:bola rupiah "suku bunga"'),
        ("rupiah", "Ekonomi Bisnis", 'section:"Ekonomi Bisnis" rupiah'),
        ("rupiah", "Jum'at", 'section:"Jum\'at" rupiah'),
        ('section:"Ekonomi Bisnis" -section:bola', None, "-section:bola"),
        ("rupiah", None, "rupiah"),
        ("rupiah", "a, b", None),
        ("rupiah", 'a "b"', None),
        ("rupiah", "//b", None),
        ("rupiah", "b*", None),
        ("rupiah", " ", None),
    ],
)
def test_a_value_takes_the_place_of_what_was_asked_of_its_field(
    words: str, value: str | None, expected: str | None
) -> None:
    assert with_word(words, "section", value) == expected


@pytest.mark.parametrize("value", ["bola", "Ekonomi Bisnis", "Jum'at", "2026-11-23", "id-ID", "a:b", "#tag", "-x"])
def test_what_is_written_is_read_as_that_value(value: str) -> None:
    words = with_word('rupiah "suku bunga"', "tag", value)

    assert words is not None
    read = parse(words, names=NAMES, now=NOW)
    assert read.fields == {"tag": (value,)}
    assert read.text == ("rupiah", "suku bunga")
