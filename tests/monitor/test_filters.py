from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.filters import Filter, FilterError, parse, with_word

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
NAMES = ("outlet", "status", "level", "reason")
LINE = {
    "time": "2026-11-23T07:30:00Z", "level": "warning", "outlet": "kontan", "event": "run finished", "reason": "dns",
}  # fmt: skip


def read(*words: str) -> Filter:
    return parse(words, names=NAMES, now=NOW)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("outlet:kontan",),
        ("outlet:detik,kontan",),
        ("outlet:kon*",),
        ("OUTLET:Kontan",),
        ("-outlet:detik",),
        ("level:info",),
        ("level:warning",),
        ("RUN FINISHED",),
        ("since:1h", "until:2026-11-23T07:45"),
        ("finished", "reason:dns"),
    ],
)
def test_a_line_that_fits_is_found(words: tuple[str, ...]) -> None:
    assert read(*words).matches(LINE)


@pytest.mark.parametrize(
    "words",
    [("outlet:detik",), ("-outlet:kontan",), ("level:error",), ("since:10m",), ("until:2026-11-23",), ("absent",)],
)
def test_a_line_that_does_not_fit_is_not(words: tuple[str, ...]) -> None:
    assert not read(*words).matches(LINE)


def test_one_string_is_split_as_a_shell_would() -> None:
    found = parse('outlet:kontan "harga emas" since:2h', names=NAMES, now=NOW)

    assert found.text == ("harga emas",)
    assert found.since == NOW - timedelta(hours=2)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("outlt:kontan", "did you mean outlet:"),
        ("zzz:1", "there are"),
        ("outlet:", "a value must follow"),
        ("since:yesterday", "a span such as 2h"),
    ],
)
def test_a_word_that_cannot_be_understood_is_named(word: str, says: str) -> None:
    with pytest.raises(FilterError, match=says):
        read(word)


def test_an_open_quotation_is_named() -> None:
    with pytest.raises(FilterError, match="not closed"):
        parse('"harga', names=NAMES, now=NOW)


def test_a_url_is_text_and_not_a_field() -> None:
    assert read("https://koran.test/a").text == ("https://koran.test/a",)


@given(st.lists(st.text(max_size=30), max_size=4))
def test_whatever_is_typed_is_understood_or_refused(words: list[str]) -> None:
    try:
        found = read(*words)
    except FilterError:
        return
    found.matches(LINE)


@pytest.mark.parametrize(
    ("words", "value", "made"),
    [
        ("outlet:a rupiah", "b", "outlet:b rupiah"),
        ("outlet:a rupiah", "two words", 'outlet:"two words" rupiah'),
        ("outlet:a rupiah", None, "rupiah"),
        ("rupiah", "with,comma", None),
        ("rupiah", " ", None),
    ],
)
def test_a_field_of_the_filter_words_is_replaced_or_taken_out(words: str, value: str | None, made: str | None) -> None:
    assert with_word(words, "outlet", value) == made
