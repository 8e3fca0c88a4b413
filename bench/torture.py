"""kill -9 at random moments of a newsroom day, and the proof that nothing got lost: ``python -m bench.torture``.

A fictional press publishes, with a share of its answers faulty on request. A daemon (embedded database and
server) and a second worker on the same database and server read it. Again and again one of daemon, worker and
server is killed and, where nobody else does, started again; every third start is armed to die by itself at one of
the named crash points, one after the other. Then the press stops, the daemon gets time to catch up, and what is
stored, and what a consumer got, is held against what was published:

- lost: published stories that are not stored, although their source was read since the press stopped and nothing
  of them waits for another attempt; and announcements that their consumer will not get any more;
- twice: articles announced or delivered as new more than once, or stored under two ids;
- phantom: articles that nobody published;
- findings: whatever `warta audit` says;
- late: what was still on its way when the time given for catching up was over. Only a full run fails for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

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
from storage.events import FIRST_EVENTS
from storage.model import FateKind
from storage.outbox import OutboxEvent
from storage.redis import FAILURES, connect_threaded
from storage.storage import Storage

#: Faults that a share of the press's answers shows when asked to.
FAULTS = ("status_500", "status_503", "reset", "truncated", "truncated_gzip", "empty_body", "hang_up")
#: Who publishes besides what the hour brings, two stories before each kill.
OUTLETS = ("kabarniaga", "lintasmenit", "arahpena", "kantorberita", "archipelagopost", "datakini", "gemanusa")
#: Where the press's clock starts, UTC: before its outlets' day begins.
MORNING = 20
#: Minutes of killing below which what is late is not held against the daemon.
SHORT = 10
#: Kills that even a slow machine gets.
AT_LEAST = 10
#: Of so many kills, one does not wait until its victim has started.
IN_THE_DOOR = 4
#: Longest wait for a start.
START_SECONDS = 15.0
#: Of so many kills, one is followed by an armed start.
ARMED = 3
VICTIMS = ("daemon", "worker", "server")
#: Crash points that armed processes die at (docs/operations.md), and the passing at which they do.
POINTS = (
    "after_fetch", "after_parse", "begin.before_commit", "begin.after_commit", "discovered.before_commit",
    "discovered.after_commit", "before_commit", "after_commit", "before_mark", "after_mark", "finish.before_commit",
    "finish.after_commit", "after_finish", "before_publish", "after_publish", "deliver.before_commit",
    "deliver.after_commit",
)  # fmt: skip
#: Points that only the process passes that delivers.
OF_DELIVERY = frozenset({"before_publish", "after_publish", "deliver.before_commit", "deliver.after_commit"})


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
    #: Not there yet, and known to be on its way.
    late: list[str] = field(default_factory=list)
    #: Crash point to how many processes died of it.
    points: Counter[str] = field(default_factory=Counter)
    delivered: int = 0
    seconds: float = 0.0
    #: Seconds that catching up took after the press stopped.
    recovery: float = 0.0

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice, nothing invented, and the sums right."""
        return not (self.lost or self.twice or self.phantom or self.findings)


class Stage:
    """The processes on stage: one daemon, one worker, and the server that the daemon keeps."""

    def __init__(
        self, directory: Path, port: int, *, every: str, extra: Mapping[str, object] = MappingProxyType({}),
        database: str | None = None, around: Sequence[str] = (), environ: Mapping[str, str] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        """`database` other than SQLite; `around` stands before the command of each process, `environ` is theirs."""
        self.directory = directory
        self._around, self._environ = tuple(around), dict(environ)
        outlets.write_config(directory, port, every=every)
        self.archive = directory / "delivered"
        self.points: Counter[str] = Counter()
        self._armed: dict[str, str | None] = {}
        self._starts = 0
        consumer = {"name": "archive", "files": str(self.archive), "every": "1s", "backfilled": True}
        self._shape(directory / "warta.yaml", {})
        self.settings: Settings = load(directory / "warta.yaml", {})
        self.server = EmbeddedValkey(self.settings.data_dir)
        self.database = database or f"sqlite:///{self.settings.data_dir / 'warta.db'}"
        self.worker_config = directory / "worker.yaml"
        self.worker_config.write_text((directory / "warta.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        shared = {"redis": self.server.url, "database": self.database, "data_dir": str(directory / "worker-data")}
        self._shape(self.worker_config, shared)
        here = {} if database is None else {"database": database}
        self._shape(directory / "warta.yaml", {"deliver": [consumer], **here, **extra})
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        #: Where the output of each process that runs now begins in its file.
        self._said: dict[str, int] = {}

    @staticmethod
    def _shape(path: Path, changes: Mapping[str, object]) -> None:
        """Few threads, and second attempts soon: a day is short here."""
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        document.update(changes)
        document.setdefault("limits", {}).update({"page_retry": "1s", "page_attempts": 20, "feed_seconds": 10})
        document["workers"] = {"concurrency": 8, "parse_processes": 1}
        document["shutdown_grace"] = "3s"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")

    def start(self, role: str, *, armed: bool = False) -> None:
        """Start the daemon or the worker; an armed one dies at the next crash point, after a few passings."""
        environ, point = os.environ | self._environ, None
        if armed:
            points = [p for p in POINTS if role == "daemon" or p not in OF_DELIVERY]
            point = points[self._starts % len(points)]
            environ["WARTA_FAULT_AT"] = f"{point}:{1 + self._starts % 3}"
            self._starts += 1
        self._armed[role] = point
        words = ["run", "--config", str(self.directory)] if role == "daemon" else [
            "worker", "--config", str(self.worker_config)
        ]  # fmt: skip
        with (self.directory / f"{role}.out").open("ab") as out:
            self._said[role] = out.tell()
            self.processes[role] = subprocess.Popen(
                [*self._around, sys.executable, "-m", "scheduler", *words],
                stdout=out,
                stderr=out,
                start_new_session=True,
                env=environ,
            )

    def await_start(self, role: str, seconds: float) -> None:
        """Wait until the process says that it has started, or is dead, or the time is up."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.processes[role].poll() is None:
            with (self.directory / f"{role}.out").open("rb") as out:
                out.seek(self._said[role])
                if b" started " in out.read():
                    return
            time.sleep(0.05)

    def kill(self, victim: str, *, armed: bool = False) -> bool:
        """SIGKILL and, but for the server, another start; False when it was not there to be killed."""
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
        point = self._armed.get(victim)
        if not there and point is not None and process.returncode == -signal.SIGKILL:
            self.points[point] += 1
            there = True
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self.start(victim, armed=armed)
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
        _until(lambda: database.exists() and database.stat().st_size > 0, 60, "the daemon made no database")
        time.sleep(1)
        stage.start("worker")
        yield stage
    finally:
        stage.stop()


def torture(
    kills: int, *, directory: Path, seed: int = 7, faulty: float = 0.25, day_seconds: float = 600, drain: float = 120,
    within: float = math.inf, patience: float = math.inf, say: bool = False,
) -> Verdict:  # fmt: skip
    """Run it all; `day_seconds` is how long a newsroom day lasts here.

    After `within` seconds there are no more kills, ten excepted; catching up may take `drain` seconds, and ends
    `patience` seconds after the beginning.
    """
    chance = random.Random(seed)
    verdict = Verdict(kills=dict.fromkeys(VICTIMS, 0))
    began = time.monotonic()
    newsroom = Newsroom(seed=seed, clock=Clock(morning(), speed=86_400 / day_seconds), backlog_days=0)
    with running(newsroom) as press:
        for fault in FAULTS if faulty else ():
            newsroom.misbehave(fault, share=faulty / len(FAULTS))
        with staged(directory, press.port, every="2s") as stage:
            for n in range(kills):
                # Two more come at the end.
                if sum(verdict.kills.values()) >= AT_LEAST - 2 and time.monotonic() - began > within:
                    break
                newsroom.publish(chance.choice(OUTLETS), 2)
                victim = VICTIMS[n % len(VICTIMS)]
                if n % IN_THE_DOOR:
                    # On a slow machine nothing would ever be up to be killed at work.
                    left = began + within - time.monotonic()
                    stage.await_start("worker" if victim == "worker" else "daemon", min(START_SECONDS, left))
                pause = chance.uniform(0.3, 1.7)
                time.sleep(pause if time.monotonic() - began < within else 0.1)
                if victim == "server" and stage.kill(victim):
                    verdict.kills[victim] += 1
                    continue
                victim = "worker" if victim == "server" else victim  # it is down already
                verdict.kills[victim] += stage.kill(victim, armed=n % ARMED == 0)
                if say:
                    print(f"\r{n + 1} of {kills} kills, {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
            newsroom.clock.set_speed(0)
            for rule, _ in newsroom.rules.all():
                newsroom.rules.remove(rule.id)
            # What a process remembers of the last faults does not last into the catching up.
            for role in ("daemon", "worker"):
                verdict.kills[role] += stage.kill(role)
            since, stopped = time.monotonic(), wall()
            asyncio.run(_drained(stage, newsroom, min(drain, patience - (since - began))))
            verdict.recovery = time.monotonic() - since
        verdict.points = stage.points
        asyncio.run(_judge(stage, newsroom, verdict, stopped))
    verdict.seconds = time.monotonic() - began
    return verdict


def morning() -> datetime:
    """Where the press's clock starts: before its outlets' day begins, so that there is little to catch up with."""
    return (wall() - timedelta(days=2)).replace(hour=MORNING, minute=0)


async def _drained(stage: Stage, newsroom: Newsroom, seconds: float) -> None:
    """Wait until everything is there, or until the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(1)
        storage = await Storage.open(stage.database, now=wall, migrate=False)
        try:
            verdict = Verdict()
            await compare(storage, stage, newsroom, verdict)
            if not verdict.lost and not verdict.late and not (await storage.status()).pending:
                return
        finally:
            await storage.close()


async def _judge(stage: Stage, newsroom: Newsroom, verdict: Verdict, stopped: datetime) -> None:
    storage = await Storage.open(stage.database, now=wall, migrate=False)
    try:
        await compare(storage, stage, newsroom, verdict)
        await _tell_late(storage, stage, newsroom, verdict, stopped)
        verdict.findings = [str(f) for f in (await storage.audit.run()).findings]
    finally:
        await storage.close()


async def _tell_late(storage: Storage, stage: Stage, newsroom: Newsroom, verdict: Verdict, stopped: datetime) -> None:
    """Take out of what is lost what waits for another attempt, or whose sources were not read since."""
    pending = await storage.fates.search(kinds=[FateKind.PENDING], limit=100_000)
    waiting = {f"{fate.outlet_id}/{fate.url_key}" for fate in pending}
    read = {s.id for s in await storage.sources.all() if s.last_success is not None and s.last_success > stopped}
    for record in ledger.records(newsroom):
        outlet = stage.settings.outlet(record.outlet)
        if outlet is None:
            continue
        name = f"{outlet.id}/{url_key(record.url, outlet)}"
        listed = [one.source for one in record.listed if _polled(outlet, one.source)]
        if name in verdict.lost and (name in waiting or not any(source in read for source in listed)):
            verdict.lost.remove(name)
            verdict.late.append(name)


def _delivered(archive: Path) -> list[dict[str, Any]]:
    """What the consumer got, in the order of its files."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(archive.glob("day=*/*.jsonl"))]
    return [json.loads(line) for text in texts for line in text.splitlines()]


async def compare(storage: Storage, stage: Stage, newsroom: Newsroom, verdict: Verdict) -> None:
    """What was published and listed against what is stored, by URL key, and what was announced with what arrived."""
    settings = stage.settings
    expected: set[tuple[str, str]] = set()
    known: set[tuple[str, str]] = set()
    for record in ledger.records(newsroom):
        outlet = settings.outlet(record.outlet)
        if outlet is None:
            continue
        names = [(outlet.id, url_key(url, outlet)) for url in (record.url, *record.aliases)]
        known.update(names)
        if record.retracted is None and any(_polled(outlet, listing.source) for listing in record.listed):
            expected.add(names[0])
    found: Counter[tuple[str, str]] = Counter()
    async for _, stored in storage.articles.iterate(ArticleFilter()):
        found[stored.article.outlet_id, stored.article.url_key] += 1
    announced: Counter[str] = Counter()
    keys: set[str] = set()
    cursor = 0
    while events := await storage.outbox.after(cursor, limit=5000):
        cursor = events[-1].id
        announced.update(e.article_id for e in events if e.event in FIRST_EVENTS)
        keys.update(map(_key, events))
    # A file that was written before a kill is written again, under its name or among later ones: a key is one event.
    arrived = {event["key"]: event for event in _delivered(stage.archive)}
    got = Counter(event["article_id"] for event in arrived.values() if event["event"] in FIRST_EVENTS)
    verdict.published, verdict.stored = len(expected), sum(found.values())
    verdict.lost = sorted("/".join(key) for key in expected - set(found))
    verdict.twice = sorted("/".join(key) for key, count in found.items() if count > 1)
    verdict.twice += sorted(article for article, count in announced.items() if count > 1)
    verdict.twice += sorted(f"delivered {article}" for article, count in got.items() if count > 1)
    verdict.phantom = sorted("/".join(key) for key in set(found) - known)
    verdict.phantom += sorted(f"delivered {key}" for key in set(arrived) - keys)
    verdict.delivered = len(arrived)
    consumers = {c.name: c for c in await storage.deliveries.all()}
    cursor = consumers["archive"].cursor if "archive" in consumers else 0
    missing = keys - set(arrived)
    to_come = {_key(e) for e in await storage.outbox.after(cursor, limit=100_000)}
    verdict.late = sorted(f"delivery {key}" for key in missing & to_come)
    verdict.lost += sorted(f"delivery {key}" for key in missing - to_come)


def _key(event: OutboxEvent) -> str:
    """As consumers see it."""
    return f"{event.article_id}:{event.revision}:{event.event}"


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
    parser.add_argument("--minutes", type=float, default=math.inf, help="no more kills after so many")
    options = parser.parse_args(argv)
    kills = 12 if options.quick else options.kills
    within = 14.0 if options.quick else options.minutes * 60
    short = options.quick or options.minutes < SHORT
    with _directory(options.keep) as directory:
        # After a long time under fire there is much to ask of hosts that want a second between requests.
        drain = 30 if options.quick else 60 if short else 600
        verdict = torture(
            kills, directory=directory, seed=options.seed, faulty=options.faulty,
            day_seconds=3600 if options.quick else max(1800.0, kills * 9.0), drain=drain,
            within=within, patience=38 if options.quick else math.inf, say=sys.stderr.isatty(),
        )  # fmt: skip
    line = {
        "kills": sum(verdict.kills.values()), "of": verdict.kills, "published": verdict.published,
        "stored": verdict.stored, "lost": len(verdict.lost), "twice": len(verdict.twice),
        "phantom": len(verdict.phantom), "findings": len(verdict.findings), "late": len(verdict.late),
        "delivered": verdict.delivered, "crash_points": dict(sorted(verdict.points.items())),
        "recovery_seconds": round(verdict.recovery, 1), "seconds": round(verdict.seconds, 1),
    }  # fmt: skip
    if options.json:
        print(json.dumps(line))
    else:
        for name, value in line.items():
            print(f"{name:>17}  {value}")
        for kind in ("lost", "twice", "phantom", "findings", "late"):
            for item in getattr(verdict, kind)[:10]:
                print(f"{kind:>17}  {item}")
    return 0 if verdict.good and (short or not verdict.late) else 1


if __name__ == "__main__":
    sys.exit(main())
