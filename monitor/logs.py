"""Reading the log: the newest lines that fit a filter, and the ones that come after them.

The log is the file that is written to and the pieces it left behind, ``warta.jsonl.20261123T083012000000Z``, each
with its index (:mod:`monitor.log_index`). A search goes from the newest line to the oldest and ends with the last
line that is wanted:

    pieces in time -> lines that the index names, else blocks -> lines with the letters asked for -> parsed, matched
"""

from __future__ import annotations

import mmap
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

from monitor import log_index
from monitor.filters import LEVELS, Filter
from monitor.log_index import LogIndex

#: Fields of a log line that a filter may name; any other is found as text.
FIELDS = ("outlet", "source", "run", "level", "event", "outcome", "reason", "logger", "url")

#: Lines are at most this many seconds out of order: threads, and processes that share a log.
DISORDER = 60.0
_BLOCK = 1 << 20
#: What is the same in a JSON document and in the text of its values.
_PLAIN = re.compile(r"[A-Za-z0-9_./:-]+")
_STAMPED = re.compile(r"\d{8}T\d{12}Z")

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, oldest first."""

    records: list[Record]
    #: How far back it looked before its time was over; None: to the beginning, or until it had enough.
    until: datetime | None = None


def files(path: Path) -> list[Path]:
    """The log and its pieces, oldest first."""
    ends = [(piece.name.removeprefix(path.name + "."), piece) for piece in path.parent.glob(path.name + ".*")]
    numbered = sorted(((int(end), piece) for end, piece in ends if end.isdigit()), reverse=True)
    stamped = sorted((end, piece) for end, piece in ends if _STAMPED.fullmatch(end))
    return [piece for _, piece in (*numbered, *stamped)] + ([path] if path.exists() else [])


def read(path: Path, wanted: Filter, *, limit: int) -> list[Record]:
    """The newest `limit` records that fit, oldest first."""
    return search(path, wanted, limit=limit).records


def search(path: Path, wanted: Filter, *, limit: int, patience: float | None = None) -> Found:
    """The same; after `patience` seconds it ends with what it has and says how far it came."""
    found: list[Record] = []
    ends = None if patience is None else time.monotonic() + patience
    needles = _needles(wanted)
    floor = wanted.since.timestamp() - DISORDER if wanted.since else None
    for piece in reversed(files(path)):
        at: float | None = None
        for line in _candidates(piece, wanted, needles):
            record = _parse(line)
            if record is not None:
                at = log_index.seconds(record)
                if floor is not None and 0 < at < floor:
                    return Found(found[::-1])
                if wanted.matches(record):
                    found.append(record)
                    if len(found) >= limit:
                        return Found(found[::-1])
            if ends is not None and at is not None and time.monotonic() > ends:
                return Found(found[::-1], datetime.fromtimestamp(at, UTC))
    return Found(found[::-1])


def _candidates(piece: Path, wanted: Filter, needles: list[bytes]) -> Iterator[bytes]:
    """Lines of a piece that may fit, the newest first. A piece that was deleted meanwhile has none."""
    try:
        with piece.open("rb") as file:
            size = file.seek(0, 2)
            if size == 0 or _is_over(piece, wanted):
                return
            index = log_index.read(piece) if _STAMPED.search(piece.name) else None
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                covered = min(index.covers, size) if index is not None else 0
                yield from _scanned(data, covered, size, needles)
                if index is not None:
                    yield from _looked_up(data, index, wanted, needles)
    except FileNotFoundError:
        return


def _is_over(piece: Path, wanted: Filter) -> bool:
    """Whether its last line is older than all that is wanted."""
    return wanted.since is not None and piece.stat().st_mtime < wanted.since.timestamp() - DISORDER


def _looked_up(data: mmap.mmap, index: LogIndex, wanted: Filter, needles: list[bytes]) -> Iterator[bytes]:
    since = wanted.since.timestamp() - DISORDER if wanted.since else None
    until = wanted.until.timestamp() + DISORDER if wanted.until else None
    low, high = index.within(since, until)
    named = _named(index, wanted)
    if named is None:
        yield from _scanned(data, low, min(high, len(data)), needles)
        return
    for offset in named[::-1]:
        at = int(offset)
        if low <= at < high:
            end = data.find(b"\n", at)
            line = data[at : end if end >= 0 else len(data)]
            if not needles or all(needle in line.lower() for needle in needles):
                yield line


def _named(index: LogIndex, wanted: Filter) -> log_index.Offsets | None:
    """The lines that the index leaves to be looked at, in order; None: all."""
    lines: log_index.Offsets | None = None
    for name, values in wanted.fields.items():
        if name not in log_index.INDEXED or any(value.endswith("*") for value in values):
            continue
        if name == "level":
            least = min((LEVELS.index(value) for value in values if value in LEVELS), default=0)
            values = LEVELS[least:]
        narrowed = index.lines(name, values)
        if narrowed is not None:
            lines = narrowed if lines is None else np.intersect1d(lines, narrowed)
    return lines


def _scanned(data: mmap.mmap, low: int, high: int, needles: list[bytes]) -> Iterator[bytes]:
    """Lines between two offsets that hold every needle, the newest first, block by block."""
    while high > low:
        start = max(low, high - _BLOCK)
        if start > low:
            newline = data.find(b"\n", start, high)
            # A line longer than a block is taken whole.
            start = newline + 1 if 0 <= newline < high - 1 else data.rfind(b"\n", low, start) + 1 or low
        block = data[start:high]
        yield from _lines_with(block, needles)
        high = start


def _lines_with(block: bytes, needles: list[bytes]) -> Iterator[bytes]:
    if not needles:
        yield from reversed(block.splitlines())
        return
    # Lower-cased once for the block; letters beyond ASCII are left to whoever parses the line.
    low = block.lower()
    first = max(needles, key=len)
    at = low.rfind(first)
    while at >= 0:
        start = low.rfind(b"\n", 0, at) + 1
        end = low.find(b"\n", at)
        end = len(low) if end < 0 else end
        if all(needle in low[start:end] for needle in needles):
            yield block[start:end]
        at = low.rfind(first, 0, start)


def _needles(wanted: Filter) -> list[bytes]:
    """Letters that every line that fits must hold, however its JSON is written."""
    words = [*wanted.text]
    for name, values in wanted.fields.items():
        if name != "level" and len(values) == 1:
            words.append(values[0].removesuffix("*"))
    longest = (max(_PLAIN.findall(word), key=len, default="") for word in words)
    return [needle.lower().encode() for needle in longest if needle]


def follow(
    path: Path,
    wanted: Filter,
    *,
    pause: Callable[[], None] = lambda: time.sleep(0.25),
    stop: Callable[[], bool],
) -> Iterator[Record]:
    """Records that fit, from now on, over rotations, until `stop`."""
    file = _opened(path)
    if file is not None:
        file.seek(0, 2)
    rest = b""
    try:
        while not stop():
            chunk = file.read(_BLOCK) if file is not None else b""
            if chunk:
                *lines, rest = (rest + chunk).split(b"\n")
                for record in map(_parse, lines):
                    if record is not None and wanted.matches(record):
                        yield record
            elif file is None or _was_left(file, path):
                # Read to its end before the one that took its place is begun.
                if file is not None:
                    file.close()
                file, rest = _opened(path), b""
                if file is None:
                    pause()
            else:
                pause()
    finally:
        if file is not None:
            file.close()


def _opened(path: Path) -> IO[bytes] | None:
    try:
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        return None


def _was_left(file: IO[bytes], path: Path) -> bool:
    """Whether another file stands in its place, or it was cut."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return True
    return stat.st_ino != os.fstat(file.fileno()).st_ino or stat.st_size < file.tell()


def _parse(line: bytes) -> Record | None:
    """A line that is not a record (cut off by a crash) is passed over."""
    record = log_index.parse(line)
    return None if record is None else dict(record)
