from __future__ import annotations

import pytest

from scheduler.cli.main import opposites_last


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["runs", "-status:ok", "-n", "4"], ["runs", "-n", "4", "--", "-status:ok"]),
        (["logs", "-f", "-outlet:kontan", "rupiah"], ["logs", "-f", "rupiah", "--", "-outlet:kontan"]),
        (["articles", "-outlet:a", "--", "-saham"], ["articles", "--", "-outlet:a", "-saham"]),
        (["runs", "-n5", "--config", "a:b", "-c", "x"], ["runs", "-n5", "--config", "a:b", "-c", "x"]),
        (["runs", "--", "-status:ok"], ["runs", "--", "-status:ok"]),
    ],
)
def test_the_opposite_of_a_filter_word_is_no_option(words: list[str], read: list[str]) -> None:
    assert opposites_last(words) == read
