"""Reading the log: the newest lines that fit a filter, and the ones that come after them."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from monitor.filters import Filter

#: Fields of a log line that a filter may name; any other is found as text.
FIELDS = ("outlet", "source", "run", "level", "event", "outcome", "reason", "logger", "url")

Record = dict[str, Any]


def files(path: Path) -> list[Path]:
    """The log and its rotated predecessors, oldest first."""
    numbered = [(int(old.suffix[1:]), old) for old in path.parent.glob(path.name + ".*") if old.suffix[1:].isdigit()]
    return [old for _, old in sorted(numbered, reverse=True)] + ([path] if path.exists() else [])


def read(path: Path, wanted: Filter, *, limit: int) -> list[Record]:
    """The newest `limit` records that fit, oldest first."""
    found: deque[Record] = deque(maxlen=limit)
    for file in files(path):
        if wanted.since is not None and file.stat().st_mtime < wanted.since.timestamp():
            continue
        with file.open("rb") as lines:
            found.extend(record for record in map(_parse, lines) if record is not None and wanted.matches(record))
    return list(found)


def follow(
    path: Path,
    wanted: Filter,
    *,
    pause: Callable[[], None] = lambda: time.sleep(0.25),
    stop: Callable[[], bool],
) -> Iterator[Record]:
    """Records that fit, from now on, over rotations, until `stop`."""
    position, inode = _end(path)
    rest = b""
    while not stop():
        try:
            stat = path.stat()
        except FileNotFoundError:
            pause()
            continue
        if stat.st_ino != inode or stat.st_size < position:
            position, inode, rest = 0, stat.st_ino, b""
        with path.open("rb") as file:
            file.seek(position)
            chunk = file.read(1 << 20)
        if not chunk:
            pause()
            continue
        position += len(chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        for record in map(_parse, lines):
            if record is not None and wanted.matches(record):
                yield record


def _end(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_size, stat.st_ino


def _parse(line: bytes) -> Record | None:
    """A line that is not a record (cut off by a crash) is passed over."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
