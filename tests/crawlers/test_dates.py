from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.date_words import MONTHS, fold
from crawlers.dates import read, read_date, read_day

JAKARTA = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def iso(text: str, zone: ZoneInfo | None = JAKARTA) -> str | None:
    found = read_date(text, timezone=zone, now=NOW)
    return None if found is None else found.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("Jumat, 15 Agustus 2025 / 12:48 WIB", "2025-08-15T05:48:00Z"),
        ("Jum'at, 04 Juli 2025 | 12:00", "2025-07-04T05:00:00Z"),
        ("Jum’at, 24 Juli 2026 | 07:08 WIB", "2026-07-24T00:08:00Z"),
        ("24 Juli 2026 | 11.32 WIB", "2026-07-24T04:32:00Z"),
        ("13 Agt 2025 | 09:00 WIB", "2025-08-13T02:00:00Z"),
        ("24 Ags. 2025, Pkl. 09.15 WITA", "2025-08-24T01:15:00Z"),
        ("Selasa, 20 Januari 2026 23.59 WIT", "2026-01-20T14:59:00Z"),
        ("Rabu, 5 Nop 2025, 10 : 15 WIB", "2025-11-05T03:15:00Z"),
        ("1 Januari 2026 08:15 Waktu Indonesia Tengah", "2026-01-01T00:15:00Z"),
        ("3 Januari 2026 10:15 +07.00", "2026-01-03T03:15:00Z"),
        ("3 bulan lalu", "2026-08-23T03:00:00Z"),
        ("Diterbitkan Senin, 5 Agustus 2024 10:00 WIB", "2024-08-05T03:00:00Z"),
        ("Kompas.com - 02/11/2023, 21:34 WIB", "2023-11-02T14:34:00Z"),
        ("20/1/2026 18:30", "2026-01-20T11:30:00Z"),
        ("3/4/2026 00:00", "2026-04-02T17:00:00Z"),
        ("Kam, 01 Jan 2026 10:00:00 +0700", "2026-01-01T03:00:00Z"),
        ("31 July 2025 11:01", "2025-07-31T04:01:00Z"),
        ("Aug 13, 2025 | 1:30 pm", "2025-08-13T06:30:00Z"),
        ("2023/11/02 20:59:53", "2023-11-02T13:59:53Z"),
    ],
)
def test_indonesian_pages_are_read_in_the_outlets_zone(text: str, utc: str) -> None:
    assert iso(text) == utc


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("Thu, 05 Nov 15 12:58:01 +0700", "2015-11-05T05:58:01Z"),
        ("Thu, 01 Jan 2026 00:00:00 WIB", "2025-12-31T17:00:00Z"),
        ("Thu, 01 Jan 2026 00:00:00 CEST", "2025-12-31T22:00:00Z"),
        ("Thu, 01 Jan 2026 00:00:00 IST", "2025-12-31T18:30:00Z"),
        ("Thu, 01 Jan 2026 00:00:00 America/Los_Angeles", "2026-01-01T08:00:00Z"),
        ("Tue, 02 Jun 2026 15:45 ET", "2026-06-02T19:45:00Z"),
        ("Mon, 2 Nov 2026 10:00:00 GMT+700", "2026-11-02T03:00:00Z"),
        ("Mon, 2 Nov 2026 10:00:00 GMT-07:00", "2026-11-02T17:00:00Z"),
        ("Mon, 2 Nov 2026 10:00:00 +07", "2026-11-02T03:00:00Z"),
        ("Mon Nov 23 02:37:25 UTC 2026", "2026-11-23T02:37:25Z"),
        ("2023-11-02T20-59-53Z", "2023-11-02T20:59:53Z"),
        ("2015-11-05 T10:08:58Z", "2015-11-05T10:08:58Z"),
        ("2026-10-03 17:54:00+07:00", "2026-10-03T10:54:00Z"),
        ("2026-07-24T12:40+07:00", "2026-07-24T05:40:00Z"),
        ("2016-05-04 10:00:00 +0700", "2016-05-04T03:00:00Z"),
        ("20260120T103000Z", "2026-01-20T10:30:00Z"),
        ("2003-335T00:00Z", None),
        ("2003-335", "2003-11-30T17:00:00Z"),
        ("1767225600", "2026-01-01T00:00:00Z"),
        ("1767225600000", "2026-01-01T00:00:00Z"),
        ("2025-12-31T24:00:00Z", "2026-01-01T00:00:00Z"),
    ],
)
def test_machine_forms_keep_their_own_zone(text: str, utc: str | None) -> None:
    assert iso(text) == utc


@pytest.mark.parametrize(
    "text",
    [
        "20 de enero de 2026 a las 15:30",
        "terça, 20 de janeiro de 2026, 15h30",
        "mar., 20 janv. 2026 à 15h30",
        "20. Januar 2026, 15:30 Uhr",
        "martedì 20 gennaio 2026, 15:30",
        "dinsdag 20 januari 2026 15:30",
        "20 Ocak 2026 Salı 15:30",
        "20 января 2026, 15:30",
        "20 stycznia 2026, 15:30",
        "20 ιανουαρίου 2026, 15:30",
        "٢٠ يناير ٢٠٢٦ - ١٥:٣٠",
        "20 كانون الثاني 2026 15:30",
        "20 जनवरी 2026 15:30",
        "20 ม.ค. 2569 15:30",
        "ngày 20 tháng 1 năm 2026 15:30",
        "2026年1月20日 15時30分",
        "2026年1月20日(火) 午後3時30分",
        "2026년 1월 20일 오후 3:30",
        "20 בינואר 2026, 15:30",
    ],
)
def test_the_languages_of_world_news_are_read(text: str) -> None:
    assert iso(text, ZoneInfo("UTC")) == "2026-01-20T15:30:00Z"


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("1 Jam 9 Menit lalu", timedelta(hours=1, minutes=9)),
        ("18 menit yang lalu", timedelta(minutes=18)),
        ("sejam lalu", timedelta(hours=1)),
        ("2 hours ago", timedelta(hours=2)),
        ("an hour ago", timedelta(hours=1)),
        ("hace 2 horas", timedelta(hours=2)),
        ("il y a 3 heures", timedelta(hours=3)),
        ("vor 5 Minuten", timedelta(minutes=5)),
        ("2時間前", timedelta(hours=2)),
        ("3 hari yang lalu", timedelta(days=3)),
        ("baru saja", timedelta(0)),
    ],
)
def test_spans_count_back_from_now(text: str, ago: timedelta) -> None:
    assert read_date(text, timezone=JAKARTA, now=NOW) == NOW - ago
    assert read_date(text, timezone=JAKARTA) is None


def test_yesterday_takes_the_time_beside_it() -> None:
    assert iso("Kemarin, 10.30 WIB") == "2026-11-22T03:30:00Z"
    assert iso("Yesterday at 4:15pm") == "2026-11-22T09:15:00Z"
    assert read_day("kemarin", timezone=JAKARTA, now=NOW) == date(2026, 11, 22)


def test_a_time_alone_is_the_last_time_the_clock_showed_it() -> None:
    assert iso("07:08 WIB") == "2026-11-23T00:08:00Z"
    assert iso("23:00 WIB") == "2026-11-22T16:00:00Z"


def test_what_the_text_did_not_say_is_told() -> None:
    dated = read("05 Februari 2024", timezone=JAKARTA)
    assert dated is not None
    assert (dated.has_time, dated.has_zone) == (False, False)
    assert dated.value == datetime(2024, 2, 4, 17, tzinfo=UTC)
    timed = read("2026-03-26 12:14:10", timezone=JAKARTA)
    assert timed is not None
    assert (timed.has_time, timed.has_zone) == (True, False)
    zoned = read("2026-03-26 12:14:10 WIB", timezone=ZoneInfo("UTC"))
    assert zoned is not None
    assert (zoned.has_time, zoned.has_zone) == (True, True)


def test_the_weekday_decides_between_day_and_month() -> None:
    assert iso("Sat, 11/04/2020 10:00 +0000") == "2020-04-11T10:00:00Z"
    assert iso("Wed, 11/04/2020 10:00 +0000") == "2020-11-04T10:00:00Z"


def test_american_outlets_write_the_month_first() -> None:
    assert iso("3/4/2026", ZoneInfo("America/New_York")) == "2026-03-04T05:00:00Z"
    assert iso("3/4/2026", JAKARTA) == "2026-04-02T17:00:00Z"


@pytest.mark.parametrize(
    "text",
    ["null WIB", "", "  ", "Halaman 3 dari 5", "30 menit", "29 Feb 2025", "0000-00-00 00:00:00", "9999-12-31",
     "2026-01-01T00:00:00+99:99", "Sun, 31 Dec 9999 23:59:59 -9999", "2026-01-01 25:00", "0001-01-01T00:00:00Z",
     "9" * 400, "20 zzz 2026", "November 2023 20:59",
        "31/31/2026", "2026-13-01"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text, timezone=JAKARTA, now=NOW) is None


def test_a_month_without_a_year_is_the_nearest() -> None:
    assert iso("31 Desember 10:00 WIB") == "2026-12-31T03:00:00Z"
    assert read_date("31 Desember 10:00 WIB", timezone=JAKARTA) is None


def test_every_month_word_survives_folding() -> None:
    assert all(fold(word) == word for word in MONTHS)
    assert set(MONTHS.values()) == set(range(1, 13))


def test_a_long_text_takes_no_longer_than_a_short_one() -> None:
    started = time.process_time()
    for text in ("1" * 10**6, "Mon " * 250_000, "10:" * 300_000, "+07 " * 250_000, "\u0300" * 10**6):
        read_date(text, timezone=JAKARTA, now=NOW)
    assert time.process_time() - started < 1


@given(st.text(max_size=220), st.booleans())
def test_no_text_makes_the_reader_raise(text: str, with_now: bool) -> None:
    found = read_date(text, timezone=JAKARTA, now=NOW if with_now else None)
    assert found is None or found.tzinfo is UTC


_PIECES = st.sampled_from(
    [
        "Senin",
        "Jum'at",
        "5",
        "31",
        "2026",
        "26",
        "Agt",
        "mar",
        "ago",
        "10:15",
        "25:61",
        "10.15",
        "WIB",
        "+0700",
        "-99:99",
        "GMT",
        "pm",
        "lalu",
        "jam",
        "kemarin",
        "1月",
        "午後",
        "/",
        "|",
        "-",
        ",",
        "20/1/2026",
        "2026-01-01",
        "T",
        "Z",
        "America/New_York",
        "ไ",
        "٢٠",
    ]
)


@given(st.lists(_PIECES, max_size=12))
def test_no_mixture_of_date_words_makes_the_reader_raise(pieces: list[str]) -> None:
    found = read(" ".join(pieces), timezone=JAKARTA, now=NOW)
    assert found is None or 99 <= found.value.year <= 2030


@given(st.integers(0, 1_890_000_000), st.sampled_from([0, 330, 420, 480, -300, 540]))
def test_what_python_writes_is_read_back(seconds: int, minutes: int) -> None:
    aware = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes)))
    for text in (
        aware.isoformat(),
        aware.isoformat(" "),
        format_datetime(aware),
        aware.strftime("%d %b %Y %H.%M:%S %z"),
    ):
        assert read_date(text, timezone=JAKARTA, now=NOW) == aware, text


@pytest.mark.shared
def test_the_public_date_suite_passes(shared: Path) -> None:
    folder = shared / "suites" / "dates"
    if not folder.is_dir():
        pytest.skip("no date suite here")
    failed = []
    for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        zone, now = case.get("default_tz"), case.get("now")
        found = read_date(
            case["input"],
            timezone=ZoneInfo(zone) if zone else None,
            now=datetime.fromisoformat(now) if now else NOW,
        )
        if not _agrees(found, case):
            failed.append((case["input"][:60], case["utc"], found))
    assert failed == []


def _agrees(found: datetime | None, case: dict[str, object]) -> bool:
    expected = case["utc"]
    if expected == "any":
        return found is not None
    if expected == "any-or-null":
        return True
    if expected == "null-or-clamped":
        return found is None or 1990 <= found.year <= 2030
    if expected is None or found is None:
        return found is expected
    wanted = datetime.fromisoformat(str(expected))
    return abs((found.replace(microsecond=0) - wanted).total_seconds()) <= float(str(case.get("tolerance_s") or 0))
