from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scheduler.cli.adopt import offered
from scheduler.standing import standing
from storage.model import SourceState

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def state(**known: object) -> SourceState:
    plain = {"id": "kabar/utama", "outlet_id": "kabar", "kind": "feed", "url": "https://k.example/rss"}
    return SourceState(**{**plain, "next_attempt": NOW, **known})  # type: ignore[arg-type]


def test_an_ordinary_source_needs_no_words() -> None:
    assert standing(state(), None, NOW) == []


def test_a_move_says_when_it_will_be_adopted() -> None:
    moved = state(moved_to="https://baru.example/rss", moved_since=NOW - timedelta(days=5))
    assert standing(moved, None, NOW) == ["moved to https://baru.example/rss, adopted in 2 days if that holds"]


def test_what_asks_for_a_person_comes_first() -> None:
    proposal = {"url": "https://k.example/baru", "known": 9, "items": 10}
    known = standing(state(proposal=proposal, distrusted_at=NOW, missing_since=NOW), None, NOW)
    assert "warta adopt kabar/utama" in known[0]
    assert known[1].startswith("missing since 2026-11-23")
    assert known[2].startswith("validators distrusted")


def test_a_gone_source_is_not_called_missing_too() -> None:
    gone = state(gone_at=NOW, gone_days=3, missing_since=NOW - timedelta(days=3))
    assert standing(gone, None, NOW) == ["gone since 2026-11-23 (410 on 3 days), probed monthly"]


def test_a_proposal_is_taken_before_a_redirect() -> None:
    both = state(proposal={"url": "https://k.example/baru"}, moved_to="https://baru.example/rss")
    assert offered(both) == "https://k.example/baru"
    assert offered(state(moved_to="https://baru.example/rss")) == "https://baru.example/rss"
    assert offered(state()) is None
