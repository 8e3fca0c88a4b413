"""Many feeds for a long time: ``python -m bench.schedule --feeds 10000 --minutes 30``.

A scheduler process and a worker process, on the database and the server that `warta run` keeps (SQLite, Valkey),
poll so many feeds every ten minutes on average. The feeds are a light press in a process of its own
(:mod:`bench.field`) on the same machine. Measured is, once every feed was polled (the first round reads every feed
and its first article, and is shown as its time only):

- lateness: the start of a run minus the time for which it was scheduled;
- CPU seconds of each process with its children;
- resident memory of each at the start and at each quarter.

Exit code 1 when the 99th percentile of the lateness is 5 s or more, or when the memory of scheduler or worker grew by
more than a tenth from the first quarter to the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml

from newsroom import outlets
from storage.embedded import EmbeddedValkey

#: Rows of the table over time.
PARTS = 10
#: Lateness and growth that fail.
MOST_LATE = 5.0
MOST_GROWTH = 1.1
TICKS = 100.0  # USER_HZ of Linux


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its children have used."""

    cpu: float
    mib: float


@dataclass(slots=True)
class Part:
    """One stretch of the measured time."""

    #: Seconds since the start of the measured time.
    until: float
    late: list[float]
    usage: dict[str, Usage]
    news: int = 0


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    feeds: int
    first_round: float = 0.0
    start: dict[str, Usage] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    @property
    def late(self) -> list[float]:
        """All latenesses, ascending."""
        return sorted(late for part in self.parts for late in part.late)

    def cpu(self, role: str) -> float:
        """CPU seconds of a process in the measured time."""
        return self.parts[-1].usage[role].cpu - self.start[role].cpu

    def growth(self, role: str) -> float:
        """Memory at the end over that at the first quarter."""
        return self.parts[-1].usage[role].mib / max(1.0, self.parts[quarter(1)].usage[role].mib)


def quarter(n: int) -> int:
    """The index of the part in which the n-th quarter ends."""
    return -(-PARTS * n // 4) - 1


def share(late: list[float], part: float) -> float:
    """The lateness that this share of an ascending list does not exceed."""
    return late[min(len(late) - 1, int(len(late) * part))] if late else 0.0


def usage(pid: int) -> Usage:
    """Of a process and all below it, those ended included."""
    cpu, pages, left = 0.0, 0, [pid]
    while left:
        pid = left.pop()
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            children = [Path(f"/proc/{pid}/task/{t.name}/children") for t in Path(f"/proc/{pid}/task").iterdir()]
            left += [int(child) for path in children for child in path.read_text(encoding="ascii").split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        cpu += sum(map(int, stat[11:15])) / TICKS
        pages += int(stat[21])
    return Usage(cpu, pages * 4096 / 2**20)


def configure(directory: Path, port: int, valkey: EmbeddedValkey, feeds: int, every: float) -> None:
    """Two configurations that differ in their data directories; the host is our own, so no manners."""
    outlets.write_config(directory, port, feeds=feeds, every=f"{every:g}s")
    for path in (directory / "outlets").glob("*.yaml"):
        if not path.stem.startswith("feed-"):
            path.unlink()
    document = yaml.safe_load((directory / "warta.yaml").read_text(encoding="utf-8"))
    document |= {"redis": valkey.url, "database": f"sqlite:///{directory / 'data' / 'warta.db'}"}
    document["defaults"]["politeness"] = {"delay": "0s", "concurrency": 4}
    for role in ("scheduler", "worker"):
        document["data_dir"] = str(directory / ("data" if role == "scheduler" else "worker"))
        (directory / f"{role}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (directory / "warta.yaml").unlink()


@contextmanager
def process(directory: Path, name: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process for the length of the block; what it prints goes to a file, but for the press's port."""
    with (directory / f"{name}.out").open("w") as out:
        started = subprocess.Popen(
            [sys.executable, "-m", *words], stdout=subprocess.PIPE if name == "press" else out, stderr=out, text=True
        )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(60)
        except subprocess.TimeoutExpired:
            started.kill()


class Ledger:
    """The runs as the database tells them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def polled(self) -> int:
        """Feeds with a run that ended."""
        return int(self._ask("select count(distinct source_id) from runs where finished_at is not null")[0][0])

    def late(self, since: float, until: float) -> list[float]:
        """How late scheduled runs of that time began, in seconds; those yet to begin are as late as `until`."""
        rows = self._ask(
            "select scheduled_for, started_at from runs where trigger = 'schedule' and scheduled_for >= ?"
            " and scheduled_for < ?",
            _text(since), _text(until),
        )  # fmt: skip
        return [_moment(started) - _moment(due) if started else until - _moment(due) for due, started in rows]

    def overdue(self, since: float, until: float) -> list[float]:
        """How late feeds are that became due in that time and have no run."""
        rows = self._ask(
            "select next_attempt from sources where next_attempt >= ? and next_attempt < ?", _text(since), _text(until)
        )
        return [until - _moment(due) for (due,) in rows]

    def planned(self) -> int:
        """Sources planned; 0 before there is a table of them."""
        try:
            return int(self._ask("select count(*) from sources")[0][0])
        except sqlite3.OperationalError:
            return 0

    def articles(self) -> int:
        """Articles stored."""
        return int(self._ask("select count(*) from articles")[0][0])

    def _ask(self, query: str, *values: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(query, values).fetchall()


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def measure(directory: Path, feeds: int, minutes: float, every: float, period: float) -> Outcome:
    """The server of `warta run`, and beside it all the rest."""
    valkey = EmbeddedValkey(directory / "data")
    async with valkey.running():
        return await asyncio.to_thread(_staged, directory, valkey, feeds, minutes, every, period)


def _staged(
    directory: Path, valkey: EmbeddedValkey, feeds: int, minutes: float, every: float, period: float
) -> Outcome:
    """Start everything, wait for the first round, then look on."""
    outcome, database = Outcome(feeds), directory / "data" / "warta.db"
    with ExitStack() as stack:

        def start(name: str, *words: str) -> subprocess.Popen[str]:
            return stack.enter_context(process(directory, name, *words))

        press = start("press", "bench.field", "--period", f"{period}")
        assert press.stdout is not None
        configure(directory, int(press.stdout.readline()), valkey, feeds, every)
        scheduler = start("scheduler", "scheduler", "scheduler", "--config", str(directory / "scheduler.yaml"))
        ledger = Ledger(database)
        _until(lambda: database.exists() and ledger.planned() >= feeds, 120 + feeds * 0.02, "planning", scheduler)
        worker = start("worker", "scheduler", "worker", "--config", str(directory / "worker.yaml"))
        roles = {"press": press.pid, "valkey": valkey.pid or 0, "scheduler": scheduler.pid, "worker": worker.pid}
        began = time.monotonic()
        _until(lambda: ledger.polled() >= feeds, 60 + feeds * 0.5, "first round", scheduler, worker)
        outcome.first_round = time.monotonic() - began
        # Moments set in the first round lie within an interval after it: its backlog is not measured.
        settled = time.monotonic() + every * 1.1
        _until(lambda: time.monotonic() >= settled, every * 2, "settling", scheduler, worker)
        _look_on(outcome, ledger, roles, minutes * 60, (scheduler, worker))
    return outcome


def _until(reached: Callable[[], bool], seconds: float, what: str, *processes: subprocess.Popen[str]) -> None:
    """Wait; a RuntimeError when it takes longer than so many seconds or a process ended."""
    began = time.monotonic()
    while not reached():
        _alive(*processes)
        if time.monotonic() - began > seconds:
            raise RuntimeError(f"{what} took more than {seconds:.0f} s; --keep shows what the processes printed")
        _say(f"{what}: {time.monotonic() - began:.0f} s")
        time.sleep(1)


def _alive(*processes: subprocess.Popen[str]) -> None:
    for one in processes:
        if one.poll() is not None:
            raise RuntimeError(f"{one.args!r} ended with {one.returncode}; --keep shows what it printed")


def _look_on(
    outcome: Outcome,
    ledger: Ledger,
    roles: dict[str, int],
    seconds: float,
    processes: tuple[subprocess.Popen[str], ...],
) -> None:
    outcome.start = {role: usage(pid) for role, pid in roles.items()}
    clock, since, before = time.monotonic(), time.time(), ledger.articles()
    for n in range(1, PARTS + 1):
        while (left := clock + seconds * n / PARTS - time.monotonic()) > 0:
            _alive(*processes)
            _say(f"measured: {time.monotonic() - clock:.0f} of {seconds:.0f} s")
            time.sleep(min(5.0, left))
        until, articles = time.time(), ledger.articles()
        late = sorted([*ledger.late(since, until), *ledger.overdue(since, until)])
        used = {role: usage(pid) for role, pid in roles.items()}
        outcome.parts.append(Part(seconds * n / PARTS, late, used, articles - before))
        since, before = until, articles


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:60}", end="", file=sys.stderr)


def show(outcome: Outcome) -> None:
    """The tables."""
    print(f"{outcome.feeds:,} feeds; first round {outcome.first_round:.0f} s")
    print(f"{'minute':>7} {'polls':>7} {'news':>6} {'p50 s':>7} {'p95 s':>7} {'p99 s':>7} {'most s':>7}")
    for part in outcome.parts:
        numbers = " ".join(f"{share(part.late, q):7.2f}" for q in (0.5, 0.95, 0.99, 1.0))
        print(f"{part.until / 60:7.1f} {len(part.late):7,} {part.news:6,} {numbers}")
    print(f"{'process':>10} {'CPU s':>8} {'of a core':>10}   MiB at the start and at each quarter")
    for role in outcome.start:
        points = [outcome.start[role], *(outcome.parts[quarter(n)].usage[role] for n in (1, 2, 3, 4))]
        cpu = outcome.cpu(role)
        sizes = " ".join(f"{used.mib:8.1f}" for used in points)
        print(f"{role:>10} {cpu:8.1f} {cpu / outcome.parts[-1].until:10.1%}   {sizes}")


def main(argv: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.schedule", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument(
        "--minutes", type=float, default=30.0, help="of measuring, after the first round and an interval"
    )
    parser.add_argument("--every", type=float, default=600.0, help="mean seconds between two polls of a feed")
    parser.add_argument("--period", type=float, default=6 * 3600.0, help="seconds between two items of a feed")
    parser.add_argument("--keep", type=Path, help="an empty directory for configuration, database and what was printed")
    parser.add_argument("--json", action="store_true", help="only the closing line")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="warta-schedule-", ignore_cleanup_errors=True) as scratch:
        directory = (options.keep or Path(scratch)).absolute()
        directory.mkdir(parents=True, exist_ok=True)
        outcome = asyncio.run(measure(directory, options.feeds, options.minutes, options.every, options.period))
    if not options.json:
        show(outcome)
    late = outcome.late
    line = {
        "feeds": options.feeds, "minutes": options.minutes, "polls": len(late),
        "late_p50": round(share(late, 0.5), 2), "late_p95": round(share(late, 0.95), 2),
        "late_p99": round(share(late, 0.99), 2),
        "cpu_scheduler": round(outcome.cpu("scheduler"), 1), "cpu_worker": round(outcome.cpu("worker"), 1),
        "growth_scheduler": round(outcome.growth("scheduler"), 3), "growth_worker": round(outcome.growth("worker"), 3),
    }  # fmt: skip
    print(json.dumps(line))
    return int(
        share(late, 0.99) >= MOST_LATE or max(outcome.growth("scheduler"), outcome.growth("worker")) > MOST_GROWTH
    )


if __name__ == "__main__":
    sys.exit(main())
