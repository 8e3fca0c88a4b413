"""What stands beside a closed piece of the log: which of its lines are about an outlet, a source, a run, or trouble.

::

    header | keys, sorted (uint64) | offset of each key's line (uint32) | times of blocks (float64) | their offsets
    | keys so frequent that they narrow nothing (uint64)

A key is a hash of a field and its value, so a lookup may name a line too many, which whoever reads the line finds
out, and never one too few. The file may be deleted at any time: without it a piece is read from end to end.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

#: Fields whose values are looked up; a line has one value of each.
INDEXED = ("outlet", "source", "run", "level", "event", "outcome", "reason")

#: Lines of one block: times are known at the beginning of each.
BLOCK = 512
#: A value that this share of all lines have narrows nothing and gets no postings.
COMMON = 1 / 4

_HEADER = struct.Struct("<8sQIII4xdd")
_MAGIC = b"wartalx1"

Offsets = np.ndarray[tuple[int], np.dtype[np.uint32]]


@dataclass(frozen=True, slots=True)
class LogIndex:
    """The postings of one piece."""

    #: Bytes of the piece that it speaks of; lines behind them came later.
    covers: int
    #: Seconds since 1970 of its first and last line.
    first: float
    last: float
    _keys: np.ndarray[tuple[int], np.dtype[np.uint64]]
    _offsets: Offsets
    _times: np.ndarray[tuple[int], np.dtype[np.float64]]
    _starts: Offsets
    _common: frozenset[int]

    def lines(self, name: str, values: Iterable[str]) -> Offsets | None:
        """Where lines with any of these values of a field begin, in order; None when that narrows nothing."""
        found = []
        for value in values:
            wanted = key(name, value)
            if wanted in self._common:
                return None
            left, right = np.searchsorted(self._keys, np.array([wanted, wanted + 1], dtype=np.uint64))
            found.append(self._offsets[left:right])
        return found[0] if len(found) == 1 else np.unique(np.concatenate(found))

    def within(self, since: float | None, until: float | None) -> tuple[int, int]:
        """From where to where lines of that time can be."""
        low, high = 0, self.covers
        if since is not None:
            at = int(np.searchsorted(self._times, since)) - 1
            low = int(self._starts[at]) if at >= 0 else 0
        if until is not None:
            at = int(np.searchsorted(self._times, until, side="right"))
            high = int(self._starts[at]) if at < len(self._starts) else self.covers
        return low, high


@lru_cache(maxsize=50_000)
def key(name: str, value: str) -> int:
    """The hash of a field and its value, whatever its case; below 2**64 - 1."""
    return int.from_bytes(blake2b(f"{name}\0{value.casefold()}".encode(), digest_size=8).digest(), "little") >> 1


def place(piece: Path) -> Path:
    """Where the index of a piece stands."""
    return piece.with_name(piece.name + ".idx")


def build(piece: Path) -> None:
    """Write the index of a closed piece. Raises OSError, as on a full disk; nothing half-written is left."""
    keys, offsets, times, starts = _collect(piece)
    common = _common(keys, max(1, len(set(offsets))))
    order = np.lexsort((offsets, keys))
    keys, offsets = keys[order], offsets[order]
    kept = ~np.isin(keys, common)
    keys, offsets = keys[kept], offsets[kept]
    first, last = (float(times.min()), float(times.max())) if len(times) else (0.0, 0.0)
    header = _HEADER.pack(_MAGIC, piece.stat().st_size, len(keys), len(starts), len(common), first, last)
    there = place(piece)
    unfinished = there.with_name(f"{there.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            for part in (header, keys, offsets, times, starts, common):
                file.write(part if isinstance(part, bytes) else part.tobytes())
        unfinished.replace(there)
    finally:
        unfinished.unlink(missing_ok=True)


def read(piece: Path) -> LogIndex | None:
    """The index of a piece; None without one that can be read."""
    try:
        data = place(piece).read_bytes()
        magic, covers, postings, blocks, common, first, last = _HEADER.unpack_from(data)
    except (OSError, struct.error):
        return None
    if magic != _MAGIC or len(data) != _HEADER.size + 12 * postings + 12 * blocks + 8 * common:
        return None
    behind_keys = _HEADER.size + 8 * postings
    behind_offsets = behind_keys + 4 * postings
    behind_times = behind_offsets + 8 * blocks
    frequent = np.frombuffer(data, np.uint64, common, behind_times + 4 * blocks)
    return LogIndex(
        covers,
        first,
        last,
        np.frombuffer(data, np.uint64, postings, _HEADER.size),
        np.frombuffer(data, np.uint32, postings, behind_keys),
        np.frombuffer(data, np.float64, blocks, behind_offsets),
        np.frombuffer(data, np.uint32, blocks, behind_times),
        frozenset(map(int, frequent)),
    )


def _collect(piece: Path) -> tuple[Any, Any, Any, Any]:
    """Keys, their offsets, and the times and offsets of blocks; a block's time is the earliest from there on."""
    keys: list[int] = []
    offsets: list[int] = []
    times: list[float] = []
    starts: list[int] = []
    at = number = 0
    with piece.open("rb") as lines:
        for line in lines:
            record = parse(line)
            if record is not None:
                for name in INDEXED:
                    value = record.get(name)
                    if value is not None:
                        keys.append(key(name, str(value)))
                        offsets.append(at)
                if number % BLOCK == 0:
                    times.append(seconds(record))
                    starts.append(at)
                number += 1
                last = seconds(record)
            at += len(line)
    if times:
        # The end of the last block is a block of its own, so that the last time is known.
        times.append(last)
        starts.append(at)
    # Lines of several threads come a little out of order; blocks must not.
    climbing = np.maximum.accumulate(np.array(times, dtype=np.float64))
    return (
        np.array(keys, dtype=np.uint64),
        np.array(offsets, dtype=np.uint32),
        climbing,
        np.array(starts, dtype=np.uint32),
    )


def _common(keys: Any, lines: int) -> Any:
    values, counts = np.unique(keys, return_counts=True)
    return values[counts > lines * COMMON] if lines > BLOCK else values[:0]


def parse(line: bytes | mmap.mmap) -> Mapping[str, Any] | None:
    """The record of a line; None for one that is none, such as one cut off by a crash."""
    try:
        record = json.loads(line)  # type: ignore[arg-type]
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def seconds(record: Mapping[str, Any]) -> float:
    """When it was written, in seconds since 1970; 0 when it does not say."""
    try:
        return datetime.fromisoformat(str(record.get("time", ""))).timestamp()
    except ValueError:
        return 0.0
