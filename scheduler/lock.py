"""One daemon for one data directory."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any


class AlreadyRunning(Exception):
    """Another process works on this data directory."""

    def __init__(self, directory: Path, owner: dict[str, Any]) -> None:
        who = f"process {owner['pid']}, started {owner.get('started', '?')}" if "pid" in owner else "another process"
        super().__init__(
            f"{directory} is in use by {who}. Stop it first (kill -TERM {owner.get('pid', 'PID')}), "
            "or give this one a data_dir of its own."
        )


class DataLock:
    """An advisory lock on ``<data>/warta.lock``; the kernel drops it when the process dies, however it dies."""

    def __init__(self, directory: Path, role: str = "run") -> None:
        self._path = directory / "warta.lock"
        self._role = role
        self._file: IO[str] | None = None

    def __enter__(self) -> DataLock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise AlreadyRunning(self._path.parent, owner(self._path.parent) or {}) from None
        file.seek(0)
        file.truncate()
        started = datetime.now(UTC).isoformat(timespec="seconds")
        json.dump({"pid": os.getpid(), "role": self._role, "started": started}, file)
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def owner(directory: Path) -> dict[str, Any] | None:
    """Who holds the lock now: pid, role, started; None when nobody does."""
    path = directory / "warta.lock"
    try:
        with path.open("r", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                text = file.read()
            else:
                return None
    except FileNotFoundError:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
