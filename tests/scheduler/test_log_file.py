from __future__ import annotations

import json
import logging
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import log_index
from monitor.filters import Filter
from monitor.logs import files, read
from scheduler import log_file
from scheduler.log_file import Keep, RotatingFile, tend

LINE = 120


def write(handler: RotatingFile, n: int) -> None:
    text = json.dumps({"time": "2026-11-23T07:00:00Z", "event": f"e{n}", "outlet": "kontan"}).ljust(LINE - 1)
    handler.handle(logging.LogRecord("tests", logging.INFO, "", 0, text, None, None))


def events(path: Path) -> list[str]:
    return [str(record["event"]) for record in read(path, Filter(), limit=10_000)]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(log_file, "PIECE_BYTES", 10 * LINE)
    return tmp_path / "warta.jsonl"


def test_a_full_piece_is_left_behind_and_no_line_is_lost(path: Path) -> None:
    handler = RotatingFile(path, Keep())
    for n in range(35):
        write(handler, n)
    handler.close()

    assert [piece.stat().st_size // LINE for piece in files(path)] == [10, 10, 10, 5]
    assert events(path) == [f"e{n}" for n in range(35)]


def test_an_old_piece_is_left_behind_however_short(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = RotatingFile(path, Keep())
    write(handler, 1)
    monkeypatch.setattr(log_file, "PIECE_SECONDS", -1.0)
    write(handler, 2)
    handler.close()

    assert [piece.stat().st_size // LINE for piece in files(path)] == [1, 1]


def test_several_processes_may_write_to_one_log(path: Path) -> None:
    one, other = RotatingFile(path, Keep()), RotatingFile(path, Keep())
    for n in range(0, 60, 2):
        write(one, n)
        write(other, n + 1)
    one.close()
    other.close()

    assert sorted(events(path), key=lambda e: int(e[1:])) == [f"e{n}" for n in range(60)]
    assert len(files(path)) > 4


def test_pieces_are_indexed_and_those_too_old_or_too_much_are_deleted(path: Path) -> None:
    for n in range(4):
        path.with_name(f"{path.name}.2026112{n}T000000000000Z").write_text('{"event": "e"}\n' * 100)
    oldest, old, newer, _ = files(path)
    os.utime(oldest, (time.time() - 86_400 * 3,) * 2)

    tend(path, Keep(age=timedelta(days=2)))

    assert files(path)[0] == old
    assert all(log_index.place(piece).exists() for piece in files(path))

    tend(path, Keep(size=2 * (newer.stat().st_size + log_index.place(newer).stat().st_size)))

    assert files(path)[0] == newer
    assert not log_index.place(old).exists()


def test_a_line_cut_off_by_a_full_disk_spoils_none_after_it(path: Path) -> None:
    path.write_text('{"event": "whole"}\n{"event": "cut o')
    handler = RotatingFile(path, Keep())
    write(handler, 1)
    handler.close()

    assert events(path) == ["whole", "e1"]


def test_an_index_that_finds_no_room_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piece = path.with_name(f"{path.name}.20261120T000000000000Z")
    piece.write_text('{"event": "e", "outlet": "kontan"}\n')

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    tend(path, Keep())

    assert [file.name for file in path.parent.iterdir()] == [piece.name]
