"""The file that log lines go to: left behind piece by piece, each indexed, old ones deleted, a full disk survived.

Several processes may write to one log: whoever finds it too long renames it, the others notice and open the new one.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from config.model import Settings
from monitor import log_index
from monitor.logs import files

#: A piece is closed at this size, small enough to be read from end to end, or when it is this old.
PIECE_BYTES = 16 * 2**20
PIECE_SECONDS = 86_400.0

_tending = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How much of the log stays."""

    age: timedelta = timedelta(days=14)
    #: Bytes of all pieces with their indexes.
    size: int = 2 * 2**30


def keep(settings: Settings) -> Keep:
    """As the configuration says."""
    return Keep(age=settings.retention.logs, size=settings.retention.logs_size)


class RotatingFile(logging.FileHandler):
    """Appends lines; when the disk is full lines are dropped and counted, and the daemon goes on."""

    def __init__(self, path: Path, kept: Keep) -> None:
        super().__init__(path, encoding="utf-8", delay=True, errors="backslashreplace")
        self.dropped = 0
        self._keep = kept
        self._began = 0.0
        self._tend()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; the first that can be written again is followed by the number of those lost."""
        before = self.dropped
        try:
            self._turn_over()
        except OSError:
            self.handleError(record)
            return
        super().emit(record)
        if self.dropped == before and before:
            self.dropped = 0
            structlog.get_logger(__name__).warning("log lines dropped", count=before)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Count the lost line and forget the stream."""
        self.dropped += 1
        # A stream in an unknown state is opened anew with the next line.
        try:
            if self.stream is not None:
                self.stream.close()
        except OSError:
            pass
        finally:
            self.stream = None  # what delay=True means

    def _turn_over(self) -> None:
        """Have the right file open: the one at the path, unless it is long or old enough to be left behind."""
        path = Path(self.baseFilename)
        if self.stream is not None and _replaced(path, self.stream.fileno()):
            self._close_stream()
        if self.stream is None:
            self.stream = self._open()
            self._began = _first_moment(path) or time.time()
            _end_line(path, self.stream.fileno())
        size = os.fstat(self.stream.fileno()).st_size
        if size < PIECE_BYTES and (size == 0 or time.time() - self._began < PIECE_SECONDS):
            return
        self._close_stream()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        # Another process was first, or the disk refuses: the line is written all the same.
        with suppress(OSError):
            path.rename(path.with_name(f"{path.name}.{stamp}"))
        self.stream = self._open()
        self._began = time.time()
        self._tend()

    def _close_stream(self) -> None:
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.close()

    def _tend(self) -> None:
        """Index and delete pieces beside the work; no line waits for it."""
        path = Path(self.baseFilename)
        # At the end of the process no thread can be started; the next process does it.
        with suppress(RuntimeError):
            threading.Thread(target=tend, args=(path, self._keep), name="warta-log-keeper", daemon=True).start()


def tend(path: Path, kept: Keep) -> None:
    """Index the pieces that have no index yet and delete those that are too old or too much."""
    with _tending:
        pieces = [piece for piece in files(path) if piece != path]
        left, oldest = kept.size, time.time() - kept.age.total_seconds()
        for piece in reversed(pieces):
            # Deleted by another process, or no room for an index: the search does without.
            with suppress(OSError):
                stat = piece.stat()
                left -= stat.st_size + _size(log_index.place(piece))
                if left < 0 or stat.st_mtime < oldest:
                    piece.unlink()
                    log_index.place(piece).unlink(missing_ok=True)
                elif not log_index.place(piece).exists() and not piece.name.rpartition(".")[2].isdigit():
                    log_index.build(piece)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _replaced(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino != os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return True


def _first_moment(path: Path) -> float | None:
    """When the first line of a file was written; None for an empty one."""
    try:
        with path.open("rb") as file:
            record = log_index.parse(file.readline(1 << 20))
    except OSError:
        return None
    return (log_index.seconds(record) or None) if record is not None else None


def _end_line(path: Path, descriptor: int) -> None:
    """Part the next line from one that a crash or a full disk cut off."""
    with suppress(OSError), path.open("rb") as file:
        if file.seek(0, 2) > 0:
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                os.write(descriptor, b"\n")
