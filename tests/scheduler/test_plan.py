from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from config.model import Every, Outlet, Politeness, Source, SourceKind
from scheduler.plan import active_sources, diff
from storage.model import SourceState

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
POLITE = Politeness(user_agent="warta (+https://example.org)")


def source(
    name: str, *, every: float = 600, enabled: bool = True, url: str | None = None, priority: int = 100
) -> Source:
    return Source(
        id=f"koran/{name}", outlet_id="koran", name=name, kind=SourceKind.FEED, url=url or f"https://koran.test/{name}",
        schedule=Every(interval=timedelta(seconds=every)), politeness=POLITE, enabled=enabled, priority=priority,
    )  # fmt: skip


def state(name: str, **changes: object) -> SourceState:
    values: dict[str, object] = {
        "id": f"koran/{name}", "outlet_id": "koran", "kind": "feed", "url": f"https://koran.test/{name}",
        "next_attempt": NOW + timedelta(minutes=5),
    }  # fmt: skip
    return SourceState(**(values | changes))  # type: ignore[arg-type]


def wanted(*sources: Source) -> dict[str, Source]:
    return {s.id: s for s in sources}


def test_a_source_that_did_not_change_is_not_touched() -> None:
    assert diff(wanted(source("a")), [state("a")], now=NOW).empty


def test_an_unknown_source_is_added() -> None:
    assert [s.id for s in diff(wanted(source("a")), [], now=NOW).added] == ["koran/a"]


def test_a_source_that_was_gone_comes_back() -> None:
    gone = state("a", removed_at=NOW - timedelta(days=1))

    assert [s.id for s in diff(wanted(source("a")), [gone], now=NOW).added] == ["koran/a"]


def test_a_source_that_the_configuration_forgets_is_removed_once() -> None:
    gone = state("b", removed_at=NOW)

    assert diff({}, [state("a"), gone], now=NOW).removed == ("koran/a",)


def test_another_address_or_priority_is_a_change() -> None:
    moved, urgent = source("a", url="https://koran.test/new"), source("b", priority=1)

    plan = diff(wanted(moved, urgent), [state("a"), state("b")], now=NOW)

    assert [s.id for s in plan.changed] == ["koran/a", "koran/b"]


def test_a_shorter_schedule_takes_effect_at_once() -> None:
    waits = state("a", next_attempt=NOW + timedelta(hours=6))

    assert [s.id for s in diff(wanted(source("a")), [waits], now=NOW).hastened] == ["koran/a"]


def test_a_reload_does_not_cut_short_a_back_off_or_a_retry_after() -> None:
    late = NOW + timedelta(hours=6)
    failing = state("a", next_attempt=late, failures=2.0)
    told = state("b", next_attempt=late, not_before=late)

    assert diff(wanted(source("a"), source("b")), [failing, told], now=NOW).empty


def test_a_reload_hastens_to_the_end_of_what_was_told_and_not_into_hours_that_are_to_be_skipped() -> None:
    late, soon = NOW + timedelta(hours=6), NOW + timedelta(minutes=1)
    told = state("a", next_attempt=late, not_before=soon)
    skipping = state("b", next_attempt=late, said={"skip_hours": [9, 10, 11]})

    assert [s.id for s in diff(wanted(source("a"), source("b")), [told, skipping], now=NOW).hastened] == ["koran/a"]


def test_disabled_sources_and_those_of_disabled_outlets_are_not_polled() -> None:
    def outlet(*, enabled: bool) -> Outlet:
        return Outlet(
            id="koran", name="Koran", homepage="https://koran.test/", group=None, language="id",
            timezone=ZoneInfo("Asia/Jakarta"), hosts=("koran.test",),
            sources=(source("a"), source("b", enabled=False)), politeness=POLITE, enabled=enabled,
        )  # fmt: skip

    assert set(active_sources([outlet(enabled=True)])) == {"koran/a"}
    assert active_sources([outlet(enabled=False)]) == {}
