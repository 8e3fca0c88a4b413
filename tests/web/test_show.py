from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.web.show import breakable, heat, unlikely, value


@pytest.mark.parametrize(
    ("came", "expected", "judged"),
    [
        (0, 4.0, 0), (0, 6.0, -1), (1, 6.0, 0), (1, 9.0, -1), (12, 4.0, 1), (9, 4.0, 0), (0, 0.0, 0), (3, 0.0, 1),
        (60, 100.0, -1), (90, 100.0, 0), (140, 100.0, 1), (0, 500.0, -1), (0, 30.0, -1),
    ],
)  # fmt: skip
def test_an_hour_is_strange_when_chance_alone_makes_one_of_200_so(came: float, expected: float, judged: int) -> None:
    assert unlikely(came, expected) == judged


def test_hours_that_brought_far_too_little_are_framed_and_named() -> None:
    came = [[0.0] * 24 for _ in range(7)]
    expected = [[0.0] * 24 for _ in range(7)]
    expected[1][9], expected[2][9], came[2][9] = 12.0, 12.0, 11.0

    drawn = str(heat(came, expected, says='"><script>', zone="Asia/Jakarta"))

    assert drawn.count(" short") == 1
    assert "Tue 09:00 Asia/Jakarta: 0, expected 12.0" in drawn
    assert "<script>" not in drawn


def test_values_are_written_as_a_person_writes_them() -> None:
    assert [value(v) for v in (None, True, timedelta(minutes=90), frozenset(), ("a", "b"), 5)] == [
        "–", "true", "1 h 30 min", "none", "a, b", "5",
    ]  # fmt: skip
    assert str(breakable("<b>/c")) == "&lt;b&gt;/<wbr>c"
