"""The real daemon as a process, and a served press that it reads."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from newsroom import ledger, outlets
from newsroom.clock import Clock, dawn
from newsroom.press import Newsroom
from newsroom.serve import Running, running

OUTLETS = ("gemanusa", "datakini")


@dataclass
class Warta:
    """The command in a configuration directory of its own."""

    directory: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(self, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "scheduler", *words, "--config", str(self.directory)],
            capture_output=True, text=True, timeout=60, check=check, env=self._environment(),
        )  # fmt: skip

    def rows(self, *words: str) -> list[dict[str, Any]]:
        """What a command prints with --json."""
        return [json.loads(line) for line in self(*words, "--json").stdout.splitlines()]

    def start(self, role: str = "run", config: Path | None = None, **environ: str) -> subprocess.Popen[str]:
        """Start a role in the background."""
        with (self.directory / f"{role}.err").open("ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "scheduler", role, "--config", str(config or self.directory)],
                stdout=subprocess.DEVNULL, stderr=errors, text=True,
                start_new_session=True, env=self._environment() | environ,
            )  # fmt: skip
        self.processes.append(process)
        return process

    @staticmethod
    def _environment() -> dict[str, str]:
        return {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}

    def edit(self, change: Callable[[dict[str, Any]], object], file: str = "warta.yaml") -> None:
        path = self.directory / file
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(yaml.safe_dump(document), encoding="utf-8")

    def until(self, condition: Callable[[], object], seconds: float = 60, what: str = "") -> None:
        """Wait for something that the processes do; other processes have no clock to set."""
        end = time.monotonic() + seconds
        while not condition():
            for process in self.processes:
                code = process.poll()
                if code not in {None, -signal.SIGKILL}:
                    errors = "\n".join(p.read_text()[-3000:] for p in self.directory.glob("*.err"))
                    pytest.fail(f"a process ended with {code} while waiting for {what}:\n{errors}")
            if time.monotonic() > end:
                errors = "\n".join(p.read_text()[-3000:] for p in self.directory.glob("*.err"))
                pytest.fail(f"not within {seconds} s: {what}\n{errors}")
            time.sleep(0.2)

    def count(self, query: str, database: str = "data/warta.db") -> int:
        """One number from the database, read beside the daemon; 0 while there is none."""
        path = self.directory / database
        if not path.exists():
            return 0
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
                return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:  # not migrated yet
            return 0

    def articles(self, database: str = "data/warta.db") -> int:
        return self.count("select count(*) from articles", database)

    def settled(self, newsroom: Newsroom) -> bool:
        """Whether all that the press published is stored and nothing waits."""
        published = sum(r.retracted is None for outlet in OUTLETS for r in ledger.records(newsroom, outlet))
        return self.articles() >= published > 0 and not self.count("select count(*) from fates where kind = 'pending'")

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._end_orphan()

    def _end_orphan(self) -> None:
        """The server of a daemon that was killed serves on, for the next daemon; here none comes."""
        note = self.directory / "data" / "redis" / "valkey.pid"
        if not note.exists():
            return
        pid = int(note.read_text())
        with suppress(OSError):
            if str(self.directory).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def press() -> Iterator[Running]:
    with running(Newsroom(clock=Clock(dawn(datetime.now(UTC)), speed=0), backlog_days=0)) as served:
        for outlet in OUTLETS:
            served.newsroom.publish(outlet, 2)
        yield served


@pytest.fixture
def warta(press: Running) -> Iterator[Warta]:
    directory = Path(tempfile.mkdtemp(prefix="warta-"))
    outlets.write_config(directory, press.port, every="2s", delay="1ms")
    found = Warta(directory)
    found.edit(lambda d: d.update({"workers": {"concurrency": 8, "parse_processes": 1}, "shutdown_grace": "5s"}))
    for path in (directory / "outlets").glob("*.yaml"):
        if path.stem not in OUTLETS:
            path.unlink()
    yield found
    found.end()
    shutil.rmtree(directory, ignore_errors=True)
