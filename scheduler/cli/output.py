"""Printing: tables for a person, one JSON object a line for a program."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.controls import CONTROLS

#: Colours of statuses and fates; everything else is plain.
STYLES = {
    "ok": "green", "stored": "green", "revised": "cyan", "unchanged": "dim", "not_modified": "dim",
    "duplicate": "magenta", "filtered": "dim", "failed": "red", "pending": "yellow", "skipped": "yellow",
    "missed": "yellow", "interrupted": "yellow", "running": "blue", "error": "red", "warning": "yellow",
    "gone": "red", "blocked": "red", "failing": "red", "empty": "yellow", "silent": "yellow", "late": "yellow",
    "drifting": "yellow", "new": "blue", "paused": "dim",
}  # fmt: skip


def plain(value: object) -> Any:
    """Anything of ours as JSON types: dataclasses as objects, moments as ISO 8601, bytes as their number."""
    if is_dataclass(value) and not isinstance(value, type):
        return {key: plain(item) for key, item in asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return len(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def safe(text: object) -> str:
    """Text from outside, without what a terminal would obey."""
    return CONTROLS.sub("�", str(text))


def counted(number: int, noun: str) -> str:
    """``1 outlet``, ``2 outlets``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def ago(moment: datetime | None, now: datetime) -> str:
    """``3m ago``, ``in 20s``, or a dash."""
    if moment is None:
        return "-"
    seconds = (now - moment).total_seconds()
    span = short_span(abs(seconds))
    return f"{span} ago" if seconds >= 0 else f"in {span}"


def short_span(seconds: float) -> str:
    """The two-unit-free short form: ``45s``, ``12m``, ``7h``, ``3d``."""
    for limit, unit, size in ((90, "s", 1), (5400, "m", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds / 86_400:.0f}d"


def local(moment: datetime | None) -> str:
    """A moment in the reader's zone, to the second."""
    return "-" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_local(moment: datetime | None, now: datetime) -> str:
    """The time of day, with the date in front when it is not today's."""
    if moment is None:
        return "-"
    here = moment.astimezone()
    return here.strftime("%H:%M:%S" if here.date() == now.astimezone().date() else "%m-%d %H:%M")


def command() -> str:
    """How a person calls `warta` from here: by its name when the shell finds it, else by its path."""
    if shutil.which("warta"):
        return "warta"
    path = Path(sys.argv[0])
    return os.path.relpath(path) if path.name == "warta" else "python -m scheduler"


class Output:
    """Where a command prints."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.console = Console(highlight=False, soft_wrap=False, emoji=False, markup=False)

    def record(self, value: object) -> None:
        """One JSON object on one line."""
        sys.stdout.write(json.dumps(plain(value), ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def records(self, values: Iterable[object]) -> None:
        """Many of them."""
        for value in values:
            self.record(value)

    def line(self, text: str = "", *, style: str | None = None) -> None:
        """One line for a person."""
        self.console.print(Text(safe(text), style=style or ""), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str, grow: str = "") -> None:
        """A table that fits the terminal; the column `grow` takes what is left and is cut with an ellipsis."""
        table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold", expand=bool(grow))
        for name in columns:
            numeric = name.startswith("#")
            table.add_column(
                name.removeprefix("#"),
                justify="right" if numeric else "left",
                no_wrap=True,
                overflow="ellipsis",
                ratio=1 if name == grow else None,
            )
        count = 0
        for row in rows:
            count += 1
            table.add_row(*(self._cell(value) for value in row))
        if count:
            self.console.print(table)
        else:
            self.line(empty, style="dim")

    def _cell(self, value: object) -> Text:
        if value is None:
            return Text("-", style="dim")
        text = safe(value).replace("\n", " ")
        return Text(text, style=STYLES.get(text, ""))
