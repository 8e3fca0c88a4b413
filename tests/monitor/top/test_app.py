from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, RichLog, Static

from monitor.top.app import Top
from storage.model import RunStatus, Trigger
from storage.sources import SourceDefinition
from storage.storage import Storage

#: Markup that Rich would colour, a link that it would make, an escape sequence, and a turn of direction.
EVIL = "[red]merah[/red] [link=file:///etc]x[/link] [/] \x1b[31mred\x1b]0;owned\x07 \u202egnp"
SHOWN = "[red]merah[/red]"


def utc() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    opened = await Storage.open(f"sqlite:///{tmp_path / 'warta.db'}", now=utc)
    now = utc()
    names = ("utama", "bursa")
    await opened.sources.upsert(
        [
            SourceDefinition(id=f"kabar/{n}", outlet_id="kabar", kind="feed", url=f"https://kabar.test/{n}")
            for n in names
        ],
        {f"kabar/{n}": now + timedelta(hours=1) for n in names},
        now,
    )
    run = await opened.runs.begin("kabar/bursa", "kabar", Trigger.SCHEDULE, now, 1, "tests", now)
    assert run is not None
    await opened.runs.finish(
        run.id, 1, RunStatus.FAILED, now=now, reason="http_5xx", message=EVIL,
        state={"failures": 1.0, "last_failure": "http_5xx", "last_failure_message": EVIL},
    )  # fmt: skip
    yield opened
    await opened.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "warta.jsonl"
    write(path, event=f"first {EVIL}")
    return path


def write(path: Path, **fields: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"time": utc().isoformat(), "level": "info", "source": "kabar/utama"} | fields) + "\n")


def cells(app: Top, name: str) -> list[list[str]]:
    table = app.query_one(f"#{name}-table", DataTable)
    return [[cell.plain for cell in table.get_row_at(n)] for n in range(table.row_count)]


async def until(pilot: Pilot[None], seen: object) -> None:
    """Let the screen go on until something is so; a minute is for machines under load."""
    assert callable(seen)
    for _ in range(600):
        if seen():
            return
        await pilot.pause(0.1)
    raise AssertionError("it did not come")


def logged(app: Top) -> str:
    return "\n".join(strip.text for strip in app.query_one("#log-lines", RichLog).lines)


async def test_what_comes_from_outside_is_text_in_80_columns(storage: Storage, log: Path) -> None:
    app = Top(storage, log, utc)
    async with app.run_test(size=(80, 24)) as pilot:
        bad, good = cells(app, "sources")
        assert [bad[0], good[0]] == ["kabar/bursa", "kabar/utama"]
        assert SHOWN in bad[-1]
        assert SHOWN in cells(app, "runs")[0][-1]
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query("#text"))
        detail = str(app.screen.query_one("#text", Static).render())
        assert SHOWN in detail
        await pilot.press("escape", "3")
        await until(pilot, lambda: SHOWN in logged(app))
        everything = detail + logged(app) + str(cells(app, "sources")) + app.export_screenshot()
        assert not any(mark in everything for mark in ("\x1b", "\u202e", "\x07"))
        assert app.query_one("Footer").region.bottom <= 24


async def test_a_filter_narrows_each_tab_and_says_what_it_cannot_read(storage: Storage, log: Path) -> None:
    app = Top(storage, log, utc)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"utama", "enter")
        assert [row[0] for row in cells(app, "sources")] == ["kabar/utama"]
        await pilot.press("slash", "home", *"stat:", "enter")
        assert "did you mean" in "".join(note.message for note in app._notifications)
        assert [row[0] for row in cells(app, "sources")] == ["kabar/utama"]
        await pilot.press("escape", "2", "slash", *"status:ok", "enter")
        assert cells(app, "runs") == []
        await pilot.press("1", "l")
        assert app.shown == "log"
        await until(pilot, lambda: "first" in logged(app))
        write(log, event="of another", source="kabar/bursa")
        write(log, event="as it comes")
        await until(pilot, lambda: "as it comes" in logged(app))
        assert "of another" not in logged(app)


async def test_keys_pause_resume_and_poll_through_storage(storage: Storage, log: Path) -> None:
    app = Top(storage, log, utc)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "p")
        state = await storage.sources.get("kabar/utama")
        assert state is not None
        assert state.paused
        await pilot.press("r", "n")
        state = await storage.sources.get("kabar/utama")
        assert state is not None
        assert not state.paused
        assert state.requested_at is not None


async def test_a_read_only_monitor_changes_nothing(storage: Storage, log: Path) -> None:
    app = Top(storage, log, utc, read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("p", "n")
    state = await storage.sources.get("kabar/bursa")
    assert state is not None
    assert not state.paused
    assert state.requested_at is None
