"""Forms of dates that are rare and real."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from crawlers.dates import read_date

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026년 11월 23일 15시 25분 10초", "2026-11-23T06:25:10"),
        ("2026-11-23 오후 3:25", "2026-11-23T06:25:00"),
        ("23/11/2026 10.14.55", "2026-11-23T01:14:55"),
        ("23 Nov 2026 12:30 am", "2026-11-22T15:30:00"),
        ("23 Nov 2026 12:30 pm", "2026-11-23T03:30:00"),
        ("2026/11/23", "2026-11-22T15:00:00"),
        ("2026-11-23 24:00", "2026-11-23T15:00:00"),
        ("2026-11-23 10:00 - 11:30", "2026-11-23T01:00:00"),
        ("Nov 23, 2026 10:00 Asia/Jakarta", "2026-11-23T03:00:00"),
        ("45/13/2026", None),
        ("0/5/2026", None),
        ("2026-11-23 25:00", None),
        ("2026-11-23 10:00 +2599", None),
    ],
)
def test_a_form_is_read(text: str, moment: str | None) -> None:
    found = read_date(text, timezone=SEOUL, now=NOW)

    assert found == (None if moment is None else datetime.fromisoformat(moment).replace(tzinfo=UTC))
