"""kill -9 at random moments of a newsroom day, and the proof that nothing got lost: ``python -m bench.torture``.

A fictional press publishes, with a share of its answers faulty on request. A daemon (embedded database and
server) and a second worker on the same database and server read it. Again and again one of daemon, worker and
server is killed and, where nobody else does, started again. Then the press stops, the daemon gets time to catch
up, and what is stored is held against what was published:

- lost: published stories that are neither stored nor accounted for as a copy;
- twice: articles announced as new more than once, or stored under two ids;
- phantom: articles that nobody published;
- findings: whatever `warta audit` says.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import yaml

from config.load import load
from config.model import Outlet, Settings
from crawlers.identity import url_key
from newsroom import ledger, outlets
from newsroom.clock import Clock, wall
from newsroom.press import Newsroom
from newsroom.serve import running
from storage.articles import ArticleFilter
from storage.embedded import EmbeddedValkey
from storage.redis import FAILURES, connect_threaded
from storage.storage import Storage

#: Faults that a share of the press's answers shows when asked to.
FAULTS = ("status_500", "status_503", "reset", "truncated", "truncated_gzip", "empty_body", "hang_up")
#: Who publishes besides what the hour brings, two stories before each kill.
OUTLETS = ("kabarniaga", "lintasmenit", "arahpena", "kantorberita", "archipelagopost", "datakini", "gemanusa")
#: Where the press's clock starts, UTC: before its outlets' day begins.
MORNING = 20
VICTIMS = ("daemon", "worker", "server")


@dataclass(slots=True)
class Verdict:
    """What came of it."""

    published: int = 0
    stored: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    phantom: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    #: Seconds that catching up took after the press stopped.
    recovery: float = 0.0

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice, nothing invented, and the sums right."""
        return not (self.lost or self.twice or self.phantom or self.findings)


class Stage:
    """The processes on stage: one daemon, one worker, and the server that the daemon keeps."""

    def __init__(self, directory: Path, port: int, *, every: str) -> None:
        self.directory = directory
        outlets.write_config(directory, port, every=every)
        self._shape(directory / "warta.yaml", {})
        self.settings: Settings = load(directory / "warta.yaml", {})
        self.server = EmbeddedValkey(self.settings.data_dir)
        self.database = f"sqlite:///{self.settings.data_dir / 'warta.db'}"
        self.worker_config = directory / "worker.yaml"
        self.worker_config.write_text((directory / "warta.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        shared = {"redis": self.server.url, "database": self.database, "data_dir": str(directory / "worker-data")}
        self._shape(self.worker_config, shared)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @staticmethod
    def _shape(path: Path, changes: dict[str, object]) -> None:
        """Few threads, and second attempts soon: a day is short here."""
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        document.update(changes)
        document.setdefault("limits", {}).update({"page_retry": "1s", "page_attempts": 20, "feed_seconds": 10})
        document["workers"] = {"concurrency": 8, "parse_processes": 1}
        path.write_text(yaml.safe_dump(document), encoding="utf-8")

    def start(self, role: str) -> None:
        """Start the daemon or the worker."""
        words = ["run", "--config", str(self.directory)] if role == "daemon" else [
            "worker", "--config", str(self.worker_config)
        ]  # fmt: skip
        with (self.directory / f"{role}.out").open("ab") as out:
            self.processes[role] = subprocess.Popen(
                [sys.executable, "-m", "scheduler", *words], stdout=out, stderr=out, start_new_session=True
            )

    def kill(self, victim: str) -> bool:
        """SIGKILL; False when it was not there to be killed."""
        if victim == "server":
            pid = self._server_pid()
            if pid is None:
                return False
            os.kill(pid, signal.SIGKILL)
            return True
        process = self.processes[victim]
        there = process.poll() is None
        # The whole group: parsing children must not outlive their parent in the measurement.
        if there:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.start(victim)
        return there

    def _server_pid(self) -> int | None:
        client = connect_threaded(self.server.url, timeout=timedelta(seconds=1), connections=1)
        try:
            return int(client.info("server")["process_id"])
        except FAILURES:
            return None
        finally:
            client.close()

    def stop(self) -> list[int]:
        """SIGTERM; exit codes."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        codes = []
        for process in self.processes.values():
            try:
                codes.append(process.wait(40))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                codes.append(process.wait())
        return codes


@contextmanager
def staged(directory: Path, port: int, *, every: str) -> Iterator[Stage]:
    """Daemon and worker running for the length of the block."""
    stage = Stage(directory, port, every=every)
    stage.start("daemon")
    try:
        database = stage.settings.data_dir / "warta.db"
        _until(lambda: database.exists() and database.stat().st_size > 0, 20, "the daemon made no database")
        time.sleep(1)
        stage.start("worker")
        yield stage
    finally:
        stage.stop()


def torture(
    kills: int, *, directory: Path, seed: int = 7, faulty: float = 0.25, day_seconds: float = 600, drain: float = 120,
    say: bool = False,
) -> Verdict:  # fmt: skip
    """Run it all; `day_seconds` is how long a newsroom day lasts here."""
    chance = random.Random(seed)
    verdict = Verdict(kills=dict.fromkeys(VICTIMS, 0))
    began = time.monotonic()
    start = (wall() - timedelta(days=2)).replace(hour=MORNING, minute=0)
    newsroom = Newsroom(seed=seed, clock=Clock(start, speed=86_400 / day_seconds), backlog_days=0)
    with running(newsroom) as press:
        for fault in FAULTS if faulty else ():
            newsroom.misbehave(fault, share=faulty / len(FAULTS))
        with staged(directory, press.port, every="2s") as stage:
            for n in range(kills):
                newsroom.publish(chance.choice(OUTLETS), 2)
                time.sleep(chance.uniform(0.3, 2.1))
                victim = VICTIMS[n % len(VICTIMS)]
                verdict.kills[victim] += stage.kill(victim)
                if say:
                    print(f"\r{n + 1} of {kills} kills, {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
            newsroom.clock.set_speed(0)
            for rule, _ in newsroom.rules.all():
                newsroom.rules.remove(rule.id)
            # A robots.txt that failed at the end is believed for ten minutes; a start has no such memory.
            for role in ("daemon", "worker"):
                verdict.kills[role] += stage.kill(role)
            since = time.monotonic()
            asyncio.run(_drained(stage, newsroom, drain))
            verdict.recovery = time.monotonic() - since
        asyncio.run(_judge(stage, newsroom, verdict))
    verdict.seconds = time.monotonic() - began
    return verdict


async def _drained(stage: Stage, newsroom: Newsroom, seconds: float) -> None:
    """Wait until everything is there, or until the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(1)
        storage = await Storage.open(stage.database, now=wall, migrate=False)
        try:
            verdict = Verdict()
            await _compare(storage, stage.settings, newsroom, verdict)
            if not verdict.lost and not (await storage.status()).pending:
                return
        finally:
            await storage.close()


async def _judge(stage: Stage, newsroom: Newsroom, verdict: Verdict) -> None:
    storage = await Storage.open(stage.database, now=wall, migrate=False)
    try:
        await _compare(storage, stage.settings, newsroom, verdict)
        verdict.findings = [str(f) for f in (await storage.audit.run()).findings]
    finally:
        await storage.close()


async def _compare(storage: Storage, settings: Settings, newsroom: Newsroom, verdict: Verdict) -> None:
    """What was published and listed against what is stored, by URL key."""
    expected: set[tuple[str, str]] = set()
    known: set[tuple[str, str]] = set()
    for record in ledger.records(newsroom):
        outlet = settings.outlet(record.outlet)
        if outlet is None:
            continue
        keys = [(outlet.id, url_key(url, outlet)) for url in (record.url, *record.aliases)]
        known.update(keys)
        if record.retracted is None and any(_polled(outlet, listing.source) for listing in record.listed):
            expected.add(keys[0])
    found: Counter[tuple[str, str]] = Counter()
    async for _, stored in storage.articles.iterate(ArticleFilter()):
        found[stored.article.outlet_id, stored.article.url_key] += 1
    announced: Counter[str] = Counter()
    cursor = 0
    while events := await storage.outbox.after(cursor, limit=5000):
        cursor = events[-1].id
        announced.update(e.article_id for e in events if e.event in {"new", "copy"})
    verdict.published, verdict.stored = len(expected), sum(found.values())
    verdict.lost = sorted("/".join(key) for key in expected - set(found))
    verdict.twice = sorted("/".join(key) for key, count in found.items() if count > 1)
    verdict.twice += sorted(article for article, count in announced.items() if count > 1)
    verdict.phantom = sorted("/".join(key) for key in set(found) - known)


def _polled(outlet: Outlet, source: str) -> bool:
    """By a source that reads the press's day: dated listings ask for today's, and the press lives in another."""
    return any(s.id == source and "{date" not in s.url for s in outlet.sources)


def _until(condition: object, seconds: float, complaint: str) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            raise TimeoutError(complaint)
        time.sleep(0.1)


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="warta-torture-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; exit code 1 when anything got lost, came twice or was invented."""
    parser = argparse.ArgumentParser(prog="python -m bench.torture", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--faulty", type=float, default=0.25, help="share of the press's answers that are faulty")
    parser.add_argument("--quick", action="store_true", help="12 kills, under a minute")
    parser.add_argument("--json", action="store_true", help="one closing JSON line")
    parser.add_argument("--keep", type=Path, help="leave everything in this directory, for a look")
    options = parser.parse_args(argv)
    kills = 12 if options.quick else options.kills
    with _directory(options.keep) as directory:
        verdict = torture(
            kills, directory=directory, seed=options.seed, faulty=options.faulty,
            day_seconds=3600 if options.quick else max(1800.0, kills * 9.0), drain=20 if options.quick else 180,
            say=sys.stderr.isatty(),
        )  # fmt: skip
    line = {
        "kills": sum(verdict.kills.values()), "of": verdict.kills, "published": verdict.published,
        "stored": verdict.stored, "lost": len(verdict.lost), "twice": len(verdict.twice),
        "phantom": len(verdict.phantom), "findings": len(verdict.findings),
        "recovery_seconds": round(verdict.recovery, 1), "seconds": round(verdict.seconds, 1),
    }  # fmt: skip
    if options.json:
        print(json.dumps(line))
    else:
        for name, value in line.items():
            print(f"{name:>17}  {value}")
        for kind in ("lost", "twice", "phantom", "findings"):
            for item in getattr(verdict, kind)[:10]:
                print(f"{kind:>17}  {item}")
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
