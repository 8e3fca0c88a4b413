from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from monitor.filters import Filter, parse
from monitor.logs import FIELDS, files, follow, read

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
EVERYTHING = Filter()


def line(n: int, outlet: str = "kontan") -> str:
    record = {"time": f"2026-11-23T07:00:{n:02d}Z", "level": "info", "event": f"e{n}", "outlet": outlet}
    return json.dumps(record) + "\n"


def test_the_newest_lines_come_oldest_first_over_rotated_files(tmp_path: Path) -> None:
    log = tmp_path / "warta.jsonl"
    (tmp_path / "warta.jsonl.2").write_text(line(1))
    (tmp_path / "warta.jsonl.1").write_text(line(2))
    log.write_text(line(3) + line(4))

    assert [f.name for f in files(log)] == ["warta.jsonl.2", "warta.jsonl.1", "warta.jsonl"]
    assert [r["event"] for r in read(log, EVERYTHING, limit=3)] == ["e2", "e3", "e4"]


def test_a_filter_chooses(tmp_path: Path) -> None:
    log = tmp_path / "warta.jsonl"
    log.write_text(line(1) + line(2, "detik"))

    wanted = parse("outlet:detik", names=FIELDS, now=NOW)

    assert [r["event"] for r in read(log, wanted, limit=10)] == ["e2"]


def test_a_line_cut_off_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "warta.jsonl"
    log.write_text(line(1) + line(2)[:20] + "\n" + "[1]\n" + line(3))

    assert [r["event"] for r in read(log, EVERYTHING, limit=10)] == ["e1", "e3"]


def test_following_begins_now_and_survives_rotation(tmp_path: Path) -> None:
    log = tmp_path / "warta.jsonl"
    log.write_text(line(1))
    acts: Iterator[object] = iter(
        [
            lambda: log.write_text(log.read_text() + line(2)[:15]),
            lambda: log.write_text(log.read_text() + line(2)[15:]),
            lambda: (log.rename(tmp_path / "warta.jsonl.1"), log.write_text(line(3))),
        ]
    )
    pauses = 0

    def act() -> None:
        nonlocal pauses
        pauses += 1
        step = next(acts, None)
        if callable(step):
            step()

    found = [r["event"] for r in follow(log, EVERYTHING, pause=act, stop=lambda: pauses > 5)]

    assert found == ["e2", "e3"]
