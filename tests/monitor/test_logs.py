from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import log_index
from monitor.filters import Filter, parse
from monitor.logs import FIELDS, files, follow, read, search

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


OUTLETS = ("kontan", "detik", "antara", "Berita Satu")
WORDS = (
    "", "outlet:kontan", "outlet:kontan,detik level:warning", "-outlet:kontan", "source:kontan/s1", "run:R17",
    "level:error", "reason:timeout -outlet:detik", "outlet:kon*", "until:2026-11-23T07:20 since:2026-11-23T07:05",
    "harga", '"harga emas"', "HARGA outlet:antara", "Straße", '"says \\"yes\\""', 'outlet:"berita satu"', "nowhere",
    "outlet:nowhere", "event:rare", "outcome:ok", "url:https://x.test/17", "7.25",
)  # fmt: skip


def day(lines: int) -> list[str]:
    """Lines of an hour and a half, a little out of order, with what is hard to search for."""
    chance, made = random.Random(3), []
    titles = ("harga emas naik", "HARGA  turun", "straße", 'he says "yes"', "STRASSE", "tab\there", "é")
    for n in range(lines):
        at = NOW - timedelta(minutes=90) + timedelta(seconds=n * 5400 / lines + chance.uniform(-3, 3))
        outlet = chance.choice(OUTLETS)
        record = {
            "time": at.isoformat(), "level": chance.choices(("info", "warning", "error"), (40, 4, 1))[0],
            "event": "rare" if n % 211 == 0 else "run finished", "outlet": outlet, "source": f"{outlet}/s{n % 3}",
            "run": f"R{n}", "outcome": "ok", "url": f"https://x.test/{n}", "title": chance.choice(titles),
            "took": 7.25 if n % 50 == 0 else 1,
        }  # fmt: skip
        if n % 7 == 0:
            record["reason"] = "timeout"
        made.append(json.dumps(record, ensure_ascii=n % 2 == 0) + "\n")
    return made


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of three pieces: indexed, indexed and then written to, and the one at work."""
    log = tmp_path_factory.mktemp("logs") / "warta.jsonl"
    lines = day(3_000)
    old, middle = (log.with_name(f"{log.name}.20261123T0{n}0000000000Z") for n in (1, 2))
    old.write_text("".join(lines[:1_200]))
    middle.write_text("".join(lines[1_200:2_200]) + lines[2_200][:30] + "\n")
    for piece in (old, middle):
        log_index.build(piece)
    middle.write_text(middle.read_text() + "".join(lines[2_200:2_300]))
    log.write_text("".join(lines[2_300:]))
    return log


@pytest.mark.parametrize("words", WORDS)
def test_an_index_finds_what_reading_every_line_finds(pieces: Path, words: str) -> None:
    wanted = parse(words, names=FIELDS, now=NOW)
    every = [json.loads(line) for file in files(pieces) for line in file.read_text().splitlines() if line[-1] == "}"]
    expected = [record for record in every if wanted.matches(record)]

    assert read(pieces, wanted, limit=10_000) == expected
    assert read(pieces, wanted, limit=5) == expected[-5:]


def test_an_index_that_cannot_be_read_is_done_without(pieces: Path, tmp_path: Path) -> None:
    copy = tmp_path / "warta.jsonl.20261123T010000000000Z"
    copy.write_bytes(files(pieces)[0].read_bytes())
    wanted = parse("outlet:kontan", names=FIELDS, now=NOW)
    before = read(tmp_path / "warta.jsonl", wanted, limit=10_000)

    for damage in (b"", b"nothing of the kind" * 10, log_index.place(files(pieces)[0]).read_bytes()[:-9]):
        log_index.place(copy).write_bytes(damage)
        assert read(tmp_path / "warta.jsonl", wanted, limit=10_000) == before != []


def test_a_line_longer_than_a_block_is_found(tmp_path: Path) -> None:
    log = tmp_path / "warta.jsonl"
    long = json.dumps({"time": NOW.isoformat(), "event": "long", "text": "x" * 3_000_000})
    log.write_text(line(1) + long + "\n" + line(2))

    assert [r["event"] for r in read(log, EVERYTHING, limit=10)] == ["e1", "long", "e2"]
    assert [r["event"] for r in read(log, parse("event:long", names=FIELDS, now=NOW), limit=10)] == ["long"]


def test_a_search_whose_time_is_over_says_how_far_it_came(tmp_path: Path) -> None:
    log = tmp_path / "warta.jsonl"
    log.write_text(line(1) + line(2) + line(3))

    found = search(log, EVERYTHING, limit=10, patience=-1.0)

    assert [r["event"] for r in found.records] == ["e3"]
    assert found.until == datetime(2026, 11, 23, 7, 0, 3, tzinfo=UTC)
    assert search(log, EVERYTHING, limit=10, patience=60.0).until is None


def test_what_was_written_just_before_a_rotation_is_followed_too(tmp_path: Path) -> None:
    log = tmp_path / "warta.jsonl"
    log.write_text(line(1))
    acts = iter(
        [
            lambda: (
                log.write_text(log.read_text() + line(2)),
                log.rename(log.with_name(f"{log.name}.20261123T010000000000Z")),
                log.write_text(line(3)),
            )
        ]
    )
    pauses = 0

    def act() -> None:
        nonlocal pauses
        pauses += 1
        next(acts, lambda: None)()

    found = [r["event"] for r in follow(log, EVERYTHING, pause=act, stop=lambda: pauses > 3)]

    assert found == ["e2", "e3"]
