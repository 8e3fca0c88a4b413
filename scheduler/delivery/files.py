"""Events as files, one directory a day: ``day=2026-11-23/000000000057.jsonl``.

A file is named by its first event and appears whole. After a crash the same events are written under the
same names again, perhaps with later ones behind them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC
from itertools import groupby
from pathlib import Path

from config.model import Files
from scheduler.delivery.target import Accepted, Answer, TargetDown
from storage.events import Event
from storage.export import CSV_COLUMNS, csv_line, csv_row, json_line
from storage.parquet import EVENT_DETAIL, ParquetMissing, write_parquet

#: Columns of events as CSV: the event's own, then the article's.
EVENT_COLUMNS = ("event_id", "key", "event", "created_at")


class FilesTarget:
    """One directory."""

    batch = 5000

    def __init__(self, files: Files) -> None:
        self._files = files
        self.patience = files.every

    async def send(self, events: Sequence[Event], *, replayed: bool) -> list[Answer]:
        """Write a file for each day. Raises TargetDown when that cannot be done."""
        try:
            for day, group in groupby(events, key=lambda event: event.created_at.astimezone(UTC).date()):
                chosen = list(group)
                name = f"{chosen[0].id:012d}"
                if replayed:
                    name += f"-{chosen[-1].id:012d}-replay"
                path = self._files.directory / f"day={day}" / f"{name}.{self._files.format}"
                await asyncio.to_thread(write_events, path, chosen, self._files.format)
        except (OSError, ParquetMissing) as error:
            raise TargetDown(f"{self._files.directory}: {error}") from error
        return [Accepted()] * len(events)

    async def close(self) -> None:
        """Nothing is held open."""


def write_events(path: Path, events: Sequence[Event], form: str) -> None:
    """Write the file; it appears whole or not at all, and is on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    if form == "parquet":
        write_parquet(part, [flat(event) for event in events])
    else:
        with part.open("w", encoding="utf-8", newline="") as file:
            if form == "csv":
                file.write(csv_line((*EVENT_COLUMNS, *CSV_COLUMNS)))
            for event in events:
                file.write(json_line(event.envelope()) if form == "jsonl" else csv_line(_row(event)))
    for place in (part, path.parent):
        _sync(place)
    part.replace(path)
    _sync(path.parent)


def flat(event: Event) -> dict[str, object]:
    """The event's own fields and the article's in one level."""
    envelope = event.envelope()
    own: dict[str, object] = {name: envelope[name] for name in (*EVENT_COLUMNS, *EVENT_DETAIL)}
    article = event.record or {"id": event.article_id, "revision": event.revision, "outlet_id": event.outlet_id}
    return own | article


def _row(event: Event) -> list[str]:
    return csv_row(flat(event), (*EVENT_COLUMNS, *CSV_COLUMNS))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
