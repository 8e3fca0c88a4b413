from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crawlers.model import DateCandidate
from crawlers.normalize.times import choose, first_seen, url_candidate

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
JAKARTA, UTC_ZONE, KUALA_LUMPUR = ZoneInfo("Asia/Jakarta"), ZoneInfo("UTC"), ZoneInfo("Asia/Kuala_Lumpur")


def claims(*pairs: tuple[str, str]) -> list[DateCandidate]:
    return [DateCandidate(text, source) for text, source in pairs]


@pytest.mark.parametrize(
    ("pairs", "zone", "instant", "source"),
    [
        pytest.param(
            [
                ("2025-11-02T20-59-53Z", "meta"),
                ("2025/11/02 20:59:53", "meta"),
                ("Minggu, 02 Nov 2025 20:59 WIB", "visible"),
            ],
            JAKARTA,
            "2025-11-02T13:59:00",
            "visible",
            id="detik: local time marked Z",
        ),
        pytest.param(
            [("2025-11-02T20-59-53Z", "meta"), ("2025-11-02T20:59:53+07:00", "jsonld")],
            JAKARTA,
            "2025-11-02T13:59:53",
            "jsonld",
            id="detik: JSON-LD has the offset",
        ),
        pytest.param(
            [("2026-11-23T14:30:00Z", "meta")], JAKARTA, "2026-11-23T07:30:00", "meta", id="a Z that lies in the future"
        ),
        pytest.param(
            [("2025-11-02T14:34:19+00:00", "meta"), ("2025-11-02 21:34:19", "meta")],
            JAKARTA,
            "2025-11-02T14:34:19",
            "meta",
            id="kompas: one instant twice",
        ),
        pytest.param([("2024-09-03T04:03:19", "meta")], UTC_ZONE, "2024-09-03T04:03:19", "meta", id="ap: naive is UTC"),
        pytest.param(
            [("2024-11-22 16:55:35", "meta")],
            KUALA_LUMPUR,
            "2024-11-22T08:55:35",
            "meta",
            id="malay mail: naive is +08",
        ),
        pytest.param(
            [("null WIB", "meta"), ("24 Juli 2026 | 11.32 WIB", "visible")],
            JAKARTA,
            "2026-07-24T04:32:00",
            "visible",
            id="tempo: null WIB",
        ),
        pytest.param(
            [("2026-10-03T17:54:00+07:00", "jsonld"), ("2026-10-03T12:00:00+00:00", "feed")],
            JAKARTA,
            "2026-10-03T10:54:00",
            "jsonld",
            id="JSON-LD before the feed",
        ),
        pytest.param(
            [("2026-10-03 17:54", "meta"), ("2026-10-03T12:00:00+00:00", "feed")],
            JAKARTA,
            "2026-10-03T12:00:00",
            "feed",
            id="the feed before naive meta",
        ),
        pytest.param(
            [("2026-10-03", "jsonld"), ("Sabtu, 3 Oktober 2026 / 12:48 WIB", "visible")],
            JAKARTA,
            "2026-10-03T05:48:00",
            "visible",
            id="the same day with a time",
        ),
        pytest.param(
            [("2012-04-01T10:00:00Z", "jsonld"), ("2026-11-23T00:00:00+00:00", "http")],
            UTC_ZONE,
            "2012-04-01T10:00:00",
            "jsonld",
            id="evergreen",
        ),
        pytest.param(
            [("2027-01-01T00:00:00+07:00", "jsonld"), ("2026-11-22T10:00:00+00:00", "feed")],
            JAKARTA,
            "2026-11-22T10:00:00",
            "feed",
            id="the future is passed over",
        ),
        pytest.param(
            [("1 Jam 9 Menit lalu", "visible")], JAKARTA, "2026-11-23T06:51:00", "visible", id="relative to now"
        ),
    ],
)
def test_the_instant_survives_contradictions(
    pairs: list[tuple[str, str]], zone: ZoneInfo, instant: str, source: str
) -> None:
    chosen = choose(claims(*pairs), timezone=zone, now=NOW)

    assert chosen is not None
    assert (datetime.fromisoformat(instant).replace(tzinfo=UTC), source) == (chosen.value, chosen.source)
    assert len(pairs) == len(chosen.candidates)


def test_a_clock_a_little_ahead_is_clamped() -> None:
    chosen = choose(claims(("2026-11-23T08:03:00+00:00", "jsonld")), timezone=JAKARTA, now=NOW)

    assert chosen is not None
    assert chosen.value == NOW


@pytest.mark.parametrize(
    "text", ["", "null WIB", "1970-01-01T07:00:00+07:00", "2031-01-01T00:00:00+07:00", "pekan depan"]
)
def test_no_usable_claim_is_none(text: str) -> None:
    assert choose(claims((text, "jsonld")), timezone=JAKARTA, now=NOW) is None


def test_agreement_is_worth_more_than_one_voice() -> None:
    alone = choose(claims(("2026-10-03T17:54:00+07:00", "jsonld")), timezone=JAKARTA, now=NOW)
    two = [("2026-10-03T17:54:00+07:00", "jsonld"), ("2026-10-03T10:54:30+00:00", "feed")]
    agreed = choose(claims(*two), timezone=JAKARTA, now=NOW)
    three_days = [("2026-10-03T17:54:00+07:00", "jsonld"), ("2026-10-06T10:54:30+00:00", "feed")]
    torn = choose(claims(*three_days), timezone=JAKARTA, now=NOW)

    assert alone is not None
    assert agreed is not None
    assert torn is not None
    assert torn.confidence < alone.confidence < agreed.confidence


def test_roles_are_kept_apart() -> None:
    updated = DateCandidate("2026-10-04T10:00:00+07:00", "jsonld", "updated")

    assert choose([updated], timezone=JAKARTA, now=NOW) is None
    assert choose([updated], timezone=JAKARTA, now=NOW, role="updated") is not None


def test_the_day_of_an_address_is_a_claim_and_its_time_is_not() -> None:
    assert url_candidate("https://a.test/read/2025/11/02/213419026/judul") == DateCandidate(
        "2025-11-02", "url", "published", "address"
    )
    assert url_candidate("https://a.test/20251102/judul") is not None
    assert url_candidate("https://a.test/news/judul-2025") is None


def test_first_seen_is_the_last_resort() -> None:
    seen = first_seen(NOW + timedelta(0))

    assert (seen.value, seen.source) == (NOW, "first_seen")
    assert seen.confidence < 0.3
